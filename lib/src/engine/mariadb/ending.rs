//! How a swap ends that was begun: forwards where its tables have moved, back where they have not. Each step can be done again, so that
//! the next run ends what a killed one left.

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::insistent::Insistent;
use super::label::{self, Label, Role, Swap};
use super::locks::{try_lock, try_lock_of_dead, unlock};
use super::names::is_name_of_ours;
use super::objects::{self, Objects};
use super::place::Place;
use super::session::Session;
use super::{catalog, sql};
use crate::error::{Error, Result};

/// How long a stopped run waits for the end of what it had asked the server for.
pub(super) const CLEANING_WAIT: Duration = Duration::from_secs(5);

/// After the tables have moved: all that stands around them, and then the journal is closed. Can be done again from its beginning.
pub(super) fn finish(place: &Place, target: &str, aside: &str) -> Result<()> {
    let mut session = place.without_database().session()?;
    let label = label::read(&mut session, aside)?.filter(|label| label.target == target);
    let Some(swap) = label.and_then(|label| label.swap) else {
        return Err(Error::failed(format!("database {aside} does not tell what was swapped")));
    };
    let mut insistent = Insistent::new(place, target);
    let incoming = if swap.has_target { label::incoming(&mut session, aside)? } else { Objects::default() };
    insistent.run_all(objects::without_any(&mut session, target, &incoming)?)?;
    if swap.has_target {
        if let Some(charset) = &swap.charset {
            let clause = charset.clause(&mut session)?;
            session.run(&format!("ALTER DATABASE {} {clause}", sql::ident(target)))?;
        }
        insistent.repeat(|place| incoming.make(place, target)).map_err(|error| {
            error
                .within(format!("the tables of {target} are the restored ones, but what stands around them is not all there"))
                .hint("mend what the server says; the next restore of this database goes on from here")
        })?;
    } else {
        drop_empty(&mut session, target)?;
    }
    insistent.run_all(objects::without_any(&mut session, &swap.incoming, &Objects::default())?)?;
    drop_empty(&mut session, &swap.incoming)?;
    if swap.had_target {
        let kept = label::objects(&mut session, aside)?;
        label::write_with(&mut session, aside, &Label::new(Role::Aside, target), &kept, &Objects::default())
    } else {
        session.run(&format!("DROP DATABASE {}", sql::ident(aside)))
    }
}

/// After a swap that came to no end before its tables moved: what was taken away comes back.
fn take_back(place: &Place, database: &str, label: &Label, swap: &Swap) -> Result<()> {
    let mut session = place.without_database().session()?;
    let target = &label.target;
    if swap.had_target {
        let objects = label::objects(&mut session, database)?;
        Insistent::new(place, target).repeat(|place| objects.make(place, target))?;
    } else if catalog::is_there(&mut session, target)? {
        drop_empty(&mut session, target)?;
    }
    if catalog::is_there(&mut session, &swap.aside)? {
        drop_empty(&mut session, &swap.aside)?;
    }
    let label = Label { swap: None, ..label.clone() };
    if label.role == Role::Aside {
        let kept = label::incoming(&mut session, database)?;
        label::write_with(&mut session, database, &label, &kept, &Objects::default())
    } else {
        label::write(&mut session, database, &label)
    }
}

/// Drops a database in which there is no table.
fn drop_empty(session: &mut Session, database: &str) -> Result<()> {
    let count = session.text(&format!("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = {}", sql::literal(database)))?;
    if count != "0" {
        return Err(Error::failed(format!("database {database} is not empty, as it should be; it was not dropped"))
            .hint(format!("look at what is in it; where nobody needs that: DROP DATABASE {}", sql::ident(database))));
    }
    session.run(&format!("DROP DATABASE IF EXISTS {}", sql::ident(database)))
}

/// After a swap whose client was lost or that failed: ends it, forwards or back. Whether there was a target, where it was done.
pub(super) fn settle(place: &Place, target: &str, incoming: &str, aside: &str) -> Result<Option<bool>> {
    let mut session = place.without_database().session()?;
    wait_for_renames(&mut session)?;
    if let Some(label) = label::read(&mut session, aside)?.filter(|label| label.target == target)
        && let Some(swap) = label.swap
    {
        finish(place, target, aside)?;
        return Ok(Some(swap.had_target));
    }
    if let Some(label) = label::read(&mut session, incoming)?
        && let Some(swap) = label.swap.clone()
    {
        take_back(place, incoming, &label, &swap)?;
    }
    Ok(None)
}

