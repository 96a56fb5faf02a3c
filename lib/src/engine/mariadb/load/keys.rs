//! Which indexes and foreign keys can be made when the rows are there: sorted and at once, which takes a fraction of the time that row
//! by row does.

use std::collections::BTreeSet;

use crate::engine::mariadb::sql;
use crate::engine::mariadb::text::tokens::{List, Token, Tokens, list};

/// What tells that a table is not one for this: it is stored otherwise, or the server has its own rules for changing it.
const SPECIAL: [&str; 5] = ["PARTITION", "VERSIONING", "GENERATED", "AS", "DIRECTORY"];

/// The indexes and foreign keys of a table that are still to be made.
pub(super) struct Later {
    table: String,
    keys: Vec<Vec<u8>>,
    foreign: Vec<Vec<u8>>,
}

impl Later {
    /// The statement that makes them, in their order. The dump has told the server to trust its foreign keys.
    pub(super) fn statement(&self) -> Vec<u8> {
        let mut out = format!("ALTER TABLE {}", sql::ident(&self.table)).into_bytes();
        for (at, key) in self.keys.iter().chain(&self.foreign).enumerate() {
            out.extend_from_slice(if at == 0 { b" ADD " } else { b", ADD " });
            out.extend_from_slice(key);
        }
        out
    }
}

/// Sees every table that a dump makes.
#[derive(Default)]
pub(super) struct Watch {
    /// Tables that an earlier one refers to, and which need whatever index that leans on.
    referenced: BTreeSet<String>,
}

impl Watch {
    /// The statement without the indexes that can wait, and these with the foreign keys that lean on them. None where none can: only
    /// plain ones can, of tables of InnoDB that have no other kind, and to which no table before them and not they themselves lead.
    pub(super) fn put_off(&mut self, text: &[u8], table: &str, escapes: bool) -> Option<(Vec<u8>, Later)> {
        let list = list(text, escapes)?;
        self.note_references(&list, escapes);
        let is_referenced = self.referenced.contains(&table.to_lowercase());
        // In a versioned comment a statement is none for every server.
        if !text.starts_with(b"CREATE TABLE ") || is_referenced || !is_plain(list.behind, escapes) {
            return None;
        }
        let (mut first, mut keys, mut foreign) = (Vec::new(), Vec::new(), Vec::new());
        let (mut counter, mut primary) = (None, None);
        for part in &list.parts {
            let mut tokens = Tokens::new(part, escapes);
            match tokens.next()? {
                Token::Word(word) if word.eq_ignore_ascii_case(b"KEY") => {
                    keys.push(part.to_vec());
                    continue;
                }
                Token::Word(word) if word.eq_ignore_ascii_case(b"PRIMARY") => primary = first_column(part, escapes),
                Token::Word(word) if word.eq_ignore_ascii_case(b"UNIQUE") => {}
                Token::Quoted(b'`', name) => {
                    if !is_plain_column(part, escapes) {
                        return None;
                    }
                    if tokens.any(|token| token.is_word("AUTO_INCREMENT")) {
                        counter = Some(name);
                    }
                }
                // They stand behind all indexes, foreign keys first, then what a row must fulfil.
                Token::Word(word) if word.eq_ignore_ascii_case(b"CONSTRAINT") => {
                    tokens.next()?;
                    match tokens.next()? {
                        Token::Word(word) if word.eq_ignore_ascii_case(b"FOREIGN") => foreign.push(part.to_vec()),
                        Token::Word(word) if word.eq_ignore_ascii_case(b"CHECK") => first.push(*part),
                        _ => return None,
                    }
                    continue;
                }
                _ => return None,
            }
            // Unique ones come before plain ones, and stay in their order so.
            if !keys.is_empty() {
                return None;
            }
            first.push(*part);
        }
        // A counting column must be the first of some index at all times.
        if keys.is_empty() || primary.is_none() || (counter.is_some() && counter != primary) {
            return None;
        }
        let mut out = list.before.to_vec();
        out.extend_from_slice(b"(\n  ");
        out.extend_from_slice(&first.join(&b",\n  "[..]));
        out.extend_from_slice(b"\n)");
        out.extend_from_slice(list.behind);
        Some((out, Later { table: table.to_owned(), keys, foreign }))
    }

    fn note_references(&mut self, list: &List<'_>, escapes: bool) {
        for part in &list.parts {
            let mut tokens = Tokens::new(part, escapes);
            while let Some(token) = tokens.next() {
                if token.is_word("REFERENCES")
                    && let Some((_, name)) = tokens.qualified()
                {
                    self.referenced.insert(name.to_lowercase());
                }
            }
        }
    }
}

