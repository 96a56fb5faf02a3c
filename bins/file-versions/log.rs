//! `file-versions log`: what there is.

use chrono::{DateTime, Utc};
use holdfast::clock;
use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::versions::{Damaged, History, Name, Versions};
use manners::{Out, Shade, Table};
use serde::Serialize;

use crate::args::log::Log;
use crate::report::Document;
use crate::scope::{Scope, of_file};

/// A message in a table is its first line, and of that no more than this.
const MESSAGE_SHOWN: usize = 60;

#[derive(Serialize)]
struct Of<'a> {
    file: String,
    versions: Vec<Document<'a>>,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct All {
    files: Vec<Summary>,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct Summary {
    file: String,
    versions: usize,
    newest: String,
    #[serde(with = "clock::rfc3339_millis")]
    created_at: DateTime<Utc>,
    bytes: u64,
}

pub(crate) fn run(args: &Log, out: &Out) -> Result<u8> {
    let scope = Scope::open(&args.common)?;
    let place = scope.to_change(&args.common, out)?;
    let problems = match &args.file {
        Some(file) => of_one(&place.versions, &Name::of(file)?, args.limit, out)?,
        None => of_all(&place.versions, args.limit, out)?,
    };
    if problems.is_empty() {
        return Ok(exit::DONE);
    }
    problems.iter().for_each(|problem| out.warn(problem));
    out.say_error(
        &Error::bad("some versions are damaged")
            .hint("file-versions stats --verify finds every one; bring them back from a copy of the store"),
    );
    Ok(exit::BAD)
}

fn of_one(versions: &Versions, name: &Name, limit: usize, out: &Out) -> Result<Vec<String>> {
    let history = versions.history(name)?;
    if history.is_empty() {
        let none = Error::bad("there is no version of this file").hint("file-versions log shows the files that have some");
        return Err(of_file(none, name.path()));
    }
    let mut problems = damage(&history);
    problems.extend(versions.missing(&history));
    let most = if limit == 0 { usize::MAX } else { limit };
    let newest_first = || history.versions.iter().rev().take(most);
    if out.is_json() {
        let file = name.path().to_string_lossy().into_owned();
        out.document(&Of { file, versions: newest_first().map(Document::of).collect(), problems: problems.clone() })?;
        return Ok(problems);
    }
    let mut table = Table::new(["version", "saved at", "author", "bytes", "tags", "message"]);
    for version in newest_first() {
        let record = &version.record;
        let tags = if version.tags.is_empty() { "-".to_owned() } else { version.tags.join(" ") };
        table.row(
            Shade::Plain,
            [
                version.id.clone(),
                clock::readable(record.created_at),
                record.author.clone(),
                record.bytes.to_string(),
                tags,
                first_line(&record.message),
            ],
        );
    }
    out.table(&table)?;
    Ok(problems)
}

fn of_all(versions: &Versions, limit: usize, out: &Out) -> Result<Vec<String>> {
    let histories = versions.histories()?;
    let mut problems: Vec<String> = histories.iter().flat_map(damage).collect();
    for history in &histories {
        problems.extend(versions.missing(history));
    }
    let most = if limit == 0 { usize::MAX } else { limit };
    let summaries = histories.iter().filter_map(|history| {
        let newest = history.newest()?;
        Some(Summary {
            file: newest.path.to_string_lossy().into_owned(),
            versions: history.versions.len(),
            newest: newest.id.clone(),
            created_at: newest.record.created_at,
            bytes: newest.record.bytes,
        })
    });
    let files: Vec<Summary> = summaries.take(most).collect();
    if out.is_json() {
        out.document(&All { files, problems: problems.clone() })?;
        return Ok(problems);
    }
    let mut table = Table::new(["file", "versions", "newest", "saved at", "bytes"]);
    for file in files {
        let (versions, bytes) = (file.versions.to_string(), file.bytes.to_string());
        table.row(Shade::Plain, [file.file, versions, file.newest, clock::readable(file.created_at), bytes]);
    }
    out.table(&table)?;
    Ok(problems)
}

fn damage(history: &History) -> Vec<String> {
    history.damaged.iter().map(|Damaged { path, why, .. }| format!("{}: {why}", path.display())).collect()
}

fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let shown: String = line.chars().take(MESSAGE_SHOWN).collect();
    if shown.len() < message.trim_end().len() { format!("{shown}…") } else { shown }
}
