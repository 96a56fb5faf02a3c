//! What can be known, and refused, before a dump.

use std::thread;

use super::catalog::{self, Relation, Server};
use super::place::Place;
use super::programs::{self, Program, Tool};
use super::questions::Questions;
use super::rights::{self, Rights};
use super::sql;
use super::{label, marker};
use crate::engine::Probe;
use crate::error::{Error, Result};

/// How many tables one statement opens, to see whether they are locked.
const OPENED_AT_ONCE: usize = 100;
/// What the server says when a lock is not had in time.
const NO_LOCK_IN_TIME: u32 = 1205;
/// How many names one message holds.
const NAMED_MAX: usize = 20;
/// What every dump needs, for a GRANT.
const NEEDED: [&str; 4] = ["SELECT", "SHOW VIEW", "TRIGGER", "EVENT"];

/// Refuses what a dump would only find out later.
pub(super) fn probe(place: &Place) -> Result<Probe> {
    let mut questions = Questions::new(place);
    // Each program takes its time to start, and to tell its version.
    let server = thread::scope(|scope| {
        scope.spawn(|| programs::meet(Tool::Dump, &place.settings.program_dirs));
        catalog::server(questions.session()?)
    })?;
    dump_program(place, &server)?;
    let relations = catalog::relations(questions.session()?, &server)?;
    let warnings = check(place, &mut questions, &server, &relations)?;
    let marker = marker::of(questions.session()?, &server)?;
    // What is looked at is mostly dumped next.
    questions.rest(&server);
    Ok(Probe { estimated_bytes: catalog::estimated_bytes(&relations), warnings, marker })
}

pub(super) fn dump_program(place: &Place, server: &Server) -> Result<Program> {
    programs::for_server(Tool::Dump, &place.settings.program_dirs, server.flavour())
}

/// What would make the dump fail, or silently hold less than the database; and what a person should know of it.
pub(super) fn check(place: &Place, questions: &mut Questions<'_>, server: &Server, relations: &[Relation]) -> Result<Vec<String>> {
    let database = &server.database;
    let broken: Vec<String> =
        relations.iter().filter_map(|relation| Some(format!("{}: {}", relation.full_name(), relation.trouble()?))).collect();
    if !broken.is_empty() {
        return Err(Error::failed(format!("database {database} has tables that the server cannot open: {}", named(&broken)))
            .hint("CHECK TABLE says more of each; drop what is gone for good, and the rest can be backed up"));
    }
    require_no_label(questions, database)?;
    require_rights(place, questions, server)?;
    require_unlocked(questions, server, relations)?;
    if !place.settings.allow_empty && !relations.iter().any(Relation::is_table) {
        return Err(
            Error::failed(format!("database {database} has no table")).hint("is it the right one? if it may be empty, set allow_empty")
        );
    }
    let mut warnings = Vec::new();
    let broken: Vec<String> = relations.iter().filter(|relation| relation.is_broken_view()).map(Relation::full_name).collect();
    if !broken.is_empty() {
        warnings.push(format!(
            "not in the dump, since what they refer to is not there or may not be seen: view {} (CREATE OR REPLACE VIEW, or DROP VIEW)",
            named(&broken)
        ));
    }
    let outside: Vec<String> = relations.iter().filter(|relation| relation.is_outside_of_snapshot()).map(Relation::with_engine).collect();
    if !outside.is_empty() && !place.settings.lock_tables {
        warnings.push(format!(
            "no snapshot holds for {}: what is written there during the dump may be in it (ALTER TABLE … ENGINE=InnoDB, or set lock_tables)",
            named(&outside)
        ));
    }
    Ok(warnings)
}

/// A table of the label's name would be in no backup, and a swap would take it for its own. And while a swap is under way, or was
/// killed in its middle, the database is neither old nor new.
fn require_no_label(questions: &mut Questions<'_>, database: &str) -> Result<()> {
    let named = format!(
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND LOWER(TABLE_NAME) = {}",
        sql::literal(database),
        sql::literal(label::TABLE)
    );
    let session = questions.session()?;
    if session.text(&named)? != "0" && label::read(session, database).ok().flatten().is_none() {
        return Err(Error::failed(format!(
            "database {database} has a table or view {}, by which Holdfast marks databases of its own",
            label::TABLE
        ))
        .hint("rename it"));
    }
    let session = questions.session()?;
    let swapping = label::all_of(session, database)?.into_iter().find(|(_, label)| label.swap.is_some());
    let Some((beside, _)) = swapping else { return Ok(()) };
    Err(Error::failed(format!("a restore is swapping database {database}, or was killed in the middle of that (see {beside}): its views, triggers, routines and events may not all be there"))
        .hint("when no restore runs any more: any restore-db into it, --undo too, ends what was begun before it does anything itself"))
}

