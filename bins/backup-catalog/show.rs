//! `backup-catalog show`.

use holdfast::backup::Backup;
use holdfast::chain::Chains;
use holdfast::checks::{self, Check};
use holdfast::clock;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::labels::{self, Event};
use holdfast::listing::{self, Listed};
use holdfast::manifest::Manifest;
use manners::figures::{milliseconds, size};
use manners::{Out, visible};
use serde::Serialize;

use crate::args::show::Show;
use crate::shelf::Shelf;

/// So many tables are named; `--json` has all.
const TABLES_MAX: usize = 20;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    listed: &'a Listed,
    folder: String,
    needs: &'a [String],
    needed_by: &'a [String],
    labels: &'a [Event],
    checks: &'a [Check],
    manifest: &'a Manifest,
}

pub(crate) fn run(args: &Show, out: &Out) -> Result<u8> {
    let shelf = Shelf::open(&args.common, out, false)?;
    let backup = shelf.find(&args.selector)?;
    let listed = listing::of_backup(&shelf.store, &backup)?;
    let (needs, needed_by) = relatives(&shelf, &backup)?;
    let history = checks::history(&shelf.store, backup.id()).lines;
    let events = labels::events(&shelf.store, backup.id()).lines;
    if out.is_json() {
        let folder = backup.folder().display().to_string();
        let (needs, needed_by) = (&needs, &needed_by);
        out.document(&Document {
            listed: &listed,
            folder,
            needs,
            needed_by,
            labels: &events,
            checks: &history,
            manifest: backup.manifest(),
        })?;
        return Ok(exit::DONE);
    }
    for (name, value) in facts(&backup, &listed) {
        out.line(&format!("{name:<12} {value}"))?;
    }
    for (name, ids) in [("needs", &needs), ("needed by", &needed_by)] {
        ids.iter().try_for_each(|id| out.line(&format!("{name:<12} {id}")))?;
    }
    tables(out, backup.manifest())?;
    for check in &history {
        out.line(&format!("{:<12} {}", "check", crate::checks::said(check)))?;
    }
    Ok(exit::DONE)
}

/// What a backup needs, and what needs it.
fn relatives(shelf: &Shelf<'_>, backup: &Backup) -> Result<(Vec<String>, Vec<String>)> {
    let known = listing::remembered(&shelf.store, &backup.manifest().environment)?;
    let chains = Chains::of(known.backups.iter().map(|facts| (facts.id.as_str(), facts.needs.iter().map(String::as_str))));
    let owned = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect();
    // A folder from elsewhere is in no catalog; what it needs is known all the same.
    let mut needs: Vec<String> = owned(chains.ancestors(backup.id()));
    if needs.is_empty() {
        needs = owned(backup.manifest().needs().into_iter().collect());
    }
    Ok((needs, owned(chains.dependents(backup.id()))))
}

fn facts(backup: &Backup, listed: &Listed) -> Vec<(&'static str, String)> {
    let manifest = backup.manifest();
    let mut facts = vec![
        ("id", manifest.id.clone()),
        ("folder", backup.folder().display().to_string()),
        ("environment", format!("{}{}", manifest.environment, if manifest.protected { " (protected)" } else { "" })),
        ("kind", manifest.kind.to_string()),
        ("type", manifest.backup_type.to_string()),
        (
            "made at",
            format!("{} on {}, in {}", clock::readable(manifest.created_at), manifest.host, milliseconds(listed.made_ms.unwrap_or(0))),
        ),
    ];
    if let Some(database) = &manifest.database {
        facts.push(("database", format!("{} {} ({})", database.engine, database.location, database.server_version)));
    }
    for component in &manifest.components {
        let (stored, plain) = (size(component.stored_bytes), size(component.plain_bytes));
        facts.push(("component", format!("{}  {stored}, {plain} unpacked", component.file)));
    }
    facts.push(("verified", listed.verified_word()));
    if let Some(restored) = &listed.restored {
        facts.push(("restored", format!("{}, in {}", clock::readable(restored.at), milliseconds(restored.restore_ms))));
    }
    if !listed.tags.is_empty() {
        facts.push(("tags", listed.tags.join(", ")));
    }
    if let Some(pin) = &listed.pin {
        let why = pin.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        facts.push(("pinned", format!("by {} since {}{why}", pin.user, clock::readable(pin.at))));
    }
    facts.extend(manifest.reason.iter().map(|reason| ("reason", reason.clone())));
    facts.extend(listed.problem.iter().map(|problem| ("problem", problem.clone())));
    facts.extend(incomplete(manifest).map(|lacking| ("incomplete", lacking)));
    facts.extend(manifest.warnings.iter().map(|warning| ("warning", warning.clone())));
    facts
}

/// What is missing from a backup or torn, path by path, and how many the manifest does not name.
fn incomplete(manifest: &Manifest) -> impl Iterator<Item = String> {
    let named = manifest.incomplete().map(|remark| format!("{} ({})", visible(&remark.path), remark.why));
    let more = manifest.incomplete_count().saturating_sub(manifest.incomplete().count() as u64);
    named.chain((more > 0).then(|| format!("and {more} more")))
}

fn tables(out: &Out, manifest: &Manifest) -> Result<()> {
    let Some(fingerprint) = &manifest.fingerprint else { return Ok(()) };
    let mut tables: Vec<(&String, u64)> = fingerprint.tables.iter().map(|(name, table)| (name, table.rows)).collect();
    tables.sort_by_key(|(name, rows)| (std::cmp::Reverse(*rows), *name));
    for (name, rows) in tables.iter().take(TABLES_MAX) {
        out.line(&format!("{:<12} {name}, {rows} rows", "table"))?;
    }
    if tables.len() > TABLES_MAX {
        out.line(&format!("{:<12} and {} tables more", "", tables.len() - TABLES_MAX))?;
    }
    Ok(())
}
