//! Names, addresses and passwords.

use holdfast::engine::postgres::Postgres;
use holdfast::engine::{Content, Depth, Engine};

use crate::postgres::server;
use crate::scene::{dump_of, engine, settings, simple, with_fake_pg_dump};

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
    plain.undo(&kept, "20260101T000001Z-0000").expect("an undo");
    assert_eq!(server().sql("served", "SELECT count(*) FROM t"), "777");
}
