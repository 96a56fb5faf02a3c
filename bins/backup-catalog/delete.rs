//! `backup-catalog delete`.

use holdfast::catalog::Catalog;
use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::verbs::delete::{self, Plan};
use manners::figures::size;
use manners::{Out, approval};
use serde::Serialize;
use serde_json::json;

use crate::args::remove::Delete;
use crate::shelf::Shelf;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    audit_error: Option<&'a str>,
}

pub(crate) fn run(args: &Delete, out: &Out) -> Result<u8> {
    let shelf = Shelf::open(&args.common, out, false)?;
    let plan = |catalog: &Catalog| -> Result<Plan> { delete::plan(&shelf.store, catalog, &ids(args, catalog)?, args.with_dependents) };
    // Looked at first without the lock, to know whose lock that is.
    let catalog = Catalog::read(&shelf.store, shelf.only())?;
    let name = plan(&catalog)?.environment;
    let environment = shelf.environment_of(&name, &catalog)?;
    if args.common.dry_run {
        let plan = plan(&catalog)?;
        let request = plan.request(&environment, &shelf.store)?;
        approval::print_plan(&plan, &plan.lines(), &request, &environment.approval, &shelf.setting, out)?;
        return Ok(exit::DONE);
    }
    let deleted = shelf.setting.audited(out, Some(&shelf.store), shelf.run("delete", Some(&name)), |trail| {
        let held = shelf.hold(&environment, args.how.wait)?;
        let catalog = Catalog::read(&shelf.store, Some(&name))?;
        let plan = plan(&catalog)?;
        trail.plan(json!({ "plan": plan }));
        plan.lines().iter().for_each(|line| out.note(line));
        let request = plan.request(&environment, &shelf.store)?;
        let approval = args.how.confirm.approve_audited(&request, &environment.approval, &shelf.setting, trail, out)?;
        delete::run(&shelf.store, &held, &catalog, &plan, &approval)?;
        trail.note(|facts| facts.bytes = Some(plan.freed_bytes));
        Ok((exit::DONE, plan))
    })?;
    let plan = &deleted.value;
    if out.is_json() {
        out.document(&Document { plan, audit_error: deleted.audit_error.as_deref() })?;
    } else {
        plan.lines.iter().try_for_each(|line| out.line(&format!("deleted\t{}", line.id)))?;
    }
    out.note(&format!("{} given back", size(plan.freed_bytes)));
    Ok(deleted.status)
}

/// The whole ids of what was named. `latest` is none: what it means may be another backup by now.
fn ids(args: &Delete, catalog: &Catalog) -> Result<Vec<String>> {
    let whole = |prefix: &String| {
        let entry = catalog.by_prefix(prefix)?;
        match &entry.backup {
            Ok(backup) => Ok(backup.id().to_owned()),
            Err(error) => {
                Err(Error::bad(format!("{} cannot be read, so nothing tells which of its files are its own: {error}", entry.name))
                    .hint(format!("look at it, and remove the folder by hand: {}", entry.folder.display())))
            }
        }
    };
    if args.ids.iter().any(|id| id == "latest") {
        return Err(Error::usage("latest is not deleted: another run may make a newer one meanwhile").hint("name it by its id"));
    }
    args.ids.iter().map(whole).collect()
}
