//! `backup-catalog forget`.

use holdfast::error::Result;
use holdfast::exit;
use holdfast::verbs::forget::{self, Plan};
use manners::Out;
use serde::Serialize;
use serde_json::json;

use crate::args::remove::Forget;
use crate::shelf::Shelf;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    audit_error: Option<&'a str>,
}

pub(crate) fn run(args: &Forget, out: &Out) -> Result<u8> {
    let shelf = Shelf::open(&args.common, out, false)?;
    let only = if args.all { Some(shelf.settled()?.name) } else { shelf.only().map(str::to_owned) };
    // Looked at first without the lock, to know whose lock that is.
    let plan = forget::plan(&shelf.store, only.as_deref(), &args.ids)?;
    if args.common.dry_run {
        out.plan(&plan, &plan.lines())?;
        return Ok(exit::DONE);
    }
    let name = plan.environment;
    let forgotten = shelf.setting.audited(out, Some(&shelf.store), shelf.run("forget", Some(&name)), |trail| {
        let held = shelf.hold(&shelf.environment(&name)?, args.wait)?;
        let plan = forget::plan(&shelf.store, Some(&name), &args.ids)?;
        trail.plan(json!({ "plan": plan }));
        forget::run(&shelf.store, &held, &plan)?;
        trail.note(|facts| drop(facts.detail.insert("forgotten".to_owned(), json!(plan.forgotten))));
        Ok((exit::DONE, plan))
    })?;
    let plan = &forgotten.value;
    if out.is_json() {
        out.document(&Document { plan, audit_error: forgotten.audit_error.as_deref() })?;
    } else {
        plan.forgotten.iter().try_for_each(|id| out.line(&format!("forgotten\t{id}")))?;
    }
    Ok(forgotten.status)
}
