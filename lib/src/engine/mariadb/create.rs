//! Making an empty database for a dump to be loaded into, and the accounts that work in it.

use super::session::Session;
use super::sql::{ident, literal};
use super::text::statement::Account;
use crate::error::Result;
use crate::manifest::Database;

/// What a server says of a character set or a collation that it does not have.
const UNKNOWN: [u32; 2] = [1115, 1273];

/// Creates it with the origin's character set and collation, where the server has these; whether it had.
pub(super) fn create(open: &mut dyn FnMut() -> Result<Session>, name: &str, origin: Option<&Database>) -> Result<bool> {
    let property = |key: &str| origin?.properties.get(key)?.as_str().filter(|word| is_word(word));
    let charset = property("charset").map(|charset| format!(" CHARACTER SET {charset}")).unwrap_or_default();
    let collation = property("collation").map(|collation| format!(" COLLATE {collation}")).unwrap_or_default();
    let statement = format!("CREATE DATABASE {}", ident(name));
    match open()?.ask(&format!("{statement}{charset}{collation}"))? {
        Ok(_) => Ok(true),
        Err(objection) if UNKNOWN.contains(&objection.number) => open()?.run(&statement).map(|()| false),
        Err(objection) => Err(objection.into_error()),
    }
}

/// A name of a character set or a collation. Nothing else comes out of a manifest into a statement.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Creates the accounts that are not there, with every right: a view whose definer is missing cannot even be described. Only
/// for a private server, on which nobody can connect but who made it.
pub(super) fn create_definers(session: &mut Session, accounts: &[&Account]) -> Result<()> {
    for account in accounts {
        let (kind, name) = match account.host.as_str() {
            "" => ("ROLE", ident(&account.user)),
            host => ("USER", format!("{}@{}", literal(&account.user), literal(host))),
        };
        session.run(&format!("CREATE {kind} IF NOT EXISTS {name}"))?;
        session.run(&format!("GRANT ALL PRIVILEGES ON *.* TO {name}"))?;
    }
    Ok(())
}
