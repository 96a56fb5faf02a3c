//! The PostgreSQL engine against a real server.

#[path = "support/postgres.rs"]
mod postgres;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use holdfast::engine::postgres::{Postgres, text::Scanner};
use holdfast::engine::{Content, Cut, Depth, Dumped, Engine, Kept, Live, Outlet, Settings};
use holdfast::error::Result;
use postgres::server;

fn settings() -> Settings {
    Settings {
        busy_timeout: Duration::from_secs(3),
        stall_timeout: Duration::from_secs(120),
        allow_empty: false,
        program_dirs: vec![postgres::bin_folder()],
        scratch_dir: std::env::temp_dir(),
        cache: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("postgres-cache"),
        scratch_user: None,
        scratch_server: None,
    }
}

fn engine_as(user: &str, database: &str) -> Postgres {
    Postgres::parse(&server().url(user, database), None, settings()).expect("a URL")
}

fn engine(database: &str) -> Postgres {
    engine_as("postgres", database)
}

/// Keeps all that is dumped.
#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    cut: Option<Cut>,
}

impl Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outlet for Collected {
    fn begin(&mut self, cut: Cut) -> Result<()> {
        assert!(self.cut.replace(cut).is_none() && self.bytes.is_empty(), "begin comes once, and first");
        Ok(())
    }

    fn spool(&self) -> &std::path::Path {
        std::path::Path::new("/nonexistent")
    }
}

/// Keeps nothing.
struct Null;

impl Write for Null {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outlet for Null {
    fn spool(&self) -> &std::path::Path {
        std::path::Path::new("/nonexistent")
    }

