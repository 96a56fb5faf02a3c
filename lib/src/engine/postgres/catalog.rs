//! What the server's catalogue says of a database.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::session::Session;
use super::{sql, text};
use crate::error::Result;

/// Schemas that belong to the server itself.
const NOT_OURS: &str = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// The server and the session.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Server {
    pub(super) version_num: u32,
    pub(super) version: String,
    pub(super) database: String,
    pub(super) database_oid: u32,
    pub(super) encoding: String,
    pub(super) role: String,
    pub(super) is_standby: bool,
}

pub(super) fn server(session: &mut Session) -> Result<Server> {
    let mut server: Server = session.row(
        "SELECT current_setting('server_version_num')::int AS version_num, current_setting('server_version') AS version, \
         d.datname AS database, d.oid::bigint AS database_oid, pg_encoding_to_char(d.encoding) AS encoding, current_user AS role, \
         pg_is_in_recovery() AS is_standby FROM pg_database d WHERE d.datname = current_database()",
    )?;
    // `15.18 (Debian 15.18-0+deb12u1)`
    server.version = server.version.split_whitespace().next().unwrap_or_default().to_owned();
    Ok(server)
}

/// The cluster's own number and the database's: what tells one `ledger` from another. None where it may not be read.
pub(super) fn identity(session: &mut Session, server: &Server) -> Result<Option<String>> {
    let answer = session.ask("SELECT system_identifier FROM pg_control_system()")?;
    Ok(answer.ok().map(|system| format!("{}/{}", String::from_utf8_lossy(&system).trim(), server.database_oid)))
}

/// A table, sequence, foreign table or materialized view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Relation {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
    /// Schema and name as a dump writes them, in the database's encoding, as hex.
    schema_bytes: String,
    name_bytes: String,
    pub(super) kind: char,
    persistence: char,
    is_readable: Option<bool>,
    hides_rows: Option<bool>,
    /// Whether it inherits columns (a partition does not: it has its own).
    inherits: bool,
    /// The rows of an extension's own table that belong to the user; empty for all.
    condition: Option<String>,
}

impl Relation {
    /// As fingerprints name it.
    pub(super) fn full_name(&self) -> String {
        sql::table_name(&from_hex(&self.schema_bytes), &from_hex(&self.name_bytes))
    }

    /// As SQL names it.
    pub(super) fn quoted(&self) -> String {
        format!("{}.{}", sql::ident(&self.schema), sql::ident(&self.name))
    }

    /// Whether a dump holds its rows.
    pub(super) fn has_rows_in_dump(&self, server: &Server) -> bool {
        self.kind == 'r' && !(server.is_standby && self.persistence == 'u')
    }

    /// Whether `pg_dump` will lock it.
    pub(super) fn is_locked_by_dump(&self) -> bool {
        matches!(self.kind, 'r' | 'p')
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.kind, 'r' | 'p' | 'f')
    }

    /// What `pg_dump` must read and may not.
    pub(super) fn is_forbidden(&self) -> bool {
        matches!(self.kind, 'r' | 'p' | 'S') && self.is_readable == Some(false)
    }

    pub(super) fn hides_rows(&self) -> bool {
        self.hides_rows == Some(true)
    }

    /// Whether a restored copy may have its columns in another order: a column that was added to a parent after its child
    /// was made comes last in the child, and first in a child that is made anew. Its content hash would differ for nothing.
    pub(super) fn may_change_column_order(&self) -> bool {
        self.inherits
    }

    /// Why a dump leaves its rows out, where it does.
    pub(super) fn left_out(&self, server: &Server) -> Option<String> {
        match (self.kind, self.persistence) {
            ('f', _) => Some(format!("rows of the foreign table {} (they are on another server)", self.full_name())),
            ('r', 'u') if server.is_standby => Some(format!("rows of the unlogged table {} (a standby has none)", self.full_name())),
            _ => None,
        }
    }
}

pub(super) fn relations(session: &mut Session) -> Result<Vec<Relation>> {
    session.rows(&format!(
        "SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name, \
         encode(convert_to(n.nspname::text, getdatabaseencoding()), 'hex') AS schema_bytes, \
         encode(convert_to(c.relname::text, getdatabaseencoding()), 'hex') AS name_bytes, c.relkind AS kind, c.relpersistence AS persistence, \
         has_schema_privilege(n.oid, 'USAGE') AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT') \
           ELSE has_table_privilege(c.oid, 'SELECT') END AS is_readable, \
         c.relrowsecurity AND row_security_active(c.oid) AS hides_rows, \
         NOT c.relispartition AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid) AS inherits, x.condition \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN (SELECT unnest(extconfig) AS relid, unnest(extcondition) AS condition FROM pg_extension) x ON x.relid = c.oid \
         WHERE c.relkind IN ('r', 'p', 'S', 'f', 'm') AND c.relpersistence <> 't' AND {NOT_OURS} \
         AND (x.relid IS NOT NULL OR NOT EXISTS ({})) ORDER BY n.nspname, c.relname",
        of_extension("pg_class", "c.oid")
    ))
}

