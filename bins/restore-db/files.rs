//! `restore-db` about files.

use std::path::Path;

use holdfast::audit::Run;
use holdfast::backup::Backup;
use holdfast::error::{Error, Kind, Result};
use holdfast::exit;
use holdfast::files::extract::Wish;
use holdfast::files::walk::Chosen;
use holdfast::verbs::files::{self, Change, Preview, Report, Total};
use manners::{Audited, Out, Setting, Span, visible};
use serde::Serialize;
use serde_json::json;

use crate::args::Args;
use crate::choice::Choice;

/// Prints what is in a backup, and what differs from now.
pub(crate) fn preview(args: &Args, setting: &Setting, choice: &Choice, out: &Out) -> Result<u8> {
    let backup = choice.files(args, out)?;
    let chosen = Chosen::read(&args.files.only)?;
    warn_if_incomplete(&backup, out);
    let preview = files::preview(&backup, args.files.files_to.as_deref(), &chosen, choice.environment_of(&backup), &setting.state)?;
    if out.is_json() {
        out.document(&preview)?;
        return Ok(exit::DONE);
    }
    for line in preview.entries.iter().filter(|line| args.files.all || line.change != Change::Same) {
        let bytes = line.bytes.or(line.bytes_now).unwrap_or(0);
        out.line(&format!("{}\t{bytes}\t{}", shown(line.change), visible(&line.path)))?;
    }
    out.tell(&totals(&preview));
    Ok(exit::DONE)
}

/// A backup may be the newest and lack what an older one has.
fn warn_if_incomplete(backup: &Backup, out: &Out) {
    let count = backup.manifest().incomplete_count();
    if count > 0 {
        out.warn(&format!(
            "{} lacks, or holds torn, {count} files or folders; its RESTORE.txt names them, and backup-catalog list shows which backups are whole",
            backup.id()
        ));
    }
}

/// How an entry of the backup stands to what is there, as a person would say it.
fn shown(change: Change) -> &'static str {
    match change {
        Change::Same => "same",
        Change::Added => "missing now",
        Change::Changed => "differs",
        Change::Removed => "not in the backup",
    }
}

fn totals(preview: &Preview) -> String {
    let told = [(Change::Same, preview.same), (Change::Added, preview.added), (Change::Changed, preview.changed)];
    let mut parts: Vec<String> = told.iter().map(|(change, total)| count(shown(*change), total)).collect();
    parts.push(count(shown(Change::Removed), &preview.removed));
    format!("{}: {}", preview.backup, parts.join(", "))
}

/// What was backed up, by where it was: the newest backup may be one of a single file.
fn roots_of(backup: &Backup) -> String {
    let roots = backup.archives().filter_map(|component| component.files.as_ref()).flat_map(|files| &files.roots);
    roots.map(|root| visible(&root.path.display().to_string()).into_owned()).collect::<Vec<_>>().join(", ")
}

fn count(what: &str, total: &Total) -> String {
    format!("{} {what} ({} bytes)", total.entries, total.bytes)
}

/// What a restore would do, one line a fact.
fn planned(preview: &Preview, holds: &str, folder: &Path, wish: &Wish) -> Vec<String> {
    let mut lines = vec![
        format!("restore      files of {}", preview.backup),
        format!("holds        {holds}"),
        format!("into         {}", folder.display()),
        format!("add          {}", count("missing now", &preview.added)),
    ];
    if preview.changed.entries > 0 || preview.same.entries > 0 {
        lines.push(if wish.overwrite {
            format!(
                "replace      {}, and {}; nothing of what is replaced is kept",
                count("differ", &preview.changed),
                count("are the same", &preview.same)
            )
        } else {
            format!(
                "there        {}, and {}; without --overwrite nothing is restored here",
                count("differ", &preview.changed),
                count("are the same", &preview.same)
            )
        });
    }
    if preview.removed.entries > 0 {
        lines.push(format!("keep         {} stay that are not in the backup", preview.removed.entries));
    }
    lines
}

/// Restores files into a folder.
pub(crate) fn run(args: &Args, setting: &Setting, choice: &Choice, out: &Out) -> Result<u8> {
    let Some(folder) = args.files.files_to.as_deref() else { return Err(Error::usage("no folder is named")) };
    let folder = std::path::absolute(folder).map_err(|error| Error::from_io("there is no working directory", error))?;
    let wish = Wish { chosen: Chosen::read(&args.files.only)?, overwrite: args.files.overwrite, owner: args.files.owner };
    let backup = choice.files(args, out)?;
    files::require_allowed(&folder, &wish, choice.environments())?;
    warn_if_incomplete(&backup, out);
    if args.common.dry_run {
        let preview = files::preview(&backup, Some(&folder), &wish.chosen, choice.environment_of(&backup), &setting.state)?;
        return out.plan(&preview, &planned(&preview, &roots_of(&backup), &folder, &wish)).map(|()| exit::DONE);
    }
    out.tell(&format!("{}: it holds {}", backup.id(), roots_of(&backup)));
    let wait = args.wait.map_or(choice.environment.wait, |Span(wait)| wait);
    let settings = choice.environment.engine_settings(&setting.state)?;
    let run = Run {
        tool: "restore-db".to_owned(),
        operation: args.operation().to_owned(),
        environment: Some(backup.manifest().environment.clone()),
        target: Some(folder.display().to_string()),
    };
    let audited = setting.audited(out, choice.store.as_ref(), run, |trail| {
        trail.note(|facts| facts.backup = Some(backup.id().to_owned()));
        trail.plan(json!({ "folder": folder, "only": args.files.only, "overwrite": wish.overwrite, "owner": wish.owner }));
        let means = files::Means { settings: &settings, state: &setting.state, store: choice.store.as_ref(), wait };
        let report = files::restore(&backup, &folder, &wish, &means, out)?;
        let refused = report.restored.refused_count;
        trail.note(|facts| {
            facts.bytes = Some(report.restored.bytes);
            if refused > 0 {
                facts.detail.insert("refused".to_owned(), json!(refused));
            }
        });
        Ok((if refused > 0 { exit::PARTIAL } else { exit::DONE }, report))
    })?;
    print(out, &audited, &folder)
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a Report,
    status: u8,
    audit_error: Option<&'a str>,
}

fn print(out: &Out, audited: &Audited<Report>, folder: &Path) -> Result<u8> {
    let Audited { value: report, status, audit_error } = audited;
    let restored = &report.restored;
    for pattern in &restored.only_unmatched {
        out.warn(&format!("nothing in {} fits --only {}", report.backup, visible(pattern)));
    }
    for remark in &restored.refused {
        out.warn(&format!("{} is not restored as it was: {}", remark.path, remark.why));
    }
    if restored.refused_count > 0 {
        out.say_error(
            &Error::new(Kind::Partial, format!("{} files or folders are not restored as they were", restored.refused_count))
                .hint("look at what stands in their way, or restore them into another folder with --only"),
        );
    }
    if out.is_json() {
        out.document(&Document { report, status: *status, audit_error: audit_error.as_deref() })?;
    } else {
        out.line(&format!("{}\t{}", report.backup, folder.display()))?;
    }
    out.tell(&format!(
        "{} files, {} folders, {} links, {} bytes are restored",
        restored.files, restored.folders, restored.links, restored.bytes
    ));
    Ok(*status)
}
