use proptest::prelude::*;

use super::*;

/// What mariadb-dump 10.11 made of a database of odd things.
const ODD: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/mariadb/odd.sql"));
/// The beginning and the end of a dump of mysqldump 8.
const HEAD: &str = "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    Database: shop\n-- ------------------------------------------------------\n/*!50503 SET NAMES utf8mb4 */;\n/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n";
const TAIL: &str = "/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\n\n-- Dump completed on 2024-01-01 10:00:00\n";

fn scanned(text: &[u8], block: usize) -> Scanner {
    let mut scanner = Scanner::new();
    text.chunks(block).for_each(|block| scanner.write(block));
    scanner
}

fn scan(text: &[u8], block: usize) -> Result<Fingerprint> {
    scanned(text, block).finish()
}

fn whole(body: &str) -> Fingerprint {
    scan(format!("{HEAD}{body}{TAIL}").as_bytes(), usize::MAX).expect("a whole dump")
}

fn sha(text: &str) -> Option<String> {
    Some(hex(&Sha256::digest(text)))
}

#[test]
fn a_real_dump_of_odd_things_is_read_whole() {
    let found = scan(ODD, usize::MAX).expect("a whole dump");
    let rows: Vec<(&str, u64)> = found.tables.iter().map(|(name, table)| (name.as_str(), table.rows)).collect();
    assert_eq!(
        rows,
        [
            ("`odd ``name\"'';.\nx é`", 1),
            ("child", 2),
            ("empty", 0),
            ("hist", 1),
            ("kinds", 3),
            ("lat", 2),
            ("mem", 1),
            ("myi", 0),
            ("nopk", 3),
            ("parent", 2),
            ("part", 2),
            ("u3", 1),
        ]
    );
    let counts: Vec<(&str, u64)> = found.objects.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(counts, [("events", 1), ("routines", 5), ("sequences", 1), ("triggers", 2), ("views", 3)]);
    assert_eq!(found.sequences["sq"], 5042);
    assert_eq!(found.tables["nopk"].content_sha256, sha("(3,'c'),\n(1,'a'),\n(1,'a')"));
    assert_eq!(found.tables["empty"].content_sha256, sha(""));
    let schema = scanned(ODD, 7).finish_schema().expect("a schema").0;
    assert_eq!(schema["view v1"].lines().last(), Some("VIEW `v1` AS select `nopk`.`a` AS `a` from `nopk`"));
    assert!(schema["procedure nb"].contains("SET sql_mode = 'NO_BACKSLASH_ESCAPES';\n"), "{}", schema["procedure nb"]);
    assert!(schema["procedure nb"].ends_with("SELECT 'a\\', 'b'"));
    assert!(schema["table kinds"].contains("`id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,"));
    assert!(!schema["table kinds"].contains("AUTO_INCREMENT="));
    assert!(schema["event ev"].contains("SET time_zone = 'SYSTEM';\n"));
    assert!(schema.contains_key("package body pk") && schema.contains_key("table `odd ``name\"'';.\nx é`"));
    assert!(!schema.contains_key("other statements"), "{}", schema["other statements"]);
}

#[test]
fn nothing_depends_on_the_blocks() {
    let expected = scan(ODD, usize::MAX).expect("a whole dump");
    for block in [1, 2, 3, 5, 7, 64, 127, 1000] {
        assert_eq!(scan(ODD, block).expect("a whole dump"), expected, "blocks of {block}");
    }
}

#[test]
fn rows_of_every_length_end_where_they_do() {
    let rows: Vec<String> = (0..300).map(|length| format!("(-1,'{}',(2))", "),(".repeat(100).split_at(length).0)).collect();
    for separator in [",", ",\n"] {
        let found = whole(&format!("CREATE TABLE t (a int);\nINSERT INTO t VALUES {};\n", rows.join(separator)));
        assert_eq!(found.tables["t"].rows, rows.len() as u64);
        assert_eq!(found.tables["t"].content_sha256, sha(&rows.join(",\n")));
    }
}