    fn begin(&mut self, _: Cut) -> Result<()> {
        Ok(())
    }
}

fn dump_of(engine: &dyn Engine) -> Result<(Dumped, Vec<u8>)> {
    let mut out = Collected::default();
    let dumped = engine.dump(&mut out)?;
    assert!(out.cut.is_some());
    Ok((dumped, out.bytes))
}

/// Everything that has gone wrong in somebody's dump.
const CORPUS: &str = r#"
CREATE ROLE "corpus owner";
CREATE TABLE accounts (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE, balance numeric(12,2), doubled numeric GENERATED ALWAYS AS (balance * 2) STORED, raw bytea);
INSERT INTO accounts (email, balance, raw) SELECT 'u' || g || E'@x.y\t\\.\n\\', g / 3.0, decode(lpad(to_hex(g), 8, '0'), 'hex') FROM generate_series(1, 1000) g;
UPDATE accounts SET balance = balance + 1 WHERE id % 7 = 0;
CREATE TABLE "Odd ""name"".(x) FROM stdin;" ("a b" text, "select" integer);
INSERT INTO "Odd ""name"".(x) FROM stdin;" VALUES (E'\\.', 1), (NULL, 2), ('', 3);
CREATE TABLE events (at timestamptz NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE events_a PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE events_b PARTITION OF events DEFAULT;
CREATE INDEX ON events (kind);
INSERT INTO events SELECT '2020-06-01'::timestamptz + g * interval '1 day', 'k' || g % 3 FROM generate_series(1, 400) g;
CREATE MATERIALIZED VIEW totals AS SELECT kind, count(*) FROM events GROUP BY kind;
CREATE VIEW rich AS SELECT * FROM accounts WHERE balance > 100;
CREATE FUNCTION tricky() RETURNS text LANGUAGE plpgsql AS $fn$
/*
COPY accounts FROM stdin;

-- Name: it's no comment of pg_dump
\.
*/
BEGIN
RETURN $$it's 'unbalanced$$;
END
$fn$;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION touch();
COMMENT ON TABLE accounts IS E'two\nCOPY lines FROM stdin;\nand a \\ it''s';
CREATE SEQUENCE counter START 42; SELECT nextval('counter'), nextval('counter');
CREATE TYPE mood AS ENUM ('ok', 'bad'); CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE SCHEMA "Weird Schema"; CREATE TABLE "Weird Schema".empty (m mood, p positive); CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES;
CREATE UNLOGGED TABLE cache (k text); INSERT INTO cache VALUES ('v');
ALTER TABLE events OWNER TO "corpus owner"; GRANT SELECT ON accounts TO "corpus owner";
CREATE EXTENSION citext; CREATE EXTENSION btree_gist; CREATE TABLE people (name citext UNIQUE); INSERT INTO people VALUES ('Ann');
CREATE TABLE rooms (room int, during tsrange, EXCLUDE USING gist (room WITH =, during WITH &&)); INSERT INTO rooms VALUES (1, '[2020-01-01,2020-01-02)');
CREATE TABLE parent (a int); CREATE TABLE child (c text) INHERITS (parent); ALTER TABLE parent ADD COLUMN b int; INSERT INTO child (a, b, c) VALUES (1, 2, 'three');
ALTER TABLE rooms ENABLE ROW LEVEL SECURITY; CREATE POLICY only_one ON rooms TO "corpus owner" USING (room = 1);
CREATE TABLE ones (id int PRIMARY KEY, other int, CONSTRAINT fk_same FOREIGN KEY (other) REFERENCES accounts (id));
CREATE TABLE twos (id int PRIMARY KEY, other int, CONSTRAINT fk_same FOREIGN KEY (other) REFERENCES accounts (id));
CREATE RULE no_delete AS ON DELETE TO ones DO INSTEAD NOTHING; CREATE STATISTICS st ON id, other FROM ones; CREATE PUBLICATION pub FOR TABLE ones;
ALTER DEFAULT PRIVILEGES FOR ROLE "corpus owner" GRANT SELECT ON TABLES TO PUBLIC; GRANT UPDATE (email) ON accounts TO "corpus owner";
CREATE FUNCTION atomic(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT x + 1; SELECT x + 2; END;
CREATE PROCEDURE proc() LANGUAGE sql AS 'SELECT 1'; CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int);
CREATE COLLATION odd (provider = icu, locale = 'de-u-co-phonebk'); CREATE TYPE pair AS (a int, b text COLLATE odd);
CREATE FUNCTION ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER on_ddl ON ddl_command_end EXECUTE FUNCTION ddl();
SELECT lo_from_bytea(4242, '\x00ff5c2e0a'::bytea); SELECT lo_from_bytea(4243, repeat('large', 20000)::bytea);
"#;

#[test]
fn a_corpus_of_odd_things_survives_dump_scratch_and_dump() {
    server().database("corpus", CORPUS);
    let engine = engine("corpus");
    assert!(engine.probe().expect("a probe").estimated_bytes > 100_000);
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let tables = &dumped.fingerprint.tables;
    assert_eq!(tables["public.accounts"].rows, 1000);
    assert_eq!(tables["public.\"Odd \"\"name\"\".(x) FROM stdin;\""].rows, 3);
    assert_eq!(tables["public.events_a"].rows + tables["public.events_b"].rows, 400);
    assert_eq!(tables["large objects"].rows, 2);
    assert_eq!(tables["public.no_columns"].rows, 1);
    assert_eq!(dumped.fingerprint.sequences["public.counter"], 43);
    assert_eq!(dumped.fingerprint.objects["materialized views"], 1);
    assert_eq!(dumped.fingerprint.objects["triggers"], 1);
    assert_eq!(dumped.warnings, Vec::<String>::new());
    assert!(String::from_utf8_lossy(&dumped.extras[0].bytes).contains("CREATE ROLE \"corpus owner\""));
    assert_eq!(dumped.extras[0].role, "globals");

    // The live database by counting, and by its content.
    let live = engine.fingerprint(Depth::Rows).expect("a fingerprint");
    assert_eq!(dumped.fingerprint.differences(&live), Vec::<String>::new());
    assert_eq!(live.schema_sha256, dumped.fingerprint.schema_sha256);

    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    scratch.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
    let restored = scratch.fingerprint(Depth::Rows).expect("a fingerprint");
    assert_eq!(dumped.fingerprint.differences(&restored), Vec::<String>::new());
    let mut again = Collected::default();
    let second = scratch.dump(&mut again).expect("a second dump");
    assert_eq!(dumped.fingerprint.differences(&second.fingerprint), Vec::<String>::new());
    assert_eq!(second.fingerprint.tables, dumped.fingerprint.tables);
    let unhashed: Vec<&String> = tables.iter().filter(|(_, table)| table.content_sha256.is_none()).map(|(name, _)| name).collect();
    assert_eq!(unhashed, ["public.child"]);
    assert_eq!(scratch.ask("SELECT tricky()").expect("an answer").as_deref(), Some("it's 'unbalanced"));
    assert_eq!(scratch.ask("SELECT 'two\nlines', 2").expect("an answer").as_deref(), Some("two\nlines"));
    assert_eq!(scratch.ask("SELECT 1 WHERE false").expect("an answer"), None);

    // The stream read back from a backup gives the same fingerprint again.
    let mut scanner = Scanner::new();
    bytes.chunks(777).for_each(|block| scanner.write(block));
    let read_back = scanner.finish().expect("a whole dump");
    assert_eq!(read_back.schema_sha256, dumped.fingerprint.schema_sha256);
    for (name, table) in &dumped.fingerprint.tables {
        assert_eq!(read_back.tables[name].rows, table.rows);
        assert!(table.content_sha256.is_none() || read_back.tables[name] == *table, "{name}");
    }
}

fn simple(name: &str) {
    server().database(name, "CREATE TABLE t (a integer PRIMARY KEY, b text); INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, 777) g; CREATE TABLE u (c text)");
}

#[test]
fn fm_a10_an_empty_or_missing_database_is_an_error() {
    server().database("hollow", "SELECT 1");
    let error = dump_of(&engine("hollow")).expect_err("nothing to dump");
    assert!(error.to_string().contains("database hollow has no table"), "{error}");
    let allowed = Postgres::parse(&server().url("postgres", "hollow"), None, Settings { allow_empty: true, ..settings() }).expect("a URL");
    assert_eq!(dump_of(&allowed).expect("a dump").0.fingerprint.tables.len(), 0);
    let error = engine("nowhere").probe().expect_err("no database");
    assert!(error.to_string().contains("database \"nowhere\" does not exist"), "{error}");
    assert!(error.next_step().is_some());
}

#[test]
fn fm_a11_a_connection_lost_in_the_middle_is_an_error() {
    server().database("cutoff", "CREATE TABLE t AS SELECT g, repeat('x', 1000) b FROM generate_series(1, 100000) g");
    struct Killer(u64);
    impl Write for Killer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            if self.0 > 1_000_000 {
                server().sql(
                    "postgres",
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cutoff' AND query LIKE 'COPY%'",
                );
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl Outlet for Killer {
        fn spool(&self) -> &std::path::Path {
            std::path::Path::new("/nonexistent")
        }

        fn begin(&mut self, _: Cut) -> Result<()> {
            Ok(())
        }
    }
    let error = engine("cutoff").dump(&mut Killer(0)).expect_err("the backend was ended");
    assert!(error.to_string().starts_with("pg_dump failed (status 1)"), "{error}");
}

/// A folder whose pg_dump is this script; the other programs are the real ones.
fn with_fake_pg_dump(script: &str) -> (tempfile::TempDir, Settings) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pg_dump");
    let real = server().bin().join("pg_dump");
    let text = format!(
        "#!/bin/sh\ncase \"$1\" in --version) echo 'pg_dump (PostgreSQL) 15.99'; exit;; esac\nreal() {{ {} \"$@\"; }}\n{script}\n",
        real.display()
    );
    std::fs::write(&path, text).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let settings = Settings { program_dirs: vec![folder.path().to_owned(), server().bin().to_owned()], ..settings() };
    (folder, settings)
}

#[test]
fn fm_a14_a_pg_dump_that_stops_early_with_status_0_is_noticed() {
    simple("early");
    for (script, why) in [
        ("real \"$@\" | head -c 1500", "ends inside the rows"),
        ("real \"$@\" | head -n -6", "dump complete"),
        ("real \"$@\" | grep -v unrestrict", "unrestrict"),
        ("real \"$@\" --exclude-table=u", "lacks tables: public.u"),
        ("exit 0", "it is empty"),
        ("real \"$@\" | head -n 20", "dump complete"),
    ] {
        let (_folder, settings) = with_fake_pg_dump(script);
        let engine = Postgres::parse(&server().url("postgres", "early"), None, settings).expect("a URL");
        let error = engine.dump(&mut Collected::default()).expect_err(script);
        assert!(error.to_string().contains(why), "{script}: {error}");
    }
}

#[test]
fn fm_a16_what_pg_dump_says_beside_a_good_dump_becomes_a_warning() {
    simple("chatty");
    let (_folder, settings) = with_fake_pg_dump("echo 'pg_dump: warning: the moon is full' >&2; real \"$@\"");
    let engine = Postgres::parse(&server().url("postgres", "chatty"), None, settings).expect("a URL");
    assert_eq!(dump_of(&engine).expect("a dump").0.warnings[0], "pg_dump: warning: the moon is full");
}

#[test]
fn fm_a18_every_forbidden_table_is_named_at_once() {
    simple("forbidden");
    server().sql("forbidden", "CREATE ROLE reader LOGIN; GRANT SELECT ON t TO reader; CREATE TABLE v (); CREATE SEQUENCE s");
    let error = engine_as("reader", "forbidden").probe().expect_err("no right");
    assert!(error.to_string().contains("public.s, public.u, public.v"), "{error}");
    assert!(error.next_step().is_some_and(|hint| hint.contains("pg_read_all_data")));
    server().sql(
        "forbidden",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader",
    );
    let (dumped, _) = dump_of(&engine_as("reader", "forbidden")).expect("a dump");
    assert_eq!(dumped.fingerprint.tables["public.t"].rows, 777);
}

#[test]
fn fm_a19_row_security_never_hides_rows_in_silence() {
    simple("veiled");
    server().sql("veiled", "CREATE ROLE half LOGIN; ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (a % 2 = 0); GRANT SELECT ON t, u TO half");
    let error = dump_of(&engine_as("half", "veiled")).expect_err("half the rows");
    assert!(error.to_string().contains("row security hides rows") && error.to_string().contains("public.t"), "{error}");
}

#[test]
fn fm_a20_a_huge_row_and_a_huge_large_object_pass_in_little_memory() {
    server().database(
        "huge",
        "CREATE TABLE t AS SELECT repeat('x', 60 << 20)::bytea AS raw; SELECT lo_from_bytea(1, repeat('y', 20 << 20)::bytea)",
    );
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").expect("a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") >> 10
    };
    let before = peak();
    let dumped = engine("huge").dump(&mut Null).expect("a dump");
    assert_eq!(dumped.fingerprint.tables["public.t"].rows, 1);
    assert_eq!(dumped.fingerprint.tables["large objects"].rows, 1);
    assert!(peak() - before < 60, "{} MiB more for a row of 120 MiB", peak() - before);
}

#[test]
fn fm_a28_a_truncate_during_the_dump_waits() {
    simple("truncated");
    // The fake waits after our locks and before pg_dump's own, which is where a TRUNCATE would empty the table.
    let (_folder, settings) = with_fake_pg_dump("sleep 1; real \"$@\"");
    let engine = Postgres::parse(&server().url("postgres", "truncated"), None, settings).expect("a URL");
    let truncate = std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(500));
        server().sql(
            "truncated",
            "SET lock_timeout = 300; DO $$ BEGIN TRUNCATE t; EXCEPTION WHEN lock_not_available THEN END $$; SELECT count(*) FROM t",
        )
    });
    let (dumped, _) = dump_of(&engine).expect("a dump");
    assert_eq!(dumped.fingerprint.tables["public.t"].rows, 777);
    assert_eq!(truncate.join().expect("an end"), "777");
}

