//! `file-versions restore`: a version comes back.

use holdfast::error::Result;
use holdfast::exit;
use holdfast::shell;
use holdfast::versions::{Fate, Name, Plan, Selector, Wanted};
use manners::Out;
use serde::Serialize;
use serde_json::json;

use crate::args::restore::Restore;
use crate::report::{self, Document};
use crate::scope::{Scope, audit_run, of_file};

#[derive(Serialize)]
struct Answer<'a> {
    version: Document<'a>,
    target: String,
    is_changed: bool,
    kept: Option<&'a str>,
    notes: &'a [String],
    audit_error: Option<&'a str>,
}

pub(crate) fn run(args: &Restore, out: &Out) -> Result<u8> {
    let scope = Scope::open(&args.common)?;
    let selector = Selector::parse(&args.selector)?;
    let name = Name::of(&args.file)?;
    let target = args.to.as_deref().map_or_else(|| Ok(name.clone()), Name::of)?;
    let place = scope.to_change(&args.common, out)?;
    let wanted = Wanted { name, selector, target };
    let in_file = |error| of_file(error, wanted.name.path());
    if args.common.dry_run {
        return tell(&place.versions.plan_restore(&wanted, out).map_err(in_file)?, out);
    }
    let history = place.versions.history(&wanted.name)?;
    let found = history.find(&wanted.selector).map_err(in_file)?;
    let request = scope.request(args.author.as_ref(), &format!("before {} was restored here", found.id))?;
    let audited = scope.setting.audited(out, Some(&place.store), audit_run("restore", wanted.target.path()), |trail| {
        let held = place.versions.hold(scope.wait(args.wait))?;
        let restored = place.versions.restore(&held, &wanted, &request, out).map_err(in_file)?;
        trail.note(|facts| {
            facts.bytes = Some(restored.version.record.bytes);
            facts.detail.insert("version".to_owned(), json!(restored.version.id));
            facts.detail.insert("kept".to_owned(), json!(restored.kept));
        });
        Ok((exit::DONE, restored))
    })?;
    let restored = &audited.value;
    report::warn_all(out, &restored.notes);
    if out.is_json() {
        out.document(&Answer {
            version: Document::of(&restored.version),
            target: restored.target.to_string_lossy().into_owned(),
            is_changed: restored.is_changed,
            kept: restored.kept.as_deref(),
            notes: &restored.notes,
            audit_error: audited.audit_error.as_deref(),
        })?;
    } else {
        out.line(&format!("{}\t{}", restored.version.id, report::shown(&restored.target)))?;
    }
    match &restored.kept {
        Some(id) => {
            let target = shell::word(&restored.target.to_string_lossy());
            out.note(&format!("what was there is version {id}; this brings it back: file-versions restore {target} {id}"));
        }
        None if !restored.is_changed => out.note("the file is as that version has it; nothing was written"),
        None => {}
    }
    Ok(audited.status)
}

fn tell(plan: &Plan, out: &Out) -> Result<u8> {
    let (fate, what) = match &plan.fate {
        Fate::Nothing => ("nothing", "nothing is there".to_owned()),
        Fate::Same => ("same", "it is that version already: nothing is written".to_owned()),
        Fate::Held(id) => ("held", format!("what is there is version {id}")),
        Fate::ToBeSaved => ("to-be-saved", "what is there is saved as a version first".to_owned()),
    };
    let held = if let Fate::Held(id) = &plan.fate { Some(id) } else { None };
    let lines = [
        format!("restore  {}, {} bytes", plan.version.id, plan.version.record.bytes),
        format!("into     {}", report::shown(&plan.target)),
        format!("present  {what}"),
    ];
    let target = plan.target.to_string_lossy();
    out.plan(&json!({ "version": Document::of(&plan.version), "target": target, "present": fate, "kept": held }), &lines)?;
    Ok(exit::DONE)
}
