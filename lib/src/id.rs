//! Backup ids: `20261121T130000Z-dev-db-7f3a`, which sort by time and are safe names on every file system.

use chrono::{DateTime, Utc};

use crate::clock;
use crate::error::Result;
use crate::fsx;

/// Longer ids are refused; the longest that can be made has 16 + 1 + 40 + 1 + 9 + 1 + 4 bytes.
pub const MAX_BYTES: usize = 96;

/// A new id; the last part is random, so that two runs in one second differ.
pub fn new(time: DateTime<Utc>, environment: &str, kind: impl std::fmt::Display) -> Result<String> {
    Ok(format!("{}-{environment}-{kind}-{}", clock::compact(time), fsx::random_hex(2)?))
}

/// A name for what one restore makes, `20261121T130000Z-2da5`: it has the form of an id too.
pub fn stamp(time: DateTime<Utc>) -> Result<String> {
    Ok(format!("{}-{}", clock::compact(time), fsx::random_hex(2)?))
}

/// Whether a text has the form of an id.
pub fn is_id(text: &str) -> bool {
    let Some((time, rest)) = text.split_once('-') else { return false };
    let time = time.as_bytes();
    time.len() == 16
        && time[8] == b'T'
        && time[15] == b'Z'
        && time.iter().enumerate().all(|(at, byte)| matches!(at, 8 | 15) || byte.is_ascii_digit())
        && text.len() <= MAX_BYTES
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The environment that a backup's id names; none where it has another form.
pub fn environment_in(id: &str) -> Option<&str> {
    let (_, rest) = id.split_once('-').filter(|_| is_id(id))?;
    let mut parts = rest.rsplitn(3, '-');
    let (_random, _kind, environment) = (parts.next()?, parts.next()?, parts.next()?);
    (!environment.is_empty()).then_some(environment)
}

/// Whether a text is the name of a file in a folder, and nothing that leads out of it.
pub fn is_bare_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && !text.starts_with('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_environment() {
        assert_eq!(environment_in("20261121T130000Z-dev-db-7f3a"), Some("dev"));
        assert_eq!(environment_in("20261121T130000Z-prod-eu-migration-7f3a"), Some("prod-eu"));
        assert_eq!(environment_in("20261121T130000Z-2da5"), None);
        assert_eq!(environment_in("prod-eu-db-7f3a"), None);
    }

    #[test]
    fn an_id_is_told_from_anything_else() {
        assert!(is_id("20261121T130000Z-dev-db-7f3a"));
        assert!(is_id(&new(clock::now(), "dev", "safety").expect("an id")));
        for text in ["", "x", "20261121T130000Z", "20261121T130000Z-", "20261121T130000Z-Dev", "20261121T130000Z-a/b", "latest-dev-db-7f3a"]
        {
            assert!(!is_id(text), "{text:?}");
        }
    }
}
