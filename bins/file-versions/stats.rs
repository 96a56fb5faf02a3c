//! `file-versions stats`: what the versions take, and what is wrong with them.

use holdfast::error::{Error, Result};
use holdfast::exit;
use manners::{Out, Shade, Table};

use crate::args::stats;
use crate::report;
use crate::scope::Scope;

pub(crate) fn run(args: &stats::Stats, out: &Out) -> Result<u8> {
    let scope = Scope::open(&args.common)?;
    let place = scope.to_change(&args.common, out)?;
    let stats = place.versions.stats(args.verify)?;
    if out.is_json() {
        out.document(&stats)?;
    } else {
        let lines = [
            format!("files      {}", stats.files),
            format!("versions   {}, {} tags", stats.versions, stats.tags),
            format!("plain      {} bytes", stats.plain_bytes),
            format!("distinct   {} bytes, {} saved by keeping each content once", stats.distinct_bytes, stats.dedup_bytes),
            format!("stored     {} bytes in {} objects", stats.stored_bytes, stats.objects),
            format!("unneeded   {} bytes in {} objects", stats.unneeded_bytes, stats.unneeded_objects),
        ];
        lines.iter().try_for_each(|line| out.line(line))?;
        let mut table = Table::new(["biggest", "versions", "plain bytes", "stored bytes"]);
        for file in &stats.biggest {
            let figures = [file.versions, file.plain_bytes, file.stored_bytes].map(|figure| figure.to_string());
            table.row(Shade::Plain, std::iter::once(file.file.clone()).chain(figures));
        }
        out.table(&table)?;
    }
    for path in &stats.foreign {
        out.warn(&format!("{} is none of ours, and stays", report::shown(path)));
    }
    if stats.problems.is_empty() {
        return Ok(exit::DONE);
    }
    stats.problems.iter().for_each(|problem| out.warn(problem));
    out.say_error(
        &Error::bad("some versions are damaged")
            .hint("bring what is named back from a copy of the store, or save a file that still has that content"),
    );
    Ok(exit::BAD)
}
