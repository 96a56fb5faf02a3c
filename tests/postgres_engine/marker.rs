//! The marker in the database.

use holdfast::engine::{Content, Engine};
use holdfast::marker::{Marker, Role};

use crate::postgres::server;
use crate::scene::{dump_of, engine, engine_as, simple};

#[test]
fn a_marker_is_written_read_and_goes_along_into_backups_and_clones() {
    simple("marked");
    let engine = engine("marked");
    let bare = engine.schema().expect("a schema");
    assert_eq!(engine.marker().expect("a look"), None);
    assert_eq!(engine.probe().expect("a probe").marker, None);
    engine.mark(&Marker::real("it's dev")).expect("marked");
    let prod = Marker::real("prod");
    engine.mark(&prod).expect("marked anew");
    assert_eq!(engine.marker().expect("a look"), Some(prod.clone()));
    assert_eq!(engine.probe().expect("a probe").marker, Some(prod.clone()));
    assert_eq!(server().sql("marked", "SELECT environment, role FROM holdfast_marker"), "prod|real");
    assert_eq!(bare.changes(&engine.schema().expect("a schema")), [], "the marker's own objects are left out");

    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    assert_eq!(scratch.loaded().marker().expect("a look"), None);
    scratch.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
    assert_eq!(scratch.loaded().marker().expect("a look"), Some(prod.clone()));
    scratch.loaded().mark(&prod.of_clone()).expect("marked");
    let clone = scratch.loaded().marker().expect("a look").expect("a marker");
    assert_eq!((clone.environment.as_str(), clone.role), ("prod", Role::Clone));
    assert_eq!(engine.marker().expect("a look"), Some(prod));
}

#[test]
fn what_is_no_marker_reads_as_none_and_is_never_overwritten() {
    simple("unmarked");
    assert_eq!(engine("nowhere_at_all").marker().expect("a missing database has none"), None);
    let error = engine_as("no such role", "unmarked").marker().expect_err("no connection");
    assert!(error.to_string().contains("no such role"), "{error}");
    let engine = engine("unmarked");
    for (other, last) in [
        ("CREATE TABLE holdfast_marker (environment text, role text)", "INSERT INTO holdfast_marker VALUES ('a', 'b')"),
        ("CREATE VIEW holdfast_marker AS SELECT 'prod' AS environment, 'real' AS role, now()::text AS marked_at", "SELECT 1"),
    ] {
        server().sql("unmarked", &format!("{other}; {last}"));
        assert_eq!(engine.marker().expect("a look"), None);
        let error = engine.mark(&Marker::real("dev")).expect_err("somebody else's");
        assert!(error.to_string().contains("public.holdfast_marker is there already"), "{error}");
        server().sql(
            "unmarked",
            "DO $$ BEGIN DROP TABLE holdfast_marker; EXCEPTION WHEN wrong_object_type THEN DROP VIEW holdfast_marker; END $$",
        );
    }
    engine.mark(&Marker::real("dev")).expect("marked");
    server().sql("unmarked", "DELETE FROM holdfast_marker");
    assert_eq!(engine.marker().expect("a look"), None);
    server().sql("unmarked", "INSERT INTO holdfast_marker VALUES ('dev', 'yesterday', 'real')");
    assert_eq!(engine.marker().expect("a look"), None);
    server().sql("unmarked", "INSERT INTO holdfast_marker VALUES ('prod', '2026-11-21T13:00:00.000Z', 'real')");
    assert!(engine.marker().expect_err("two of them").to_string().contains("more than one row"));
    engine.mark(&Marker::real("dev")).expect("put right");
    assert_eq!(engine.marker().expect("a look").map(|marker| marker.environment).as_deref(), Some("dev"));
}

#[test]
fn a_right_that_is_missing_is_named_with_its_grant() {
    simple("guarded");
    server().sql("guarded", "CREATE ROLE writer LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    let writer = engine_as("writer", "guarded");
    let hint = |engine: &dyn Engine| {
        let error = engine.mark(&Marker::real("prod")).expect_err("no right");
        assert!(error.to_string().starts_with("cannot mark the database: PostgreSQL says: permission denied"), "{error}");
        error.next_step().expect("a hint").to_owned()
    };
    assert_eq!(hint(&writer), "as the owner: GRANT CREATE ON SCHEMA public TO \"writer\"");
    engine("guarded").mark(&Marker::real("dev")).expect("marked");
    assert_eq!(hint(&writer), "as the owner: GRANT SELECT, INSERT, DELETE ON public.holdfast_marker TO \"writer\"");
    // Nothing is half written, and everyone may see it.
    assert_eq!(writer.marker().expect("a look").map(|marker| marker.environment).as_deref(), Some("dev"));
    server().sql("guarded", "GRANT SELECT, INSERT, DELETE ON public.holdfast_marker TO \"writer\"");
    writer.mark(&Marker::real("prod")).expect("allowed now");
    server().sql("guarded", "REVOKE ALL ON holdfast_marker FROM PUBLIC, writer");
    let error = writer.marker().expect_err("hidden");
    assert_eq!(error.next_step(), Some("as the owner: GRANT SELECT ON public.holdfast_marker TO \"writer\""));
}
