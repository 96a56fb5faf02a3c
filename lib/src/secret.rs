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

/// What a variable's or a flag's name says of a secret behind it, in lower case.
const TELLTALES: [&str; 9] = ["password", "passwd", "passphrase", "mysql_pwd", "secret", "token", "api_key", "api-key", "apikey"];

/// As [`redact`] for the words of a command line: strikes out what stands behind a flag or a variable that is named for a
/// secret, also within a word that is a script (`--password x`, `PGPASSWORD=x`, `sh -c 'TOKEN=x …'`).
pub fn redact_words(words: &[String]) -> Vec<String> {
    let mut is_next = false;
    let mut out = Vec::with_capacity(words.len());
    for word in words {
        out.push(if is_next && !word.starts_with('-') { "***".to_owned() } else { redact(&redact_script(word)) });
        is_next = is_flag_of_secret(word);
    }
    out
}

fn is_flag_of_secret(word: &str) -> bool {
    word.strip_prefix("--").is_some_and(|name| names_secret(name) && !name.contains(['=', ' ']))
}

fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLTALES.iter().any(|telltale| name.contains(telltale))
}

/// Strikes out the value of each `NAME=value`, `--name=value` and `--name value` in a text.
fn redact_script(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| !is_of_name(c)) {
        let (name, after) = rest.split_at(at);
        out.push_str(name);
        let gap = after.len() - after.trim_start_matches(' ').len();
        let has_value = after.starts_with('=') || (gap > 0 && is_flag_of_secret(name) && !after[gap..].starts_with('-'));
        let (between, value) = after.split_at(gap.max(after.chars().next().map_or(0, char::len_utf8)));
        out.push_str(between);
        rest = if has_value && names_secret(name) && !value.is_empty() {
            out.push_str("***");
            &value[length_of_value(value)..]
        } else {
            value
        };
    }
    out.push_str(rest);
    out
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// Up to the end of a shell's word, or of its quotes.
fn length_of_value(value: &str) -> usize {
    match value.chars().next().filter(|first| ['"', '\''].contains(first)) {
        Some(quote) => value[1..].find(quote).map_or(value.len(), |end| end + 2),
        None => value.find(|c: char| c.is_whitespace() || [';', '&', '|', '"', '\''].contains(&c)).unwrap_or(value.len()),
    }
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
    fn what_a_command_line_names_as_a_secret_is_struck_out() {
        let redacted = |words: &[&str]| redact_words(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).join(" ");
        assert_eq!(redacted(&["tool", "--password", "pw1", "--db-password=pw2", "x"]), "tool --password *** --db-password=*** x");
        assert_eq!(redacted(&["env", "PGPASSWORD=pw", "psql", "-p", "5432"]), "env PGPASSWORD=*** psql -p 5432");
        assert_eq!(
            redacted(&["sh", "-c", "API_TOKEN='a b' MYSQL_PWD=c;run --secret s é --password -v PWD=/x"]),
            "sh -c API_TOKEN=*** MYSQL_PWD=***;run --secret *** é --password -v PWD=/x"
        );
        assert_eq!(redacted(&["sh", "-c", "PASSWORD=", "--tokens", "--n"]), "sh -c PASSWORD= --tokens --n");
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("canary-password")), "Secret(…)");
    }
}