#[test]
fn fm_a29_a_queued_alter_table_does_not_hang_the_dump() {
    simple("queued");
    let (_folder, settings) = with_fake_pg_dump("sleep 0.6; real \"$@\"");
    let settings = Settings { busy_timeout: Duration::from_millis(800), ..settings };
    let engine = Postgres::parse(&server().url("postgres", "queued"), None, settings).expect("a URL");
    let alter = std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(400));
        server().sql("queued", "ALTER TABLE t ADD COLUMN later integer")
    });
    let start = Instant::now();
    let (dumped, bytes) = dump_of(&engine).expect("a dump in a later attempt");
    assert!(start.elapsed() < Duration::from_secs(10));
    alter.join().expect("altered");
    assert_eq!(dumped.fingerprint.tables["public.t"].rows, 777);
    assert!(String::from_utf8_lossy(&bytes).contains("COPY public.t (a, b, later)"));
}

#[test]
fn fm_a32_timeouts_of_the_role_do_not_end_the_dump() {
    simple("hurried");
    server().sql(
        "hurried",
        "CREATE ROLE hasty LOGIN SUPERUSER; ALTER ROLE hasty SET statement_timeout = 200; ALTER ROLE hasty SET idle_in_transaction_session_timeout = 200; ALTER ROLE hasty SET search_path = 'nowhere'",
    );
    let (_folder, settings) = with_fake_pg_dump("sleep 1; real \"$@\"");
    let engine = Postgres::parse(&server().url("hasty", "hurried"), None, settings).expect("a URL");
    assert_eq!(dump_of(&engine).expect("a dump").0.fingerprint.tables["public.t"].rows, 777);
}

