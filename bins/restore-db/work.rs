//! What `restore-db` does to a database, with its lines in the audit trail.

use holdfast::audit::Trail;
use holdfast::engine::Kept;
use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::guardian::{Approval, Request};
use holdfast::journal::Entry;
use holdfast::process;
use holdfast::verbs::requests;
use holdfast::verbs::restore::{self, Report, Target};
use holdfast::verbs::undo::{self, Record};
use manners::{Out, Setting, Span};
use serde_json::json;

use crate::args::Args;
use crate::choice::Choice;
use crate::report;

/// What was done.
pub(crate) enum Done {
    Restored(Box<Report>),
    Undone(Record, Kept),
    Discarded(Record),
}

/// Does what the flags say, and gives the exit status with it.
pub(crate) fn run(args: &Args, setting: &Setting, choice: &Choice, trail: &Trail, out: &Out) -> Result<(u8, Done)> {
    if args.undo || args.discard {
        return undo(args, setting, choice, trail, out);
    }
    let wait = args.wait.map_or(choice.environment.wait, |Span(wait)| wait);
    let (origin, target) = choice.restore(args, setting, out)?;
    note_target(trail, &target);
    if let (restore::Origin::Backup(backup), None, false) = (&origin, target.environment, target.is_named) {
        // No configuration knows the place, and the backup does.
        trail.note(|facts| facts.environment = Some(backup.manifest().environment.clone()));
    }
    let held = restore::hold(&*target.engine, &setting.state, wait)?;
    heed_journal(&target, setting, out)?;
    for note in restore::put_right(&origin, &target, &held)? {
        out.warn(&note);
    }
    let plan = restore::plan(&origin, &target, !args.no_safety_backup)?;
    trail.note(|facts| {
        if let restore::Origin::Backup(backup) = &origin {
            facts.backup = Some(backup.id().to_owned());
            facts.bytes = backup.database().ok().map(|component| component.plain_bytes);
        }
    });
    trail.plan(json!({ "plan": plan }));
    report::tell_plan(out, &plan);
    let store = choice.store_of(args, setting, &target)?;
    let request = requests::restore(&plan, &origin, &target, store.as_ref())?;
    let approval = approve(&request, args, setting, choice, &target, trail, out)?;
    let settings = choice.environment.engine_settings(&setting.state)?;
    let filed_under = choice.filed_under(&origin, &target)?;
    let means = restore::Means {
        state: &setting.state,
        store: choice.store.as_ref().map(|store| (store, &*filed_under)),
        settings: &settings,
        wait,
        as_it_was: false,
    };
    let report = restore::run(&plan, &origin, &target, &held, &approval, &means, out)?;
    trail.note(|facts| {
        let said = [("safety_backup", &report.safety_backup), ("kept_aside", &report.kept_aside), ("restart_error", &report.restart_error)];
        facts.detail = said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))).collect();
    });
    let status = if report.restart_error.is_some() { exit::PARTIAL } else { exit::DONE };
    Ok((status, Done::Restored(Box::new(report))))
}

fn undo(args: &Args, setting: &Setting, choice: &Choice, trail: &Trail, out: &Out) -> Result<(u8, Done)> {
    let wait = args.wait.map_or(choice.environment.wait, |Span(wait)| wait);
    let (target, record) = choice.last_restore(args, setting)?;
    note_target(trail, &target);
    let aside: Vec<&str> = record.asides().collect();
    trail.plan(json!({ "restored": record.origin, "restored_at": record.at, "kept_aside": aside }));
    let store = choice.store_of(args, setting, &target)?;
    let request = if args.discard { requests::discard } else { requests::undo }(&target, &record, store.as_ref())?;
    let approval = approve(&request, args, setting, choice, &target, trail, out)?;
    let held = restore::hold(&*target.engine, &setting.state, wait)?;
    if args.discard {
        undo::discard(&*target.engine, &record, &held, &approval, &setting.state)?;
        return Ok((exit::DONE, Done::Discarded(record)));
    }
    let kept = undo::undo(&*target.engine, &record, &held, &approval, &setting.state)?;
    trail.note(|facts| facts.detail.extend(kept.aside.as_ref().map(|aside| ("kept_aside".to_owned(), json!(aside)))));
    Ok((exit::DONE, Done::Undone(record, kept)))
}

/// A command that nobody watches over any more may still write to the database; one that was interrupted is worth a word.
fn heed_journal(target: &Target<'_>, setting: &Setting, out: &Out) -> Result<()> {
    let Some(entry) = Entry::read(&setting.state, &target.engine.location())? else { return Ok(()) };
    let (tool, running) = (entry.kind.tool(), entry.running());
    if !running.is_empty() {
        return Err(Error::busy(format!(
            "the command of an interrupted {tool} still runs on {}: {}",
            entry.target,
            process::list(&running)
        ))
        .hint("wait until it has ended, or end it: it would write to what is restored"));
    }
    let name = &entry.environment;
    out.warn(&format!("an interrupted {tool} stands on {} ({}); afterwards say {tool} -e {name} --abandon", entry.target, entry.command));
    Ok(())
}

fn note_target(trail: &Trail, target: &Target<'_>) {
    trail.note(|facts| {
        facts.target = Some(target.engine.location());
        if let Some(environment) = target.environment {
            facts.environment = Some(environment.name.clone());
        }
    });
}

/// Asks the guardian; what it says of anything risky stands in the audit trail.
fn approve(
    request: &Request,
    args: &Args,
    setting: &Setting,
    choice: &Choice,
    target: &Target<'_>,
    trail: &Trail,
    out: &Out,
) -> Result<Approval> {
    args.confirm.approve_audited(request, choice.approval_of(target), setting, trail, out)
}
