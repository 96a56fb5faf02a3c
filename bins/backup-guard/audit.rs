//! `backup-guard audit`: the trail, verified and searched.

use holdfast::audit::{self, Answer, Finding, Line, Place, Query, Summary};
use holdfast::clock;
use holdfast::environment::Overrides;
use holdfast::error::{Error, Result};
use holdfast::exit;
use manners::{Out, Setting, Shade, Table};
use serde::Serialize;

use crate::args::audit::Audit;

/// As much of a run's id as tells it from others of the same days.
const RUN_SHOWN: usize = 8;

pub(crate) fn run(args: &Audit, out: &Out) -> Result<u8> {
    let setting = Setting::open(&args.common)?;
    let query = query(args)?;
    let answer = if args.local {
        audit::read(&Place::local(&setting.state), &[], &query)?
    } else {
        let store = store(args, &setting)?;
        audit::read(&Place::of(&store), &audit::witnesses(&store)?, &query)?
    };
    print(args, out, &answer)
}

fn query(args: &Audit) -> Result<Query> {
    Ok(Query {
        event: args.event.clone(),
        user: args.user.clone(),
        environment: args.common.env.clone(),
        operation: args.operation.clone(),
        run: args.run.clone(),
        since: args.since.as_deref().map(|text| audit::moment(text, false)).transpose()?,
        until: args.until.as_deref().map(|text| audit::moment(text, true)).transpose()?,
        // A summary needs no lines.
        limit: if args.summary { Some(0) } else { (args.limit > 0).then_some(args.limit) },
    })
}

/// The store of the environment that was named; else of the first one.
fn store(args: &Audit, setting: &Setting) -> Result<holdfast::store::Store> {
    let config = &setting.config;
    let overrides = Overrides { store: args.common.store.clone(), ..Overrides::default() };
    let first = config.environment_names().next().map(str::to_owned);
    let environment = match (&args.common.env, first) {
        (None, Some(name)) => config.environment(Some(&name), overrides)?,
        _ => setting.environment(&args.common, overrides)?,
    };
    setting.store(&args.common, &environment, false)
}

#[derive(Serialize)]
struct Document<'a> {
    status: u8,
    files: u64,
    verified_lines: u64,
    findings: &'a [Finding],
    more_findings: u64,
    notes: &'a [String],
    matched: u64,
    lines: &'a [Line],
    summary: &'a Summary,
}

/// Prints the lines or the summary; what is wrong with the log goes to stderr.
fn print(args: &Audit, out: &Out, answer: &Answer) -> Result<u8> {
    let findings = &answer.findings;
    let status = if findings.are_none() { exit::DONE } else { exit::BAD };
    if out.is_json() {
        out.document(&Document {
            status,
            files: findings.files,
            verified_lines: findings.lines,
            findings: &findings.broken,
            more_findings: findings.more,
            notes: &findings.notes,
            matched: answer.matched,
            lines: &answer.lines,
            summary: &answer.summary,
        })?;
    } else if args.summary {
        print_summary(out, &answer.summary)?;
    } else {
        out.table(&table(&answer.lines))?;
    }
    for note in &findings.notes {
        out.warn(note);
    }
    for finding in &findings.broken {
        out.warn(&finding.to_string());
    }
    if findings.more > 0 {
        out.warn(&format!("and {} findings more", findings.more));
    }
    let older = answer.matched.saturating_sub(answer.lines.len() as u64);
    if older > 0 && !args.summary {
        out.note(&format!("{older} older lines are not shown; --limit 0 shows all"));
    }
    match findings.broken.len() {
        0 => out.note(&format!("the trail is whole: {} lines in {} files", findings.lines, findings.files)),
        _ => out.error(
            &Error::bad("the audit trail is not as it was written")
                .hint("who can write into the store? compare it with a copy; what is reported stays reported"),
        ),
    }
    Ok(status)
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new(["at", "run", "user", "tool", "operation", "environment", "event", "result", "what"]);
    for line in lines {
        let shade = match (line.event.as_str(), line.status) {
            ("repaired", _) => Shade::Warning,
            ("outcome", Some(exit::DONE)) => Shade::Good,
            ("outcome", _) => Shade::Bad,
            _ => Shade::Plain,
        };
        let what = [&line.error, &line.backup, &line.target].into_iter().flatten().next().map_or("-", String::as_str);
        let result = match (&line.result, line.status) {
            (Some(result), Some(status)) if status != exit::DONE => format!("{result} ({status})"),
            (Some(result), _) => result.clone(),
            _ => "-".to_owned(),
        };
        let run: String = line.run.chars().take(RUN_SHOWN).collect();
        table.row(
            shade,
            [
                &clock::readable(line.at),
                &run,
                &line.user,
                &line.tool,
                &line.operation,
                line.environment.as_deref().unwrap_or("-"),
                &line.event,
                &result,
                what,
            ],
        );
    }
    table
}

fn print_summary(out: &Out, summary: &Summary) -> Result<()> {
    let mut table = Table::new(["operation", "result", "runs"]);
    for (operation, results) in &summary.operations {
        for (result, runs) in results {
            table.row(if result == "done" { Shade::Good } else { Shade::Bad }, [operation, result, &runs.to_string()]);
        }
    }
    out.table(&table)?;
    for (user, runs) in &summary.users {
        out.line(&format!("user        {user}, {runs} runs"))?;
    }
    for run in &summary.unfinished {
        let environment = run.environment.as_deref().unwrap_or("-");
        out.line(&format!(
            "unfinished  {} {} {} of {environment}, by {} on {}, pid {}, since {}",
            run.run, run.tool, run.operation, run.user, run.host, run.pid, run.at
        ))?;
    }
    if summary.running > 0 {
        out.line(&format!("running     {} runs", summary.running))?;
    }
    if let (Some(first), Some(last)) = (&summary.first, &summary.last) {
        out.line(&format!("lines       {}, from {first} to {last}", summary.lines))?;
    }
    Ok(())
}
