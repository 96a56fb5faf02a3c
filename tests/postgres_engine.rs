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
        program_dirs: vec![server().bin().to_owned()],
        spool: std::env::temp_dir(),
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
    assert_eq!(scratch.ask("SELECT tricky()").expect("an answer").as_deref(), Some("it's 'unbalanced"));
    assert_eq!(scratch.ask("SELECT 'two\nlines', 2").expect("an answer").as_deref(), Some("two\nlines"));
    assert_eq!(scratch.ask("SELECT 1 WHERE false").expect("an answer"), None);

    // The stream read back from a backup gives the same fingerprint again.
    let mut scanner = Scanner::new();
    bytes.chunks(777).for_each(|block| scanner.write(block));
    let read_back = scanner.finish().expect("a whole dump");
    assert_eq!((read_back.schema_sha256, read_back.tables), (dumped.fingerprint.schema_sha256, dumped.fingerprint.tables));
}
