//! Loading dumps, whole and broken ones.

use holdfast::engine::{Content, Depth, Engine};

use crate::mariadb::server;
use crate::scene::{dump_of, engine, simple};

#[test]
fn fm_a14_a_dump_cut_anywhere_is_no_load() {
    simple("cut");
    let engine = engine("cut");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let text = String::from_utf8_lossy(&bytes);
    let rows = text.find("(400,").expect("a row");
    let after = |what: &str| text.find(what).expect("a statement") + what.len();
    // Inside a row, between rows, at the end of a statement, and before the trailer: the client says nothing of the last two.
    for end in [rows + 3, rows, after("ENABLE KEYS */;\n"), after("DISABLE KEYS */;\n"), text.find("-- Dump completed").expect("a trailer")]
    {
        let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
        let error = scratch.load(Content::MariadbSql, &mut &bytes[..end]).expect_err("a cut dump");
        assert!(error.to_string().contains("not whole") || error.to_string().contains("ERROR 1064"), "cut at {end}: {error}");
    }
    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    scratch.load(Content::MariadbSql, &mut bytes.as_slice()).expect("the whole one");
    assert_eq!(dumped.fingerprint.differences(&scratch.loaded().fingerprint(Depth::Content).expect("a fingerprint")), Vec::<String>::new());
    assert_eq!(
        scratch.loaded().ask("SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_NAME = 't'").expect("an answer").as_deref(),
        Some("2")
    );
}

#[test]
fn an_error_of_any_statement_is_an_error_of_the_load() {
    simple("broken");
    let engine = engine("broken");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let text = String::from_utf8(bytes).expect("text");
    // A row that is there twice is 1062 for some servers, and for others, which sort the rows first, 1180.
    for (from, to, number) in [
        ("(5,'row 5')", "(4,'row 5')", "1"),
        ("CREATE TABLE `u`", "CREATE TABL `u`", "1064 "),
        ("TABLE `u` DISABLE", "TABLE `nobody` DISABLE", "1146 "),
    ] {
        assert!(text.contains(from), "{from}");
        let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
        let error = scratch.load(Content::MariadbSql, &mut text.replace(from, to).as_bytes()).expect_err("a broken dump");
        assert!(error.to_string().contains(&format!("ERROR {number}")), "{error}");
    }
}

#[test]
fn fm_a37_a_dump_that_commands_the_client_commands_nothing() {
    let engine = engine("mysql");
    let folder = tempfile::tempdir().expect("a folder");
    let seen = folder.path().join("seen");
    for command in ["\\! touch SEEN", "system touch SEEN", "\\T SEEN", "tee SEEN", "source /etc/passwd", "SELECT 1 INTO OUTFILE 'SEEN'"] {
        let text = format!("CREATE TABLE a (b int);\n{}\n;\nSELECT 1;\n", command.replace("SEEN", &seen.display().to_string()));
        let mut scratch = engine.scratch(None).expect("a scratch");
        scratch.load(Content::MariadbSql, &mut text.as_bytes()).expect_err("no statement of a server");
        assert!(!seen.exists(), "{command}");
    }
}

#[test]
fn a_dump_with_create_database_goes_into_the_clone() {
    simple("named");
    let output = server().command("mariadb-dump", "root").args(["--databases", "named"]).output().expect("mariadb-dump");
    let engine = engine("named");
    let mut scratch = engine.scratch(None).expect("a scratch");
    scratch.load(Content::MariadbSql, &mut output.stdout.as_slice()).expect("a load");
    assert_eq!(scratch.loaded().ask("SELECT COUNT(*) FROM t").expect("an answer").as_deref(), Some("777"));
    assert_eq!(
        scratch.loaded().ask("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'named'").expect("an answer").as_deref(),
        Some("0")
    );
    let several = server().command("mariadb-dump", "root").args(["--databases", "named", "mysql"]).output().expect("mariadb-dump");
    let error =
        engine.scratch(None).expect("a scratch").load(Content::MariadbSql, &mut several.stdout.as_slice()).expect_err("two databases");
    assert!(error.to_string().contains("several databases, named and mysql"), "{error}");
}

