//! `file-versions save`: a file as it is now.

use holdfast::error::Result;
use holdfast::exit;
use holdfast::versions::{Name, Planned};
use manners::Out;
use serde::Serialize;
use serde_json::json;

use crate::args::save::Save;
use crate::report::{self, Document};
use crate::scope::{Scope, audit_run};

#[derive(Serialize)]
struct Answer<'a> {
    version: Document<'a>,
    is_new: bool,
    added_bytes: u64,
    notes: &'a [String],
    audit_error: Option<&'a str>,
}

#[derive(Serialize)]
struct Plan<'a> {
    file: String,
    #[serde(flatten)]
    planned: &'a Planned,
}

pub(crate) fn run(args: &Save, out: &Out) -> Result<u8> {
    let scope = Scope::open(&args.common)?;
    let name = Name::of(&args.file)?;
    let request = scope.request(args.author.as_ref(), &args.message)?;
    if args.common.dry_run {
        let planned = Planned::of(scope.if_any(&args.common)?.as_ref(), &name, out)?;
        let what = match (planned.is_new, planned.is_shared) {
            (false, _) => "nothing, and no message: it is as its newest version has it".to_owned(),
            (true, true) => "a new version, whose content is in the store already".to_owned(),
            (true, false) => format!("a new version of {} bytes", planned.bytes),
        };
        let lines = [format!("file     {}", report::shown(name.path())), format!("save     {what}")];
        out.plan(&Plan { file: name.path().to_string_lossy().into_owned(), planned: &planned }, &lines)?;
        return Ok(exit::DONE);
    }
    let place = scope.to_write(&args.common, out)?;
    let audited = scope.setting.audited(out, Some(&place.store), audit_run("save", name.path()), |trail| {
        let held = place.versions.hold(scope.wait(args.wait))?;
        let saved = place.versions.save(&held, &name, &request, out)?;
        trail.note(|facts| {
            facts.bytes = Some(saved.version.record.bytes);
            facts.detail.insert("version".to_owned(), json!(saved.version.id));
            facts.detail.insert("is_new".to_owned(), json!(saved.is_new));
        });
        Ok((exit::DONE, saved))
    })?;
    let saved = &audited.value;
    report::warn_all(out, &saved.notes);
    let mut notes = saved.notes.clone();
    // A schedule says the same every night, and nothing of that is lost.
    if !saved.is_new && saved.version.record.message != args.message {
        notes.push("unchanged: the message is not kept".to_owned());
    }
    if out.is_json() {
        out.document(&Answer {
            version: Document::of(&saved.version),
            is_new: saved.is_new,
            added_bytes: saved.added_bytes,
            notes: &notes,
            audit_error: audited.audit_error.as_deref(),
        })?;
    } else {
        out.line(&format!("{}\t{}", saved.version.id, report::shown(name.path())))?;
    }
    if !saved.is_new {
        out.note("the file is as that version has it; nothing was saved");
        notes[saved.notes.len()..].iter().for_each(|note| out.note(note));
    }
    Ok(audited.status)
}
