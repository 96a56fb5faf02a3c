//! The names that sync services give to the second copy where two machines wrote one name.

/// The largest number taken for a conflict's; beyond it a number at the end of a name is somebody's own.
const NUMBER_MAX: u32 = 99;

/// Every name that `name` may be the conflict copy of: `NAME 2`, `NAME 2.ext` (iCloud), `NAME (1).ext` (Google Drive),
/// `NAME (HOST's conflicted copy 2026-11-21).ext` (Dropbox), `NAME.sync-conflict-20261121-130000-ABC.ext` (Syncthing).
/// Whether it is one depends on whether that name is ours.
pub(super) fn originals(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in name.match_indices([' ', '.']) {
        let (stem, rest) = name.split_at(at);
        if stem.is_empty() {
            continue;
        }
        for length in [numbered(rest), bracketed(rest), syncthing(rest)].into_iter().flatten() {
            let after = &rest[length..];
            if after.is_empty() || after.starts_with('.') {
                found.push(format!("{stem}{after}"));
            }
        }
    }
    found
}

/// The length of ` 2` at the start.
fn numbered(rest: &str) -> Option<usize> {
    let digits = digits_of(rest.strip_prefix(' ')?)?;
    Some(1 + digits)
}

/// The length of ` (1)` or ` (… conflicted copy …)` at the start.
fn bracketed(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix(" (")?;
    let end = inside.find(')')?;
    let text = &inside[..end];
    let conflict = text.to_lowercase().contains("conflicted copy") || digits_of(text) == Some(text.len());
    conflict.then_some(2 + end + 1)
}

/// The length of `.sync-conflict-…` at the start, up to the next dot.
fn syncthing(rest: &str) -> Option<usize> {
    const SIGN: &str = ".sync-conflict-";
    let inside = rest.strip_prefix(SIGN)?;
    Some(SIGN.len() + inside.find('.').unwrap_or(inside.len()))
}

/// How many digits of a conflict's number a text begins with.
fn digits_of(text: &str) -> Option<usize> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u32 = text[..length].parse().ok()?;
    (!text.starts_with('0') && number <= NUMBER_MAX).then_some(length)
}

/// The fixed names in a store and in a backup.
const OUR_NAMES: &[&str] =
    &["manifest.json", "SHA256SUMS", "RESTORE.txt", "holdfast.json", "migrations", "archives", "checks", "labels", "audit", "logs"];
/// What a component's file is named after.
const OUR_STEMS: &[&str] = &["database", "globals", "files", "config"];
/// How a component's or an index's file name ends.
const OUR_ENDS: &[&str] = &["gz", "zst", "index", "delta", "sql", "sqlite", "tar", "jsonl"];

/// Whether Holdfast gives such a name to a file or folder in a store. The folders of environments have names of the user's own
/// and are told by what they hold.
pub(super) fn is_ours(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    let component =
        parts.len() > 1 && OUR_STEMS.contains(&parts[0]) && parts[1..].iter().all(|part| OUR_ENDS.contains(part) || *part == "inventory");
    let record = (name.starts_with("audit_") && name.ends_with(".jsonl")) || (name.starts_with("holdfast-") && name.ends_with(".log"));
    OUR_NAMES.contains(&name) || component || record || is_backup(name.strip_suffix(".jsonl").unwrap_or(name))
}

/// Whether a name begins as a backup's id does, `20261121T130000Z-`, and holds nothing that an id may not.
pub(super) fn is_backup(name: &str) -> bool {
    let Some((time, rest)) = name.split_once('-') else { return false };
    let shape = time.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    time.len() == 16
        && shape
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