/// What a killed client had asked for may still be at work in the server.
fn wait_for_renames(session: &mut Session) -> Result<()> {
    let start = Instant::now();
    let query = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'RENAME TABLE %' AND id <> CONNECTION_ID()";
    while session.text(query)? != "0" && start.elapsed() < CLEANING_WAIT {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Ends what a killed run left: a swap forwards or back, and databases that nobody loads any more.
pub(super) fn recover(place: &Place, target: &str) -> Result<Vec<String>> {
    let mut session = place.without_database().session()?;
    let mut done = Vec::new();
    if !try_lock_of_dead(&mut session, target)? {
        return Ok(done);
    }
    for (database, label) in label::all_of(&mut session, target)? {
        // The run that made it holds this lock for as long as it lives.
        if !try_lock_of_dead(&mut session, &database)? {
            continue;
        }
        let mut label = label;
        if let Some(swap) = label.swap.clone() {
            if database == swap.aside {
                finish(place, target, &database)?;
                done.push(format!("ended a swap of {target} that a killed run had left half done: the new tables are in it"));
                continue;
            }
            take_back(place, &database, &label, &swap)?;
            done.push(format!("took back a swap of {target} that a killed run had begun: the old tables are in it"));
            label.swap = None;
        }
        match label.role {
            Role::Restore => {
                label::drop_ours(&place.without_database(), &database, Role::Restore)?;
                done.push(format!("dropped database {database}, which a killed restore had left"));
            }
            // Nothing that comes now depends on it.
            Role::Going => match label::drop_ours(&place.without_database(), &database, Role::Going) {
                Ok(_) => done.push(format!("dropped database {database}, of which a killed run had dropped a part")),
                Err(error) => tracing::warn!("{error}"),
            },
            Role::Aside | Role::Kept => {}
        }
        unlock(&mut session, &database)?;
    }
    for database in unmarked(&mut session, target)? {
        if try_lock(&mut session, &database)? {
            drop_unlabelled(&mut session, &database)?;
            unlock(&mut session, &database)?;
        }
    }
    unlock(&mut session, target)?;
    Ok(done)
}

/// Databases with a name that we give, and nothing in them: a run was killed between their creation and their label.
fn unmarked(session: &mut Session, target: &str) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
    }
    let rows: Vec<Row> = session.rows(&format!(
        "SELECT {} FROM information_schema.schemata s WHERE NOT EXISTS (SELECT 1 FROM information_schema.tables t WHERE t.table_schema = s.schema_name \
         AND t.table_name <> {}) AND NOT EXISTS (SELECT 1 FROM information_schema.routines r WHERE r.routine_schema = s.schema_name)",
        sql::json(&[("name", "schema_name")]),
        sql::literal(label::TABLE)
    ))?;
    let mut out = Vec::new();
    for name in rows.into_iter().map(|Row { name }| name).filter(|name| is_name_of_ours(target, name)) {
        if label::read(session, &name)?.is_none() {
            out.push(name);
        }
    }
    Ok(out)
}

/// What a run that was stopped leaves of its own database.
pub(super) fn remove(session: &mut Session, place: &Place, database: &str) -> Result<()> {
    if let Some(label) = label::read(session, database)? {
        if let Some(swap) = label.swap.clone() {
            take_back(place, database, &label, &swap)?;
        }
        if label.role == Role::Restore {
            label::drop_ours(&place.without_database(), database, Role::Restore)?;
        }
    } else if catalog::is_there(session, database)? {
        drop_unlabelled(session, database)?;
    }
    Ok(())
}

/// Drops a database of ours that has no label yet, and at most the table for it.
fn drop_unlabelled(session: &mut Session, database: &str) -> Result<()> {
    session.run(&format!("DROP TABLE IF EXISTS {}", label::table(database)))?;
    drop_empty(session, database)
}
