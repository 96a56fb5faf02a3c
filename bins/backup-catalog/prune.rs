//! `backup-catalog prune`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use holdfast::catalog::Catalog;
use holdfast::environment::Environment;
use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::guardian::{Operation, Request};
use holdfast::retention::Plan;
use holdfast::verbs::prune::{self, Preview, Pruned, Said};
use holdfast::verbs::requests;
use manners::figures::size;
use manners::{Out, approval};
use serde::Serialize;
use serde_json::json;

use crate::args::remove::Prune;
use crate::shelf::Shelf;

#[derive(Serialize)]
struct Document<'a> {
    environment: &'a str,
    #[serde(flatten)]
    pruned: &'a Pruned,
    audit_error: Option<&'a str>,
}

#[derive(Serialize)]
struct Planned<'a> {
    environment: &'a str,
    plan: &'a Plan,
    freed_bytes: u64,
}

/// A plan by which nothing goes.
#[derive(Serialize)]
struct NothingToApprove<'a> {
    #[serde(flatten)]
    planned: Planned<'a>,
    request: Option<()>,
    approval: Option<()>,
}

pub(crate) fn run(args: &Prune, out: &Out) -> Result<u8> {
    let shelf = Shelf::open(&args.common, out, false)?;
    let name = shelf.settled()?.name;
    let said = Said { confirm_delete: args.confirm_delete, accept_sizes: args.accept_sizes };
    if !prune::has_rules(&shelf.environment(&name)?) {
        return Err(Error::config(format!("{name} has no retention rule, so every backup of it is kept"))
            .hint(format!("say what to keep in holdfast.toml, for instance [env.{name}.retention] keep_days = 7")));
    }
    if args.common.dry_run {
        let Preview { plan, refused, known } = prune::preview(&shelf.environment(&name)?, &shelf.store, said)?;
        let was_protected = || known.backups.iter().any(|facts| facts.environment == name && facts.is_protected);
        let environment = shelf.environment_that(&name, was_protected)?;
        if let Some(error) = refused {
            out.warn(&format!("{error}; {}", error.next_step().unwrap_or_default()));
        }
        let planned = Planned { environment: &name, freed_bytes: plan.freed_bytes(), plan: &plan };
        if plan.removals().next().is_none() {
            out.plan(&NothingToApprove { planned, request: None, approval: None }, &lines(&plan))?;
            return Ok(exit::DONE);
        }
        let made = known.backups.iter().map(|facts| (facts.id.as_str(), facts.created_at));
        let request = request(&environment, &plan, made, &shelf)?;
        approval::print_plan(&planned, &lines(&plan), &request, &environment.approval, &shelf.setting, out)?;
        return Ok(exit::DONE);
    }
    let audited = shelf.setting.audited(out, Some(&shelf.store), shelf.run("prune", Some(&name)), |trail| {
        let held = shelf.hold(&shelf.environment(&name)?, args.how.wait)?;
        let catalog = Catalog::read(&shelf.store, Some(&name))?;
        let environment = shelf.environment_of(&name, &catalog)?;
        let plan = prune::plan_as_said(&environment, &shelf.store, &catalog, said)?;
        let removed: Vec<&str> = plan.removals().map(|line| line.id.as_str()).collect();
        trail.plan(json!({ "removed": removed }));
        lines(&plan).iter().for_each(|line| out.note(line));
        if !removed.is_empty() {
            let request = request(&environment, &plan, made_of(&catalog), &shelf)?;
            let approval = args.how.confirm.approve_audited(&request, &environment.approval, &shelf.setting, trail, out)?;
            approval.require(Operation::Prune, &shelf.store.root().display().to_string())?;
        }
        let pruned = prune::apply(&shelf.store, &held, &catalog, plan)?;
        trail.note(|facts| facts.bytes = Some(pruned.freed_bytes));
        Ok((exit::DONE, pruned))
    })?;
    let pruned = &audited.value;
    if out.is_json() {
        out.document(&Document { environment: &name, pruned, audit_error: audited.audit_error.as_deref() })?;
    } else {
        pruned.plan.removals().try_for_each(|line| out.line(&format!("removed\t{}\t{}", line.id, line.reason)))?;
    }
    let kept = pruned.plan.lines.len() - pruned.removed;
    out.note(&format!("{} removed, {} given back, {kept} kept", pruned.removed, size(pruned.freed_bytes)));
    Ok(audited.status)
}

/// What the removals of a plan ask the guardian; `made` says when each backup was.
pub(crate) fn request<'a>(
    environment: &Environment,
    plan: &Plan,
    made: impl Iterator<Item = (&'a str, DateTime<Utc>)>,
    shelf: &Shelf<'_>,
) -> Result<Request> {
    let ids: Vec<String> = plan.removals().map(|line| line.id.clone()).collect();
    let going: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let newest = made.filter(|(id, _)| going.contains(id)).map(|(_, at)| at).max();
    requests::removal(Operation::Prune, environment, &ids, newest.unwrap_or_default(), &shelf.store)
}

/// When each backup was made.
pub(crate) fn made_of(catalog: &Catalog) -> impl Iterator<Item = (&str, DateTime<Utc>)> {
    catalog.backups().map(|backup| (backup.id(), backup.manifest().created_at))
}

pub(crate) fn lines(plan: &Plan) -> Vec<String> {
    plan.lines.iter().map(|line| line.to_string()).collect()
}
