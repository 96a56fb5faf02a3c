//! The snapshot of a dump: every table is locked first, so that nothing is emptied between the two.

use super::catalog::{self, Relation};
use super::session::{Objection, Session};
use crate::error::Result;

/// How many tables one LOCK statement names, so that no statement grows without bound.
const LOCKS_AT_ONCE: usize = 500;

/// Why an attempt was given up.
pub(super) struct Again(pub(super) String);

/// Locks every table, then takes a snapshot. The other way round a TRUNCATE in between would silently empty a table.
pub(super) fn take(session: &mut Session, relations: &[Relation]) -> Result<Result<String, Again>> {
    session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let locked: Vec<String> =
        relations.iter().filter(|relation| relation.is_locked_by_dump()).map(|relation| format!("ONLY {}", relation.quoted())).collect();
    for tables in locked.chunks(LOCKS_AT_ONCE) {
        if let Err(objection) = session.ask(&format!("LOCK TABLE {} IN ACCESS SHARE MODE", tables.join(", ")))? {
            return give_up_lock(objection).map(Err);
        }
    }
    let snapshot = session.text("SELECT pg_export_snapshot()")?;
    let identifying =
        |relations: &[Relation]| relations.iter().map(|r| (r.oid, r.schema.clone(), r.name.clone(), r.kind)).collect::<Vec<_>>();
    if identifying(&catalog::relations(session)?) != identifying(relations) {
        return Ok(Err(Again("tables were created, dropped or renamed meanwhile".to_owned())));
    }
    Ok(Ok(snapshot))
}

fn give_up_lock(objection: Objection) -> Result<Again> {
    match objection.state.as_str() {
        // lock_not_available, query_canceled, deadlock_detected
        "55P03" | "57014" | "40P01" => Ok(Again("a table is locked by somebody else".to_owned())),
        // undefined_table, invalid_schema_name
        "42P01" | "3F000" => Ok(Again("a table was dropped or renamed meanwhile".to_owned())),
        // out_of_memory: the lock table is full
        "53200" => Err(objection.into_error().hint("the server cannot lock that many tables at once: raise max_locks_per_transaction")),
        _ => Err(objection.into_error()),
    }
}
