//! The bytes that a dump of the present snapshot has, as fast as SQLite gives them: for a comparison with an earlier dump.

use std::path::Path;

use super::{dump, open};
use crate::engine::{Cut, Outlet, Settings};
use crate::error::Result;
use crate::fsx;

/// Streams the page image out of one read transaction, until the outlet is satisfied. Without a write-ahead log a commit
/// waits for as long as that takes; a copy would hold it up for longer than most comparisons.
pub(super) fn image(path: &Path, settings: &Settings, out: &mut dyn Outlet) -> Result<()> {
    open::require_database_file(path)?;
    let explain = |error| open::explain(path, error);
    let connection = open::source(path)?;
    open::within(settings.busy_timeout, path, || dump::begin_snapshot(&connection))?;
    let facts = dump::facts(&connection).map_err(explain)?;
    // Of a file without a single page a copy has its first one.
    if facts.bytes == 0 || !dump::has_page_table(&connection).map_err(explain)? {
        connection.execute_batch("COMMIT").map_err(explain)?;
        let (copy, page_size) = dump::spool(&connection, path, settings, out)?;
        out.begin(Cut::Fixed(page_size))?;
        dump::each_block(&mut fsx::open_to_read(&copy)?, &copy, |block| {
            dump::store(out, block)?;
            Ok(!out.is_satisfied())
        })?;
        return fsx::remove_file(&copy);
    }
    out.begin(Cut::Fixed(facts.page_size))?;
    let mut is_first = !facts.is_wal;
    let bytes = dump::each_page(&connection, path, |page| {
        if std::mem::take(&mut is_first) {
            dump::store(out, &as_copied(page, facts.bytes / u64::from(facts.page_size)))?;
        } else {
            dump::store(out, page)?;
        }
        Ok(!out.is_satisfied())
    })?;
    if out.is_satisfied() { Ok(()) } else { dump::require_all(bytes, path, &facts) }
}

/// The first page as it stands in a copy that the backup API has made in a new file, which is what a dump without a
/// write-ahead log is: the header then counts the copy's own changes, not those of the source.
fn as_copied(page: &[u8], pages: u64) -> Vec<u8> {
    let mut page = page.to_vec();
    let mut put = |at: usize, value: u32| page[at..at + 4].copy_from_slice(&value.to_be_bytes());
    put(CHANGE_COUNTER_AT, 1);
    put(PAGE_COUNT_AT, u32::try_from(pages).unwrap_or(0));
    put(SCHEMA_COOKIE_AT, 1);
    put(VALID_FOR_AT, 1);
    put(WRITTEN_BY_AT, u32::try_from(rusqlite::version_number()).unwrap_or(0));
    page
}

/// Where the header has the counter of changes, …
const CHANGE_COUNTER_AT: usize = 24;
/// … the number of pages, …
const PAGE_COUNT_AT: usize = 28;
/// … the counter of changes to the schema, …
const SCHEMA_COOKIE_AT: usize = 40;
/// … the counter of changes for which the number of pages holds, …
const VALID_FOR_AT: usize = 92;
/// … and the version of SQLite that wrote it last.
const WRITTEN_BY_AT: usize = 96;
