//! The swap: one name goes from the old database to the new one, in one transaction, with connections held off.

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::catalog;
use super::create::{self, Label, Role};
use super::place::Place;
use super::session::{Objection, Session};
use super::sql;
use crate::engine::{Kept, Live, our_names};
use crate::error::{Error, Kind, Result};
use crate::interrupt;
use crate::manifest::EngineName;

/// How often the names are tried while clients come and go, and the pause between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(250);
/// The pause between two looks at a lock that is about to be given up.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How often the names are first tried without closing the database: a kill then leaves nothing to put right.
const OPEN_TRIES: usize = 3;
/// How long one try may wait, inside the server, for ended sessions to be gone.
const TRY_WAIT: Duration = Duration::from_millis(800);
/// How long a stopped run waits for the end of what it had asked the server for.
pub(super) const CLEANING_WAIT: Duration = Duration::from_secs(5);
/// How many prepared transactions are named in one message.
const PREPARED_SHOWN_MAX: usize = 5;
/// The server cuts names to this many bytes.
const NAME_MAX_BYTES: usize = 63;

/// A database that is to get the real name, and the comment it will have then.
pub(super) struct Incoming {
    pub(super) name: String,
    pub(super) comment: Option<String>,
}

/// A session beside the target, from which databases are created, renamed and dropped.
pub(super) fn maintenance(place: &Place, target: &str) -> Result<Session> {
    let candidates: Vec<&str> = ["postgres", "template1"].into_iter().filter(|name| *name != target).collect();
    let mut last = None;
    for name in candidates {
        match place.with_database(name).session() {
            Ok(session) => return Ok(session),
            Err(error) => {
                last.get_or_insert(error);
            }
        }
    }
    Err(last.unwrap_or_else(|| Error::failed("no maintenance database")))
}

/// Takes a lock that ends with the session; false where another session has it.
pub(super) fn try_lock(session: &mut Session, name: &str) -> Result<bool> {
    Ok(session.text(&format!("SELECT pg_try_advisory_lock(hashtextextended({}, 20261121))", sql::literal(name)))? == "t")
}

/// Whether any session of the whole server has such a lock. Taking it shows only those of the same database, and two runs
/// may name the same server by different ones.
pub(super) fn is_locked(session: &mut Session, name: &str) -> Result<bool> {
    let query = format!(
        "SELECT count(*) > 0 FROM pg_locks l, hashtextextended({}, 20261121) k WHERE l.locktype = 'advisory' AND l.objsubid = 1 \
         AND l.classid::bigint = ((k >> 32) & 4294967295) AND l.objid::bigint = (k & 4294967295)",
        sql::literal(name)
    );
    Ok(session.text(&query)? == "t")
}