fn from_hex(text: &str) -> String {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    sql::decode(text.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |byte, half| byte << 4 | digit(*half))).collect())
}

fn of_extension(catalogue: &str, oid: &str) -> String {
    format!("SELECT FROM pg_depend e WHERE e.classid = '{catalogue}'::regclass AND e.objid = {oid} AND e.deptype = 'e'")
}

/// Indexes that pg_dump passes over: a `CREATE INDEX CONCURRENTLY` that failed leaves one, and so does one that is under way.
const IN_NO_DUMP: &str = "SELECT FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid \
     WHERE NOT ((x.indisvalid OR t.relkind = 'p') AND x.indisready)";

/// The names of [`IN_NO_DUMP`].
pub(super) fn invalid_indexes(session: &mut Session) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Row {
        schema: String,
        name: String,
    }
    let rows: Vec<Row> = session.rows(&format!(
        "SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'i' AND c.relpersistence <> 't' AND {NOT_OURS} AND EXISTS ({IN_NO_DUMP} AND x.indexrelid = c.oid) ORDER BY 1, 2"
    ))?;
    Ok(rows.iter().map(|row| sql::table_name(&row.schema, &row.name)).collect())
}

/// How many objects of each kind there are beside tables, without those that an extension brings.
pub(super) fn objects(session: &mut Session) -> Result<BTreeMap<String, u64>> {
    #[derive(Deserialize)]
    struct Count {
        kind: String,
        count: u64,
    }
    let relations = format!(
        "SELECT CASE c.relkind WHEN 'v' THEN 'views' WHEN 'm' THEN 'materialized views' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'foreign tables' \
         WHEN 'p' THEN 'partitioned tables' WHEN 'c' THEN 'composite types' ELSE 'indexes' END AS kind FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('v', 'm', 'S', 'f', 'p', 'c', 'i', 'I') AND c.relpersistence <> 't' AND {NOT_OURS} AND NOT EXISTS ({}) \
         AND NOT EXISTS ({IN_NO_DUMP} AND x.indexrelid = c.oid)",
        of_extension("pg_class", "c.oid")
    );
    // What, its catalogue with the alias o, how it is joined to its schema, and which of it counts.
    let others = [
        ("functions", "pg_proc", "o.pronamespace", "true"),
        ("enums and domains", "pg_type", "o.typnamespace", "o.typtype IN ('e', 'd', 'r')"),
        ("operators", "pg_operator", "o.oprnamespace", "true"),
        ("collations", "pg_collation", "o.collnamespace", "true"),
        ("text search configurations", "pg_ts_config", "o.cfgnamespace", "true"),
        ("constraints", "pg_constraint", "o.connamespace", "o.contype <> 'n'"),
        ("triggers", "pg_trigger", "(SELECT relnamespace FROM pg_class WHERE oid = o.tgrelid)", "NOT o.tgisinternal"),
        ("rules", "pg_rewrite", "(SELECT relnamespace FROM pg_class WHERE oid = o.ev_class)", "o.rulename <> '_RETURN'"),
        ("policies", "pg_policy", "(SELECT relnamespace FROM pg_class WHERE oid = o.polrelid)", "true"),
    ];
    let mut parts = vec![relations];
    parts.extend(others.iter().map(|(kind, catalogue, namespace, which)| {
        format!(
            "SELECT '{kind}' FROM {catalogue} o JOIN pg_namespace n ON n.oid = {namespace} WHERE {which} AND {NOT_OURS} AND NOT EXISTS ({})",
            of_extension(catalogue, "o.oid")
        )
    }));
    parts.push(format!("SELECT 'schemas' FROM pg_namespace n WHERE {NOT_OURS} AND NOT EXISTS ({})", of_extension("pg_namespace", "n.oid")));
    parts.push("SELECT 'extensions' FROM pg_extension".to_owned());
    parts.push("SELECT 'event triggers' FROM pg_event_trigger".to_owned());
    parts.push("SELECT 'publications' FROM pg_publication".to_owned());
    let counts: Vec<Count> =
        session.rows(&format!("SELECT kind, count(*) AS count FROM ({}) k GROUP BY kind", parts.join(" UNION ALL ")))?;
    Ok(counts.into_iter().map(|row| (row.kind, row.count)).collect())
}

