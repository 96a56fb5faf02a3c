//! `backup-catalog checks`: the history of verifications.

use holdfast::catalog::Catalog;
use holdfast::checks::{self, Check};
use holdfast::clock;
use holdfast::error::Result;
use holdfast::exit;
use manners::figures::milliseconds;
use manners::{Out, Shade, Table};
use serde::Serialize;
use serde_json::json;

use crate::args::checks::Checks;
use crate::shelf::Shelf;

#[derive(Serialize)]
struct Row {
    backup: String,
    #[serde(flatten)]
    check: Check,
}

pub(crate) fn run(args: &Checks, out: &Out) -> Result<u8> {
    let shelf = Shelf::open(&args.common, out, false)?;
    let ids = match &args.selector {
        Some(selector) => vec![shelf.find(selector)?.id().to_owned()],
        None => Catalog::read(&shelf.store, shelf.only())?.entries.into_iter().map(|entry| entry.name).collect(),
    };
    let mut rows = Vec::new();
    for id in ids {
        let history = checks::history(&shelf.store, &id);
        history.unknown.iter().for_each(|why| out.warn(&format!("{id}: {why}")));
        rows.extend(history.lines.into_iter().filter(|check| !args.failed || !check.passed).map(|check| Row { backup: id.clone(), check }));
    }
    rows.sort_by_key(|row| row.check.at);
    let matched = rows.len();
    if args.limit > 0 {
        rows.drain(..matched.saturating_sub(args.limit));
    }
    if out.is_json() {
        out.document(&json!({ "matched": matched, "checks": rows }))?;
        return Ok(exit::DONE);
    }
    let mut table = Table::new(["at", "backup", "level", "result", "took", "restored in", "host", "findings"]);
    for Row { backup, check } in &rows {
        table.row(
            if check.passed { Shade::Plain } else { Shade::Bad },
            [
                clock::readable(check.at),
                backup.clone(),
                check.level.to_string(),
                result(check).to_owned(),
                milliseconds(check.check_ms),
                check.restore_ms.map_or_else(|| "-".to_owned(), milliseconds),
                check.host.clone(),
                if check.findings.is_empty() { "-".to_owned() } else { check.findings.join("; ") },
            ],
        );
    }
    out.table(&table)?;
    if rows.len() < matched {
        out.note(&format!("{} older checks are not shown; --limit 0 shows all", matched - rows.len()));
    }
    Ok(exit::DONE)
}

fn result(check: &Check) -> &'static str {
    if check.passed { "passed" } else { "FAILED" }
}

/// A check on one line.
pub(crate) fn said(check: &Check) -> String {
    let restored = check.restore_ms.map(|ms| format!(", restored in {}", milliseconds(ms))).unwrap_or_default();
    let findings = check.findings.first().map(|finding| format!(": {finding}")).unwrap_or_default();
    format!("{} {} {}{restored}{findings}", clock::readable(check.at), check.level, result(check))
}