#[test]
fn fm_a40_a_pooler_that_changes_backends_is_noticed() {
    use std::os::unix::fs::PermissionsExt;
    simple("pooled");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("psql");
    let script =
        format!("#!/bin/sh\nsed -u 's/pg_backend_pid()/(random() * 1000000)::int/' | {} \"$@\"\n", server().bin().join("psql").display());
    std::fs::write(&path, script).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let settings = Settings { program_dirs: vec![folder.path().to_owned(), server().bin().to_owned()], ..settings() };
    let error = Postgres::parse(&server().url("postgres", "pooled"), None, settings).expect("a URL").probe().expect_err("a pooler");
    assert!(error.to_string().contains("pooler"), "{error}");
}

#[test]
fn fm_f07_a_load_that_goes_wrong_or_ends_early_is_an_error() {
    simple("broken");
    let (dumped, bytes) = dump_of(&engine("broken")).expect("a dump");
    let text = String::from_utf8(bytes).expect("text");
    let load = |text: &str| {
        let mut scratch = engine("broken").scratch(Some(&dumped.database)).expect("a scratch");
        scratch.load(Content::PostgresSql, &mut text.as_bytes()).expect_err("a bad dump").to_string()
    };
    let at = text.find("500\trow 500").expect("a row");
    assert!(load(&text[..at]).contains("ends inside the rows of public.t"));
    let error = load(&text.replace("500\trow 500", "x\trow 500"));
    assert!(error.contains("psql:<stdin>:") && error.contains("invalid input syntax for type integer: \"x\""), "{error}");
}

#[test]
fn a_pg_dump_archive_loads_too() {
    simple("archive");
    let archive = server().command("pg_dump", "postgres", "archive").arg("-Fc").output().expect("pg_dump");
    let mut scratch = engine("archive").scratch(None).expect("a scratch");
    scratch.load(Content::PostgresCustom, &mut archive.stdout.as_slice()).expect("a load");
    assert_eq!(scratch.ask("SELECT count(*) FROM t").expect("an answer").as_deref(), Some("777"));
    let mut second = engine("archive").scratch(None).expect("a scratch");
    second.load(Content::PostgresCustom, &mut &archive.stdout[..archive.stdout.len() / 2]).expect_err("half an archive");
}

