//! The swap: one `RENAME TABLE` takes the old tables out of the real database and the new ones into it, all or nothing. What no
//! statement renames is written down before it, and made anew after it; a killed swap is ended by the next run, forwards where the
//! tables have moved, and back where they have not.

use serde::Deserialize;

use super::ending::{finish, settle};
use super::insistent::Insistent;
use super::label::{self, Charset, Label, Role, Swap};
use super::names::{aside_of, derived_name};
use super::objects::{self, Objects};
use super::place::Place;
use super::session::Session;
use super::{catalog, locks, sql};
use crate::engine::{Kept, our_names};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::manifest::EngineName;

/// What comes into the real database.
pub(super) struct Incoming {
    /// The database of ours in which the tables are.
    pub(super) database: String,
    /// What is to stand around them.
    pub(super) objects: Objects,
    /// What the database's character set is to be, where not what it is now.
    pub(super) charset: Option<Charset>,
    /// Whether there is to be a database at all.
    pub(super) is_any: bool,
}

/// Puts `incoming` in place of what is in the target, and that into a database of ours named `aside`. All or nothing: where it
/// fails, the target is as it was. Whether there was a target.
pub(super) fn exchange(place: &Place, held: &mut Session, target: &str, incoming: &Incoming, aside: &str) -> Result<bool> {
    if !locks::try_lock_of_dead(held, target)? {
        return Err(Error::busy(format!("another run is swapping {target}")));
    }
    let outcome = begin_and_rename(place, target, incoming, aside);
    let outcome = match outcome {
        Ok(had_target) => finish(place, target, aside).map(|()| had_target),
        // A signal ends the client too, in the middle of whatever it was doing.
        Err(error) => match interrupt::while_cleaning(|| settle(place, target, &incoming.database, aside))? {
            Some(had_target) => Ok(had_target),
            None => Err(error),
        },
    };
    let _ = interrupt::while_cleaning(|| locks::unlock(held, target));
    outcome
}

fn begin_and_rename(place: &Place, target: &str, incoming: &Incoming, aside: &str) -> Result<bool> {
    let mut session = place.without_database().session()?;
    let had_target = catalog::is_there(&mut session, target)?;
    let kept = if had_target { Objects::read(place, &mut session, target)? } else { Objects::default() };
    let charset = charset_of(&mut session, if had_target { target } else { &incoming.database })?;
    if !had_target {
        let clause = charset.clause(&mut session)?;
        session.run(&format!("CREATE DATABASE {} {clause}", sql::ident(target)))?;
    }
    let swap = Swap {
        incoming: incoming.database.clone(),
        aside: aside.to_owned(),
        had_target,
        has_target: incoming.is_any,
        charset: incoming.charset.clone(),
    };
    let mut label = label::read(&mut session, &incoming.database)?
        .filter(|label| label.target == target)
        .ok_or_else(|| Error::failed(format!("database {} is no longer Holdfast's", incoming.database)))?;
    label.swap = Some(swap);
    label::write_with(&mut session, &incoming.database, &label, &kept, &incoming.objects)?;
    let clause = charset.clause(&mut session)?;
    session.run(&format!("CREATE DATABASE {} {clause}", sql::ident(aside)))?;
    let mut insistent = Insistent::new(place, target);
    for database in [incoming.database.as_str(), target] {
        insistent.run_all(objects::without_triggers_and_events(&mut session, database)?)?;
    }
    let out = tables(&mut session, target)?;
    let back = tables(&mut session, &incoming.database)?;
    let move_all = |from: &str, to: &str, names: &[String]| -> Vec<String> {
        let name = |database: &str, table: &str| format!("{}.{}", sql::ident(database), sql::ident(table));
        names.iter().map(|table| format!("{} TO {}", name(from, table), name(to, table))).collect()
    };
    let mut moves = move_all(target, aside, &out);
    moves.extend(move_all(&incoming.database, target, &back));
    moves.push(format!("{} TO {}", label::table(&incoming.database), label::table(aside)));
    insistent.run(&format!("RENAME TABLE {}", moves.join(", ")))?;
    Ok(had_target)
}

