//! What the account may do in a database, as `SHOW GRANTS` says it. The server hides what an account may not see, so that a
//! dump by one that lacks a right ends well and holds less.

use std::collections::BTreeSet;

use super::catalog::Server;
use super::programs::{Flavour, VersionNum};
use super::questions::Questions;
use super::sql;
use crate::error::Result;

/// The first MySQL that has roles.
const MYSQL_WITH_ROLES: VersionNum = 80_000;

/// The rights on one database.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    here: BTreeSet<String>,
    everywhere: BTreeSet<String>,
}

impl Rights {
    /// The rights of the session's account, and of the roles that it has taken, on a database; none where the server does not say.
    pub(super) fn of(questions: &mut Questions<'_>, server: &Server, database: &str) -> Result<Option<Self>> {
        let whose = roles(questions, server)?;
        Ok(match questions.ask(&format!("SHOW GRANTS{whose}"))? {
            Ok(grants) => Some(Self::read(&String::from_utf8_lossy(&grants), database)),
            // A server that heeds no grants (--skip-grant-tables).
            Err(_) => None,
        })
    }

    fn read(grants: &str, database: &str) -> Self {
        let mut rights = Rights::default();
        for line in grants.lines() {
            let Some((names, rest)) = line.strip_prefix("GRANT ").and_then(|rest| rest.split_once(" ON ")) else { continue };
            let Some((scope, _)) = rest.rsplit_once(" TO ") else { continue };
            let into = match scope {
                "*.*" => &mut rights.everywhere,
                scope => match scope.strip_suffix(".*").and_then(unquoted) {
                    Some(pattern) if is_like(database, &pattern) => &mut rights.here,
                    _ => continue,
                },
            };
            into.extend(names.split(", ").map(|name| name.trim().to_ascii_uppercase()));
        }
        rights
    }

    /// Whether it may do this in the whole database.
    pub(super) fn has(&self, right: &str) -> bool {
        self.has_everywhere(right) || has(&self.here, right)
    }

    /// Whether it may do this on the whole server.
    pub(super) fn has_everywhere(&self, right: &str) -> bool {
        has(&self.everywhere, right)
    }
}

/// MySQL shows what roles bring only where they are named; MariaDB only where nobody is.
fn roles(questions: &mut Questions<'_>, server: &Server) -> Result<String> {
    if server.flavour() == Flavour::Mariadb || server.version_num() < MYSQL_WITH_ROLES {
        return Ok(String::new());
    }
    let role = questions.session()?.text("SELECT CURRENT_ROLE()")?;
    Ok(if role.contains('`') { format!(" FOR CURRENT_USER() USING {role}") } else { String::new() })
}

fn has(rights: &BTreeSet<String>, right: &str) -> bool {
    rights.contains(right) || rights.contains("ALL PRIVILEGES") || rights.contains("ALL")
}

/// `` `name` `` without its quotes.
fn unquoted(name: &str) -> Option<String> {
    name.strip_prefix('`')?.strip_suffix('`').map(|name| name.replace("``", "`"))
}

/// Whether a name is meant by a grant's pattern: `%`, `_`, and `\` before what means itself.
fn is_like(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.chars();
    match parts.next() {
        None => name.is_empty(),
        Some('%') => (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| is_like(&name[at..], parts.as_str())),
        Some('_') => name.chars().next().is_some_and(|first| is_like(&name[first.len_utf8()..], parts.as_str())),
        Some(c) => {
            let c = if c == '\\' { parts.next().unwrap_or(c) } else { c };
            name.strip_prefix(c).is_some_and(|rest| is_like(rest, parts.as_str()))
        }
    }
}

/// The account as a GRANT names it.
pub(super) fn grantee(account: &str) -> String {
    let (user, host) = account.rsplit_once('@').unwrap_or((account, "%"));
    format!("{}@{}", sql::literal(user), sql::literal(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_read_off_grants_of_the_database_and_of_the_server() {
        let grants = "GRANT `keeper` TO `bob`@`localhost`\nGRANT USAGE ON *.* TO `bob`@`localhost`\nGRANT EVENT ON *.* TO `keeper`\n\
            GRANT SELECT, SHOW VIEW ON `led\\_ger%`.* TO `keeper` WITH GRANT OPTION\nGRANT TRIGGER ON `other`.* TO PUBLIC\n\
            GRANT INSERT ON `led_ger1`.`t` TO `bob`@`localhost`\nSET DEFAULT ROLE `keeper` FOR `bob`@`localhost`\n";
        let rights = Rights::read(grants, "led_ger1");
        assert!(["SELECT", "SHOW VIEW", "EVENT"].iter().all(|right| rights.has(right)), "{rights:?}");
        assert!(!["TRIGGER", "INSERT"].iter().any(|right| rights.has(right)), "{rights:?}");
        assert!(rights.has_everywhere("EVENT") && !rights.has_everywhere("SELECT"));
        let all = Rights::read("GRANT ALL PRIVILEGES ON `a.b``c`.* TO `x`@`%`", "a.b`c");
        assert!(all.has("TRIGGER") && !all.has_everywhere("TRIGGER"));
        assert!(!Rights::read("GRANT ALL PRIVILEGES ON `led\\_ger`.* TO `x`@`%`", "ledXger").has("SELECT"));
    }

    #[test]
    fn an_account_is_named_as_grants_name_it() {
        assert_eq!(grantee("an'n@b@10.0.%"), "'an''n@b'@'10.0.%'");
    }
}
