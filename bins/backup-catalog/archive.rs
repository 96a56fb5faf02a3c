//! `backup-catalog archive`.

use holdfast::catalog::Catalog;
use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::verbs::archive::{self, Plan};
use manners::Out;
use serde::Serialize;
use serde_json::json;

use crate::args::remove::Archive;
use crate::shelf::Shelf;

#[derive(Serialize)]
struct Document<'a> {
    environment: &'a str,
    after_days: u32,
    archived: usize,
    plan: &'a Plan,
    audit_error: Option<&'a str>,
}

pub(crate) fn run(args: &Archive, out: &Out) -> Result<u8> {
    let shelf = Shelf::open(&args.common, out, false)?;
    let environment = shelf.settled()?;
    let name = environment.name.as_str();
    let Some(after_days) = args.after_days.or(environment.retention.archive_after_days) else {
        return Err(Error::config(format!("nothing says how old a backup of {name} must be to be archived"))
            .hint(format!("give --after-days, or set archive_after_days in [env.{name}.retention]")));
    };
    let document = |plan: &Plan, archived: usize, audit_error: Option<&str>| {
        out.document(&Document { environment: name, after_days, archived, plan, audit_error })
    };
    if args.common.dry_run {
        let plan = archive::plan(&environment, &shelf.store, &Catalog::read(&shelf.store, Some(name))?, after_days)?;
        if out.is_json() {
            document(&plan, 0, None)?;
        } else {
            plan.lines().iter().try_for_each(|line| out.line(line))?;
        }
        return Ok(exit::DONE);
    }
    let audited = shelf.setting.audited(out, Some(&shelf.store), shelf.run("archive", Some(name)), |trail| {
        let held = shelf.hold(&environment, args.wait)?;
        let catalog = Catalog::read(&shelf.store, Some(name))?;
        let plan = archive::plan(&environment, &shelf.store, &catalog, after_days)?;
        let moved: Vec<&str> = plan.moves().map(|line| line.id.as_str()).collect();
        trail.plan(json!({ "moved": moved }));
        let count = archive::run(&shelf.store, &held, &catalog, &plan)?;
        Ok((exit::DONE, (plan, count)))
    })?;
    let (plan, count) = &audited.value;
    if out.is_json() {
        document(plan, *count, audited.audit_error.as_deref())?;
    } else {
        plan.moves().try_for_each(|line| out.line(&format!("archived\t{}", line.id)))?;
    }
    out.note(&format!("{count} archived, {} stay", plan.lines.len() - count));
    Ok(audited.status)
}