/// Waits for such a lock, but no longer than `wait`.
pub(super) fn lock_within(session: &mut Session, name: &str, wait: Duration) -> Result<()> {
    let start = Instant::now();
    while !try_lock(session, name)? {
        if start.elapsed() > wait {
            return Err(Error::busy(format!("another run works on {name}")));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

pub(super) fn unlock(session: &mut Session, name: &str) -> Result<()> {
    session.run(&format!("SELECT pg_advisory_unlock(hashtextextended({}, 20261121))", sql::literal(name)))
}

/// `TARGET__WORD_ID`, within what the server takes.
pub(super) fn derived_name(target: &str, word: &str, id: &str) -> String {
    let ending: String = format!("__{word}_{id}").chars().take(NAME_MAX_BYTES - 1).collect();
    let mut end = target.len().min(NAME_MAX_BYTES - ending.len());
    while !target.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", &target[..end])
}

/// Refuses where the swap could not be done in the end.
pub(super) fn require_rights(session: &mut Session, target: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Rights {
        role: String,
        may_create: bool,
        owner: Option<String>,
        is_owner: Option<bool>,
        prepared: Vec<String>,
        slots: i64,
    }
    let name = sql::literal(target);
    let rights: Rights = session.row(&format!(
        "SELECT r.rolname AS role, r.rolcreatedb OR r.rolsuper AS may_create, \
         (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = {name}) AS owner, \
         (SELECT pg_has_role(datdba, 'MEMBER') FROM pg_database WHERE datname = {name}) AS is_owner, \
         (SELECT coalesce(json_agg(gid ORDER BY prepared), '[]') FROM pg_prepared_xacts WHERE database = {name}) AS prepared, \
         (SELECT count(*) FROM pg_replication_slots WHERE database = {name}) AS slots \
         FROM pg_roles r WHERE r.rolname = current_user"
    ))?;
    let role = sql::ident(&rights.role);
    if !rights.may_create {
        return Err(Error::failed(format!(
            "role {} may not create databases, so {target} cannot be rebuilt beside the real one",
            rights.role
        ))
        .hint(format!("as a superuser: ALTER ROLE {role} CREATEDB")));
    }
    if rights.is_owner == Some(false) {
        let owner = rights.owner.unwrap_or_default();
        return Err(Error::failed(format!("database {target} belongs to {owner}, and role {} may not rename it", rights.role))
            .hint(format!("as a superuser: GRANT {} TO {role}", sql::ident(&owner))));
    }
    if !rights.prepared.is_empty() {
        let count = rights.prepared.len();
        let rollback: Vec<String> =
            rights.prepared.iter().take(PREPARED_SHOWN_MAX).map(|id| format!("ROLLBACK PREPARED {};", sql::literal(id))).collect();
        let more = if count > rollback.len() { " …" } else { "" };
        return Err(Error::failed(format!("database {target} has {count} prepared transactions, with which it cannot be renamed"))
            .hint(format!("COMMIT them, or in database {target}: {}{more}", rollback.join(" "))));
    }
    if rights.slots > 0 {
        return Err(Error::failed(format!("database {target} has logical replication slots, which would stay with the old database"))
            .hint("drop them first: SELECT * FROM pg_replication_slots"));
    }
    Ok(())
}

/// Gives the target's name to `incoming`, and the name `aside` to the target, where each exists. All or nothing: where
/// it fails, the target is as it was.
pub(super) fn exchange(session: &mut Session, place: &Place, target: &str, incoming: Option<&Incoming>, aside: &str) -> Result<()> {
    if !try_lock(session, target)? {
        return Err(Error::busy(format!("another run is swapping {target}")));
    }
    let before = create::look_at(session, target)?;
    let outcome = match &before {
        Some(comment) => hold_off_and_rename(session, target, comment.clone(), incoming, aside),
        None => rename(session, target, None, incoming, aside).and_then(|done| if done { Ok(()) } else { Err(in_use(target)) }),
    };
    let unlocked = interrupt::while_cleaning(|| unlock(session, target));
    match outcome {
        // A signal ends the client too, in the middle of whatever it was doing.
        Err(error) if unlocked.is_err() || matches!(error.kind(), Kind::Signal(_)) => {
            if interrupt::while_cleaning(|| settle(place, target, incoming))? { Ok(()) } else { Err(error) }
        }
        outcome => outcome,
    }
}

/// After a swap whose client was lost: waits for the server to end it, lets clients in again, and says whether it was done.
fn settle(place: &Place, target: &str, incoming: Option<&Incoming>) -> Result<bool> {
    let mut session = maintenance(place, target)?;
    lock_within(&mut session, target, TRY_WAIT * 5)?;
    let source = incoming.map_or(target, |incoming| &incoming.name);
    let is_done = create::look_at(&mut session, source)?.is_none();
    drop(session);
    recover(place, target)?;
    Ok(is_done)
}

fn hold_off_and_rename(
    session: &mut Session,
    target: &str,
    comment: Option<String>,
    incoming: Option<&Incoming>,
    aside: &str,
) -> Result<()> {
    // Renaming locks the database against newcomers, so mostly ending its sessions just before is enough.
    if until_renamed(session, target, comment.clone(), incoming, aside, OPEN_TRIES)? {
        return Ok(());
    }
    // The mark says, to whoever finds the database closed, that it was us and what its comment was.
    let mark = Label { role: Role::Swapping, target: target.to_owned(), comment: comment.clone() };
    let hold_off = [create::comment_statement(target, Some(&mark.to_comment())), allow(target, false)];
    transaction(session, &hold_off)?.map_err(Objection::into_error)?;
    let outcome = until_renamed(session, target, comment.clone(), incoming, aside, TRIES);
    if !matches!(outcome, Ok(true)) {
        let let_in = [allow(target, true), create::comment_statement(target, comment.as_deref())];
        interrupt::while_cleaning(|| transaction(session, &let_in))?.map_err(Objection::into_error)?;
    }
    outcome.and_then(|done| if done { Ok(()) } else { Err(in_use(target)) })
}

/// Ends the sessions of both databases and renames, again and again; false where somebody is always there.
fn until_renamed(
    session: &mut Session,
    target: &str,
    comment: Option<String>,
    incoming: Option<&Incoming>,
    aside: &str,
    tries: usize,
) -> Result<bool> {
    let names: Vec<String> =
        [Some(target), incoming.map(|incoming| incoming.name.as_str())].into_iter().flatten().map(sql::literal).collect();
    let names = names.join(", ");
    // A prepared transaction is in the way like a session, and cannot be ended for its owner.
    let prepared = format!("SELECT count(*) FROM pg_prepared_xacts WHERE database IN ({names})");
    let terminate =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ({names}) AND pid <> pg_backend_pid()");
    for attempt in 0..tries {
        if attempt > 0 {
            interrupt::check()?;
            std::thread::sleep(PAUSE);
        }
        if let Err(objection) = session.ask(&terminate)? {
            return Err(objection
                .into_error()
                .hint("ending other roles' sessions takes the role pg_signal_backend: GRANT pg_signal_backend TO …"));
        }
        if session.text(&prepared)? == "0" && rename(session, target, Some(comment.clone()), incoming, aside)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn in_use(target: &str) -> Error {
    Error::failed(format!("database {target} stays in use: its sessions could not be ended, so it was left as it was")).hint(format!(
        "stop what connects to it: SELECT pid, usename, application_name FROM pg_stat_activity WHERE datname = {}",
        sql::literal(target)
    ))
}

/// Both names in one transaction; false where a session stands in the way.
fn rename(session: &mut Session, target: &str, comment: Option<Option<String>>, incoming: Option<&Incoming>, aside: &str) -> Result<bool> {
    let mut statements = vec![format!("SET LOCAL statement_timeout = {}", TRY_WAIT.as_millis())];
    if let Some(comment) = comment {
        let label = Label { role: Role::Aside, target: target.to_owned(), comment };
        statements.push(format!("ALTER DATABASE {} RENAME TO {}", sql::ident(target), sql::ident(aside)));
        statements.push(create::comment_statement(aside, Some(&label.to_comment())));
        statements.push(allow(aside, false));
    }
    if let Some(incoming) = incoming {
        statements.push(format!("ALTER DATABASE {} RENAME TO {}", sql::ident(&incoming.name), sql::ident(target)));
        statements.push(create::comment_statement(target, incoming.comment.as_deref()));
        statements.push(allow(target, true));
    }
    match transaction(session, &statements)? {
        Ok(()) => Ok(true),
        // object_in_use, query_canceled, lock_not_available
        Err(objection) if ["55006", "57014", "55P03"].contains(&objection.state.as_str()) => Ok(false),
        Err(objection) => Err(objection.into_error()),
    }
}

fn allow(database: &str, connections: bool) -> String {
    format!("ALTER DATABASE {} ALLOW_CONNECTIONS {connections}", sql::ident(database))
}

fn transaction(session: &mut Session, statements: &[String]) -> Result<Result<(), Objection>> {
    session.run("BEGIN")?;
    for statement in statements {
        if let Err(objection) = session.ask(statement)? {
            session.run("ROLLBACK")?;
            return Ok(Err(objection));
        }
    }
    session.run("COMMIT")?;
    Ok(Ok(()))
}

/// Refuses where somebody is connected whose sessions a swap could not end.
pub(super) fn require_endable_sessions(session: &mut Session, target: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Row {
        role: String,
        other: String,
        is_superuser: bool,
    }
    let rows: Vec<Row> = session.rows(&format!(
        "SELECT DISTINCT m.rolname AS role, r.rolname AS other, r.rolsuper AS is_superuser FROM pg_stat_activity a \
         JOIN pg_roles r ON r.oid = a.usesysid, pg_roles m WHERE m.rolname = current_user AND a.datname = {} \
         AND NOT m.rolsuper AND NOT pg_has_role(r.oid, 'USAGE') AND (r.rolsuper OR NOT pg_has_role('pg_signal_backend', 'USAGE')) ORDER BY 2",
        sql::literal(target)
    ))?;
    let Some(first) = rows.first() else { return Ok(()) };
    let others: Vec<&str> = rows.iter().map(|row| row.other.as_str()).collect();
    let error =
        Error::failed(format!("others are connected to {target}, whose sessions role {} may not end: {}", first.role, others.join(", ")));
    Err(error.hint(match rows.iter().any(|row| row.is_superuser) {
        true => "let them disconnect; only a superuser ends the sessions of one".to_owned(),
        false => format!("let them disconnect, or as a superuser: GRANT pg_signal_backend TO {}", sql::ident(&first.role)),
    }))
}

/// What is at the real place.
pub(super) fn live(place: &Place, target: &str) -> Result<Live> {
    let mut session = maintenance(place, target)?;
    let Some(_comment) = create::look_at(&mut session, target)? else { return Ok(Live::Missing) };
    let allowed = session.text(&format!("SELECT datallowconn FROM pg_database WHERE datname = {}", sql::literal(target)))?;
    if allowed != "t" {
        return Ok(Live::Broken(format!("database {target} does not allow connections")));
    }
    let mut session = match place.session() {
        Ok(session) => session,
        Err(error) => return Ok(Live::Broken(error.to_string())),
    };
    let is_empty = !catalog::relations(&mut session)?.iter().any(catalog::Relation::is_table);
    let bytes = session.text("SELECT pg_database_size(current_database())")?.parse().unwrap_or(0);
    Ok(Live::Present { bytes, is_empty })
}

/// Whether the server says that there is no such database.
pub(super) fn is_missing(place: &Place, target: &str) -> Result<bool> {
    Ok(create::look_at(&mut maintenance(place, target)?, target)?.is_none())
}

/// Where the swap of a restore or undo keeps the old state.
pub(super) fn aside_of(target: &str, id: &str) -> String {
    derived_name(target, "before", &our_names::plain_id(id))
}

/// What the swap of a restore or undo with this id keeps.
pub(super) fn would_keep(place: &Place, target: &str, location: String, id: &str) -> Result<Kept> {
    let is_there = create::look_at(&mut maintenance(place, target)?, target)?.is_some();
    Ok(Kept { engine: EngineName::Postgres, target: location, aside: is_there.then(|| aside_of(target, id)) })
}

/// Whether what a swap kept aside, or was about to, is there.
pub(super) fn is_kept(place: &Place, target: &str, kept: &Kept) -> Result<bool> {
    let Some(aside) = &kept.aside else { return Ok(false) };
    Ok(create::look_at(&mut maintenance(place, target)?, aside)?.is_some())
}

/// The swap the other way round.
pub(super) fn undo(place: &Place, target: &str, kept: &Kept, id: &str) -> Result<Kept> {
    let mut session = maintenance(place, target)?;
    let incoming = match &kept.aside {
        None => None,
        Some(name) => {
            let label = label_of(&mut session, name, target)?;
            Some(Incoming { name: name.clone(), comment: label.comment })
        }
    };
    let is_there = create::look_at(&mut session, target)?.is_some();
    let aside = aside_of(target, id);
    exchange(&mut session, place, target, incoming.as_ref(), &aside)?;
    Ok(Kept { engine: EngineName::Postgres, target: kept.target.clone(), aside: is_there.then_some(aside) })
}

fn label_of(session: &mut Session, aside: &str, target: &str) -> Result<Label> {
    let comment = create::look_at(session, aside)?.ok_or_else(|| {
        Error::failed(format!("database {aside}, which a restore kept aside, is no longer there"))
            .hint("a safety backup may hold what was there: restore-db --list")
    })?;
    Label::of(comment.as_deref())
        .filter(|label| label.role == Role::Aside && label.target == target)
        .ok_or_else(|| Error::refused(format!("database {aside} does not bear the comment that marks it as kept aside from {target}")))
}

/// Drops what a swap kept aside.
pub(super) fn discard(place: &Place, target: &str, kept: &Kept) -> Result<()> {
    let Some(aside) = &kept.aside else { return Ok(()) };
    let mut session = maintenance(place, target)?;
    if create::look_at(&mut session, aside)?.is_none() {
        return Ok(());
    }
    label_of(&mut session, aside, target)?;
    create::drop_ours(&mut session, aside, Role::Aside).map(|_| ())
}

/// Ends what a killed run left: lets clients in again, drops databases that nobody loads any more.
pub(super) fn recover(place: &Place, target: &str) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        comment: Option<String>,
    }
    let mut session = maintenance(place, target)?;
    let rows: Vec<Row> = session.rows(&format!(
        "SELECT d.datname AS name, c.comment FROM pg_database d, shobj_description(d.oid, 'pg_database') c(comment) \
         WHERE c.comment LIKE 'holdfast:%' OR (c.comment IS NULL AND d.datconnlimit = {}) ORDER BY 1",
        create::UNMARKED_LIMIT
    ))?;
    let mut done = Vec::new();
    for row in rows {
        let is_unmarked = row.comment.is_none()
            && row.name.rsplit_once("__restore_").is_some_and(|(_, id)| derived_name(target, "restore", id) == row.name);
        let created = is_unmarked.then(|| Label { role: Role::Restore, target: target.to_owned(), comment: None });
        let Some(label) = created.or_else(|| Label::of(row.comment.as_deref())).filter(|label| label.target == target) else {
            continue;
        };
        // The run that made it holds this lock for as long as it lives.
        if !matches!(label.role, Role::Swapping | Role::Restore) || !try_lock(&mut session, &row.name)? {
            continue;
        }
        match label.role {
            Role::Swapping => {
                let let_in = [allow(&row.name, true), create::comment_statement(&row.name, label.comment.as_deref())];
                transaction(&mut session, &let_in)?.map_err(Objection::into_error)?;
                done.push(format!("database {} takes connections again, which a killed restore had turned off", row.name));
            }
            _ => {
                session.run(&create::comment_statement(&row.name, Some(&label.to_comment())))?;
                create::drop_ours(&mut session, &row.name, Role::Restore)?;
                done.push(format!("dropped database {}, which a killed restore had left", row.name));
            }
        }
        unlock(&mut session, &row.name)?;
    }
    Ok(done)
}
