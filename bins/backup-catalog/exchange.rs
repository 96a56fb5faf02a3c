//! `backup-catalog export` and `import`.

use std::path::PathBuf;

use holdfast::environment::Overrides;
use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::foreign::Foreign;
use holdfast::labels;
use holdfast::manifest::Manifest;
use holdfast::select::Selector;
use holdfast::verbs::adopt::{self, Request};
use holdfast::verbs::export::{self, Exported};
use holdfast::verbs::import::{self, Imported};
use manners::figures::size;
use manners::{Out, Setting};
use serde::Serialize;
use serde_json::json;

use crate::args::exchange::{Export, Import};
use crate::shelf::Shelf;

#[derive(Serialize)]
struct Told<'a, T: Serialize> {
    #[serde(flatten)]
    what: &'a T,
    audit_error: Option<&'a str>,
}

pub(crate) fn export(args: &Export, out: &Out) -> Result<u8> {
    let shelf = Shelf::open(&args.common, out, false)?;
    let backup = shelf.find(&args.selector)?;
    let file = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.tar.gz", backup.id())));
    if args.common.dry_run {
        let backups = export::with_ancestors(&shelf.store, &backup)?;
        let ids: Vec<&str> = backups.iter().map(|backup| backup.id()).collect();
        let bytes: u64 = backups.iter().map(|backup| backup.manifest().stored_bytes()).sum();
        let lines: Vec<String> = ids.iter().map(|id| format!("export   {id}")).collect();
        out.plan(&json!({ "id": backup.id(), "backups": ids, "file": file, "stored_bytes": bytes }), &lines)?;
        return Ok(exit::DONE);
    }
    let run = shelf.run("export", Some(&backup.manifest().environment));
    let exported = shelf.setting.audited(out, Some(&shelf.store), run, |trail| {
        trail.note(|facts| facts.backup = Some(backup.id().to_owned()));
        let exported = export::run(&shelf.store, &backup, &file, out)?;
        trail.note(|facts| {
            facts.bytes = Some(exported.file_bytes);
            facts.detail.insert("file".to_owned(), json!(exported.file));
            facts.detail.insert("sha256".to_owned(), json!(exported.sha256));
        });
        Ok((exit::DONE, exported))
    })?;
    let Exported { id, file, file_bytes, sha256, .. } = &exported.value;
    if out.is_json() {
        out.document(&Told { what: &exported.value, audit_error: exported.audit_error.as_deref() })?;
    } else {
        out.line(&format!("{id}\t{}", file.display()))?;
    }
    out.note(&format!("{}, SHA-256 {sha256}", size(*file_bytes)));
    out.note("whoever has this file has the data: it is not encrypted");
    Ok(exported.status)
}

pub(crate) fn import(args: &Import, out: &Out) -> Result<u8> {
    if args.kind.is_some() {
        return adopt(args, out);
    }
    // The file says whose it is; only then is it known which lock is meant.
    let head = import::head(&args.file)?;
    if let Some(wanted) = args.common.env.as_ref().filter(|name| **name != head.environment) {
        return Err(Error::refused(format!("{} holds a backup of {}, not of {wanted}", args.file.display(), head.environment))
            .hint("leave -e (and HOLDFAST_ENV) away, or name the same"));
    }
    if args.common.dry_run {
        let lines: Vec<String> = head.backups.iter().map(|id| format!("import   {id}")).collect();
        out.plan(&head, &lines)?;
        return Ok(exit::DONE);
    }
    let shelf = Shelf::open(&args.common, out, true)?;
    let environment = shelf.environment(&head.environment)?;
    let run = shelf.run("import", Some(&head.environment));
    let imported = shelf.setting.audited(out, Some(&shelf.store), run, |trail| {
        trail.note(|facts| {
            facts.backup = Some(head.id.clone());
            facts.detail.insert("file".to_owned(), json!(args.file));
        });
        let held = shelf.hold(&environment, args.wait)?;
        let settings = environment.engine_settings(shelf.store.state())?;
        let imported = import::run(&shelf.store, &held, &args.file, &settings, out)?;
        trail.note(|facts| {
            facts.detail.insert("imported".to_owned(), json!(imported.imported));
        });
        Ok((exit::DONE, imported))
    })?;
    let Imported { imported: new, present, .. } = &imported.value;
    if out.is_json() {
        out.document(&Told { what: &imported.value, audit_error: imported.audit_error.as_deref() })?;
    } else {
        new.iter().try_for_each(|id| out.line(&format!("imported\t{id}")))?;
        present.iter().try_for_each(|id| out.line(&format!("present\t{id}")))?;
    }
    if head.store_id != shelf.store.id() && !new.is_empty() {
        out.note("it was made for another store: retention here never removes it, backup-catalog delete does");
    }
    Ok(imported.status)
}

#[derive(Serialize)]
struct Adopted<'a> {
    id: &'a str,
    folder: String,
    manifest: &'a Manifest,
    notes: &'a [String],
    audit_error: Option<&'a str>,
}

fn adopt(args: &Import, out: &Out) -> Result<u8> {
    args.tags.iter().try_for_each(|tag| labels::require_tag(tag))?;
    let at = match args.at.as_deref().map(Selector::parse_time).transpose()? {
        Some(Selector::At(time)) => Some(time),
        _ => None,
    };
    if args.common.dry_run {
        // No store is opened: there may be none yet.
        let environment = Setting::open(&args.common)?.environment(&args.common, Overrides::default())?.name;
        let content = Foreign::open(&args.file, None)?.content().to_string();
        let lines = [format!("adopt    {}, {content}, as a backup of {environment}", args.file.display())];
        out.plan(&json!({ "file": args.file, "content": content, "environment": environment, "kind": "db" }), &lines)?;
        return Ok(exit::DONE);
    }
    let shelf = Shelf::open(&args.common, out, true)?;
    let environment = shelf.settled()?;
    let request = Request { file: args.file.clone(), at, reason: args.reason.clone(), tags: args.tags.clone() };
    let run = shelf.run("import", Some(&environment.name));
    let adopted = shelf.setting.audited(out, Some(&shelf.store), run, |trail| {
        trail.note(|facts| {
            facts.detail.insert("file".to_owned(), json!(args.file));
        });
        let held = shelf.hold(&environment, args.wait)?;
        let adopted = adopt::run(&environment, &shelf.store, &held, &request, out)?;
        trail.note(|facts| {
            facts.backup = Some(adopted.manifest.id.clone());
            facts.bytes = adopted.manifest.components.first().map(|component| component.plain_bytes);
        });
        Ok((exit::DONE, adopted))
    })?;
    let done = &adopted.value;
    done.notes.iter().for_each(|note| out.warn(note));
    let (id, folder) = (done.manifest.id.as_str(), done.folder.display().to_string());
    if out.is_json() {
        let audit_error = adopted.audit_error.as_deref();
        out.document(&Adopted { id, folder, manifest: &done.manifest, notes: &done.notes, audit_error })?;
    } else {
        out.line(&format!("{id}\t{folder}"))?;
    }
    Ok(adopted.status)
}
