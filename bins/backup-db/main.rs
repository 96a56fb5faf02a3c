//! `backup-db`: back a database up.

mod args;

use std::process::ExitCode;

use args::Args;
use holdfast::audit::Run;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::labels;
use holdfast::manifest::Kind;
use holdfast::verbs::backup::{self, Request};
use manners::{Out, Setting, made};

fn main() -> ExitCode {
    manners::run("backup-db", body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    let setting = Setting::open(&args.common)?;
    let environment = setting.environment(&args.common, args.overrides())?;
    args.tags.iter().try_for_each(|tag| labels::require_tag(tag))?;
    let has_store = setting.has_store(&args.common, &environment)?;
    if args.common.dry_run {
        let plan = backup::plan(&environment, &setting.state)?;
        return out.plan(&plan, &plan.lines()).map(|()| exit::DONE);
    }
    // What cannot be read is no reason to create a store for it.
    let looked = if has_store { None } else { Some(backup::look(&environment, &setting.state)?) };
    let store = setting.store(&args.common, &environment, true)?;
    setting.start_log("backup-db", &args.common, Some(&store), out)?;
    let request = Request { kind: Kind::Db, reason: args.reason, tags: args.tags, verify: environment.verify, prune: !args.keep.no_prune };
    let run = Run {
        tool: "backup-db".to_owned(),
        operation: "backup".to_owned(),
        environment: Some(environment.name.clone()),
        target: environment.engine(&setting.state).ok().map(|engine| engine.location()),
    };
    let audited = setting.audited(out, Some(&store), run, |trail| {
        let report = backup::run(&environment, &store, looked, &request, out)?;
        trail.note(|facts| {
            facts.backup = Some(report.id.clone());
            facts.bytes = Some(report.manifest.stored_bytes());
            facts.detail = made::facts(&report);
        });
        Ok((report.status(), report))
    })?;
    made::print(out, &audited)
}
