//! `file-versions cat`: the content of a version.

use std::io::Read;

use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::versions::{Name, Selector};
use manners::Out;
use serde::Serialize;

use crate::args::cat::Cat;
use crate::report::Document;
use crate::scope::{Scope, of_file};

/// A longer content is no part of a JSON document.
const JSON_MAX_BYTES: u64 = 16 << 20;

#[derive(Serialize)]
struct Answer<'a> {
    version: Document<'a>,
    text: Option<String>,
}

pub(crate) fn run(args: &Cat, out: &Out) -> Result<u8> {
    let scope = Scope::open(&args.common)?;
    let selector = Selector::parse(&args.selector)?;
    let name = Name::of(&args.file)?;
    let place = scope.to_change(&args.common, out)?;
    let history = place.versions.history(&name)?;
    let version = history.find(&selector).map_err(|error| of_file(error, name.path()))?;
    let mut content = place.versions.open(version)?;
    if !out.is_json() {
        out.copy(&mut content)?;
        return Ok(exit::DONE);
    }
    if version.record.bytes > JSON_MAX_BYTES {
        return Err(Error::usage(format!("{} has {} bytes: too many for one JSON document", version.id, version.record.bytes))
            .hint("leave --json away, or restore it with --to"));
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes).map_err(|error| Error::from_io("cannot read the version", error))?;
    out.document(&Answer { version: Document::of(version), text: String::from_utf8(bytes).ok() })?;
    Ok(exit::DONE)
}
