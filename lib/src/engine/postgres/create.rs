//! New databases: with the encoding and locale of their origin, and a comment that marks them as ours.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::programs;
use super::session::{Objection, Session};
use super::sql;
use crate::error::{Error, Result};
use crate::manifest::Database;

/// How a label's comment begins.
const MARK: &str = "holdfast:";

/// The connection limit that a database is created with: it marks it as ours in the one instant between its creation and
/// its comment, which no transaction can join. The real limit is put on with the comment, or in the swap.
pub(super) const UNMARKED_LIMIT: u32 = 1_932_026_112;

/// What a database of ours is for; kept as the comment on it, so that no other is ever dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Label {
    pub(super) role: Role,
    /// The database it belongs to.
    pub(super) target: String,
    /// The comment that stood there before, to be put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    /// Being loaded, to be swapped in.
    Restore,
    /// The real database, while a swap holds its connections off.
    Swapping,
    /// What a swap kept aside.
    Aside,
    /// A scratch database on a server of the user's.
    Scratch,
    /// One that was left behind on purpose; whoever asked for it drops it.
    Kept,
}

impl Label {
    pub(super) fn to_comment(&self) -> String {
        format!("{MARK}{}", serde_json::to_string(self).unwrap_or_default())
    }

    pub(super) fn of(comment: Option<&str>) -> Option<Self> {
        serde_json::from_str(comment?.strip_prefix(MARK)?).ok()
    }
}

/// Sets or removes the comment on a database.
pub(super) fn comment_statement(database: &str, comment: Option<&str>) -> String {
    format!("COMMENT ON DATABASE {} IS {}", sql::ident(database), comment.map_or("NULL".to_owned(), sql::literal))
}

/// Whether a database exists; its comment.
pub(super) fn look_at(session: &mut Session, database: &str) -> Result<Option<Option<String>>> {
    #[derive(Deserialize)]
    struct Row {
        comment: Option<String>,
    }
    let query =
        format!("SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = {}", sql::literal(database));
    Ok(session.rows::<Row>(&query)?.into_iter().next().map(|row| row.comment))
}

/// Creates an empty database, as its origin was where that is known.
pub(super) fn create(session: &mut Session, name: &str, origin: Option<&Database>) -> Result<Result<(), Objection>> {
    let clauses = origin.map(|origin| locale_clauses(origin, server_major(session).unwrap_or(0))).unwrap_or_default();
    let statement = format!("CREATE DATABASE {} TEMPLATE template0 CONNECTION LIMIT {UNMARKED_LIMIT} {clauses}", sql::ident(name));
    Ok(session.ask(&statement)?.map(|_| ()))
}

/// Creates one where the origin's locale is not to be had: the order of texts differs, the rows are the same.
pub(super) fn create_without_locale(session: &mut Session, name: &str, origin: Option<&Database>) -> Result<()> {
    let encoding = origin.and_then(|origin| text(origin, "encoding")).unwrap_or("UTF8");
    session.run(&format!(
        "CREATE DATABASE {} TEMPLATE template0 CONNECTION LIMIT {UNMARKED_LIMIT} ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'",
        sql::ident(name),
        sql::literal(encoding)
    ))
}

pub(super) fn server_major(session: &mut Session) -> Result<u32> {
    Ok(session.text("SHOW server_version_num")?.parse().map(programs::major).unwrap_or(0))
}

fn text<'a>(origin: &'a Database, key: &str) -> Option<&'a str> {
    origin.properties.get(key).and_then(Value::as_str)
}

