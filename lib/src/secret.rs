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

/// Programs to which `-pPASSWORD` gives a password; to others `-p` is a port, or a path.
const CLIENTS: [&str; 9] =
    ["mariadb", "mysql", "mariadb-dump", "mysqldump", "mariadb-admin", "mysqladmin", "mariadb-import", "mysqlimport", "mariadb-check"];

/// As [`redact`] for the words of a command line: strikes out what stands behind a flag or a variable that is named for a
/// secret, also within a word that is a script (`--password x`, `PGPASSWORD=x`, `sh -c 'TOKEN=x …'`, `mariadb -px`).
pub fn redact_words(words: &[String]) -> Vec<String> {
    let (mut is_next, mut is_client) = (false, false);
    let mut out = Vec::with_capacity(words.len());
    for word in words {
        out.push(match word {
            _ if is_next && !word.starts_with('-') => "***".to_owned(),
            _ if is_client && is_short_password(word) => "-p***".to_owned(),
            _ => redact(&redact_clients(&redact_script(word))),
        });
        is_next = is_flag_of_secret(word);
        is_client |= is_client_name(word);
    }
    out
}

fn is_client_name(word: &str) -> bool {
    CLIENTS.contains(&word.rsplit('/').next().unwrap_or(word))
}

fn is_short_password(word: &str) -> bool {
    word.len() > "-p".len() && word.starts_with("-p")
}

/// Strikes out `-pPASSWORD` behind the name of a client, up to the end of its command.
fn redact_clients(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_client = false;
    while !rest.is_empty() {
        let word_begin = rest.find(|c| !is_between_words(c)).unwrap_or(rest.len());
        is_client &= !rest[..word_begin].contains([';', '|', '&', '\n']);
        out.push_str(&rest[..word_begin]);
        rest = &rest[word_begin..];
        let mut end = 0;
        while let Some(next) = rest[end..].chars().next().filter(|next| !is_between_words(*next)) {
            end += if ['"', '\''].contains(&next) { length_of_value(&rest[end..]).min(rest.len() - end) } else { next.len_utf8() };
        }
        let (word, behind) = rest.split_at(end);
        let bare = word.trim_matches(['"', '\'']);
        if is_client && is_short_password(bare) {
            let quote = &word[..word.len() - word.trim_start_matches(['"', '\'']).len()];
            out.push_str(&format!("{quote}-p***{quote}"));
        } else {
            out.push_str(word);
        }
        is_client |= is_client_name(bare);
        rest = behind;
    }
    out
}

fn is_between_words(c: char) -> bool {
    c.is_whitespace() || [';', '|', '&', '(', ')', '`', '$'].contains(&c)
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
        assert_eq!(redacted(&["/usr/bin/mariadb", "-u", "shop", "-psecret", "-p", "app"]), "/usr/bin/mariadb -u shop -p*** -p app");
        assert_eq!(
            redacted(&["sh", "-c", "mkdir -pv x; mysql -ushop '-ps3cr:t/w@rd o' app <a && psql -p5432; $(mysqldump -p\"é\"x a)"]),
            "sh -c mkdir -pv x; mysql -ushop '-p***' app <a && psql -p5432; $(mysqldump -p*** a)"
        );
        assert_eq!(redacted(&["sh", "-c", "mysql '-px"]), "sh -c mysql '-p***'");
        assert_eq!(redacted(&["psql", "-p5432", "-d", "mysql"]), "psql -p5432 -d mysql");
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("canary-password")), "Secret(…)");
    }
}
