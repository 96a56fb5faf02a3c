//! `file-versions gc`: what is not needed goes.

use holdfast::error::Result;
use holdfast::exit;
use holdfast::versions::{Keep, Sweep};
use manners::Out;
use serde::Serialize;
use serde_json::json;

use crate::args::gc::Gc;
use crate::report;
use crate::scope::{Scope, audit_run};

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    sweep: &'a Sweep,
    audit_error: Option<&'a str>,
}

pub(crate) fn run(args: &Gc, out: &Out) -> Result<u8> {
    let scope = Scope::open(&args.common)?;
    let place = scope.to_change(&args.common, out)?;
    let keep = Keep { last: args.keep_last, days: args.keep_days };
    if args.common.dry_run {
        let sweep = place.versions.plan_gc(keep)?;
        print(&sweep, None, "would remove", out)?;
        return Ok(exit::DONE);
    }
    let audited = scope.setting.audited(out, Some(&place.store), audit_run("gc", place.versions.root()), |trail| {
        let held = place.versions.hold(scope.wait(args.wait))?;
        let sweep = place.versions.gc(&held, keep)?;
        trail.note(|facts| {
            let ids: Vec<&str> = sweep.versions.iter().map(|version| version.id.as_str()).collect();
            facts.detail.insert("versions".to_owned(), json!(ids));
            facts.detail.insert("objects".to_owned(), json!(sweep.objects));
            facts.detail.insert("freed_bytes".to_owned(), json!(sweep.freed_bytes));
        });
        Ok((exit::DONE, sweep))
    })?;
    print(&audited.value, audited.audit_error.as_deref(), "removed", out)?;
    Ok(audited.status)
}

fn print(sweep: &Sweep, audit_error: Option<&str>, does: &str, out: &Out) -> Result<()> {
    for path in &sweep.foreign {
        out.warn(&format!("{} is none of ours, and stays", report::shown(path)));
    }
    if out.is_json() {
        return out.document(&Answer { sweep, audit_error });
    }
    for version in &sweep.versions {
        let file = report::shown(version.file.as_ref());
        out.line(&format!("{does}\t{}\t{file}\t{}", version.id, version.reason))?;
    }
    out.line(&format!("{does}\t{} objects\t{} bytes", sweep.objects, sweep.freed_bytes))?;
    if sweep.young_objects > 0 {
        out.note(&format!("{} objects that no version needs are younger than an hour, and stay", sweep.young_objects));
    }
    Ok(())
}
