//! A consistent dump: lock, then snapshot, then `pg_dump` in that snapshot, with the fingerprint read off its stream.

use super::catalog::{self, Relation, Server};
use super::place::Place;
use super::probe::{check, pg_dump_for};
use super::programs::{self, Program};
use super::session::Session;
use super::snapshot::{self, Again};
use super::text::Scanner;
use crate::engine::sql_stream::{Nowhere, cut_for, pump};
use crate::engine::{Dumped, Extra, Outlet, Settings};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::manifest::{Database, EngineName};

/// How often a dump begins anew because the schema changed or a lock could not be had.
const ATTEMPTS: usize = 3;

/// One snapshot that was streamed. Its session still holds it.
struct Streamed {
    session: Session,
    server: Server,
    program: Program,
    relations: Vec<Relation>,
    fingerprint: Fingerprint,
    warnings: Vec<String>,
}

/// A dump of one snapshot.
pub(super) fn dump(place: &Place, out: &mut dyn Outlet) -> Result<Dumped> {
    let (mut streamed, (properties, invalid, identity)) = stream(place, out, |session, server| {
        let mut properties = catalog::properties(session, &server.database)?;
        properties.extend(catalog::needs(session)?);
        let invalid = catalog::invalid_indexes(session)?;
        if !invalid.is_empty() {
            properties.insert(catalog::INVALID_INDEXES.to_owned(), invalid.clone().into());
        }
        Ok((properties, invalid, catalog::identity(session, server)?))
    })?;
    streamed.forget_what_a_copy_has_otherwise();
    streamed.end()?;
    let Streamed { server, program, relations, fingerprint, mut warnings, .. } = streamed;
    let invalid = invalid.iter().map(|name| format!("index {name} (it is invalid: REINDEX INDEX {name}, or DROP INDEX {name})"));
    let database = Database {
        engine: EngineName::Postgres,
        name: server.database.clone(),
        location: place.address.location(&server.database),
        identity,
        server_version: server.version.clone(),
        client_version: Some(format!("pg_dump {}", program.text)),
        charset: server.encoding.clone(),
        method: "pg_dump".to_owned(),
        consistency: "snapshot".to_owned(),
        properties,
        not_included: relations.iter().filter_map(|relation| relation.left_out(&server)).chain(invalid).collect(),
    };
    let extras = match globals(place, &program) {
        Ok(bytes) => vec![Extra { role: "globals".to_owned(), bytes }],
        Err(error) if matches!(error.kind(), crate::error::Kind::Signal(_)) => return Err(error),
        Err(error) => {
            warnings.push(format!("roles are not in the backup: {error}"));
            Vec::new()
        }
    };
    Ok(Dumped { fingerprint, database, warnings, problems: Vec::new(), extras })
}

/// The same stream and nothing around it, also of a database that has become empty. Every table's content is in the
/// fingerprint: it is compared with this database's own earlier state, whose columns stand in the same order.
pub(super) fn image(place: &Place, out: &mut dyn Outlet) -> Result<Fingerprint> {
    Ok(stream_anything(place, out)?.fingerprint)
}

/// The state with the content of every table that any copy of this database has alike.
pub(super) fn content(place: &Place) -> Result<Fingerprint> {
    let mut streamed = stream_anything(place, &mut Nowhere)?;
    streamed.forget_what_a_copy_has_otherwise();
    Ok(streamed.fingerprint)
}

fn stream_anything(place: &Place, out: &mut dyn Outlet) -> Result<Streamed> {
    let anything = Place { settings: Settings { allow_empty: true, ..place.settings.clone() }, ..place.clone() };
    let (mut streamed, ()) = stream(&anything, out, |_, _| Ok(()))?;
    streamed.end()?;
    Ok(streamed)
}

impl Streamed {
    fn forget_what_a_copy_has_otherwise(&mut self) {
        for relation in self.relations.iter().filter(|relation| relation.may_change_column_order()) {
            if let Some(table) = self.fingerprint.tables.get_mut(&relation.full_name()) {
                table.content_sha256 = None;
            }
        }
    }

    fn end(&mut self) -> Result<()> {
        self.session.run("COMMIT").map_err(|error| error.within("the session that held the snapshot was lost"))
    }
}

