//! `safe-migrate`: run a migration that cannot lose data.

mod args;
mod report;

use std::process::ExitCode;

use args::Args;
use holdfast::command::Wrapped;
use holdfast::environment::Environment;
use holdfast::error::{Error, Result};
use holdfast::journal::{Entry, Kind};
use holdfast::rules::OnFailure;
use holdfast::store::Store;
use holdfast::verbs::guarded::Guarded;
use holdfast::verbs::migrate::{self, Request};
use holdfast::{exit, secret};
use manners::{Out, Setting, prompt};

fn main() -> ExitCode {
    manners::run_wrapper("safe-migrate", body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    let setting = Setting::open(&args.common)?;
    let environment = setting.environment(&args.common, args.overrides())?;
    if args.resume || args.abandon {
        return end_interrupted(&args, &setting, &environment, out);
    }
    // What cannot be run is told before anything is touched.
    let command = Wrapped::find(&args.command)?;
    let engine = environment.engine(&setting.state)?;
    if let Some(around) = Entry::around(&setting.state, &engine.location())? {
        out.note(&format!("inside {}: the command runs as it is", around.kind.tool()));
        return Err(command.replace_us());
    }
    let request = Request {
        command,
        shown: shown(&args),
        rehearse: args.rehearse,
        prove: !args.no_prove,
        rules: args.rules(&environment.migration),
    };
    refuse(&environment, &request)?;
    if args.common.dry_run {
        let probe = engine.probe()?;
        let plan = migrate::plan(&environment, &*engine, &probe, &request)?;
        return args.confirm.show(&plan.approval(&environment), &plan, &plan.lines(), &setting, out);
    }
    let store = setting.store(&args.common, &environment, true)?;
    setting.start_log("safe-migrate", &args.common, Some(&store), out)?;
    let (guarded, probe) = Guarded::begin(&environment, &store)?;
    let plan = migrate::plan(&environment, &*guarded.engine, &probe, &request)?;
    let approval = args.confirm.approve(&plan.approval(&environment), &environment, &setting, out)?;
    let report = migrate::run(&guarded, &probe, &request, &approval, out)?;
    report::print(out, &report, args.report.as_deref())
}

/// What can be refused before the database is looked at.
fn refuse(environment: &Environment, request: &Request) -> Result<()> {
    if environment.protected && !request.prove {
        return Err(Error::refused(format!("{} is protected, so nothing is run on it before its backup is proven", environment.name))
            .hint("leave --no-prove out"));
    }
    if request.rules.on_failure == OnFailure::Ask && !prompt::can_ask() {
        return Err(Error::refused("on_failure is ask, and there is no terminal to ask at").hint("say --on-failure restore or --on-failure keep"));
    }
    Ok(())
}

fn end_interrupted(args: &Args, setting: &Setting, environment: &Environment, out: &Out) -> Result<u8> {
    let store: Store = setting.store(&args.common, environment, false)?;
    setting.start_log("safe-migrate", &args.common, Some(&store), out)?;
    let standing = migrate::standing(environment, &store, Kind::Migration)?;
    let described = standing.describe();
    if args.common.dry_run {
        out.plan(&described, &described.lines(args.abandon))?;
        return Ok(exit::DONE);
    }
    for line in described.lines(args.abandon) {
        out.note(&line);
    }
    let approval = args.confirm.approve(&standing.approval(environment, args.abandon), environment, setting, out)?;
    let report = match args.abandon {
        true => migrate::abandon(standing, &approval)?,
        false => migrate::resume(standing, &args.rules(&environment.migration), &approval, out)?,
    };
    report::print(out, &report, args.report.as_deref())
}

/// The command as it is kept in the journal, the manifest and the audit trail.
fn shown(args: &Args) -> String {
    let words: Vec<String> = args.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    secret::redact(&shell_words::join(words))
}
