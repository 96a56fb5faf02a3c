//! `backup-catalog cleanup`: an environment's leftovers, retention and archives in one go.

use std::collections::BTreeSet;

use holdfast::audit::Trail;
use holdfast::catalog::Catalog;
use holdfast::environment::Environment;
use holdfast::error::{Error, Kind, Result};
use holdfast::exit;
use holdfast::guardian::Operation;
use holdfast::verbs::archive;
use holdfast::verbs::prune::{self, Said};
use manners::Out;
use manners::figures::size;
use serde::Serialize;
use serde_json::json;

use crate::args::remove::Cleanup;
use crate::prune::{made_of, request};
use crate::shelf::Shelf;

/// What was done to one environment, or would be.
#[derive(Serialize)]
struct Cleaned {
    environment: String,
    /// Backups that no rule keeps.
    removed: usize,
    freed_bytes: u64,
    /// Backups that went into the archives.
    archived: usize,
    /// What interrupted runs had left.
    leftovers: Vec<String>,
    /// Whether there is any rule of what to keep.
    has_rules: bool,
}

pub(crate) fn run(args: &Cleanup, out: &Out) -> Result<u8> {
    let shelf = Shelf::open(&args.common, out, false)?;
    let environments = shelf.all()?;
    if args.how.confirm.confirm.is_some() && environments.len() > 1 {
        return Err(Error::usage("--confirm is for one environment").hint("choose it with -e"));
    }
    if args.common.dry_run {
        let planned = environments.iter().map(|environment| look(environment, &shelf)).collect::<Result<Vec<_>>>()?;
        return print(out, &planned, true, None).map(|()| exit::DONE);
    }
    let only = environments.first().filter(|_| environments.len() == 1).map(|environment| environment.name.clone());
    let audited = shelf.setting.audited(out, Some(&shelf.store), shelf.run("cleanup", only.as_deref()), |trail| {
        let mut cleaned = Vec::new();
        let mut failed = None;
        for environment in &environments {
            match clean(environment, args, &shelf, trail, out).map_err(|error| error.within(&environment.name)) {
                Ok(done) => cleaned.push(done),
                // One that is busy, or wants an approval, keeps no other from being put in order.
                Err(error) if environments.len() > 1 && !matches!(error.kind(), Kind::Signal(_)) => {
                    out.say_error(&error);
                    failed.get_or_insert(error.kind().status());
                }
                Err(error) => return Err(error),
            }
        }
        trail.note(|facts| {
            facts.bytes = Some(cleaned.iter().map(|cleaned| cleaned.freed_bytes).sum());
            facts.detail.insert("cleaned".to_owned(), json!(cleaned));
        });
        Ok((failed.unwrap_or(exit::DONE), cleaned))
    })?;
    print(out, &audited.value, false, audited.audit_error.as_deref())?;
    Ok(audited.status)
}

/// What a run would do, but for the leftovers: only the holder of the lock knows whether they are any.
fn look(environment: &Environment, shelf: &Shelf<'_>) -> Result<Cleaned> {
    let catalog = Catalog::read(&shelf.store, Some(&environment.name))?;
    let has_rules = prune::has_rules(environment);
    let plan = if has_rules { prune::preview(environment, &shelf.store, Said::default())?.plan } else { Default::default() };
    let moved = match environment.retention.archive_after_days {
        Some(days) => {
            let going: BTreeSet<&str> = plan.removals().map(|line| line.id.as_str()).collect();
            let moves = archive::plan(environment, &shelf.store, &catalog, days)?;
            moves.moves().filter(|line| !going.contains(line.id.as_str())).count()
        }
        None => 0,
    };
    Ok(Cleaned {
        environment: environment.name.clone(),
        removed: plan.removals().count(),
        freed_bytes: plan.freed_bytes(),
        archived: moved,
        leftovers: Vec::new(),
        has_rules,
    })
}

fn clean(environment: &Environment, args: &Cleanup, shelf: &Shelf<'_>, trail: &Trail, out: &Out) -> Result<Cleaned> {
    let held = shelf.hold(environment, args.how.wait)?;
    let leftovers = shelf.store.sweep(&held)?;
    let mut cleaned = Cleaned {
        environment: environment.name.clone(),
        removed: 0,
        freed_bytes: 0,
        archived: 0,
        leftovers,
        has_rules: prune::has_rules(environment),
    };
    if cleaned.has_rules {
        let catalog = Catalog::read(&shelf.store, Some(&environment.name))?;
        let plan = prune::plan(environment, &shelf.store, &catalog)?;
        let request = request(environment, &plan, made_of(&catalog), shelf)?;
        let removed: Vec<&str> = plan.removals().map(|line| line.id.as_str()).collect();
        if !removed.is_empty() {
            trail.plan(json!({ "environment": environment.name, "removed": removed }));
            let approval = args.how.confirm.approve_audited(&request, &environment.approval, &shelf.setting, trail, out);
            let name = &environment.name;
            let approval = approval.map_err(|error| {
                error.hint(format!(
                    "backup-catalog prune -e {name} -n shows what would go, and the code for --confirm, with -e {name} here too"
                ))
            })?;
            approval.require(Operation::Prune, &shelf.store.root().display().to_string())?;
        }
        let pruned = prune::apply(&shelf.store, &held, &catalog, plan)?;
        (cleaned.removed, cleaned.freed_bytes) = (pruned.removed, pruned.freed_bytes);
    }
    if let Some(days) = environment.retention.archive_after_days {
        let catalog = Catalog::read(&shelf.store, Some(&environment.name))?;
        let plan = archive::plan(environment, &shelf.store, &catalog, days)?;
        cleaned.archived = archive::run(&shelf.store, &held, &catalog, &plan)?;
    }
    Ok(cleaned)
}

fn print(out: &Out, all: &[Cleaned], is_plan: bool, audit_error: Option<&str>) -> Result<()> {
    if out.is_json() {
        return out.document(&json!({ "environments": all, "audit_error": audit_error }));
    }
    for cleaned in all {
        let (removed, archived) = if is_plan { ("would remove", "archive") } else { ("removed", "archived") };
        let Cleaned { environment, removed: count, freed_bytes, archived: moved, leftovers, has_rules } = cleaned;
        let rules = if *has_rules { "" } else { " (no retention rule)" };
        out.line(&format!(
            "{environment}\t{removed} {count} old backups{rules}, {}; {archived} {moved}; {} leftovers",
            size(*freed_bytes),
            leftovers.len()
        ))?;
    }
    Ok(())
}