/// The tables and sequences of a database, but for our own.
fn tables(session: &mut Session, database: &str) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
    }
    let query = format!(
        "SELECT {} FROM information_schema.tables WHERE table_schema = {} AND table_type NOT IN ('VIEW', 'SYSTEM VIEW') \
         AND table_name <> {} ORDER BY table_name",
        sql::json(&[("name", "table_name")]),
        sql::literal(database),
        sql::literal(label::TABLE)
    );
    Ok(session.rows(&query)?.into_iter().map(|Row { name }| name).collect())
}

/// A database's character set.
pub(super) fn charset_of(session: &mut Session, database: &str) -> Result<Charset> {
    let comment = if catalog::has_comments(session)? { "schema_comment" } else { "NULL" };
    session.row(&format!(
        "SELECT {} FROM information_schema.schemata WHERE schema_name = {}",
        sql::json(&[("charset", "default_character_set_name"), ("collation", "default_collation_name"), ("comment", comment)]),
        sql::literal(database)
    ))
}

/// What the next swap of this id would keep aside.
pub(super) fn would_keep(place: &Place, target: &str, location: String, id: &str) -> Result<Kept> {
    let is_there = catalog::is_there(&mut place.without_database().session()?, target)?;
    Ok(Kept { engine: EngineName::Mariadb, target: location, aside: is_there.then(|| aside_of(target, id)) })
}

/// Whether what a swap kept aside is there: its label has come with the tables.
pub(super) fn is_kept(place: &Place, target: &str, kept: &Kept) -> Result<bool> {
    let Some(aside) = &kept.aside else { return Ok(false) };
    let label = label::read(&mut place.without_database().session()?, aside)?;
    Ok(label.is_some_and(|label| label.target == target))
}

/// The swap the other way round.
pub(super) fn undo(place: &Place, target: &str, kept: &Kept, id: &str) -> Result<Kept> {
    let mut session = place.without_database().session()?;
    let incoming = match &kept.aside {
        Some(name) => {
            label_of(&mut session, name, target)?;
            Incoming {
                database: name.clone(),
                objects: label::objects(&mut session, name)?,
                charset: Some(charset_of(&mut session, name)?),
                is_any: true,
            }
        }
        None => {
            let empty = derived_name(target, "restore", &our_names::plain_id(id));
            label::create(&mut session, &empty, None, &Label::new(Role::Restore, target))?;
            Incoming { database: empty, objects: Objects::default(), charset: None, is_any: false }
        }
    };
    let aside = aside_of(target, id);
    let had_target = exchange(place, &mut session, target, &incoming, &aside)?;
    Ok(Kept { engine: EngineName::Mariadb, target: kept.target.clone(), aside: had_target.then_some(aside) })
}

fn label_of(session: &mut Session, aside: &str, target: &str) -> Result<Label> {
    if !catalog::is_there(session, aside)? {
        return Err(Error::failed(format!("database {aside}, which a restore kept aside, is no longer there"))
            .hint("a safety backup may hold what was there: restore-db --list"));
    }
    let label = label::read(session, aside)?;
    if label.as_ref().is_some_and(|label| label.role == Role::Going) {
        return Err(Error::refused(format!("of database {aside} a part was dropped already")).hint("restore-db --discard ends that"));
    }
    label
        .filter(|label| label.role == Role::Aside && label.target == target)
        .ok_or_else(|| Error::refused(format!("database {aside} does not bear the label that marks it as kept aside from {target}")))
}

/// Drops what a swap kept aside.
pub(super) fn discard(place: &Place, target: &str, kept: &Kept) -> Result<()> {
    let Some(aside) = &kept.aside else { return Ok(()) };
    let mut session = place.without_database().session()?;
    if !catalog::is_there(&mut session, aside)? {
        return Ok(());
    }
    if label::read(&mut session, aside)?.is_none_or(|label| label.role != Role::Going || label.target != target) {
        label_of(&mut session, aside, target)?;
    }
    label::drop_ours(&place.without_database(), aside, Role::Aside).map(|_| ())
}
