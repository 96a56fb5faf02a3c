//! Everything odd that a database can hold.

use holdfast::engine::postgres::text::Scanner;
use holdfast::engine::{Content, Depth, Engine};

use crate::postgres::server;
use crate::scene::{Collected, dump_of, engine};

/// Everything that has gone wrong in somebody's dump.
pub(crate) const CORPUS: &str = r#"
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
    let restored = scratch.loaded().fingerprint(Depth::Rows).expect("a fingerprint");
    assert_eq!(dumped.fingerprint.differences(&restored), Vec::<String>::new());
    let mut again = Collected::default();
    let second = scratch.loaded().dump(&mut again).expect("a second dump");
    assert_eq!(dumped.fingerprint.differences(&second.fingerprint), Vec::<String>::new());
    assert_eq!(second.fingerprint.tables, dumped.fingerprint.tables);
    let unhashed: Vec<&String> = tables.iter().filter(|(_, table)| table.content_sha256.is_none()).map(|(name, _)| name).collect();
    assert_eq!(unhashed, ["public.child"]);
    let content = scratch.loaded().fingerprint(Depth::Content).expect("a fingerprint");
    assert_eq!(content.tables, dumped.fingerprint.tables, "what a copy has otherwise is left out on both sides");
    assert_eq!(scratch.loaded().ask("SELECT tricky()").expect("an answer").as_deref(), Some("it's 'unbalanced"));
    assert_eq!(scratch.loaded().ask("SELECT 'two\nlines', 2").expect("an answer").as_deref(), Some("two\nlines"));
    assert_eq!(scratch.loaded().ask("SELECT 1 WHERE false").expect("an answer"), None);

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
    assert_eq!(dumped.fingerprint.differences(&scratch.loaded().fingerprint(Depth::Rows).expect("a fingerprint")), Vec::<String>::new());
}