#[test]
fn a_definer_that_is_nowhere_hinders_nothing() {
    server().database(
        "orphans",
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE USER ghost@nowhere; GRANT ALL ON *.* TO ghost@nowhere; \
        CREATE DEFINER=ghost@nowhere VIEW one AS SELECT a FROM t; CREATE DEFINER=ghost@nowhere VIEW all_of_one AS SELECT a FROM one; \
        CREATE DEFINER=ghost@nowhere PROCEDURE p() SELECT a FROM all_of_one",
    );
    let engine = engine("orphans");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    server().sql("orphans", "DROP USER ghost@nowhere");
    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    scratch.load(Content::MariadbSql, &mut bytes.as_slice()).expect("a load");
    assert_eq!(scratch.loaded().ask("CALL p()").expect("an answer").as_deref(), Some("1"));
    assert_eq!(dumped.fingerprint.differences(&scratch.loaded().fingerprint(Depth::Content).expect("a fingerprint")), Vec::<String>::new());
}

#[test]
fn fm_a20_a_row_of_hundreds_of_megabytes_goes_through() {
    server().database("heavy", "CREATE TABLE t (a int PRIMARY KEY, b longblob); INSERT INTO t VALUES (1, REPEAT(x'00ff5c27', 50000000))");
    let engine = engine("heavy");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    assert!(bytes.len() > 400_000_000);
    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    scratch.load(Content::MariadbSql, &mut bytes.as_slice()).expect("a load");
    assert_eq!(dumped.fingerprint.differences(&scratch.loaded().fingerprint(Depth::Content).expect("a fingerprint")), Vec::<String>::new());
}

#[test]
fn tables_that_lead_to_each_other_are_as_they_were() {
    server().sql("mysql", "CREATE DATABASE circle");
    server().sql(
        "circle",
        "SET foreign_key_checks = 0;
         CREATE TABLE b_child (id int PRIMARY KEY, p int, q int, other int, KEY wide (p, q), KEY late (other),
            CONSTRAINT two FOREIGN KEY (p, q) REFERENCES z_parent (x, y) ON DELETE CASCADE ON UPDATE SET NULL,
            CONSTRAINT back FOREIGN KEY (other) REFERENCES a_parent (n), CONSTRAINT small CHECK (id < 1000));
         CREATE TABLE a_parent (id int PRIMARY KEY, n int, m int, KEY by_n (n), KEY by_m (m), CONSTRAINT round FOREIGN KEY (m) REFERENCES b_child (id));
         CREATE TABLE z_parent (id int PRIMARY KEY, x int, y int, KEY not_unique (x, y));
         CREATE TABLE own (id int PRIMARY KEY, up int, KEY upwards (up), CONSTRAINT tree FOREIGN KEY (up) REFERENCES own (id));
         CREATE TABLE plain (id int AUTO_INCREMENT PRIMARY KEY, word varchar(30), KEY by_word (word));
         CREATE TABLE shared (id int PRIMARY KEY, one int, two int, KEY both_ (one, two), CONSTRAINT first_ FOREIGN KEY (one) REFERENCES plain (id),
            CONSTRAINT second_ FOREIGN KEY (one, two) REFERENCES z_parent (x, y));
         INSERT INTO z_parent VALUES (1, 1, 1), (2, 2, 2); INSERT INTO a_parent VALUES (1, 7, 1); INSERT INTO b_child VALUES (1, 1, 1, 7), (2, NULL, 5, NULL);
         INSERT INTO own VALUES (2, 1), (1, NULL); INSERT INTO plain (word) VALUES ('it'), ('was'); INSERT INTO shared VALUES (1, 1, 1);",
    );
    let engine = engine("circle");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    scratch.load(Content::MariadbSql, &mut bytes.as_slice()).expect("a load");
    // The definitions are part of it, with the order of their indexes and foreign keys.
    assert_eq!(dumped.fingerprint.differences(&scratch.loaded().fingerprint(Depth::Content).expect("a fingerprint")), Vec::<String>::new());
    for (statement, number) in [
        ("INSERT INTO b_child VALUES (3, 1, 2, NULL)", "1452"),
        ("INSERT INTO own VALUES (3, 9)", "1452"),
        ("DELETE FROM plain WHERE id = 1", "1451"),
        ("INSERT INTO b_child VALUES (3000, NULL, NULL, NULL)", "4025"),
    ] {
        let error = scratch.loaded().ask(statement).expect_err(statement);
        assert!(error.to_string().contains(number) || error.to_string().contains("constraint"), "{statement}: {error}");
    }
    scratch.loaded().ask("DELETE FROM z_parent WHERE id = 2").expect("nothing leads to it");
}
