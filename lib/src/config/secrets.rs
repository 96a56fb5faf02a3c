//! Passwords in and beside the file: only where nobody else can read them.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Error, OnPath, Result};
use crate::secret::Secret;

/// The permission bits that let anyone but the owner in.
const OTHERS: u32 = 0o077;
/// Far longer than any password; a longer file is something else, named by mistake.
const PASSWORD_MAX_BYTES: u64 = 64 << 10;

/// Whether a URL holds a password as it stands: `scheme://user:password@…` or `?password=…`, unless that is a `${VAR}`.
pub(crate) fn has_inline_password(url: &str) -> bool {
    let Some((_, after)) = url.split_once("://") else { return false };
    let literal = |password: &str| !(password.is_empty() || password.starts_with("${") && password.ends_with('}'));
    let query = after.split_once('?').map_or("", |(_, query)| query);
    let in_query = query
        .split('&')
        .any(|pair| pair.split_once('=').is_some_and(|(key, value)| matches!(key, "password" | "sslpassword") && literal(value)));
    let authority = after.split('?').next().unwrap_or_default();
    // A `/` in an unescaped password is a mistake, but still a password: look at everything before the last `@`.
    let in_authority = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).is_some_and(|(_, password)| literal(password));
    in_query || in_authority
}

/// Whether anyone but its owner may read or write an open file.
pub(crate) fn open_to_others(mode: u32) -> bool {
    mode & OTHERS != 0
}

/// Reads the first line of a private file.
pub(crate) fn read_password(path: &Path) -> Result<Secret> {
    let as_config = |error: Error| error.as_kind(crate::error::Kind::Config);
    let file = File::open(path).on("open", path).map_err(as_config)?;
    let metadata = file.metadata().on("look at", path).map_err(as_config)?;
    let shown = path.display();
    if !metadata.is_file() {
        return Err(Error::config(format!("{shown} is not a file")));
    }
    if open_to_others(metadata.mode()) {
        return Err(Error::config(format!("{shown} holds a password and is open to others (mode {:04o})", metadata.mode() & 0o7777))
            .hint(format!("chmod 600 {}", shell_word(path))));
    }
    let mut line = Vec::new();
    BufReader::new(file.take(PASSWORD_MAX_BYTES)).read_until(b'\n', &mut line).on("read", path).map_err(as_config)?;
    let line = String::from_utf8(line).map_err(|_| Error::config(format!("the password in {shown} is not UTF-8")))?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(Error::config(format!("the first line of {shown} is empty")).hint("it must be the password and nothing else"));
    }
    Ok(Secret::new(password))
}

/// A path as a shell takes it, for commands to paste.
pub(crate) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%=,".contains(&byte);
    if text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_told_from_a_variable_and_from_none() {
        for url in ["postgres://u:pw@h/d", "postgres://u:p@w/@h/d", "postgres://h/d?user=u&password=pw", "postgres://u:x${A}@h/d"] {
            assert!(has_inline_password(url), "{url}");
        }
        for url in [
            "postgres://u@h:5432/d",
            "postgres://u:${PW}@h/d",
            "postgres://u:@h/d",
            "db/a:b@c.sqlite3",
            "postgres://h/d?password=${PW}",
            "postgres:///d",
        ] {
            assert!(!has_inline_password(url), "{url}");
        }
    }

    #[test]
    fn a_path_with_blanks_is_quoted() {
        assert_eq!(shell_word(Path::new("/a/Mobile Documents/it's")), r"'/a/Mobile Documents/it'\''s'");
        assert_eq!(shell_word(Path::new("/etc/holdfast.toml")), "/etc/holdfast.toml");
    }
}
