//! Statements that need tables to themselves: tried until nobody stands in the way, with the connections ended of those who do.

use super::place::Place;
use super::rights;
use super::session::Session;
use super::sql;
use crate::error::{Error, Result};
use crate::interrupt;

/// How often a statement is tried while clients come and go, and how long one try waits for those that use the tables.
const TRIES: usize = 20;
const TRY_WAIT_SECONDS: u64 = 1;
/// What the server says when a lock is not had in time, and of a deadlock: then it is tried again.
const NO_LOCK_IN_TIME: [u32; 2] = [1205, 1213];
/// There is no such connection any more.
const NO_SUCH_CONNECTION: u32 = 1094;
/// The connection is somebody else's.
const NOT_THE_OWNER: u32 = 1095;

/// A session that ends whoever keeps it from the tables of a database.
pub(super) struct Insistent<'a> {
    place: &'a Place,
    target: &'a str,
    session: Option<Session>,
}

impl<'a> Insistent<'a> {
    /// Nothing is connected yet.
    pub(super) fn new(place: &'a Place, target: &'a str) -> Self {
        Insistent { place, target, session: None }
    }

    pub(super) fn run_all(&mut self, statements: Vec<String>) -> Result<()> {
        statements.iter().try_for_each(|statement| self.run(statement))
    }

    pub(super) fn run(&mut self, statement: &str) -> Result<()> {
        self.insist(|this| {
            let mut session = match this.session.take() {
                Some(session) => session,
                None => {
                    let mut session = this.place.without_database().session()?;
                    session.run(&format!(
                        "SET SESSION lock_wait_timeout = {TRY_WAIT_SECONDS}, SESSION innodb_lock_wait_timeout = {TRY_WAIT_SECONDS}"
                    ))?;
                    session
                }
            };
            // An objection has ended it.
            match session.ask(statement)? {
                Ok(_) => this.session = Some(session),
                Err(objection) if NO_LOCK_IN_TIME.contains(&objection.number) => return Ok(Err(objection.into_error())),
                Err(objection) => return Err(objection.into_error().within(format!("cannot change what is in {}", this.target))),
            }
            Ok(Ok(()))
        })
    }

    /// Runs what waits for tables only for a short time and can be done again: a script of statements.
    pub(super) fn repeat(&mut self, mut script: impl FnMut(&Place) -> Result<()>) -> Result<()> {
        let place = self.place;
        self.insist(|_| match script(place) {
            Err(error) if NO_LOCK_IN_TIME.iter().any(|number| error.to_string().contains(&format!("ERROR {number} "))) => Ok(Err(error)),
            other => other.map(Ok),
        })
    }

    fn insist(&mut self, mut attempt: impl FnMut(&mut Self) -> Result<Result<()>>) -> Result<()> {
        let mut last = None;
        for _ in 0..TRIES {
            interrupt::check()?;
            match attempt(self)? {
                Ok(()) => return Ok(()),
                Err(error) => last = Some(error),
            }
            end_connections(self.place, self.target)?;
        }
        let error = last.unwrap_or_else(|| Error::failed("no try was made"));
        Err(error
            .within(format!("the tables of {} were in use {TRIES} times", self.target))
            .hint("stop what uses them, maybe from another database: SHOW FULL PROCESSLIST, which shows other accounts' with GRANT PROCESS, CONNECTION ADMIN ON *.*; or what is prepared and not committed: XA RECOVER"))
    }
}

/// Ends every connection to a database but ours, and those of other databases that hold its tables, where the server tells which do.
/// Whoever only works in another database of the server is none of our business.
fn end_connections(place: &Place, target: &str) -> Result<()> {
    for id in connections(place, target)? {
        let mut session = place.without_database().session()?;
        match session.ask(&format!("KILL CONNECTION {id}"))? {
            Err(objection) if objection.number == NOT_THE_OWNER => {
                let account = place.without_database().session()?.text("SELECT CURRENT_USER()")?;
                return Err(objection.into_error().within(format!("others use the tables of {target}")).hint(format!(
                    "let them disconnect, or as an administrator: GRANT CONNECTION ADMIN ON *.* TO {}",
                    rights::grantee(&account)
                )));
            }
            Err(objection) if objection.number != NO_SUCH_CONNECTION => return Err(objection.into_error()),
            _ => {}
        }
    }
    Ok(())
}

fn connections(place: &Place, target: &str) -> Result<Vec<u64>> {
    let own = "p.id <> CONNECTION_ID() AND p.command NOT IN ('Daemon', 'Binlog Dump', 'Killed')";
    let name = sql::literal(target);
    let of_target = format!("SELECT p.id FROM information_schema.processlist p WHERE p.db = {name} AND {own}");
    let holding = |id: &str, list: &str, of: &str| {
        format!(
            "{of_target} UNION SELECT p.id FROM {list} JOIN information_schema.processlist p ON p.id = {id} WHERE {of} = {name} AND {own}"
        )
    };
    let queries = [
        // A plugin of MariaDB's that few have loaded.
        holding("l.thread_id", "information_schema.metadata_lock_info l", "l.table_schema"),
        // MySQL's, for whoever may see it; MariaDB keeps nothing there unless it is told to.
        holding(
            "t.processlist_id",
            "performance_schema.metadata_locks l JOIN performance_schema.threads t ON t.thread_id = l.owner_thread_id",
            "l.object_schema",
        ),
        of_target.clone(),
    ];
    let mut lines = Vec::new();
    for query in queries {
        // An objection ends the session it is said to.
        if let Ok(found) = place.without_database().session()?.ask(&query)? {
            lines = found;
            break;
        }
    }
    Ok(String::from_utf8_lossy(&lines).lines().filter_map(|line| line.trim().parse().ok()).collect())
}
