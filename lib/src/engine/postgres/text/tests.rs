use super::*;

const HEAD: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict k1\n\nSET statement_timeout = 0;\n\n";
const TAIL: &str = "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict k1\n\n";

fn scan(text: &[u8], block: usize) -> Result<Fingerprint> {
    let mut scanner = Scanner::new();
    text.chunks(block).for_each(|block| scanner.write(block));
    scanner.finish()
}

fn sample() -> String {
    let rows: String = (0..300).map(|n| format!("{n}\ta\\\\.\\n{}\\\\x00\t\\N\n", "y".repeat(n % 7))).collect();
    let body = "CREATE FUNCTION public.f() RETURNS text\n    AS $_$\nCOPY public.t (a) FROM stdin;\n\n-- Name: no comment\n'unbalanced\n\\restrict k9\n$_$;\n";
    let odd =
        "COMMENT ON TABLE public.t IS 'one\nCOPY x FROM stdin;\nit''s';\nCOMMENT ON TABLE public.u IS E'a\\\\''b\nCOPY x FROM stdin;\n';\n";
    format!(
        "{HEAD}{body}\n{odd}\nCOPY public.t (a, b, c) FROM stdin;\n{rows}\\.\n\n\nCOPY public.\"Odd \"\"(n).x\"  FROM stdin;\n\n\n\\.\n\n\
         SELECT pg_catalog.setval('public.\"it''s_seq\"', 42, true);\n\nSELECT pg_catalog.lo_create('7');\n\nBEGIN;\n\n\
         SELECT pg_catalog.lowrite(0, '\\x00ff');\nCOMMIT;\n\n{TAIL}"
    )
}

#[test]
fn rows_and_hashes_do_not_depend_on_the_blocks() {
    let text = sample();
    let whole = scan(text.as_bytes(), usize::MAX).expect("a whole dump");
    assert_eq!(whole.tables["public.t"].rows, 300);
    assert_eq!(whole.tables["public.\"Odd \"\"(n).x\""].rows, 2);
    assert_eq!(whole.tables[LARGE_OBJECTS].rows, 1);
    assert_eq!(whole.tables.len(), 3, "{:?}", whole.tables.keys());
    assert_eq!(whole.sequences["public.\"it's_seq\""], 42);
    for block in [1, 2, 3, 5, 7, 64, 127, 128, 129, 1000] {
        assert_eq!(scan(text.as_bytes(), block).expect("a whole dump"), whole, "blocks of {block}");
    }
}

#[test]
fn the_content_hash_is_that_of_the_rows_alone() {
    let text = format!("{HEAD}COPY a.b (c) FROM stdin;\n1\n\\\\.\n\\.\n{TAIL}");
    let expected = hex(&Sha256::digest(b"1\n\\\\.\n"));
    for block in 1..40 {
        let table = &scan(text.as_bytes(), block).expect("a whole dump").tables["a.b"];
        assert_eq!((table.rows, table.content_sha256.as_ref()), (2, Some(&expected)), "blocks of {block}");
    }
}

#[test]
fn fm_a14_a_dump_cut_anywhere_is_never_whole() {
    let text = sample();
    let last = text.trim_end().len() - 1;
    for end in 0..last {
        let error = scan(&text.as_bytes()[..end], 100).expect_err("a cut dump");
        assert!(error.to_string().starts_with("the dump is not whole"), "cut at {end}: {error}");
    }
    let other_key = text.replace("\\unrestrict k1", "\\unrestrict k2");
    assert!(scan(other_key.as_bytes(), 100).expect_err("another key").to_string().contains("unrestrict"));
}

#[test]
fn fm_a15_nothing_at_all_is_not_a_dump() {
    assert!(scan(b"", 1).expect_err("nothing").to_string().contains("it is empty"));
    assert!(scan(HEAD.as_bytes(), 10).is_err());
}

#[test]
fn the_schema_hash_forgets_data_and_order_and_nothing_else() {
    let hash = |text: String| scan(text.as_bytes(), 50).expect("a whole dump").schema_sha256;
    let (a, b) = ("CREATE TABLE public.t (\n    a integer\n);\n\n", "CREATE FUNCTION f() AS $$\n\n-- Name: x\n$$;\n\n");
    let plain = hash(format!("{HEAD}{a}{b}{TAIL}"));
    let with_data = format!(
        "{HEAD}-- Name: t; Type: TABLE\n{b}{a}COPY public.t (a) FROM stdin;\n1\n\\.\n\nREFRESH MATERIALIZED VIEW public.v;\n\n{TAIL}"
    );
    assert_eq!(plain, hash(with_data));
    assert_ne!(plain, hash(format!("{HEAD}{a}{}{TAIL}", b.replace("-- Name: x", "-- Name: y"))));
    assert_ne!(plain, hash(format!("{HEAD}{a}{}{TAIL}", b.replace("\n\n-- Name", "\n-- Name"))));
    assert_ne!(plain, hash(format!("{HEAD}{a}{b}-- a comment of nobody's\n{TAIL}")));
}

#[test]
fn a_line_far_longer_than_memory_should_hold_is_followed() {
    let mut scanner = Scanner::new();
    scanner.write(HEAD.as_bytes());
    scanner.write(b"SELECT pg_catalog.lo_create('1');\nSELECT pg_catalog.lowrite(0, '");
    let block = vec![b'7'; 300_000];
    (0..20).for_each(|_| scanner.write(&block));
    assert!(scanner.pending.capacity() <= 2 * LINE_MAX_BYTES);
    scanner.write(b"');\nINSERT INTO t VALUES (E'\\");
    scanner.write(b"'still inside\nCOPY t (a) FROM stdin;\n');\n");
    scanner.write(TAIL.as_bytes());
    let found = scanner.finish().expect("a whole dump");
    assert_eq!(found.tables.keys().collect::<Vec<_>>(), [LARGE_OBJECTS]);
}

#[test]
fn a_foreign_text_needs_no_trailer_but_an_end() {
    let finish = |text: &str| {
        let mut scanner = Scanner::of_structure();
        scanner.write(text.as_bytes());
        scanner.finish_foreign()
    };
    finish("CREATE TABLE t (a int);\nCOPY t (a) FROM stdin;\n1\n\\.\n").expect("whole");
    assert!(finish("COPY t (a) FROM stdin;\n1\n").is_err());
    assert!(finish("INSERT INTO t VALUES ('a").is_err());
    assert!(finish("\n\n").is_err());
    assert!(finish(HEAD).is_err());
}
