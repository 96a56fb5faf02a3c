//! The ways in which programs write down where a SQLite database is.

use std::path::Path;

use crate::engine::Reach;
use crate::fsx;

/// Whether a value leads to the file at `path`, whose links are resolved: as a path, or as a URL of any usual form. What a
/// form leaves open (`sqlite:///app.db` is a relative path to some libraries and an absolute one to others) is taken for both.
pub(super) fn names(value: &str, path: &Path) -> bool {
    let value = value.trim();
    if value.is_empty() || value.contains('\0') {
        return false;
    }
    readings(value).iter().any(|reading| !reading.is_empty() && leads_to(Path::new(reading), path))
}

/// Every path that a value may stand for.
fn readings(value: &str) -> Vec<String> {
    let mut readings = vec![value.to_owned()];
    let url = value.strip_prefix("jdbc:").unwrap_or(value);
    if let Some((scheme, rest)) = url.split_once(':')
        && is_of_sqlite(scheme)
    {
        // Parameters may come after the path, and its own names may hold the same characters.
        let ends = rest.match_indices(['?', '#']).map(|(at, _)| at).chain([rest.len()]);
        for rest in ends.map(|end| &rest[..end]) {
            for text in [rest.to_owned(), decoded(rest)] {
                if let Some(after) = text.strip_prefix("//") {
                    // A path, or one behind a host, or a relative one behind a host that is not there.
                    readings.extend([after.to_owned(), after.strip_prefix('/').unwrap_or(after).to_owned()]);
                    readings.extend(after.find('/').map(|at| after[at..].to_owned()));
                }
                readings.push(text);
            }
        }
    }
    readings
}

/// `sqlite`, `sqlite3`, `file`, with whatever driver behind it: `sqlite+pysqlite`.
fn is_of_sqlite(scheme: &str) -> bool {
    let engine = scheme.split('+').next().unwrap_or(scheme);
    ["sqlite", "sqlite3", "file"].iter().any(|known| engine.eq_ignore_ascii_case(known))
}

/// A text with its `%2F` and the like replaced; what is no such thing stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = match bytes[at..] {
            [b'%', high, low, ..] => digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

fn digit(hex: u8) -> Option<u8> {
    char::from(hex).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Whether both are one file: the same path once links are resolved, or another link to it.
fn leads_to(reading: &Path, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (reading.metadata(), path.metadata()) {
        (Ok(found), Ok(own)) => (found.dev(), found.ino()) == (own.dev(), own.ino()),
        _ => std::path::absolute(reading).is_ok_and(|reading| fsx::real_path(&reading) == *path),
    }
}

/// How a program reaches the database file at `path`.
pub(super) fn reach(path: &Path) -> Reach {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    let url = url(&path);
    let variables = [("DATABASE_URL", &url), ("SQLITE_URL", &url), ("SQLITE_PATH", &path), ("SQLITE_DATABASE", &path)]
        .map(|(name, value)| (name.to_owned(), Some(value.clone())));
    Reach { places: [("url", url.clone()), ("path", path.clone()), ("database", path.clone())].into(), variables: variables.into() }
}

/// `sqlite:////abs/app.db`: to most libraries the path is what follows the third slash. Only what would end the path is
/// encoded, since many do not decode it.
fn url(path: &str) -> String {
    format!("sqlite:///{}", path.replace('%', "%25").replace('?', "%3F").replace('#', "%23"))
}
