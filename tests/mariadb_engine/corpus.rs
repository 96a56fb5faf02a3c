//! Everything odd that a database can hold.

use holdfast::engine::mariadb::text::Scanner;
use holdfast::engine::{Content, Depth, Engine};

use crate::mariadb::server;
use crate::scene::{Collected, dump_of, engine};

/// Everything that has gone wrong in somebody's dump.
pub(crate) const CORPUS: &str = r#"
SET sql_mode = 'NO_ENGINE_SUBSTITUTION';
CREATE USER 'o''dd user'@'%'; CREATE USER gone@localhost; GRANT ALL ON *.* TO gone@localhost; GRANT ALL ON *.* TO 'o''dd user'@'%';
CREATE TABLE kinds (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, b bit(12), j json, g geometry, d date, dt datetime(6), ts timestamp NULL, y year, t time(3), dc decimal(30,10), f float, db double, e enum('a','it''s','back\\slash'), s set('x','y'), bin varbinary(100), bl longblob, tx text, u uuid, ip inet6, gen double AS (f*2) STORED, vgen double AS (f+1) VIRTUAL, inv int INVISIBLE DEFAULT 5);
INSERT INTO kinds (id,b,j,g,d,dt,ts,y,t,dc,f,db,e,s,bin,bl,tx,u,ip) VALUES (18446744073709551610,b'101','{"a": "it''s \\\\ \\"q\\""}',POINT(1,2),'0000-00-00','2020-02-02 02:02:02.123456','2020-01-01','1999','-838:59:59',-1.5,1e-30,1.7976931348623157e308,'it''s','x,y',x'0027ff5c0a',x'',' (\n1),(2); -- no\n/*!50001 x */ ''quoted'' \\ \0 \Z \r \t "dq" `bt` 😀','123e4567-e89b-12d3-a456-426655440000','::1');
INSERT INTO kinds (id,bl) VALUES (0+7,NULL),(9,REPEAT(x'00ff5c27', 300000));
CREATE TABLE nopk (a int, b varchar(10)); INSERT INTO nopk VALUES (3,'c'),(1,'a'),(1,'a');
CREATE TABLE zero (id int NOT NULL AUTO_INCREMENT PRIMARY KEY); SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; INSERT INTO zero VALUES (0),(5); SET sql_mode = 'NO_ENGINE_SUBSTITUTION';
CREATE TABLE empty (a int);
CREATE TABLE lat (a varchar(50) PRIMARY KEY) DEFAULT CHARSET=latin1; INSERT INTO lat VALUES ('Größe'),('ÿ');
CREATE TABLE u3 (a varchar(50)) DEFAULT CHARSET=utf8mb3; INSERT INTO u3 VALUES ('Größe €');
CREATE TABLE raw (a varchar(9) CHARACTER SET latin1 COLLATE latin1_bin, b char(3) CHARACTER SET ucs2); INSERT INTO raw VALUES (x'ff80', 'é€');
CREATE TABLE `odd ``name"'';.
x é` (`a ``b),(` int, `select` text COMMENT 'INSERT INTO `x` VALUES (1);\n-- Dump completed\n', `l
  KEY ``z`` (``a``)` int, PRIMARY KEY (`a ``b),(`), KEY `k
,` (`l
  KEY ``z`` (``a``)`)) COMMENT='ENGINE=MyISAM';
INSERT INTO `odd ``name"'';.
x é` VALUES (1,'a',2);
CREATE TABLE parent (id int PRIMARY KEY, x int, UNIQUE KEY u (x), KEY k (x, id)); CREATE TABLE child (id int PRIMARY KEY, p int, q int, KEY p (p), KEY other (q), CONSTRAINT fk FOREIGN KEY (p) REFERENCES parent (x) ON DELETE CASCADE);
ALTER TABLE parent ADD CONSTRAINT back FOREIGN KEY (id) REFERENCES child (id);
SET foreign_key_checks = 0; INSERT INTO parent VALUES (1,10),(2,20); INSERT INTO child VALUES (1,10,3),(2,20,4); SET foreign_key_checks = 1;
CREATE TABLE many (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int, b varchar(40), c text, UNIQUE KEY ub (b), KEY ka (a), KEY kab (a, b(7)) COMMENT 'KEY (', KEY kc (c(20))) AUTO_INCREMENT=9999;
INSERT INTO many (a, b, c) SELECT seq % 7, CONCAT('b', seq), REPEAT(CHAR(seq % 128), seq % 90) FROM seq_1_to_2000;
CREATE TABLE found (id int PRIMARY KEY, t text, FULLTEXT KEY ft (t), KEY k (t(9))); INSERT INTO found VALUES (1, 'some words');
CREATE VIEW v1 AS SELECT a FROM nopk; CREATE DEFINER=gone@localhost VIEW v2 AS SELECT v1.a, p.id FROM v1 JOIN parent p; CREATE DEFINER='o''dd user'@'%' SQL SECURITY INVOKER VIEW `a v` AS SELECT * FROM v2;
CREATE SEQUENCE sq START 42 INCREMENT 5; SELECT NEXTVAL(sq);
CREATE TABLE hist (id int PRIMARY KEY, v text) WITH SYSTEM VERSIONING; INSERT INTO hist VALUES (1,'a'),(2,'c'); UPDATE hist SET v='b' WHERE id = 1; DELETE FROM hist WHERE id = 2;
CREATE TABLE mem (a int) ENGINE=MEMORY; INSERT INTO mem VALUES (1); CREATE TABLE myi (a int, KEY (a)) ENGINE=MyISAM; INSERT INTO myi VALUES (2),(1); CREATE TABLE ari (a int) ENGINE=Aria;
CREATE TABLE part (a int PRIMARY KEY, b varchar(9), KEY (b)) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE); INSERT INTO part VALUES (5,'x'),(15,'y');
DELIMITER //
CREATE TRIGGER tr BEFORE INSERT ON parent FOR EACH ROW BEGIN
 -- it's a comment; with 'quote
 SET @x = 'INSERT INTO `nopk` VALUES (1);