#[test]
fn fm_i08_no_password_is_in_any_argument_list() {
    simple("secretive");
    server().sql("postgres", "CREATE ROLE keeper LOGIN SUPERUSER PASSWORD 'canary-4711'");
    let url = server().url("keeper", "secretive").replace("keeper@", "keeper:canary-4711@");
    let (folder, settings) = with_fake_pg_dump(
        "cat /proc/*/cmdline >\"$(dirname $0)/seen\" 2>/dev/null; echo \"pg_dump: warning: $PGPASSWORD\" >&2; real \"$@\"",
    );
    let engine = Postgres::parse(&url, None, settings).expect("a URL");
    let (dumped, _) = dump_of(&engine).expect("a dump");
    let seen = String::from_utf8_lossy(&std::fs::read(folder.path().join("seen")).expect("what was seen")).into_owned();
    assert!(seen.contains("--snapshot=") && !seen.contains("canary-4711"), "the password is in an argument list");
    assert_eq!(dumped.warnings[0], "pg_dump: warning: ***");
    assert!(!format!("{dumped:?}").contains("canary-4711") && !engine.location().contains("canary-4711"));
}

#[test]
fn fm_j03_a_name_that_looks_like_an_option_or_a_connection_string_is_only_a_name() {
    for name in ["-f", "--file=x", "dbname=postgres host=evil", "postgres://evil/x", "a; rm -rf 'x' \\", "Größe \"q\" %s"] {
        simple(name);
        let (dumped, bytes) = dump_of(&engine(name)).expect(name);
        assert_eq!(dumped.database.name, name);
        assert_eq!(dumped.fingerprint.tables["public.t"].rows, 777);
        let engine = engine(name);
        let mut beside = engine.beside(Some(&dumped.database), "20261121T130000Z-j03").expect(name);
        beside.load(Content::PostgresSql, &mut bytes.as_slice()).expect(name);
        let kept = beside.swap().expect(name);
        assert_eq!(engine.fingerprint(Depth::Rows).expect(name).tables["public.u"].rows, 0);
        engine.discard(&kept).expect(name);
    }
}

fn restore(name: &str, dumped: &Dumped, bytes: &[u8], id: &str) -> Kept {
    let engine = engine(name);
    let mut beside = engine.beside(Some(&dumped.database), id).expect("a database beside");
    beside.load(Content::PostgresSql, &mut &bytes[..]).expect("a load");
    assert_eq!(dumped.fingerprint.differences(&beside.fingerprint(Depth::Rows).expect("a fingerprint")), Vec::<String>::new());
    beside.swap().expect("a swap")
}

fn around(name: &str) -> String {
    server().sql(
        "postgres",
        &format!(
            "SELECT pg_get_userbyid(datdba), datconnlimit, datallowconn, datacl::text, shobj_description(oid, 'pg_database'), \
             (SELECT string_agg(setrole::text || setconfig::text, ';' ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid) \
             FROM pg_database d WHERE datname = '{name}'"
        ),
    )
}

#[test]
fn a_swap_brings_rows_owner_grants_settings_and_comment_and_undo_takes_them_back() {
    simple("ledger");
    server().sql(
        "ledger",
        "CREATE ROLE ledger_owner; CREATE ROLE ledger_app; ALTER DATABASE ledger OWNER TO ledger_owner; ALTER DATABASE ledger SET search_path TO \"$user\", public; \
         ALTER DATABASE ledger SET my.setting TO 'it''s'; ALTER ROLE ledger_app IN DATABASE ledger SET work_mem TO '8MB'; \
         REVOKE ALL ON DATABASE ledger FROM PUBLIC; GRANT CONNECT ON DATABASE ledger TO ledger_app; COMMENT ON DATABASE ledger IS 'the books'; \
         ALTER DATABASE ledger CONNECTION LIMIT 17",
    );
    let (dumped, bytes) = dump_of(&engine("ledger")).expect("a dump");
    let before = around("ledger");
    server().sql("ledger", "DROP TABLE t; CREATE TABLE after (x int)");
    let kept = restore("ledger", &dumped, &bytes, "20261121T130000Z-dev-db-7f3a");
    assert_eq!(kept.aside.as_deref(), Some("ledger__before_20261121t130000z_dev_db_7f3a"));
    assert_eq!(around("ledger"), before);
    assert_eq!(server().sql("ledger", "SELECT count(*) FROM t; SELECT current_setting('my.setting')"), "777\nit's");
    let (can_connect, _) = server().psql("postgres", kept.aside.as_deref().expect("a name"), "SELECT 1");
    assert!(!can_connect, "the old state takes connections");

    let engine = engine("ledger");
    let back = engine.undo(&kept).expect("an undo");
    assert_eq!(around("ledger"), before);
    assert_eq!(server().sql("ledger", "SELECT count(*) FROM after"), "0");
    let again = engine.undo(&back).expect("an undo of the undo");
    assert_eq!(server().sql("ledger", "SELECT count(*) FROM t"), "777");
    engine.discard(&again).expect("discarded");
    assert_eq!(server().sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'ledger\\_\\_%'"), "0");
    assert!(engine.undo(&again).expect_err("nothing kept").to_string().contains("no longer there"));
    assert_eq!(engine.recover().expect("nothing to do"), Vec::<String>::new());
}

#[test]
fn a_missing_database_is_made_and_undone() {
    simple("fresh");
    let (dumped, bytes) = dump_of(&engine("fresh")).expect("a dump");
    server().sql("postgres", "DROP DATABASE fresh");
    assert_eq!(engine("fresh").live().expect("a look"), Live::Missing);
    let kept = restore("fresh", &dumped, &bytes, "one");
    assert_eq!(kept.aside, None);
    assert!(matches!(engine("fresh").live().expect("a look"), Live::Present { is_empty: false, .. }));
    let back = engine("fresh").undo(&kept).expect("an undo");
    assert_eq!(engine("fresh").live().expect("a look"), Live::Missing);
    engine("fresh").undo(&back).expect("the other way");
    assert_eq!(server().sql("fresh", "SELECT count(*) FROM t"), "777");
}

#[test]
fn fm_f02_fm_f17_a_swap_wins_against_clients_that_come_back() {
    simple("busy");
    let (dumped, bytes) = dump_of(&engine("busy")).expect("a dump");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    let _ = server().psql("postgres", "busy", "SELECT count(*) FROM t; SELECT pg_sleep(0.2)");
                }
            });
        }
        std::thread::sleep(Duration::from_millis(300));
        let kept = restore("busy", &dumped, &bytes, "storm");
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(kept.aside.as_deref(), Some("busy__before_storm"));
    });
    assert_eq!(server().sql("busy", "SELECT count(*) FROM t"), "777");
}