#[test]
fn fm_a14_a_dump_cut_anywhere_is_never_whole() {
    let end = ODD.trim_ascii_end().len();
    // Every byte of the beginning and the end, and enough of what lies between.
    for end in (0..1500).chain((1500..end - 1500).step_by(23)).chain(end - 1500..end) {
        let error = scan(&ODD[..end], 4096).expect_err("a cut dump");
        assert!(error.to_string().starts_with("the dump is not whole"), "cut at {end}: {error}");
    }
    scan(&ODD[..end], 4096).expect("the last newline may be missing");
    // Behind the trailer nothing may follow but comments.
    let more = [ODD, b"INSERT INTO `nopk` VALUES\n(1,'a');\n"].concat();
    assert!(scan(&more, 4096).is_err());
    assert!(scan(b"", 1).expect_err("nothing").to_string().contains("it is empty"));
}

#[test]
fn rows_are_the_same_however_they_are_grouped() {
    let lines = whole("CREATE TABLE `t` (a int);\nINSERT INTO `t` VALUES\n(1,'a\\'),('),\n(-2,\"b\"\"\"),\n(3,NULL);\n");
    for other in [
        "INSERT INTO `t` VALUES (1,'a\\'),('),(-2,\"b\"\"\"),(3,NULL);\n",
        "INSERT INTO `t` VALUES (1,'a\\'),(');\nINSERT INTO `t` VALUES (-2,\"b\"\"\");\nINSERT INTO t (`a`,`b`) VALUES (3,NULL);\n",
        "insert ignore into t values(1,'a\\'),(') , \n (-2,\"b\"\"\"),\n\n(3,NULL)\n;\n",
        "REPLACE INTO `t` VALUES\n(1,'a\\'),('),\n(-2,\"b\"\"\");\nREPLACE INTO `t` VALUES\n(3,NULL);\n",
    ] {
        assert_eq!(whole(&format!("CREATE TABLE `t` (a int);\n{other}")), lines, "{other}");
    }
    assert_eq!(lines.tables["t"].content_sha256, sha("(1,'a\\'),('),\n(-2,\"b\"\"\"),\n(3,NULL)"));
    let other_order = whole("CREATE TABLE `t` (a int);\nINSERT INTO `t` VALUES\n(-2,\"b\"\"\"),\n(1,'a\\'),('),\n(3,NULL);\n");
    assert_eq!((other_order.tables["t"].rows, other_order.tables["t"] == lines.tables["t"]), (3, false));
}

#[test]
fn values_of_every_form_are_followed() {
    let rows = [
        "(0x00FF5C0A,_binary 'a\\0\\'b',b'101',x'ff')",
        "('two\nlines; -- no comment\n/* nor this */','# nor this')",
        "('it''s','\\\\','')",
        "(- 1,--2,1e-30,-1.5,now(),ST_GeomFromText('POINT(1 2)'),`a)`)",
        "(1 /* ) ' */,2 -- )\n,3 # (\n,4/2)",
        "('-- Dump completed\n','/*!50001 x */','é😀')",
    ];
    for separator in [",", ",\n", ", ", ",/* ),( ' */", "/**/,\n-- it's ),(\n", ", # )\n --\n/*M nor this */"] {
        let found = whole(&format!("CREATE TABLE t (a int);\nINSERT INTO t VALUES {};\n", rows.join(separator)));
        assert_eq!(found.tables["t"].rows, rows.len() as u64, "{separator}");
        assert_eq!(found.tables["t"].content_sha256, sha(&rows.join(",\n")));
    }
    let behind = whole("CREATE TABLE t (a int);\nINSERT INTO t VALUES (1),(2) ON DUPLICATE KEY UPDATE a=VALUES(a)+(3);\n");
    assert_eq!(behind.tables["t"].rows, 2);
}