fn locale_clauses(origin: &Database, server_major: u32) -> String {
    let mut out = String::new();
    for (key, clause) in [("encoding", "ENCODING"), ("collate", "LC_COLLATE"), ("ctype", "LC_CTYPE")] {
        if let Some(value) = text(origin, key) {
            out.push_str(&format!(" {clause} {}", sql::literal(value)));
        }
    }
    match (text(origin, "locale_provider"), text(origin, "locale")) {
        (Some("icu"), Some(locale)) if server_major >= 15 => {
            out.push_str(&format!(" LOCALE_PROVIDER icu ICU_LOCALE {}", sql::literal(locale)))
        }
        (Some("builtin"), Some(locale)) if server_major >= 17 => {
            out.push_str(&format!(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}", sql::literal(locale)))
        }
        (Some("libc"), _) if server_major >= 15 => out.push_str(" LOCALE_PROVIDER libc"),
        _ => {}
    }
    out
}

/// Drops a database, provided its comment still marks it as ours in this role. Whether it was there.
pub(super) fn drop_ours(session: &mut Session, name: &str, role: Role) -> Result<bool> {
    let Some(comment) = look_at(session, name)? else { return Ok(false) };
    if Label::of(comment.as_deref()).is_none_or(|label| label.role != role) {
        return Err(Error::refused(format!("database {name} does not bear the comment that marks it as Holdfast's; it was not dropped"))
            .hint(format!("look at it, and drop it by hand: DROP DATABASE {}", sql::ident(name))));
    }
    if server_major(session)? >= 13 {
        session.run(&format!("DROP DATABASE {} WITH (FORCE)", sql::ident(name)))?;
    } else {
        session.run(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}", sql::literal(name)))?;
        session.run(&format!("DROP DATABASE {}", sql::ident(name)))?;
    }
    Ok(true)
}

/// Every role that a dump of `origin` may name.
pub(super) fn roles_of(origin: &Database) -> BTreeSet<String> {
    let mut roles: BTreeSet<String> = origin
        .properties
        .get("roles")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    roles.extend(text(origin, "owner").map(str::to_owned));
    for (list, key) in [("grants", "grantee"), ("settings", "role")] {
        let entries = origin.properties.get(list).and_then(Value::as_array).into_iter().flatten();
        roles.extend(entries.filter_map(|entry| entry[key].as_str()).filter(|role| !role.is_empty()).map(str::to_owned));
    }
    roles.retain(|role| !role.starts_with("pg_"));
    roles
}

/// The roles of `origin` that the server lacks.
pub(super) fn missing_roles(session: &mut Session, origin: &Database) -> Result<Vec<String>> {
    let there: BTreeSet<String> = session.text("SELECT rolname FROM pg_roles")?.lines().map(str::to_owned).collect();
    Ok(roles_of(origin).into_iter().filter(|role| !there.contains(role)).collect())
}

/// Our role, and those of `roles` that it is no member of, so that it can give nothing into their hands.
pub(super) fn roles_to_join(session: &mut Session, roles: &BTreeSet<String>) -> Result<(String, Vec<String>)> {
    let role = session.text("SELECT current_user")?;
    let others = session.text("SELECT rolname FROM pg_roles WHERE NOT pg_has_role(oid, 'MEMBER')")?;
    Ok((role, others.lines().filter(|other| roles.contains(*other)).map(str::to_owned).collect()))
}

/// The extensions of `origin` that are not installed on the server's machine.
pub(super) fn missing_extensions(session: &mut Session, origin: &Database) -> Result<Vec<String>> {
    let there: BTreeSet<String> = session.text("SELECT name FROM pg_available_extensions")?.lines().map(str::to_owned).collect();
    let wanted = origin.properties.get("extensions").and_then(Value::as_array).into_iter().flatten();
    Ok(wanted.filter_map(|extension| extension["name"].as_str()).filter(|name| !there.contains(*name)).map(str::to_owned).collect())
}

/// Refuses, before anything is loaded, what the load would fail at: all of it in one message.
pub(super) fn require_needs(session: &mut Session, origin: &Database, roles_too: bool) -> Result<()> {
    let ours = server_major(session)?;
    if let Some((version, text)) = programs::read_version(&origin.server_version)
        && programs::major(version) > ours
    {
        return Err(Error::refused(format!("a backup of PostgreSQL {text} is not restored into the older version {ours}"))
            .hint(format!("restore it into PostgreSQL {} or newer", programs::major(version))));
    }
    let extensions = missing_extensions(session, origin)?;
    if !extensions.is_empty() {
        return Err(Error::failed(format!("the server lacks extensions that the backup needs: {}", extensions.join(", ")))
            .hint("install their packages on the server's machine"));
    }
    let roles = if roles_too { missing_roles(session, origin)? } else { Vec::new() };
    if !roles.is_empty() {
        let create: Vec<String> = roles.iter().map(|role| format!("CREATE ROLE {};", sql::ident(role))).collect();
        return Err(Error::failed(format!("the server lacks roles that the backup names: {}", roles.join(", ")))
            .hint(format!("take them from the backup's globals, or: {}", create.join(" "))));
    }
    Ok(())
}
