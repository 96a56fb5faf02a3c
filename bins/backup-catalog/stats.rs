//! `backup-catalog stats`.

use std::collections::BTreeMap;

use holdfast::clock;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::listing;
use manners::Out;
use manners::figures::{milliseconds, size, size_change, sparkline};
use serde_json::json;

use crate::args::stats::Stats;
use crate::shelf::Shelf;

/// Columns of a plot: beside its heading it fits a narrow terminal.
const PLOT_WIDTH: usize = 60;

pub(crate) fn run(args: &Stats, out: &Out) -> Result<u8> {
    let shelf = Shelf::open(&args.common, out, false)?;
    let all = listing::stats(&listing::read(&shelf.store, shelf.only())?);
    if out.is_json() {
        out.document(&json!({ "environments": all }))?;
        return Ok(exit::DONE);
    }
    for (number, stats) in all.iter().enumerate() {
        if number > 0 {
            out.line("")?;
        }
        for (name, value) in facts(stats, out) {
            out.line(&format!("{name:<12} {value}"))?;
        }
    }
    if all.is_empty() {
        out.note("there is no backup yet");
    }
    Ok(exit::DONE)
}

fn facts(stats: &listing::Stats, out: &Out) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("environment", stats.environment.clone()),
        ("backups", format!("{} ({})", stats.backups, counts(&stats.by_kind))),
        ("types", counts(&stats.by_type)),
        (
            "state",
            format!(
                "{} verified, {} incomplete, {} damaged, {} pinned, {} archived",
                stats.verified, stats.incomplete, stats.damaged, stats.pinned, stats.archived
            ),
        ),
        ("size", format!("{} stored, {} of content", size(stats.stored_bytes), size(stats.plain_bytes))),
    ];
    for (name, made) in [("oldest", &stats.oldest), ("newest", &stats.newest)] {
        facts.extend(made.iter().map(|made| (name, format!("{}  {}", clock::readable(made.at), made.id))));
    }
    if let Some(growth) = &stats.growth {
        let days = growth.span_seconds as f64 / 86_400.0;
        facts.push(("growth", format!("{} of content a day, over {days:.1} days", size_change(growth.plain_bytes_per_day))));
    }
    if let Some(saved) = &stats.saved {
        facts.push(("saved", format!("{} by increments, {} %", size(saved.bytes), saved.percent)));
    }
    facts.push((
        "restored",
        stats.last_restore.as_ref().map_or_else(
            || "never proven: backup-guard --verify restore does that".to_owned(),
            |last| format!("{}  {}, in {}", clock::readable(last.at), last.id, milliseconds(last.restore_ms)),
        ),
    ));
    let looks = out.looks();
    if let Some(highest) = stats.sizes_bytes.iter().max().filter(|_| stats.sizes_bytes.len() > 1) {
        facts.push(("sizes", format!("{} up to {}", sparkline(&stats.sizes_bytes, PLOT_WIDTH, looks), size(*highest))));
    }
    if let Some(longest) = stats.durations_ms.iter().max().filter(|_| stats.durations_ms.len() > 1) {
        facts.push(("durations", format!("{} up to {}", sparkline(&stats.durations_ms, PLOT_WIDTH, looks), milliseconds(*longest))));
    }
    facts
}

fn counts(of: &BTreeMap<String, u64>) -> String {
    let counts: Vec<String> = of.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if counts.is_empty() { "-".to_owned() } else { counts.join(", ") }
}
