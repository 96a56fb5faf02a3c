//! `backup-catalog list`.

use holdfast::audit;
use holdfast::clock;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::listing::{self, Filter, Listed};
use manners::figures::size;
use manners::{Out, Shade, Table};
use serde_json::json;

use crate::args::list::List;
use crate::shelf::Shelf;

pub(crate) fn run(args: &List, out: &Out) -> Result<u8> {
    let filter = Filter {
        kind: args.kind,
        backup_type: args.backup_type,
        tags: args.tags.clone(),
        since: args.since.as_deref().map(|text| audit::moment(text, false)).transpose()?,
        until: args.until.as_deref().map(|text| audit::moment(text, true)).transpose()?,
        verified: args.verified,
        bad: args.bad,
        pinned: args.pinned,
    };
    let shelf = Shelf::open(&args.common, out, false)?;
    let mut listing = listing::read(&shelf.store, shelf.only())?;
    listing.retain(|listed| filter.fits(listed));
    let matched = listing.len();
    if args.limit > 0 {
        listing.drain(..matched.saturating_sub(args.limit));
    }
    if out.is_json() {
        out.document(&json!({ "matched": matched, "backups": listing }))?;
        return Ok(exit::DONE);
    }
    out.table(&table(&listing))?;
    if listing.len() < matched {
        out.note(&format!("{} older backups are not shown", matched - listing.len()));
    }
    Ok(exit::DONE)
}

fn table(listing: &[Listed]) -> Table {
    let mut table = Table::new(["id", "made at", "kind", "type", "size", "rows", "verified", "tags", "remarks"]);
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    for listed in listing {
        let shade = match (listed.verified, &listed.pin) {
            (None, _) => Shade::Bad,
            (Some(_), Some(_)) => Shade::Good,
            (Some(_), None) => Shade::Plain,
        };
        table.row(
            shade,
            [
                listed.id.clone(),
                listed.created_at.map_or_else(|| "-".to_owned(), clock::readable),
                or_dash(listed.kind.map(|kind| kind.to_string()).unwrap_or_default()),
                or_dash(listed.backup_type.map(|found| found.to_string()).unwrap_or_default()),
                or_dash(listed.stored_bytes.map(size).unwrap_or_default()),
                or_dash(listed.rows.map(|rows| rows.to_string()).unwrap_or_default()),
                listed.verified_word(),
                or_dash(listed.tags.join(",")),
                or_dash(remarks(listed)),
            ],
        );
    }
    table
}

fn remarks(listed: &Listed) -> String {
    let pin = listed.pin.as_ref().map(|pin| pin.reason.as_ref().map_or("pinned".to_owned(), |reason| format!("pinned: {reason}")));
    let archived = (listed.place == holdfast::store::ARCHIVES).then(|| "archived".to_owned());
    let said = [listed.problem.clone(), pin, archived, listed.reason.clone()];
    said.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
