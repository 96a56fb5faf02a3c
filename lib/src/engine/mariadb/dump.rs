//! A consistent dump: `mariadb-dump` in a transaction of its own, with the fingerprint read off its stream, and the schema
//! compared before and after.

use std::io::Read;

use super::catalog::{self, Relation, Server};
use super::label;
use super::lossy::Lossy;
use super::place::Place;
use super::probe::{check, dump_program};
use super::programs::{Flavour, Program};
use super::questions::Questions;
use super::session::Session;
use super::text::Scanner;
use crate::engine::sql_stream::{Nowhere, cut_for, pump};
use crate::engine::{Dumped, Outlet, Settings};
use crate::error::{Error, Kind, Result};
use crate::exec::Call;
use crate::fingerprint::Fingerprint;
use crate::manifest::{Database, EngineName};

/// How often a dump begins anew because the schema changed under it.
const ATTEMPTS: usize = 3;
/// The longest single row, and so the longest line: as much as a server can be told to take.
const PACKET_MAX: &str = "--max-allowed-packet=1G";

/// What the programs say of a table that was emptied, altered or made anew since their snapshot.
const CHANGED: &str = "Error 1412";

/// How much of a database is dumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Everything,
    Schema,
}

/// One snapshot that was streamed.
struct Streamed<'a> {
    server: Server,
    program: Program,
    relations: Vec<Relation>,
    fingerprint: Fingerprint,
    definers: Vec<String>,
    warnings: Vec<String>,
    /// Still open, for whoever wants to know more.
    questions: Questions<'a>,
}

/// Why an attempt was given up.
struct Again(String);

/// A dump of one snapshot.
pub(super) fn dump(place: &Place, out: &mut dyn Outlet) -> Result<Dumped> {
    let Streamed { server, program, relations, fingerprint, definers, mut warnings, mut questions } = stream(place, out)?;
    let mut properties = catalog::properties(questions.session()?, &server)?;
    if !definers.is_empty() {
        properties.insert("definers".to_owned(), definers.into());
    }
    let consistency = match place.settings.lock_tables {
        true => "locked",
        false if relations.iter().any(Relation::is_outside_of_snapshot) => "mixed",
        false => "snapshot",
    };
    let moves_history = server.moves_history(&program);
    let mut not_included: Vec<String> = relations.iter().filter_map(|relation| relation.left_out(moves_history)).collect();
    let lossy = Lossy::find(&mut questions, &server, &relations)?;
    warnings.extend(lossy.warnings(&program));
    not_included.extend(lossy.not_included());
    let database = Database {
        engine: EngineName::Mariadb,
        name: server.database.clone(),
        location: place.address.location(&server.database),
        identity: server.identity(),
        server_version: server.shown_version(),
        client_version: Some(program.shown()),
        charset: server.charset.clone(),
        method: program.name().to_owned(),
        consistency: consistency.to_owned(),
        properties,
        not_included,
    };
    Ok(Dumped { fingerprint, database, warnings, problems: Vec::new(), extras: Vec::new() })
}

/// The same stream and nothing around it, also of a database that has become empty.
pub(super) fn image(place: &Place, out: &mut dyn Outlet) -> Result<Fingerprint> {
    let anything = Place { settings: Settings { allow_empty: true, ..place.settings.clone() }, ..place.clone() };
    Ok(stream(&anything, out)?.fingerprint)
}

/// The state with the content of every table.
pub(super) fn content(place: &Place) -> Result<Fingerprint> {
    image(place, &mut Nowhere)
}

fn stream<'a>(place: &'a Place, out: &mut dyn Outlet) -> Result<Streamed<'a>> {
    let mut why = String::new();
    for _ in 0..ATTEMPTS {
        match attempt(place, out)? {
            Ok(streamed) => return Ok(streamed),
            Err(Again(reason)) => why = reason,
        }
    }
    Err(Error::failed(format!("no consistent dump in {ATTEMPTS} attempts: {why}"))
        .hint("what changes tables there while they are dumped? SHOW FULL PROCESSLIST; a TRUNCATE counts as one, too"))
}