/// Streams one snapshot into `out`; `look` asks the same snapshot for more.
fn stream<T>(place: &Place, out: &mut dyn Outlet, look: impl Fn(&mut Session, &Server) -> Result<T>) -> Result<(Streamed, T)> {
    let mut why = String::new();
    for _ in 0..ATTEMPTS {
        // A session of its own for each attempt, so that nothing of a failed one stays.
        match attempt(place, place.session()?, out, &look)? {
            Ok(streamed) => return Ok(streamed),
            Err(Again(reason)) => why = reason,
        }
    }
    Err(Error::failed(format!("no consistent dump in {ATTEMPTS} attempts: {why}"))
        .hint("what holds or changes the tables? SELECT * FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
}

fn attempt<T>(
    place: &Place,
    mut session: Session,
    out: &mut dyn Outlet,
    look: impl Fn(&mut Session, &Server) -> Result<T>,
) -> Result<Result<(Streamed, T), Again>> {
    let server = catalog::server(&mut session)?;
    let program = pg_dump_for(place, &server)?;
    let relations = catalog::relations(&mut session)?;
    check(place, &server, &relations)?;
    let snapshot = match snapshot::take(&mut session, &relations)? {
        Ok(snapshot) => snapshot,
        Err(again) => return Ok(Err(again)),
    };
    let estimated_bytes = catalog::estimated_bytes(&mut session)?;
    let objects = catalog::objects(&mut session)?;
    let more = look(&mut session, &server)?;

    let mut stream = place
        .call(&program.path)
        .args(["--format=plain", "--no-password", "--no-sync"])
        .args((program.major() >= 18).then_some("--no-statistics"))
        .arg(format!("--snapshot={snapshot}"))
        .arg(format!("--lock-wait-timeout={}", place.lock_wait().as_millis()))
        .args(place.address.database_arg())
        .silence_max(place.settings.stall_timeout)
        .stream()?;
    let mut scanner = Scanner::new();
    if let Err(error) = pump(&mut stream, out, cut_for(estimated_bytes), |block| scanner.write(block)) {
        // Its locks are its first statements: nothing has left it yet, and letting ours go ends a deadlock through us.
        if scanner.bytes() == 0 && stream.child().stderr_tail().contains("Query was: LOCK TABLE") {
            return Ok(Err(Again("pg_dump could not lock a table, something waits for it or holds it".to_owned())));
        }
        return Err(error);
    }
    let mut fingerprint = scanner.finish().map_err(|error| error.as_kind(crate::error::Kind::Failed).within("pg_dump ended well, but"))?;
    let warnings = warnings_in(&stream.child().stderr_tail());
    require_every_table(&fingerprint, &server, &relations)?;
    fingerprint.objects = objects;
    Ok(Ok((Streamed { session, server, program, relations, fingerprint, warnings }, more)))
}

/// Every table of the catalogue has its rows in the dump.
fn require_every_table(found: &Fingerprint, server: &Server, relations: &[Relation]) -> Result<()> {
    let missing: Vec<String> = relations
        .iter()
        .filter(|relation| relation.has_rows_in_dump(server))
        .map(Relation::full_name)
        .filter(|name| !found.tables.contains_key(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::failed(format!("pg_dump ended well, but its dump lacks tables: {}", missing.join(", ")))
        .hint("is the pg_dump that was found a real one? set pg_bin"))
}

/// What `pg_dump` says on the side of a dump that is good all the same.
const HARMLESS: &[&str] = &[
    "circular foreign-key constraints",
    "You might not be able to restore the dump without using",
    "Consider using a full dump instead of a --data-only dump",
];

fn warnings_in(stderr: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut is_in_harmless = false;
    for line in stderr.lines().filter(|line| !line.trim().is_empty()) {
        let begins = !line.contains(": detail: ") && !line.contains(": hint: ");
        if begins {
            is_in_harmless = HARMLESS.iter().any(|text| line.contains(text));
        }
        if !is_in_harmless {
            out.push(line.trim().to_owned());
        }
    }
    out
}

/// Roles, their memberships and settings, and tablespaces, as SQL without any password.
fn globals(place: &Place, pg_dump: &Program) -> Result<Vec<u8>> {
    let program = programs::beside(&pg_dump.path, "pg_dumpall").ok_or_else(|| Error::failed("pg_dumpall was not found beside pg_dump"))?;
    // It reads the cluster, and finds the database to do so itself.
    let call = place.call(program).args(["--globals-only", "--no-role-passwords", "--no-password"]);
    Ok(call.silence_max(place.settings.stall_timeout).run()?.stdout)
}