/// Whether the options behind a table's list are those of a plain table of InnoDB.
fn is_plain(behind: &[u8], escapes: bool) -> bool {
    let mut tokens = Tokens::new(behind, escapes);
    let mut is_innodb = false;
    while let Some(token) = tokens.next() {
        if token.is_word("ENGINE") && tokens.take_symbol(b'=') {
            is_innodb = tokens.next().is_some_and(|token| token.is_word("InnoDB"));
        } else if SPECIAL.iter().any(|word| token.is_word(word)) {
            return false;
        }
    }
    is_innodb
}

fn is_plain_column(part: &[u8], escapes: bool) -> bool {
    !Tokens::new(part, escapes).any(|token| SPECIAL.iter().any(|word| token.is_word(word)))
}

fn first_column(part: &[u8], escapes: bool) -> Option<Vec<u8>> {
    match Tokens::new(list(part, escapes)?.parts.first()?, escapes).next()? {
        Token::Quoted(b'`', name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nothing_needs_meanwhile_waits() {
        let waits = |text: &str| Watch::default().put_off(text.as_bytes(), "t", true).map(|(_, later)| later.keys.len()).unwrap_or(0);
        let table = |parts: &str, behind: &str| format!("CREATE TABLE `t` (\n  `a` int,\n  `b` int AUTO_INCREMENT,\n  {parts}\n) {behind}");
        let innodb = "ENGINE=InnoDB AUTO_INCREMENT=5 COMMENT='PARTITION'";
        assert_eq!(waits(&table("PRIMARY KEY (`b`,`a`),\n  KEY `x` (`a`),\n  KEY `y` (`b`)", innodb)), 2);
        for (parts, behind) in [
            ("PRIMARY KEY (`b`)", innodb),
            ("PRIMARY KEY (`a`),\n  KEY `x` (`b`)", innodb),
            ("KEY `x` (`b`)", innodb),
            ("PRIMARY KEY (`b`),\n  KEY `x` (`a`),\n  FULLTEXT KEY `f` (`a`)", innodb),
            ("PRIMARY KEY (`b`),\n  KEY `x` (`a`),\n  CONSTRAINT `c` FOREIGN KEY (`a`) REFERENCES `T` (`b`)", innodb),
            ("PRIMARY KEY (`b`),\n  KEY `x` (`a`),\n  CONSTRAINT `c` UNIQUE (`a`)", innodb),
            ("PRIMARY KEY (`b`),\n  KEY `x` (`a`)", "ENGINE=MyISAM"),
            ("PRIMARY KEY (`b`),\n  KEY `x` (`a`)", "ENGINE=InnoDB WITH SYSTEM VERSIONING"),
            ("PRIMARY KEY (`b`),\n  KEY `x` (`a`)", "ENGINE=InnoDB\n PARTITION BY HASH (`b`)"),
            ("`g` int GENERATED ALWAYS AS (`a`) VIRTUAL,\n  PRIMARY KEY (`b`),\n  KEY `x` (`g`)", innodb),
        ] {
            assert_eq!(waits(&table(parts, behind)), 0, "{parts} {behind}");
        }
    }

    #[test]
    fn foreign_keys_wait_with_their_indexes_and_checks_do_not() {
        let parts = [
            "`a` int",
            "PRIMARY KEY (`a`)",
            "KEY `x` (`a`)",
            "CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `p` (`id`) ON DELETE CASCADE",
            "CONSTRAINT `c` CHECK (`a` > 0)",
        ];
        let text = format!("CREATE TABLE `t` (\n  {}\n) ENGINE=InnoDB", parts.join(",\n  "));
        let (first, later) = Watch::default().put_off(text.as_bytes(), "t", true).expect("a key that can wait");
        assert_eq!(
            String::from_utf8_lossy(&first),
            format!("CREATE TABLE `t` (\n  {}\n) ENGINE=InnoDB", [parts[0], parts[1], parts[4]].join(",\n  "))
        );
        assert_eq!(String::from_utf8_lossy(&later.statement()), format!("ALTER TABLE `t` ADD {}, ADD {}", parts[2], parts[3]));
    }

    #[test]
    fn a_table_that_an_earlier_one_refers_to_keeps_its_indexes() {
        let mut watch = Watch::default();
        let child = "CREATE TABLE `c` (\n  `x` int,\n  CONSTRAINT `f` FOREIGN KEY (`x`) REFERENCES `T` (`a`)\n) ENGINE=InnoDB";
        assert!(watch.put_off(child.as_bytes(), "c", true).is_none());
        let parent = "CREATE TABLE `t` (\n  `a` int,\n  PRIMARY KEY (`a`),\n  KEY `k` (`a`)\n) ENGINE=InnoDB";
        assert!(watch.put_off(parent.as_bytes(), "t", true).is_none());
        assert!(Watch::default().put_off(parent.as_bytes(), "t", true).is_some());
    }
}
