//! The session variables that a dump sets, as far as they decide how its text is read and what is made by it.

use std::collections::BTreeMap;

use super::tokens::{Token, Tokens, without_versions};

/// The variables under which views, triggers, routines and events are made, and which stay with them.
const STAY: [&str; 4] = ["character_set_client", "collation_connection", "sql_mode", "time_zone"];

/// What is set at the present place; what is not, is the server's own.
#[derive(Debug, Default)]
pub(in crate::engine::mariadb) struct Variables {
    values: BTreeMap<String, String>,
    /// What is kept in user variables, such as `@OLD_SQL_MODE`.
    kept: BTreeMap<String, Option<String>>,
    lacks_escapes: bool,
}

impl Variables {
    /// Whether a backslash in quotes escapes what follows it.
    pub(in crate::engine::mariadb) fn has_escapes(&self) -> bool {
        !self.lacks_escapes
    }

    /// `SET …;` lines for what is set and stays with an object made here.
    pub(super) fn around(&self) -> String {
        STAY.iter().filter_map(|name| self.values.get(*name).map(|value| format!("SET {name} = {value};\n"))).collect()
    }

    /// Takes a statement, which may be a `SET`.
    pub(super) fn note(&mut self, statement: &[u8]) {
        let start = &statement[..statement.len().min(32)];
        if !start.windows(4).any(|window| window.eq_ignore_ascii_case(b"SET ")) {
            return;
        }
        let plain = without_versions(statement, self.has_escapes());
        let mut tokens = Tokens::new(&plain, self.has_escapes());
        if !tokens.next().is_some_and(|token| token.is_word("SET")) {
            return;
        }
        while let Some(name) = tokens.variable() {
            match tokens.next() {
                Some(Token::Symbol(b'=')) => {}
                Some(Token::Symbol(b':')) => drop(tokens.next()),
                // SET NAMES utf8mb4
                _ => return self.names(&plain),
            }
            let from = tokens.reached();
            let to = loop {
                let before = tokens.reached();
                match tokens.next() {
                    None => break plain.len(),
                    Some(Token::Symbol(b',')) => break before,
                    Some(_) => {}
                }
            };
            self.assign(&name, String::from_utf8_lossy(plain[from..to].trim_ascii()).trim_end_matches(',').trim());
        }
    }

    fn assign(&mut self, name: &str, value: &str) {
        let value = match value.strip_prefix('@') {
            Some(system) if system.starts_with('@') => self.values.get(&system_name(system)).cloned(),
            Some(user) => self.kept.get(&user.to_lowercase()).cloned().flatten(),
            None => Some(value.to_owned()),
        };
        match name.strip_prefix('@') {
            Some(user) if !user.starts_with('@') => drop(self.kept.insert(user.to_lowercase(), value)),
            _ => match value {
                Some(value) => drop(self.values.insert(system_name(name), value)),
                None => drop(self.values.remove(&system_name(name))),
            },
        }
        self.lacks_escapes = self.values.get("sql_mode").is_some_and(|modes| modes.to_uppercase().contains("NO_BACKSLASH_ESCAPES"));
    }

    fn names(&mut self, plain: &[u8]) {
        let mut words = plain.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).skip(1);
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"NAMES"))
            && let Some(charset) = words.next()
        {
            self.values.insert("character_set_client".to_owned(), String::from_utf8_lossy(charset).trim_matches('\'').to_owned());
            self.values.remove("collation_connection");
        }
    }
}

/// `sql_mode` of `@@session.SQL_MODE`.
fn system_name(name: &str) -> String {
    let name = name.trim_start_matches('@').to_lowercase();
    let scope = ["session.", "local.", "global."].iter().find_map(|scope| name.strip_prefix(scope).map(str::to_owned));
    scope.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_set_kept_and_put_back() {
        let mut variables = Variables::default();
        variables.note(b"/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */");
        assert!(variables.has_escapes());
        assert_eq!(variables.around(), "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';\n");
        variables.note(b"/*!50003 SET @saved_sql_mode       = @@sql_mode */ ");
        variables.note(b"/*!50003 SET sql_mode              = 'ANSI,NO_BACKSLASH_ESCAPES' */ ");
        assert!(!variables.has_escapes());
        variables.note(b"/*!50003 SET sql_mode              = @saved_sql_mode */ ");
        assert!(variables.has_escapes());
        variables.note(b"/*!40101 SET SQL_MODE=@OLD_SQL_MODE */");
        assert_eq!(variables.around(), "");
        variables.note(b"set @@session.sql_mode := 'no_backslash_escapes'");
        assert!(!variables.has_escapes());
        variables.note(b"/*!40101 SET NAMES utf8mb4 */");
        assert!(variables.around().starts_with("SET character_set_client = utf8mb4;\n"));
    }
}
