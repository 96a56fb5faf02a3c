//! Passwords: kept out of argv, logs, manifests and messages.

use std::sync::Mutex;

/// Every secret this process has read, so that [`redact`] can strike it out of what a child program says.
static KNOWN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Shorter secrets are not struck out by value: a one-letter password would blank half of every message.
const REDACT_AT_LEAST_BYTES: usize = 4;

/// A password. It has no `Display`, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a password, and remembers it for [`redact`].
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.len() >= REDACT_AT_LEAST_BYTES {
            let mut known = KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if !known.contains(&text) {
                known.push(text.clone());
            }
        }
        Secret(text)
    }

    /// The password itself, for a child's environment or a 0600 file and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Strikes every known secret, and the password of any `scheme://user:password@`, out of a text.
pub fn redact(text: &str) -> String {
    let mut out = text.to_owned();
    for secret in KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).iter() {
        out = out.replace(secret.as_str(), "***");
    }
    redact_url_passwords(&out)
}

fn redact_url_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme_end) = rest.find("://") {
        let (before, after) = rest.split_at(scheme_end + 3);
        out.push_str(before);
        let authority_end = after.find(|c: char| c == '/' || c == '?' || c.is_whitespace() || c == '"').unwrap_or(after.len());
        let authority = &after[..authority_end];
        match (authority.rfind('@'), authority.find(':')) {
            (Some(at), Some(colon)) if colon < at => {
                out.push_str(&authority[..=colon]);
                out.push_str("***");
                out.push_str(&authority[at..]);
            }
            _ => out.push_str(authority),
        }
        rest = &after[authority_end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_password_and_a_url_password_are_struck_out() {
        let _secret = Secret::new("hunter22");
        assert_eq!(redact("auth hunter22 failed"), "auth *** failed");
        assert_eq!(redact("postgres://u:pw@host/db and x://h/d"), "postgres://u:***@host/db and x://h/d");
        assert_eq!(redact("no://colon@host"), "no://colon@host");
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("canary-password")), "Secret(…)");
    }
}