fn attempt<'a>(place: &'a Place, out: &mut dyn Outlet) -> Result<Result<Streamed<'a>, Again>> {
    let mut questions = Questions::new(place);
    let server = catalog::server(questions.session()?)?;
    let program = dump_program(place, &server)?;
    let relations = catalog::relations(questions.session()?, &server)?;
    check(place, &mut questions, &server, &relations)?;
    let before = catalog::state(questions.session()?, &server)?;
    let call = call(place, questions.session()?, &server, &program, &relations, Extent::Everything)?;
    // It would sleep for as long as the dump takes, and networks forget such connections. And what an account may see is settled when it
    // connects: who asks behind the dump must not see more than the dump program did.
    drop(questions);
    let has_changed = |session: &mut Session| -> Result<bool> { Ok(catalog::state(session, &server)? != before) };

    let mut stream = call.stream()?;
    let mut scanner = Scanner::new().with_asleep(&place.asleep);
    if let Err(error) = pump(&mut stream, out, cut_for(catalog::estimated_bytes(&relations)), |block| scanner.write(block)) {
        // The catalogue's times have whole seconds: a table that is built anew in the second of its making shows none.
        let says_so = error.to_string().contains(CHANGED);
        if !matches!(error.kind(), Kind::Signal(_))
            && (says_so || place.session().and_then(|mut session| has_changed(&mut session)).unwrap_or(false))
        {
            return Ok(Err(Again(error.to_string())));
        }
        return Err(error);
    }
    let mut questions = Questions::new(place);
    if has_changed(questions.session()?)? {
        return Ok(Err(Again("tables or other objects were created, changed, emptied or dropped meanwhile".to_owned())));
    }
    if let Some(complaint) = scanner.complaints().first() {
        return Err(Error::failed(format!("{} ended well, but its dump is not whole: {complaint}", program.name())));
    }
    let definers = scanner.definers().iter().map(|account| format!("{}@{}", account.user, account.host)).collect();
    let row_parts = scanner.row_parts();
    let fingerprint =
        scanner.finish().map_err(|error| error.as_kind(Kind::Failed).within(format!("{} ended well, but", program.name())))?;
    let warnings = warnings_in(&stream.child().stderr_tail());
    require_every_table(&fingerprint, &program, &relations)?;
    let wanted = relations.iter().filter(|relation| relation.has_rows_in_dump()).count();
    if row_parts < wanted {
        return Err(Error::failed(format!(
            "{} ended well, but its dump has the rows of {row_parts} tables, not of {wanted}",
            program.name()
        )));
    }
    Ok(Ok(Streamed { server, program, relations, fingerprint, definers, warnings, questions }))
}

/// The program with what makes its dump exact, whole, and the same for the same database.
pub(super) fn call(
    place: &Place,
    session: &mut Session,
    server: &Server,
    program: &Program,
    relations: &[Relation],
    extent: Extent,
) -> Result<Call> {
    let own = format!("--ignore-table={}.{}", server.database, label::TABLE);
    let mut call = begin(place, program)?.args(["--quick", "--routines", "--events", "--triggers", "--hex-blob"]).arg(own);
    call = match (extent, place.settings.lock_tables) {
        (Extent::Schema, _) => call.args(["--no-data", "--skip-lock-tables"]),
        (Extent::Everything, true) => call.arg("--lock-tables"),
        (Extent::Everything, false) => call.arg("--single-transaction"),
    };
    let broken = relations.iter().filter(|relation| relation.is_broken_view());
    call = call.args(broken.map(|view| format!("--ignore-table={}.{}", server.database, view.name)));
    if extent == Extent::Everything {
        let has_history = relations.iter().any(Relation::is_versioned) && server.moves_history(program);
        call = call.args(has_history.then_some("--dump-history"));
        call = call.args(catalog::is_ordered_by_key(session, server, relations)?.then_some("--order-by-primary"));
    }
    Ok(call.silence_max(place.settings.stall_timeout).arg("--").arg(&server.database))
}

/// The program with what holds for all that it writes for us.
fn begin(place: &Place, program: &Program) -> Result<Call> {
    // A lock around a table's rows would keep those from being loaded whose columns take values from a sequence.
    let common = ["--default-character-set=utf8mb4", PACKET_MAX, "--skip-dump-date", "--no-tablespaces", "--skip-add-locks"];
    let call = place.call(program)?.args(common);
    Ok(match program.flavour {
        Flavour::Mariadb => call,
        // Neither belongs to the database: positions of the server's log, and histograms.
        Flavour::Mysql => call.arg("--set-gtid-purged=OFF").args((program.version >= 80_000).then_some("--column-statistics=0")),
    })
}

/// What the program writes of a database, or of some things in it, with these arguments: a short text.
pub(super) fn text(place: &Place, arguments: &[&str], names: &[String]) -> Result<String> {
    let server = catalog::server(&mut place.session()?)?;
    let program = dump_program(place, &server)?;
    let call = begin(place, &program)?.args(arguments.iter().copied()).args(["--skip-lock-tables", "--", &server.database]).args(names);
    let mut text = String::new();
    call.silence_max(place.settings.stall_timeout)
        .stream()?
        .read_to_string(&mut text)
        .map_err(|error| Error::from_io("cannot read the dump", error))?;
    let mut scanner = Scanner::of_structure();
    scanner.write(text.as_bytes());
    scanner.finish().map_err(|error| error.as_kind(Kind::Failed).within(format!("{} ended well, but", program.name())))?;
    Ok(text)
}

/// Every table of the catalogue has its rows in the dump.
fn require_every_table(found: &Fingerprint, program: &Program, relations: &[Relation]) -> Result<()> {
    let missing: Vec<String> = relations
        .iter()
        .filter(|relation| relation.is_table())
        .map(Relation::full_name)
        .filter(|name| !found.tables.contains_key(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::failed(format!("{} ended well, but its dump lacks tables: {}", program.name(), missing.join(", ")))
        .hint("is the program that was found a real one? set mariadb_bin"))
}

/// What the program says on the side of a dump that is good all the same.
const HARMLESS: &[&str] = &["Deprecated program name", "Using a password on the command line"];

fn warnings_in(stderr: &str) -> Vec<String> {
    let lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.filter(|line| !HARMLESS.iter().any(|text| line.contains(text))).map(str::to_owned).collect()
}