/// The rows of every table, in the session's present snapshot.
pub(super) fn count_rows(session: &mut Session, server: &Server, relations: &[Relation]) -> Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    for relation in relations.iter().filter(|relation| relation.has_rows_in_dump(server)) {
        let condition = relation.condition.as_deref().unwrap_or_default();
        let count = session.text(&format!("SELECT count(*) FROM ONLY {} {condition}", relation.quoted()))?;
        counts.insert(relation.full_name(), count.parse().unwrap_or(0));
    }
    let large_objects = session.text("SELECT count(*) FROM pg_largeobject_metadata")?.parse().unwrap_or(0);
    if large_objects > 0 {
        counts.insert(text::LARGE_OBJECTS.to_owned(), large_objects);
    }
    Ok(counts)
}

/// About how many bytes a dump will have: what the rows take, indexes left out.
pub(super) fn estimated_bytes(session: &mut Session) -> Result<u64> {
    let text = session.text(
        "SELECT coalesce(sum(pg_table_size(c.oid)), 0) + pg_total_relation_size('pg_largeobject') FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'",
    )?;
    Ok(text.parse().unwrap_or(0))
}

/// Among a backup's properties, what [`invalid_indexes`] gave.
pub(super) const INVALID_INDEXES: &str = "invalid_indexes";

/// What stands around a database and is in no dump of it: owner, encoding, locale, grants, settings, comment; and what it
/// needs: extensions and roles.
pub(super) fn properties(session: &mut Session, database: &str) -> Result<BTreeMap<String, Value>> {
    let name = sql::literal(database);
    let row: Value = session.row(&format!("SELECT to_jsonb(d) || '{{}}'::jsonb AS d FROM pg_database d WHERE d.datname = {name}"))?;
    let stored = &row["d"];
    let around: BTreeMap<String, Value> = session.row(&format!(
        "SELECT pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collate, d.datctype AS ctype, \
         d.datconnlimit AS connection_limit, shobj_description(d.oid, 'pg_database') AS comment, \
         CASE WHEN d.datacl IS NOT NULL THEN (SELECT coalesce(json_agg(json_build_object('grantee', CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, \
            'privilege', a.privilege_type, 'grantable', a.is_grantable)), '[]') FROM aclexplode(d.datacl) a) END AS grants, \
         (SELECT coalesce(json_agg(json_build_object('role', CASE s.setrole WHEN 0 THEN '' ELSE pg_get_userbyid(s.setrole) END, 'setting', v)), '[]') \
            FROM pg_db_role_setting s, unnest(s.setconfig) v WHERE s.setdatabase = d.oid) AS settings \
         FROM pg_database d WHERE d.datname = {name}"
    ))?;
    let mut out = around;
    let provider = match stored["datlocprovider"].as_str() {
        Some("i") => "icu",
        Some("b") => "builtin",
        _ => "libc",
    };
    out.insert("locale_provider".into(), provider.into());
    for key in ["datlocale", "daticulocale"] {
        if let Some(locale) = stored[key].as_str() {
            out.insert("locale".into(), locale.into());
        }
    }
    out.retain(|_, value| !value.is_null());
    Ok(out)
}

/// What of a database a dump does not show and a migration may change; null where there is none of it.
pub(super) fn around(session: &mut Session, database: &str) -> Result<BTreeMap<String, Value>> {
    let mut found = properties(session, database)?;
    found.insert(INVALID_INDEXES.to_owned(), invalid_indexes(session)?.into());
    let keys = ["owner", "connection_limit", "comment", "grants", "settings", INVALID_INDEXES];
    Ok(keys.into_iter().map(|key| (key.to_owned(), found.remove(key).unwrap_or(Value::Null))).collect())
}

/// The extensions of the connected database, and the roles that own or may do something in it.
pub(super) fn needs(session: &mut Session) -> Result<BTreeMap<String, Value>> {
    session.row(
        "SELECT (SELECT coalesce(json_agg(json_build_object('name', e.extname, 'version', e.extversion) ORDER BY e.extname), '[]') \
            FROM pg_extension e WHERE e.extname <> 'plpgsql') AS extensions, \
         (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM (SELECT r.rolname AS name FROM pg_roles r, pg_database d \
            WHERE d.datname = current_database() AND r.rolname !~ '^pg_' AND (r.oid IN (10, d.datdba) OR EXISTS (SELECT FROM pg_shdepend s \
              WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND s.dbid = d.oid))) q) AS roles",
    )
}