';
 IF NEW.id < 100 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'fired'; END IF; /* c ; */
END //
CREATE DEFINER=gone@localhost TRIGGER tr2 AFTER INSERT ON nopk FOR EACH ROW DELETE FROM mem //
CREATE FUNCTION f(a int) RETURNS int DETERMINISTIC RETURN a+1 //
CREATE DEFINER=gone@localhost PROCEDURE pr() BEGIN SELECT ';;'; SELECT "x//"; END //
CREATE EVENT ev ON SCHEDULE EVERY 1 SECOND DO BEGIN DELETE FROM nopk; END //
SET sql_mode='ORACLE'//
CREATE PACKAGE pk AS PROCEDURE p1; END //
CREATE PACKAGE BODY pk AS PROCEDURE p1 AS BEGIN SELECT 1; END; END //
SET sql_mode='NO_BACKSLASH_ESCAPES'//
CREATE PROCEDURE nb() SELECT 'a\', 'b;' //
SET sql_mode=''//
DELIMITER ;
ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_german1_ci;
"#;

#[test]
fn a_corpus_of_odd_things_survives_dump_scratch_and_dump() {
    server().database("corpus", CORPUS);
    let engine = engine("corpus");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let tables = &dumped.fingerprint.tables;
    assert_eq!(tables["kinds"].rows, 3);
    assert_eq!(tables["`odd ``name\"'';.\nx é`"].rows, 1);
    assert_eq!(tables["many"].rows, 2000);
    for (kind, count) in [("views", 3), ("triggers", 2), ("routines", 5), ("events", 1), ("sequences", 1)] {
        assert_eq!(dumped.fingerprint.objects[kind], count, "{kind}");
    }

    // The live database by counting, and by its content.
    let live = engine.fingerprint(Depth::Rows).expect("a fingerprint");
    assert_eq!(dumped.fingerprint.differences(&live), Vec::<String>::new());

    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    scratch.load(Content::MariadbSql, &mut bytes.as_slice()).expect("a load");
    let restored = scratch.loaded().fingerprint(Depth::Rows).expect("a fingerprint");
    assert_eq!(
        dumped.fingerprint.differences(&restored),
        Vec::<String>::new(),
        "{:#?}",
        engine.schema().expect("a schema").changes(&scratch.loaded().schema().expect("a schema"))
    );
    let mut again = Collected::default();
    let second = scratch.loaded().dump(&mut again).expect("a second dump");
    assert_eq!(second.fingerprint.tables, dumped.fingerprint.tables, "every row, to the byte");
    assert_eq!(dumped.fingerprint.differences(&second.fingerprint), Vec::<String>::new());
    assert_eq!(second.fingerprint.sequences["sq"], dumped.fingerprint.sequences["sq"]);
    assert!(again.bytes == bytes, "a dump of the copy is the very dump");
    assert_eq!(scratch.loaded().ask("CALL nb()").expect("an answer").as_deref(), Some("a\\"));
    assert_eq!(scratch.loaded().ask("SELECT 1 FROM nopk WHERE false").expect("an answer"), None);
    assert_eq!(scratch.loaded().ask("SELECT @@collation_database").expect("an answer").as_deref(), Some("latin1_german1_ci"));

    // The stream read back from a backup gives the same fingerprint again.
    let mut scanner = Scanner::new();
    bytes.chunks(777).for_each(|block| scanner.write(block));
    assert_eq!(scanner.finish().expect("a whole dump"), dumped.fingerprint);
}
