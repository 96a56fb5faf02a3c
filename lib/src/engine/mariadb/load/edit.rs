//! What of a dump is loaded otherwise than it stands there.

use std::collections::BTreeSet;

use super::keys::{self, Later};
use crate::engine::mariadb::text::dumped_database;
use crate::engine::mariadb::text::schema::{asleep, awake};
use crate::engine::mariadb::text::split::{Event, SANDBOX, delimiter_of};
use crate::engine::mariadb::text::statement::{self, Class, Statement, Verb};
use crate::engine::mariadb::text::variables::Variables;
use crate::engine::mariadb::{label, sql};
use crate::error::{Error, Result};

/// Passes a dump on, statement by statement, and changes in it:
///
/// - the sandbox line goes, which older clients take for a command they do not know: ours runs no command of its own anyway;
/// - the dump goes into the one database that is meant, whichever it makes and uses itself;
/// - indexes that nothing needs while rows come are made when these are there, and so are foreign keys;
/// - what names a database as its own home goes where it is meant all the same, and so do the sequences that give columns values;
/// - events are made such that they do not run, where that is asked for;
/// - routines take the place of those that are there, where that is asked for: one that is dropped takes its grants along.
pub(super) struct Editor {
    target: String,
    out: Vec<u8>,
    /// Whether the present statement is left out, with its delimiter.
    leaves_out: bool,
    delimiter: Vec<u8>,
    used: Option<String>,
    /// The database that was dumped, where the dump says it.
    home: Option<String>,
    refused: Option<Error>,
    keys: keys::Watch,
    later: Option<Later>,
    /// Whether the present statement ends the rows of a table.
    ends_rows: bool,
    /// Whether the dump has locked the table whose rows come.
    is_locked: bool,
    events: Events,
    replaces_routines: bool,
    asleep: BTreeSet<String>,
}

/// What becomes of events.
enum Events {
    AsTheyAre,
    /// Those that would run do not.
    Asleep,
    /// These run.
    Awake(BTreeSet<String>),
}

impl Editor {
    pub(super) fn new(target: &str) -> Self {
        Editor {
            target: sql::ident(target),
            out: Vec::new(),
            leaves_out: false,
            delimiter: b";".to_vec(),
            used: None,
            home: None,
            refused: None,
            keys: keys::Watch::default(),
            later: None,
            ends_rows: false,
            is_locked: false,
            events: Events::AsTheyAre,
            replaces_routines: false,
            asleep: BTreeSet::new(),
        }
    }

    /// For a database in which no event must run.
    pub(super) fn with_events_asleep(target: &str) -> Self {
        Editor { events: Events::Asleep, ..Editor::new(target) }
    }

    /// For a text in which these events are to be as they were before they were put to sleep.
    pub(super) fn with_events_awake(events: BTreeSet<String>) -> Self {
        Editor { events: Events::Awake(events), ..Editor::new("") }
    }

    /// For a database whose routines are there already, on a server that can replace them (MariaDB).
    pub(super) fn replacing_routines(target: &str) -> Self {
        Editor { replaces_routines: true, ..Editor::new(target) }
    }

    /// The events so far that would have run.
    pub(super) fn asleep(&self) -> &BTreeSet<String> {
        &self.asleep
    }

    /// What has become of the part so far.
    pub(super) fn edited(&mut self) -> Result<Vec<u8>> {
        match self.refused.take() {
            Some(refused) => Err(refused),
            None => Ok(std::mem::take(&mut self.out)),
        }
    }