#[test]
fn without_backslashes_a_quote_ends_where_it_does() {
    let body =
        "SET sql_mode='NO_BACKSLASH_ESCAPES';\nCREATE TABLE t (a text, b text);\nINSERT INTO t VALUES ('a\\','(b'),('c\\\\','\\');\n";
    assert_eq!(whole(body).tables["t"].rows, 2);
    assert!(scan(format!("{HEAD}{}{TAIL}", &body[body.find("CREATE").unwrap_or(0)..]).as_bytes(), 9).is_err());
}

#[test]
fn a_view_is_one_whatever_stood_in_for_it() {
    let view = "/*!50001 DROP VIEW IF EXISTS `v`*/;\n/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`a`@`%` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 AS `a` */;\n";
    let newer = whole(&format!("/*!50001 CREATE VIEW `v` AS SELECT \n 1 AS `a`*/;\n{view}"));
    let older = whole(&format!(
        "/*!50001 CREATE TABLE `v` (\n  `a` tinyint NOT NULL\n) ENGINE=MyISAM */;\n/*!50001 DROP TABLE IF EXISTS `v`*/;\n{view}"
    ));
    assert_eq!(newer, older);
    assert_eq!((newer.objects["views"], newer.tables.len()), (1, 0));
}

#[test]
fn the_schema_hash_forgets_data_order_and_counters_and_nothing_else() {
    let hash = |body: &str| whole(body).schema_sha256;
    let (a, b) = (
        "CREATE TABLE `a` (\n  `x` int\n) ENGINE=InnoDB;\n",
        "CREATE TABLE `b` (\n  `x` int COMMENT 'AUTO_INCREMENT=5'\n) ENGINE=InnoDB AUTO_INCREMENT=7;\n",
    );
    let trigger = |mode: &str, body: &str| {
        format!(
            "/*!50003 SET sql_mode = '{mode}' */ ;\nDELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`l`*/ /*!50003 TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN {body}; END */;;\nDELIMITER ;\n"
        )
    };
    let plain = hash(&format!("{a}{b}{}", trigger("ANSI", "SET @x=1")));
    assert_eq!(
        plain,
        hash(&format!("{}{}{a}INSERT INTO a VALUES (1);\nDO SETVAL(`s`, 5, 0);\n", trigger("ANSI", "SET @x=1"), b.replace("=7", "=8")))
    );
    assert_ne!(plain, hash(&format!("{a}{b}{}", trigger("", "SET @x=1"))));
    assert_ne!(plain, hash(&format!("{a}{b}{}", trigger("ANSI", "SET @x=2"))));
    assert_ne!(plain, hash(&format!("{a}{}{}", b.replace("T=5", "T=6"), trigger("ANSI", "SET @x=1"))));
    assert_ne!(plain, hash(&format!("{a}{b}{}ALTER TABLE a ADD KEY (x);\n", trigger("ANSI", "SET @x=1"))));
}

#[test]
fn fm_a16_what_the_program_could_not_dump_is_told() {
    let scanner = scanned(
        format!(
            "{HEAD}\n-- insufficient privileges to SHOW CREATE FUNCTION `f`\n-- does 'u'@'%' have permissions on mysql.proc?\n\n{TAIL}"
        )
        .as_bytes(),
        11,
    );
    assert_eq!(scanner.complaints(), ["insufficient privileges to SHOW CREATE FUNCTION `f`"]);
}

#[test]
fn a_statement_far_longer_than_memory_should_hold_is_followed() {
    let block = vec![b'7'; 300_000];
    let scan = |size: usize| {
        let mut scanner = Scanner::new();
        scanner.write(HEAD.as_bytes());
        scanner.write(b"CALL somebody('");
        (0..60).for_each(|_| block.chunks(size).for_each(|block| scanner.write(block)));
        scanner.write(b"\\'; INSERT INTO t VALUES (1);');\nCREATE TABLE t (a text);\nINSERT INTO t VALUES ('");
        (0..60).for_each(|_| scanner.write(&block));
        scanner.write(b"');\n");
        scanner.write(TAIL.as_bytes());
        scanner.finish().expect("a whole dump")
    };
    let found = scan(300_000);
    assert_eq!(found.tables["t"].rows, 1);
    assert_eq!(found, scan(7919));
}

