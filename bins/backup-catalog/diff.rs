//! `backup-catalog diff`.

use holdfast::backup::Backup;
use holdfast::clock;
use holdfast::environment::Environment;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::verbs::diff::{self, Depth, Difference};
use manners::{Out, diff as shown};

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

fn print(out: &Out, difference: &Difference) -> Result<()> {
    if out.is_json() {
        return out.document(difference);
    }
    for (sign, side) in [('-', &difference.before), ('+', &difference.after)] {
        out.line(&format!("{sign} {}  {}", side.name, clock::readable(side.at)))?;
    }
    out.line(&difference.changes.summary())?;
    shown::lines(&difference.changes).iter().try_for_each(|line| out.line(line))?;
    difference.notes.iter().for_each(|note| out.tell(note));
    Ok(())
}