    /// The rest, at the end of the dump.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.add_keys();
        std::mem::take(&mut self.out)
    }

    pub(super) fn take(&mut self, event: &Event<'_>, variables: &Variables) {
        match event {
            Event::Between(text) if text.starts_with(SANDBOX) => {}
            Event::Between(text) => {
                self.home = self.home.take().or_else(|| dumped_database(text));
                self.out.extend_from_slice(text);
            }
            Event::Part(text) | Event::Gap(text) => self.out.extend_from_slice(text),
            Event::Insert(text) => {
                self.refuse_label(statement::target(text).as_deref());
                self.out.extend_from_slice(text);
            }
            Event::Rows { bytes, .. } => self.out.extend_from_slice(bytes),
            Event::Delimiter(line) => {
                self.delimiter = delimiter_of(line).unwrap_or(&self.delimiter).to_vec();
                self.out.extend_from_slice(line);
            }
            Event::End(delimiter) => {
                if !std::mem::take(&mut self.leaves_out) {
                    self.out.extend_from_slice(delimiter);
                }
                if std::mem::take(&mut self.ends_rows) {
                    self.out.push(b'\n');
                    self.add_keys();
                }
            }
            Event::Statement(text) => self.statement(text, variables.has_escapes()),
        }
    }

    fn statement(&mut self, text: &[u8], escapes: bool) {
        let (statement, plain) = statement::read(text, escapes);
        self.ends_rows = self.is_end_of_rows(&plain) && self.later.is_some();
        if !matches!(statement, Statement::Passing | Statement::Empty) {
            self.add_keys();
        }
        if let Statement::Create { name, .. } = &statement {
            self.refuse_label(Some(name));
        }
        match statement {
            Statement::Database { verb: Verb::Create | Verb::Drop, .. } => self.leaves_out = true,
            Statement::Database { verb: Verb::Use, name } => {
                self.leaves_out = true;
                let name = name.unwrap_or_default();
                if let Some(used) = self.used.as_ref().filter(|used| **used != name) {
                    self.refused.get_or_insert_with(|| {
                        Error::refused(format!("the dump holds several databases, {used} and {name}, and only one can be loaded"))
                            .hint("dump each by itself, or cut the file where the next USE begins")
                    });
                }
                self.used = Some(name);
            }
            Statement::Database { verb: Verb::Alter, name: Some(_) } => {
                self.out.extend(statement::alter_another(&plain, escapes, &self.target));
            }
            Statement::Create { class: Class::Table, name, .. } => {
                let text = self.at_home(text, escapes);
                match self.keys.put_off(&text, &name, escapes) {
                    Some((first, later)) => {
                        self.out.extend(first);
                        self.later = Some(later);
                    }
                    None => self.out.extend(text),
                }
            }
            Statement::Drop { class, .. } if class.is_routine() && self.replaces_routines => self.leaves_out = true,
            Statement::Create { class, .. } if class.is_routine() && self.replaces_routines => {
                self.out.extend(statement::replacing(&statement::without_home(text, escapes)));
            }
            Statement::Create { class, name, .. } => {
                let mut text = statement::without_home(text, escapes);
                if class == Class::View {
                    text = self.at_home(&text, escapes);
                }
                match (&self.events, class) {
                    (Events::Asleep, Class::Event) => {
                        let put_to_sleep = asleep(&text, escapes);
                        if put_to_sleep.is_some() {
                            self.asleep.insert(name);
                        }
                        self.out.extend(put_to_sleep.unwrap_or(text));
                    }
                    (Events::Awake(events), Class::Event) if events.contains(&name) => self.out.extend(awake(&text, escapes)),
                    _ => self.out.extend(text),
                }
            }
            _ => self.out.extend_from_slice(text),
        }
    }

    /// A table or view whose sequences are those of the database that it goes into, where they were those of its own.
    fn at_home(&self, text: &[u8], escapes: bool) -> Vec<u8> {
        self.home.as_deref().map_or_else(|| text.to_vec(), |home| statement::with_sequences_at_home(text, home, escapes))
    }

    /// Behind the rows of a table: there the settings are still those that the dump loads rows with, its foreign keys are trusted, its
    /// zero dates taken. Under a lock another table, that a foreign key leads to, could not be looked at.
    fn is_end_of_rows(&mut self, statement: &[u8]) -> bool {
        let starts = |word: &[u8]| statement.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        if starts(b"LOCK ") {
            self.is_locked = true;
        }
        let unlocks = starts(b"UNLOCK ");
        let is_end = if self.is_locked { unlocks } else { statement.ends_with(b" ENABLE KEYS") };
        self.is_locked &= !unlocks;
        is_end
    }

    /// A dump of a database that a restore kept aside holds its label: loaded, it would make another database that one.
    fn refuse_label(&mut self, name: Option<&str>) {
        if name.is_some_and(|name| name.eq_ignore_ascii_case(label::TABLE)) {
            self.refused.get_or_insert_with(|| {
                Error::refused(format!("the dump holds the table {}, by which Holdfast marks databases of its own", label::TABLE)).hint(
                    format!(
                        "what a restore kept aside comes back by restore-db --undo; else dump it with --ignore-table=DATABASE.{}",
                        label::TABLE
                    ),
                )
            });
        }
    }

    fn add_keys(&mut self) {
        if let Some(later) = self.later.take() {
            self.out.extend(later.statement());
            self.out.extend_from_slice(&self.delimiter);
            self.out.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::mariadb::text::Scanner;

    fn edit(text: &str, block: usize) -> Result<String> {
        let mut editor = Editor::new("the `target");
        let mut scanner = Scanner::of_structure();
        let mut out = Vec::new();
        for block in text.as_bytes().chunks(block) {
            scanner.write_past(block, |event, variables| editor.take(event, variables));
            out.extend(editor.edited()?);
        }
        out.extend(editor.finish());
        Ok(String::from_utf8(out).expect("text"))
    }

    #[test]
    fn what_needs_no_change_passes_as_it_is() {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/mariadb/odd.sql"));
        for block in [1, 7, 1000, usize::MAX] {
            let edited = edit(text, block).expect("a text");
            let (sandbox, rest) = text.split_once('\n').expect("lines");
            assert_eq!(sandbox, "/*M!999999\\- enable the sandbox mode */ ");
            // But for the one table that leads to another.
            let (key, foreign) = ("KEY `p` (`p`)", "CONSTRAINT `fk` FOREIGN KEY (`p`) REFERENCES `parent` (`id`) ON DELETE CASCADE");
            let rest = rest.replace(&format!(",\n  {key},\n  {foreign}"), "").replace(
                "`child` ENABLE KEYS */;\nUNLOCK TABLES;\n",
                &format!("`child` ENABLE KEYS */;\nUNLOCK TABLES;\nALTER TABLE `child` ADD {key}, ADD {foreign};\n\n"),
            );
            assert!(edited.trim_start() == rest, "blocks of {block}");
        }
    }

    #[test]
    fn fm_a36_only_the_sandbox_line_itself_goes() {
        assert_eq!(edit("/*M!999999\\- enable the sandbox mode */ \nSELECT 1;", 5).expect("a text"), " \nSELECT 1;");
        for text in ["/*!999999\\- enable */;", "SELECT '/*M!999999\\- enable the sandbox mode */';", "/*M!100100 SELECT 1 */;"] {
            assert_eq!(edit(text, 5).expect("a text"), text);
        }
    }

    #[test]
    fn a_dump_that_names_its_database_goes_into_the_one_that_is_meant() {
        let text = "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `app` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;\n\nUSE `app`;\nSELECT 1;\n\
            ALTER DATABASE `app` CHARACTER SET latin1 COLLATE latin1_bin ;\n/*!40000 DROP DATABASE IF EXISTS `app`*/;\nUSE app;\n";
        assert_eq!(
            edit(text, 3).expect("a text").replace("\n\n", "\n"),
            "\n\nSELECT 1;\nALTER DATABASE `the ``target` CHARACTER SET latin1 COLLATE latin1_bin;\n\n"
        );
        let error = edit(&format!("{text}USE `other`;\nDROP TABLE x;\n"), 9).expect_err("two databases");
        assert!(error.to_string().contains("several databases, app and other"), "{error}");
    }

    #[test]
    fn events_are_made_asleep_where_that_is_asked_for() {
        let event = |name: &str, state: &str| {
            format!(
                "/*!50106 CREATE*/ /*!50117 DEFINER=`a`@`%`*/ /*!50106 EVENT `{name}` ON SCHEDULE EVERY 1 DAY STARTS '2020-01-01 00:00:00' ON COMPLETION NOT PRESERVE {state} DO select ' PRESERVE ENABLE ' */ ;;\n"
            )
        };
        let text = format!("DELIMITER ;;\n{}{}DELIMITER ;\n", event("runs", "ENABLE"), event("rests", "DISABLE"));
        let mut editor = Editor::with_events_asleep("x");
        Scanner::of_structure().write_past(text.as_bytes(), |event, variables| editor.take(event, variables));
        assert_eq!(editor.asleep().iter().collect::<Vec<_>>(), ["runs"]);
        let edited = String::from_utf8(editor.finish()).expect("text");
        assert_eq!(edited, format!("DELIMITER ;;\n{}{}DELIMITER ;\n", event("runs", "DISABLE"), event("rests", "DISABLE")));
        assert_eq!(edit(&text, 10).expect("a text"), text);
    }

    #[test]
    fn routines_take_the_place_of_those_that_are_there() {
        let text = "/*!50003 DROP PROCEDURE IF EXISTS `p` */;\nDELIMITER ;;\nCREATE DEFINER=`a`@`b` PROCEDURE `p`()\nSELECT 'CREATE';;\n\
            /*!50003 CREATE*/ /*!50020 DEFINER=`a`@`b`*/ /*!50003 FUNCTION f() RETURNS int RETURN 1 */;;\n/*!50106 DROP EVENT IF EXISTS `e` */;;\nDELIMITER ;\n";
        let mut editor = Editor::replacing_routines("x");
        Scanner::of_structure().write_past(text.as_bytes(), |event, variables| editor.take(event, variables));
        let edited = String::from_utf8(editor.finish()).expect("text");
        let wanted = text.replace("/*!50003 DROP PROCEDURE IF EXISTS `p` */;", "").replacen("\nCREATE", "\nCREATE OR REPLACE", 1);
        assert_eq!(edited, wanted.replace("/*!50003 CREATE*/", "/*!50003 CREATE OR REPLACE*/"));
    }

    #[test]
    fn indexes_are_made_behind_the_rows() {
        let text = "CREATE TABLE `a` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `x` varchar(9) DEFAULT 'KEY (',\n  PRIMARY KEY (`id`),\n  \
            UNIQUE KEY `u` (`x`),\n  KEY `k,` (`x`(3),`id`) COMMENT ', KEY',\n  KEY `l` (`x`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n\
            LOCK TABLES `a` WRITE;\n/*!40000 ALTER TABLE `a` DISABLE KEYS */;\nINSERT INTO `a` VALUES\n(1,'a');\n\
            /*!40000 ALTER TABLE `a` ENABLE KEYS */;\nUNLOCK TABLES;\n";
        let edited = edit(text, 11).expect("a text");
        assert_eq!(
            edited,
            text.replace(",\n  KEY `k,` (`x`(3),`id`) COMMENT ', KEY',\n  KEY `l` (`x`)", "").replace(
                "UNLOCK TABLES;",
                "UNLOCK TABLES;\nALTER TABLE `a` ADD KEY `k,` (`x`(3),`id`) COMMENT ', KEY', ADD KEY `l` (`x`);\n"
            ),
            "{edited}"
        );
        // Where nothing is locked too: before the dump gives the settings back under which its foreign keys are trusted.
        let unlocked =
            text.replace("LOCK TABLES `a` WRITE;\n", "").replace("UNLOCK TABLES", "SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS");
        let edited = edit(&unlocked, 11).expect("a text");
        let (before, _) = edited.split_once("SET FOREIGN").expect("the setting");
        assert!(before.contains("ENABLE KEYS */;\nALTER TABLE `a` ADD KEY"), "{edited}");
        // At the latest at the end.
        let without_rows = &text[..text.find("LOCK").expect("rows")];
        assert!(edit(without_rows, 11).expect("a text").ends_with("ADD KEY `l` (`x`);\n"));
    }

    #[test]
    fn a_sequence_that_gives_values_is_the_one_beside_its_table() {
        let table = |sequence: &str| {
            format!(
                "CREATE TABLE `t` (\n  `id` bigint(20) NOT NULL DEFAULT nextval({sequence}),\n  `t` text DEFAULT 'nextval(`a b`.`s`)'\n);\n"
            )
        };
        let header = "-- MariaDB dump 10.19\n--\n-- Host: localhost    Database: a b\n";
        let dump = |sequence: &str| format!("{header}{}", table(sequence));
        assert_eq!(edit(&dump("`a b`.`s`"), 7).expect("a text"), dump("`s`"));
        for elsewhere in ["`other`.`s`", "`s`"] {
            assert_eq!(edit(&dump(elsewhere), 7).expect("a text"), dump(elsewhere));
        }
        assert_eq!(edit(&table("`a b`.`s`"), 7).expect("a text"), table("`a b`.`s`"), "no dump says whose it is");
    }
}
