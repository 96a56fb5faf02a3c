//! `file-versions diff`: what differs, line by line.

mod text;

use std::io::{Cursor, Read};

use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::versions::{History, Name, Selector, Versions};
use manners::{Out, visible};
use serde::Serialize;

use crate::args::diff::Diff;
use crate::scope::{Scope, of_file};
use text::{Counts, Kind};

/// Contents up to this are compared line by line; larger ones only as a whole, so that memory stays bounded.
const TEXT_MAX_BYTES: u64 = 32 << 20;

/// One side of a comparison.
struct Side {
    /// What it is called: an id, or `now`.
    label: String,
    sha256: String,
    bytes: u64,
    /// The content, where it is small enough.
    content: Option<Vec<u8>>,
}

#[derive(Serialize)]
struct Answer<'a> {
    file: String,
    from: &'a str,
    to: &'a str,
    is_same: bool,
    is_binary: Option<bool>,
    from_bytes: u64,
    to_bytes: u64,
    added_lines: Option<usize>,
    removed_lines: Option<usize>,
    diff: Option<String>,
}

pub(crate) fn run(args: &Diff, out: &Out) -> Result<u8> {
    let scope = Scope::open(&args.common)?;
    let name = Name::of(&args.file)?;
    let selectors = (Selector::parse(&args.from)?, args.to.as_deref().map(Selector::parse).transpose()?);
    let place = scope.to_change(&args.common, out)?;
    let history = place.versions.history(&name)?;
    let from = version(&place.versions, &history, &selectors.0, &name)?;
    let to = match &selectors.1 {
        Some(selector) => version(&place.versions, &history, selector, &name)?,
        None => present(&name, out)?,
    };
    let is_same = from.sha256 == to.sha256;
    let file = visible(&name.path().to_string_lossy()).into_owned();
    let (header_from, header_to) = (format!("{file}\t{}", from.label), format!("{file}\t{}", to.label));
    let compared = match (&from.content, &to.content) {
        _ if is_same => Kind::Text(Counts::default(), Vec::new()),
        (Some(one), Some(other)) => text::compare(one, other, (&header_from, &header_to)),
        _ => Kind::Large,
    };
    if out.is_json() {
        let (counts, diff) = match &compared {
            Kind::Text(counts, diff) => (Some(counts), Some(String::from_utf8_lossy(diff).into_owned())),
            _ => (None, None),
        };
        out.document(&Answer {
            file: name.path().to_string_lossy().into_owned(),
            from: &from.label,
            to: &to.label,
            is_same,
            is_binary: match compared {
                Kind::Text(..) if is_same => None,
                Kind::Text(..) => Some(false),
                Kind::Binary => Some(true),
                Kind::Large => None,
            },
            from_bytes: from.bytes,
            to_bytes: to.bytes,
            added_lines: counts.map(|counts| counts.added),
            removed_lines: counts.map(|counts| counts.removed),
            diff: diff.filter(|_| !args.stat),
        })?;
        return Ok(exit::DONE);
    }
    let sizes = format!("{} bytes in {}, {} bytes in {}", from.bytes, from.label, to.bytes, to.label);
    match compared {
        _ if is_same && args.stat => out.line(&format!("{file}\tsame"))?,
        _ if is_same => {}
        Kind::Text(counts, _) if args.stat => out.line(&format!("{file}\t+{} -{}", counts.added, counts.removed))?,
        Kind::Text(_, diff) => out.copy(&mut Cursor::new(diff))?,
        Kind::Binary => out.line(&format!("{file}\tbinary, differs: {sizes}"))?,
        Kind::Large => out.line(&format!("{file}\ttoo large for lines, differs: {sizes}"))?,
    }
    Ok(exit::DONE)
}

fn version(versions: &Versions, history: &History, selector: &Selector, name: &Name) -> Result<Side> {
    let version = history.find(selector).map_err(|error| of_file(error, name.path()))?;
    let record = &version.record;
    let mut content = versions.open(version)?;
    let content = if record.bytes <= TEXT_MAX_BYTES { Some(read(&mut content)?) } else { None };
    Ok(Side { label: version.id.clone(), sha256: record.sha256.clone(), bytes: record.bytes, content })
}

/// The file as it is now.
fn present(name: &Name, out: &Out) -> Result<Side> {
    let (found, content) = name.read_now(TEXT_MAX_BYTES, out)?.ok_or_else(|| {
        Error::failed(format!("there is no file {}", name.path().display()))
            .hint("name two versions, or bring one back with file-versions restore")
    })?;
    Ok(Side { label: "now".to_owned(), sha256: found.sha256, bytes: found.bytes, content })
}

fn read(from: &mut dyn Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).map_err(|error| Error::from_io("cannot read the version", error))?;
    Ok(bytes)
}
