//! What `backup-guard` prints, in each of its formats.

use std::fmt::Write;

use holdfast::error::Result;
use holdfast::exit;
use holdfast::verbs::guard::{Report, State};
use manners::{Out, Shade, Table};
use serde::Serialize;

use crate::args::Format;

/// Prints the findings and gives the exit status: the given one, or that of a monitoring plugin.
pub(crate) fn print(out: &Out, report: &Report, format: Format, status: u8) -> Result<u8> {
    match format {
        Format::Table => table(out, report)?,
        Format::Json => out.document(&Document { state: report.worst(), status, report })?,
        Format::Prometheus => out.text(&prometheus(report))?,
        Format::Nagios => return nagios(out, report),
    }
    Ok(status)
}

/// The exit status that the findings call for.
pub(crate) fn status(report: &Report) -> u8 {
    if report.worst().is_bad() { exit::BAD } else { exit::DONE }
}

fn table(out: &Out, report: &Report) -> Result<()> {
    let mut table = Table::new(["check", "environment", "state", "what", "backup"]);
    for finding in &report.findings {
        let shade = match finding.state {
            State::Ok => Shade::Good,
            State::Warning => Shade::Warning,
            State::Failed | State::Unknown => Shade::Bad,
        };
        table.row(
            shade,
            [
                finding.check,
                finding.environment.as_deref().unwrap_or("-"),
                finding.state.name(),
                &finding.message,
                finding.backup.as_deref().unwrap_or("-"),
            ],
        );
    }
    out.table(&table)
}

#[derive(Serialize)]
struct Document<'a> {
    state: State,
    status: u8,
    #[serde(flatten)]
    report: &'a Report,
}

/// The text format of Prometheus, for node_exporter's textfile collector.
fn prometheus(report: &Report) -> String {
    let mut text = String::new();
    let mut metric = |name: &str, help: &str, values: Vec<(String, String)>| {
        let _ = writeln!(text, "# HELP {name} {help}");
        let _ = writeln!(text, "# TYPE {name} gauge");
        for (labels, value) in values {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let environment = |name: &str| format!("{{environment=\"{}\"}}", label(name));
    let newest = &report.newest;
    metric("holdfast_ok", "Whether every promise is kept.", vec![(String::new(), u8::from(!report.worst().is_bad()).to_string())]);
    metric(
        "holdfast_newest_backup_age_seconds",
        "Age of the newest verified backup.",
        newest.iter().map(|newest| (environment(&newest.environment), newest.age_seconds.to_string())).collect(),
    );
    metric(
        "holdfast_newest_backup_bytes",
        "Stored size of the newest verified backup.",
        newest.iter().map(|newest| (environment(&newest.environment), newest.stored_bytes.to_string())).collect(),
    );
    metric(
        "holdfast_newest_backup_rows",
        "Rows in the newest verified backup.",
        newest.iter().filter_map(|newest| Some((environment(&newest.environment), newest.rows?.to_string()))).collect(),
    );
    metric(
        "holdfast_verified_backups",
        "How many verified backups there are.",
        newest.iter().map(|newest| (environment(&newest.environment), newest.verified_backups.to_string())).collect(),
    );
    metric(
        "holdfast_incomplete_backups",
        "How many backups after the newest verified one are incomplete.",
        newest.iter().map(|newest| (environment(&newest.environment), newest.incomplete_since.to_string())).collect(),
    );
    metric(
        "holdfast_last_restore_seconds",
        "How long the last rehearsal took to restore.",
        newest
            .iter()
            .filter_map(|newest| Some((environment(&newest.environment), format!("{:.3}", newest.restore_ms? as f64 / 1000.0))))
            .collect(),
    );
    let count = |state: State| report.findings.iter().filter(|finding| finding.state == state).count().to_string();
    metric(
        "holdfast_findings",
        "Findings by state.",
        [State::Ok, State::Warning, State::Failed, State::Unknown]
            .map(|state| (format!("{{state=\"{}\"}}", state.name().to_ascii_lowercase()), count(state)))
            .to_vec(),
    );
    text
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// One line, performance data, and the statuses of the monitoring plugins: 0 ok, 1 warning, 2 critical, 3 unknown.
fn nagios(out: &Out, report: &Report) -> Result<u8> {
    let worst = report.worst();
    let (word, status) = match worst {
        State::Ok => ("OK", 0),
        State::Warning => ("WARNING", 1),
        State::Failed => ("CRITICAL", 2),
        State::Unknown => ("UNKNOWN", 3),
    };
    let bad: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.state == worst && worst != State::Ok)
        .map(|finding| format!("{}: {}", finding.backup.as_deref().or(finding.environment.as_deref()).unwrap_or("store"), finding.message))
        .collect();
    let said = match bad.split_first() {
        None => format!("{} checks passed", report.findings.len()),
        Some((first, [])) => first.clone(),
        Some((first, rest)) => format!("{first} (and {} more)", rest.len()),
    };
    let figures: Vec<String> = report
        .newest
        .iter()
        .map(|newest| format!("{0}_age={1}s {0}_size={2}B", newest.environment, newest.age_seconds, newest.stored_bytes))
        .collect();
    out.line(&format!("HOLDFAST {word} - {} | {}", said.replace('|', "/"), figures.join(" ")))?;
    Ok(status)
}