#[test]
fn a_foreign_text_needs_no_trailer_but_an_end() {
    let finish = |text: &str| scanned(text.as_bytes(), 3).finish_foreign();
    finish("CREATE TABLE t (a int);\nINSERT INTO t VALUES (1),\n(2);\n-- the end").expect("whole");
    finish("DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT ';'; END//\ndelimiter ;\n").expect("whole");
    for cut in
        ["INSERT INTO t VALUES (1),\n(2", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES ('a", "SELECT 1", "/* SELECT 1;", "\n\n", HEAD]
    {
        assert!(finish(cut).is_err(), "{cut}");
    }
}

#[test]
fn names_are_quoted_where_they_are_not_plain() {
    assert_eq!(["Account_1", "1a", "a b", "a`b", "é", ""].map(name), ["Account_1", "`1a`", "`a b`", "`a``b`", "`é`", "``"]);
}

/// A value as one of the dump programs writes it.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("NULL".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        proptest::collection::vec(any::<u8>(), 1..40).prop_map(|bytes| format!("0x{}", hex(&bytes))),
        "[a-z'\"`\\\\;,()\n\r\0#/*! -]{0,30}".prop_map(|text| {
            let text = text.replace('\\', "\\\\").replace('\'', "\\'").replace('"', "\\\"").replace('\n', "\\n").replace('\0', "\\0");
            format!("_binary '{text}'")
        }),
        "[a-z'\"`;,()\n#/*! -]{0,30}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
    ]
}

proptest! {
    #[test]
    fn any_rows_in_any_grouping_and_any_blocks_give_the_same(
        rows in proptest::collection::vec(proptest::collection::vec(value(), 1..5), 0..12),
        cuts in proptest::collection::vec(0..3u8, 12),
        block in 1..200usize,
    ) {
        let rows: Vec<String> = rows.into_iter().map(|values| format!("({})", values.join(","))).collect();
        let mut body = "CREATE TABLE t (a int);\n".to_owned();
        for (at, row) in rows.iter().enumerate() {
            body += match cuts[at] {
                _ if at == 0 => "INSERT INTO `t` VALUES\n",
                0 => ";\nINSERT INTO `t` (`a`) VALUES ",
                1 => ",",
                _ => ",\n",
            };
            body += row;
        }
        body += if rows.is_empty() { "" } else { ";\n" };
        let found = scan(format!("{HEAD}{body}{TAIL}").as_bytes(), block).expect("a whole dump");
        prop_assert_eq!(found.tables["t"].rows, rows.len() as u64);
        prop_assert_eq!(&found.tables["t"].content_sha256, &sha(&rows.join(",\n")));
    }

    #[test]
    fn any_bytes_are_the_same_in_any_blocks(
        parts in proptest::collection::vec(prop_oneof![
            4 => proptest::collection::vec(proptest::sample::select(b"'\"`\\;,()\n-#/*!M ".to_vec()), 1..3),
            1 => (0..80usize).prop_map(|length| vec![b'x'; length]),
            1 => Just(b"),\n(".to_vec()),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
        ], 0..100),
        has_escapes in any::<bool>(),
        block in 1..200usize,
    ) {
        let bytes = parts.concat();
        let mode: &[u8] = if has_escapes { b"" } else { b"SET sql_mode='NO_BACKSLASH_ESCAPES';\n" };
        let text = [mode, b"INSERT INTO t VALUES (1", &bytes].concat();
        let rows_found = |block: usize| {
            let mut scanner = scanned(&text, block);
            scanner.read.end_rows();
            let found = scanner.read.tables.remove("t").map(|rows| (rows.count, rows.hash.finalize()));
            (found, scanned(&text, block).finish_foreign().is_ok())
        };
        let expected = rows_found(1);
        prop_assert_eq!(&rows_found(block), &expected);
        prop_assert_eq!(&rows_found(usize::MAX), &expected);
        drop(scanned(&bytes, block).finish());
    }
}