#[test]
fn fm_f17_a_swap_that_cannot_win_leaves_the_target_as_it_was() {
    simple("stuck");
    server().sql("stuck", "COMMENT ON DATABASE stuck IS 'mine'");
    let (dumped, bytes) = dump_of(&engine("stuck")).expect("a dump");
    let engine = engine("stuck");
    let mut beside = engine.beside(Some(&dumped.database), "never").expect("a database beside");
    beside.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
    let before = around("stuck");
    // A prepared transaction outlives its session, so no termination helps.
    server().sql("stuck", "BEGIN; INSERT INTO u VALUES ('x'); PREPARE TRANSACTION 'stays'");
    let start = Instant::now();
    let error = beside.swap().expect_err("in use");
    assert!(error.to_string().contains("left as it was"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_eq!(around("stuck"), before);
    server().sql("stuck", "ROLLBACK PREPARED 'stays'");
    assert_eq!(server().sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'stuck%'"), "1");
}

#[test]
fn fm_f18_what_a_killed_restore_left_is_ended_by_the_next() {
    simple("dead");
    server().sql("dead", "COMMENT ON DATABASE dead IS 'mine'");
    let engine = engine("dead");
    let before = around("dead");
    // Exactly what a kill between the two steps of a swap leaves.
    server().sql("postgres", r#"COMMENT ON DATABASE dead IS 'holdfast:{"role":"swapping","target":"dead","comment":"mine"}'; ALTER DATABASE dead ALLOW_CONNECTIONS false"#);
    server().sql(
        "postgres",
        r#"CREATE DATABASE dead__restore_x; COMMENT ON DATABASE dead__restore_x IS 'holdfast:{"role":"restore","target":"dead"}'"#,
    );
    server().sql("postgres", "CREATE DATABASE dead__restore_of_somebody_else");
    // And one between the creation of a database and its mark.
    server().sql("postgres", "CREATE DATABASE dead__restore_y CONNECTION LIMIT 1932026112");
    assert!(matches!(engine.live().expect("a look"), Live::Broken(_)));
    let alive = engine.beside(None, "alive").expect("a restore that lives");
    let done = engine.recover().expect("a recovery");
    assert_eq!(done.len(), 3, "{done:?}");
    assert_eq!(around("dead"), before);
    let names = "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database WHERE datname LIKE 'dead%'";
    assert_eq!(server().sql("postgres", names), "dead,dead__restore_alive,dead__restore_of_somebody_else");
    drop(alive);
    assert_eq!(server().sql("postgres", names), "dead,dead__restore_of_somebody_else");
}

/// Run by the next test in a process of its own, to be killed.
#[test]
#[ignore = "never ends"]
fn restores_for_ever() {
    let Ok(url) = std::env::var("HOLDFAST_TEST_URL") else { return };
    let engine = Postgres::parse(&url, None, settings()).expect("a URL");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    for round in 0.. {
        let mut beside = engine.beside(Some(&dumped.database), &format!("{}_{round}", std::process::id())).expect("beside");
        beside.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
        let kept = beside.swap().expect("a swap");
        let back = engine.undo(&kept).expect("an undo");
        engine.discard(&back).expect("discarded");
    }
}

#[test]
fn fm_f03_a_restore_killed_at_any_moment_leaves_a_whole_database_that_lets_clients_in() {
    simple("killed");
    let engine = engine("killed");
    let leftovers =
        "SELECT count(*) FROM pg_database WHERE datname LIKE 'killed\\_\\_restore%' OR (datname = 'killed' AND NOT datallowconn)";
    for round in 0..10u64 {
        let mut child = std::process::Command::new(std::env::current_exe().expect("our path"))
            .args(["--exact", "restores_for_ever", "--ignored"])
            .env("HOLDFAST_TEST_URL", server().url("postgres", "killed"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("a child");
        std::thread::sleep(Duration::from_millis(250 + round * 67));
        child.kill().expect("killed");
        child.wait().expect("reaped");
        // Its sessions end with it, but not in the same instant.
        let start = Instant::now();
        let mut done = Vec::new();
        loop {
            done.extend(engine.recover().expect("a recovery"));
            if server().sql("postgres", leftovers) == "0" {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "round {round}: {done:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(server().sql("killed", "SELECT count(*) FROM t"), "777", "round {round}: {done:?}");
    }
}

#[test]
fn fm_a22_fm_a23_missing_roles_and_extensions_are_named_before_the_load() {
    simple("needy");
    let (mut dumped, _) = dump_of(&engine("needy")).expect("a dump");
    let beside = |dumped: &Dumped| {
        engine("needy").beside(Some(&dumped.database), "needs").map(|_| ()).expect_err("something is missing").to_string()
    };
    dumped.database.properties.insert("roles".into(), ["postgres", "no such role"].as_slice().into());
    assert!(beside(&dumped).contains("lacks roles that the backup names: no such role"));
    let extension: serde_json::Value = serde_json::from_str(r#"[{"name": "timescaledb", "version": "2"}]"#).expect("JSON");
    dumped.database.properties.insert("extensions".into(), extension);
    assert!(beside(&dumped).contains("timescaledb"));
    dumped.database.server_version = "99.1".into();
    assert!(beside(&dumped).contains("99.1"));
    server().sql("postgres", "CREATE ROLE meek LOGIN");
    let error = engine_as("meek", "needy").beside(None, "x").map(|_| ()).expect_err("no right");
    assert_eq!(error.next_step(), Some("as a superuser: ALTER ROLE \"meek\" CREATEDB"));
    assert_eq!(server().sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'needy%'"), "1");
}

#[test]
fn a_scratch_on_a_server_of_the_users_is_dropped_and_nothing_else() {
    simple("origin");
    let settings = Settings { scratch_server: Some(server().url("postgres", "postgres")), ..settings() };
    let engine = Postgres::parse(&server().url("postgres", "origin"), None, settings).expect("a URL");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    scratch.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
    let count = || server().sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'holdfast\\_scratch\\_%'");
    assert_eq!(count(), "1");
    assert_eq!(scratch.ask("SELECT count(*) FROM t").expect("an answer").as_deref(), Some("777"));
    drop(scratch);
    assert_eq!(count(), "0");
}

#[test]
fn a_dropped_scratch_leaves_neither_process_nor_folder() {
    let scratch = engine("postgres").scratch(None).expect("a scratch");
    let location = scratch.location();
    let folder = PathBuf::from(location.split_once('@').expect("a host").1.split_once(':').expect("a port").0.replace("%2F", "/"));
    let pid: u32 = std::fs::read_to_string(folder.join("data/postmaster.pid"))
        .expect("a pid file")
        .lines()
        .next()
        .expect("a pid")
        .parse()
        .expect("a number");
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
    drop(scratch);
    assert!(!folder.exists() && !std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn fm_a21_a_database_in_latin1_keeps_its_names_and_texts() {
    server().sql("postgres", "CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0");
    server().sql(
        "latin",
        "SET client_encoding = 'UTF8'; CREATE TABLE \"é\" (a text); CREATE TABLE \"è\" (a text); INSERT INTO \"è\" VALUES ('Größe'), ('ÿ')",
    );
    let engine = engine("latin");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    assert_eq!(dumped.database.charset, "LATIN1");
    assert_eq!(dumped.fingerprint.tables["public.\"è\""].rows, 2);
    assert_eq!(dumped.fingerprint.differences(&engine.fingerprint(Depth::Rows).expect("a fingerprint")), Vec::<String>::new());
    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    scratch.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
    assert_eq!(dumped.fingerprint.differences(&scratch.fingerprint(Depth::Rows).expect("a fingerprint")), Vec::<String>::new());
}

#[test]
fn a_service_names_the_server_and_a_url_beside_it_the_database() {
    simple("served");
    simple("served_too");
    let folder = tempfile::tempdir().expect("a folder");
    let url = server().url("postgres", "x");
    let socket = url.split_once("host=").expect("a host").1.split_once('&').expect("more").0;
    let file = folder.path().join("services.conf");
    std::fs::write(&file, format!("[books]\nhost={socket}\nport=5432\nuser=postgres\ndbname=served\n")).expect("a file");
    let open = |text: &str| Postgres::parse(&format!("{text}&servicefile={}", file.display()), None, settings()).expect("a URL");
    let plain = open("postgres:?service=books");
    assert_eq!(plain.database_name(), "served");
    assert_eq!(plain.location(), "postgres:///served?service=books");
    assert_eq!(dump_of(&open("postgres:///served_too?service=books")).expect("a dump").0.database.name, "served_too");
    let (dumped, bytes) = dump_of(&plain).expect("a dump");
    let mut beside = plain.beside(Some(&dumped.database), "srv").expect("beside");
    beside.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
    let kept = beside.swap().expect("a swap");
    plain.undo(&kept).expect("an undo");
    assert_eq!(server().sql("served", "SELECT count(*) FROM t"), "777");
}

#[test]
fn a_scratch_folder_that_a_killed_run_left_is_swept() {
    let scratch = engine("postgres").scratch(None).expect("a scratch");
    let location = scratch.location();
    let living = PathBuf::from(location.split_once('@').expect("a host").1.split_once(':').expect("a port").0.replace("%2F", "/"));
    let dead = living.with_file_name("holdfast-scratch-dead");
    let foreign = living.with_file_name("holdfast-scratch-foreign");
    for folder in [&dead, &foreign] {
        std::fs::create_dir(folder).expect("a folder");
        let meta = std::fs::metadata(&living).expect("a look");
        std::os::unix::fs::chown(folder, Some(std::os::unix::fs::MetadataExt::uid(&meta)), None).expect("an owner");
    }
    std::fs::write(dead.join("alive"), "").expect("a mark that nobody holds");
    drop(engine("postgres").scratch(None).expect("another scratch"));
    assert!(!dead.exists(), "the dead run's folder is still there");
    assert!(living.exists() && foreign.exists());
    std::fs::remove_dir(&foreign).expect("removed");
    assert_eq!(scratch.ask("SELECT 1").expect("an answer").as_deref(), Some("1"));
}

/// `cargo test --release --test postgres_engine -- --ignored --nocapture speed`
#[test]
#[ignore = "measures, and takes a minute"]
#[allow(clippy::print_stderr)]
fn speed() {
    server().database(
        "large",
        "CREATE TABLE entries (id bigint PRIMARY KEY, at timestamptz, account int, amount numeric(12,2), text text, hash text); \
         INSERT INTO entries SELECT g, '2020-01-01'::timestamptz + g * interval '1 s', g % 5000, g / 7.0, 'entry number ' || g || ' of the ledger', md5(g::text) || md5((g+1)::text) FROM generate_series(1, 2200000) g; \
         CREATE INDEX ON entries (account); CREATE INDEX ON entries (at)",
    );
    let engine = engine("large");
    let seconds = |what: &dyn Fn()| {
        let start = Instant::now();
        what();
        start.elapsed().as_secs_f64()
    };
    let plain = || {
        assert!(server().command("pg_dump", "postgres", "large").stdout(std::process::Stdio::null()).status().expect("pg_dump").success())
    };
    for _ in 0..4 {
        let (limit, ours) = (seconds(&plain), seconds(&|| drop(engine.dump(&mut Null).expect("a dump"))));
        eprintln!("pg_dump >/dev/null {limit:.2} s, dump {ours:.2} s, ratio {:.2}", ours / limit);
    }
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    for (name, make) in [("with hashes", Scanner::new as fn() -> Scanner), ("structure only", Scanner::of_structure)] {
        let time = seconds(&|| {
            let mut scanner = make();
            bytes.chunks(256 << 10).for_each(|block| scanner.write(block));
            scanner.finish().expect("whole");
        });
        eprintln!("scanner {name}: {:.0} MB/s of {} MB", bytes.len() as f64 / 1e6 / time, bytes.len() / 1_000_000);
    }
    for _ in 0..3 {
        eprintln!("scratch start and stop {:.3} s", seconds(&|| drop(engine.scratch(Some(&dumped.database)).expect("a scratch"))));
        let start = Instant::now();
        let scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
        eprintln!("scratch start {:.3} s", start.elapsed().as_secs_f64());
        drop(scratch);
    }
    let file = std::env::temp_dir().join("holdfast-speed.sql");
    std::fs::write(&file, &bytes).expect("a file");
    for round in 0..2 {
        let psql = seconds(&|| {
            server().sql("postgres", "DROP DATABASE IF EXISTS large_psql; CREATE DATABASE large_psql");
            let good = server()
                .command("psql", "postgres", "large_psql")
                .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f"])
                .arg(&file)
                .status();
            assert!(good.expect("psql").success());
        });
        let ours = seconds(&|| drop(restore("large", &dumped, &bytes, &format!("speed{round}"))));
        let load = seconds(&|| {
            let mut beside = engine.beside(Some(&dumped.database), "load").expect("beside");
            beside.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
        });
        eprintln!("psql -f {psql:.2} s; load {load:.2} s; load, fingerprint, swap {ours:.2} s");
    }
    std::fs::remove_file(&file).expect("removed");
}
