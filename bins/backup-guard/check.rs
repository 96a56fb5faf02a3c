//! The check of the backups: what `backup-guard` does without a subcommand.

use holdfast::audit::Run;
use holdfast::error::Result;
use holdfast::sync_state::SystemProbe;
use holdfast::verbs::guard::{self, Finding, State};
use manners::{Out, Setting};
use serde_json::json;

use crate::args::Args;
use crate::report;
use crate::scope::Chosen;

pub(crate) fn run(args: &Args, out: &Out) -> Result<u8> {
    args.refuse_late_subcommand()?;
    let setting = Setting::open(&args.common)?;
    let chosen = Chosen::open(args, &setting)?;
    setting.start_log("backup-guard", &args.common, Some(&chosen.store), out)?;
    let check = || guard::run(&chosen.store, &chosen.scope()?, &SystemProbe, out);
    if args.common.dry_run {
        let report = check()?;
        return report::print(out, &report, args.format(), report::status(&report));
    }
    let run = Run {
        tool: "backup-guard".to_owned(),
        operation: "guard".to_owned(),
        environment: args.common.env.clone(),
        target: Some(chosen.store.root().display().to_string()),
    };
    let mut audited = setting.audited(out, Some(&chosen.store), run, |trail| {
        let report = check()?;
        trail.note(|facts| {
            facts.backup = chosen.only_id();
            facts.detail.insert("verify".to_owned(), json!(args.verify));
            facts.detail.insert("findings".to_owned(), json!(report.findings.len()));
            let bad = report.findings.iter().filter(|finding| finding.state.is_bad());
            let bad: Vec<String> = bad.map(said).take(BAD_MAX).collect();
            if !bad.is_empty() {
                facts.detail.insert("bad".to_owned(), json!(bad));
            }
        });
        Ok((report::status(&report), report))
    })?;
    if let Some(error) = &audited.audit_error {
        // Monitoring that only reads the findings must hear of it too.
        let message = format!("the audit trail lacks a line of this run: {error}");
        let finding = Finding { check: "audit", environment: None, backup: None, state: State::Warning, message };
        audited.value.findings.insert(0, finding);
    }
    report::print(out, &audited.value, args.format(), audited.status)
}

/// So many of the bad findings stand in the outcome; the report has them all.
const BAD_MAX: usize = 20;

fn said(finding: &Finding) -> String {
    let about = finding.backup.as_deref().or(finding.environment.as_deref()).unwrap_or("store");
    format!("{} {about}: {}", finding.check, finding.message)
}
