//! `backup-catalog diff`.

use holdfast::backup::Backup;
use holdfast::clock;
use holdfast::environment::Environment;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::verbs::diff::{self, Depth, Difference};
use holdfast::verbs::files::{Change, Line};
use manners::{Out, diff as shown, visible};

use crate::args::diff::Diff;
use crate::shelf::Shelf;

pub(crate) fn run(args: &Diff, out: &Out) -> Result<u8> {
    let shelf = Shelf::open(&args.common, out, false)?;
    let before = shelf.find(&args.before)?;
    let environment = shelf.environment(&before.manifest().environment)?;
    let state = shelf.store.state();
    let difference = match &args.after {
        None => diff::with_current(&before, &with_source(environment, &before), state)?,
        Some(after) => {
            let depth = match (args.quick, args.content) {
                (true, _) => Depth::Manifests,
                (_, true) => Depth::Contents,
                _ => Depth::Schema,
            };
            diff::backups(&before, &shelf.find(after)?, depth, &environment.engine_settings(state)?)?
        }
    };
    print(out, &difference)?;
    Ok(exit::DONE)
}

/// Where no configuration says where the database is, it is where the backup was taken.
fn with_source(environment: Environment, backup: &Backup) -> Environment {
    let own = backup.manifest().database.as_ref().map(|database| database.location.clone());
    Environment { source: environment.source.clone().or(own), ..environment }
}

/// `+ media/new.jpg  5120`
fn file_line(line: &Line) -> String {
    let bytes = |bytes: Option<u64>| bytes.unwrap_or(0);
    let path = visible(&line.path);
    match line.change {
        Change::Added => format!("+ {path}  {}", bytes(line.bytes_now)),
        Change::Removed => format!("- {path}  {}", bytes(line.bytes)),
        Change::Changed | Change::Same => format!("! {path}  {} -> {}", bytes(line.bytes), bytes(line.bytes_now)),
    }
}

fn print(out: &Out, difference: &Difference) -> Result<()> {
    if out.is_json() {
        return out.document(difference);
    }
    for (sign, side) in [('-', &difference.before), ('+', &difference.after)] {
        out.line(&format!("{sign} {}  {}", side.name, clock::readable(side.at)))?;
    }
    if let Some(changes) = &difference.changes {
        out.line(&changes.summary())?;
        shown::lines(changes).iter().try_for_each(|line| out.line(line))?;
    }
    if let Some(files) = &difference.files {
        out.line(&files.summary())?;
        files.entries.iter().try_for_each(|line| out.line(&file_line(line)))?;
    }
    difference.notes.iter().for_each(|note| out.tell(note));
    Ok(())
}