fn require_rights(place: &Place, questions: &mut Questions<'_>, server: &Server) -> Result<()> {
    let Some(rights) = Rights::of(questions, server, &server.database)? else { return Ok(()) };
    let lock = place.settings.lock_tables.then_some("LOCK TABLES");
    let missing: Vec<&str> = NEEDED.into_iter().chain(lock).filter(|right| !rights.has(right)).collect();
    let (database, account) = (&server.database, &server.account);
    let refuse = |what: &str, grant: String| {
        Err(Error::failed(format!("account {account} may not see everything in database {database}: {what}"))
            .hint(format!("as an administrator: {grant}")))
    };
    let grantee = rights::grantee(account);
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return refuse(
            &format!("it lacks {missing}"),
            format!(
                "GRANT {missing} ON {}.* TO {grantee}",
                sql::ident(&database.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%"))
            ),
        );
    }
    require_routines(questions, server, &rights)
}

/// Routines show their text to their definer and to whoever may read the server's table of them.
fn require_routines(questions: &mut Questions<'_>, server: &Server, rights: &Rights) -> Result<()> {
    if rights.has_everywhere("SELECT") || rights.has_everywhere("SHOW_ROUTINE") {
        return Ok(());
    }
    let is_mariadb = server.flavour() == programs::Flavour::Mariadb;
    if is_mariadb && questions.ask("SELECT 1 FROM mysql.proc LIMIT 0")?.is_ok() {
        return Ok(());
    }
    let hidden = format!(
        "SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {} AND ROUTINE_DEFINITION IS NULL",
        sql::literal(&server.database)
    );
    let sees_all = ["EXECUTE", "CREATE ROUTINE", "ALTER ROUTINE", "SHOW CREATE ROUTINE"].iter().any(|right| rights.has(right));
    if sees_all && questions.session()?.text(&hidden)? == "0" {
        return Ok(());
    }
    let (account, database) = (&server.account, &server.database);
    let grant = if is_mariadb { "SELECT ON mysql.proc" } else { "SHOW_ROUTINE ON *.*" };
    Err(Error::failed(format!("account {account} may not see everything in database {database}: routines show it no text"))
        .hint(format!("as an administrator: GRANT {grant} TO {}", rights::grantee(account))))
}

/// The dump programs cannot be told how long to wait for a table that somebody has locked.
fn require_unlocked(questions: &mut Questions<'_>, server: &Server, relations: &[Relation]) -> Result<()> {
    let tables: Vec<String> = relations
        .iter()
        .filter(|relation| relation.has_rows_in_dump())
        .map(|relation| format!("(SELECT 1 FROM {} LIMIT 0)", sql::ident(&relation.name)))
        .collect();
    for some in tables.chunks(OPENED_AT_ONCE) {
        match questions.ask(&some.join(" UNION ALL "))? {
            Ok(_) => {}
            Err(objection) if objection.number == NO_LOCK_IN_TIME => {
                let in_use = format!("SHOW OPEN TABLES FROM {} WHERE In_use > 0", sql::ident(&server.database));
                let in_use = questions.session()?.text(&in_use)?;
                let names: Vec<String> = in_use.lines().filter_map(|line| line.split('\t').nth(1)).map(str::to_owned).collect();
                return Err(objection
                    .into_error()
                    .within(format!("database {} has tables that somebody keeps locked: {}", server.database, named(&names)))
                    .hint("who does? SHOW FULL PROCESSLIST; then try again, or let it wait longer: busy_timeout"));
            }
            // What else the server objects to, the dump will tell.
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// As many of the names as one message holds.
pub(super) fn named(names: &[String]) -> String {
    let shown = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
