//! What the server's catalogue says of a database.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::label;
use super::programs::{self, Flavour, Program, VersionNum};
use super::session::Session;
use super::sql::{self, json};
use super::text;
use crate::error::{Error, Result};

/// Below these a server lacks what is asked of its catalogue (`JSON_OBJECT`).
const MARIADB_MIN: VersionNum = 100_203;
const MYSQL_MIN: VersionNum = 50_708;
/// From here on a MariaDB server and its programs can move the history of a system-versioned table.
const HISTORY_MIN: VersionNum = 101_100;
/// Engines whose rows are elsewhere; the dump programs leave them out.
const ELSEWHERE: [&str; 7] = ["MRG_MYISAM", "MRG_ISAM", "FEDERATED", "CONNECT", "OQGRAPH", "SPIDER", "VP"];

/// The server and the session.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Server {
    version: String,
    pub(super) database: String,
    /// The account by which the server knows us, `USER@HOST`.
    pub(super) account: String,
    datadir: String,
    pub(super) charset: String,
    pub(super) collation: String,
    pub(super) lower_case_table_names: u32,
    /// Whether there is a bound on how many sessions the account may have at once.
    #[serde(deserialize_with = "flag")]
    pub(super) limits_connections: bool,
    /// The server's own number, where it has one.
    #[serde(skip)]
    uid: Option<String>,
}

impl Server {
    pub(super) fn flavour(&self) -> Flavour {
        if self.version.contains("MariaDB") { Flavour::Mariadb } else { Flavour::Mysql }
    }

    pub(super) fn version_num(&self) -> VersionNum {
        programs::read_number(&self.version).map_or(0, |(number, _)| number)
    }

    /// `MariaDB 10.11.19`
    pub(super) fn shown_version(&self) -> String {
        let digits = programs::read_number(&self.version).map_or_else(|| self.version.clone(), |(_, text)| text);
        format!("{} {digits}", self.flavour().name())
    }

    /// What tells this database from every other of its name. Two servers of one machine may have the same number.
    pub(super) fn identity(&self) -> Option<String> {
        let datadir = self.datadir.trim_end_matches('/');
        self.uid.as_ref().map(|uid| format!("{uid} {datadir} {}", self.database))
    }

    /// Whether a dump by this program holds the history of system-versioned tables.
    pub(super) fn moves_history(&self, program: &Program) -> bool {
        let is_new = |flavour: Flavour, version: VersionNum| flavour == Flavour::Mariadb && version >= HISTORY_MIN;
        is_new(self.flavour(), self.version_num()) && is_new(program.flavour, program.version)
    }
}

/// The server, by a session that has a database.
pub(super) fn server(session: &mut Session) -> Result<Server> {
    let mut server: Server = session
        .row(&format!(
            "SELECT {}",
            json(&[
                ("version", "VERSION()"),
                ("database", "DATABASE()"),
                ("account", "CURRENT_USER()"),
                ("datadir", "@@datadir"),
                ("charset", "@@character_set_database"),
                ("collation", "@@collation_database"),
                ("lower_case_table_names", "@@lower_case_table_names"),
                ("limits_connections", "@@max_user_connections <> 0"),
            ])
        ))
        .map_err(|error| {
            if error.next_step().is_some() {
                return error;
            }
            error.hint("Holdfast works with MariaDB 10.2.3 and newer, and with MySQL 5.7.8 and newer: is the server one of these?")
        })?;
    let least = if server.flavour() == Flavour::Mariadb { MARIADB_MIN } else { MYSQL_MIN };
    if server.version_num() < least {
        return Err(Error::failed(format!("the server is {}, which is too old", server.shown_version()))
            .hint("Holdfast works with MariaDB 10.2.3 and newer, and with MySQL 5.7.8 and newer"));
    }
    let numbers = session.text("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uid', 'server_uuid')")?;
    server.uid = numbers.lines().filter_map(|line| line.split_once('\t')).map(|(_, number)| number.to_owned()).find(|uid| !uid.is_empty());
    Ok(server)
}

/// A condition that a column of `information_schema` names the session's own database: the server compares these names
/// without regard to case, also where they differ by it.
pub(super) fn in_this(server: &Server, column: &str) -> String {
    let name = sql::literal(&server.database);
    // Where case tells no two names apart, the session may have another than the catalogue.
    let exactly = if server.lower_case_table_names == 0 { format!(" AND BINARY {column} = BINARY {name}") } else { String::new() };
    format!("{column} = {name}{exactly}")
}

/// A table, a sequence or a view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Relation {
    pub(super) name: String,
    kind: String,
    engine: Option<String>,
    #[serde(deserialize_with = "flag")]
    is_transactional: bool,
    bytes: Option<u64>,
    comment: Option<String>,
}

impl Relation {
    /// As fingerprints name it.
    pub(super) fn full_name(&self) -> String {
        text::name(&self.name)
    }

    /// Whether it holds rows.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.kind.as_str(), "BASE TABLE" | "SYSTEM VERSIONED")
    }

    pub(super) fn is_versioned(&self) -> bool {
        self.kind == "SYSTEM VERSIONED"
    }

    fn is_elsewhere(&self) -> bool {
        self.engine.as_deref().is_some_and(|engine| ELSEWHERE.iter().any(|name| engine.eq_ignore_ascii_case(name)))
    }

    /// Whether a dump has its rows.
    pub(super) fn has_rows_in_dump(&self) -> bool {
        self.is_table() && !self.is_elsewhere()
    }

    /// Whether a snapshot does not hold for it: somebody may write it while it is dumped.
    pub(super) fn is_outside_of_snapshot(&self) -> bool {
        self.has_rows_in_dump() && !self.is_transactional
    }

    /// What the server says where it cannot open it.
    pub(super) fn trouble(&self) -> Option<&str> {
        (self.is_table() && self.engine.is_none()).then(|| self.comment.as_deref().unwrap_or("it cannot be opened"))
    }

    /// Whether it is a view of something that is not there, or that we may not see: the dump programs stop at one.
    pub(super) fn is_broken_view(&self) -> bool {
        self.kind == "VIEW" && self.comment.as_deref().is_some_and(|comment| comment.contains("references invalid"))
    }

    /// `log (MyISAM)`
    pub(super) fn with_engine(&self) -> String {
        format!("{} ({})", self.full_name(), self.engine.as_deref().unwrap_or("no engine"))
    }

    /// Why a dump leaves something of it out, where it does.
    pub(super) fn left_out(&self, moves_history: bool) -> Option<String> {
        if self.is_table() && self.is_elsewhere() {
            return Some(format!("rows of table {} (they are elsewhere)", self.with_engine()));
        }
        if self.is_broken_view() {
            return Some(format!("view {} (what it refers to is not there: CREATE OR REPLACE VIEW, or DROP VIEW)", self.full_name()));
        }
        (self.is_versioned() && !moves_history)
            .then(|| format!("history of the system-versioned table {} (mariadb-dump dumps it from 10.11 on)", self.full_name()))
    }
}

pub(super) fn relations(session: &mut Session, server: &Server) -> Result<Vec<Relation>> {
    let columns = json(&[
        ("name", "t.TABLE_NAME"),
        ("kind", "t.TABLE_TYPE"),
        ("engine", "t.ENGINE"),
        ("is_transactional", "IFNULL(e.TRANSACTIONS, 'NO') = 'YES'"),
        ("bytes", "t.DATA_LENGTH"),
        ("comment", "t.TABLE_COMMENT"),
    ]);
    session.rows(&format!(
        "SELECT {columns} FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE \
         WHERE {} AND t.TABLE_NAME <> {} ORDER BY BINARY t.TABLE_NAME",
        in_this(server, "t.TABLE_SCHEMA"),
        sql::literal(label::TABLE)
    ))
}

/// About how many bytes a dump will have: what the rows take, indexes left out.
pub(super) fn estimated_bytes(relations: &[Relation]) -> u64 {
    relations.iter().filter(|relation| relation.has_rows_in_dump()).filter_map(|relation| relation.bytes).sum()
}

/// Whether a dump may ask for every table's rows in the order of its primary key, which is the same in every copy, without
/// the server having to sort them. In its own order it may prefer any index that holds all columns.
pub(super) fn is_ordered_by_key(session: &mut Session, server: &Server, relations: &[Relation]) -> Result<bool> {
    let is_clustered = |relation: &Relation| relation.engine.as_deref() == Some("InnoDB");
    if relations.iter().any(|relation| relation.has_rows_in_dump() && !is_clustered(relation)) {
        return Ok(false);
    }
    // The program takes the first unique index; only where that is the one by which rows are stored nothing is sorted.
    let unfit = format!(
        "SELECT COUNT(*) FROM (SELECT TABLE_NAME FROM (SELECT TABLE_NAME, INDEX_NAME, \
           MAX(IFNULL(NULLABLE, '') = 'YES' OR SUB_PART IS NOT NULL OR INDEX_TYPE <> 'BTREE') AS is_unfit \
           FROM information_schema.STATISTICS WHERE {} AND NON_UNIQUE = 0 GROUP BY TABLE_NAME, INDEX_NAME) i \
         GROUP BY TABLE_NAME HAVING MIN(is_unfit) = 1) t",
        in_this(server, "TABLE_SCHEMA")
    );
    Ok(session.text(&unfit)? == "0")
}

/// Everything that is the schema, as the catalogue has it: if it is the same before and after a dump, nothing has changed the
/// schema meanwhile, and no table was emptied or built anew.
pub(super) fn state(session: &mut Session, server: &Server) -> Result<Vec<u8>> {
    let concat = |columns: &[&str]| columns.iter().map(|column| format!("IFNULL(HEX({column}), '-')")).collect::<Vec<_>>().join(", ");
    let parts: [(&str, &str, &[&str]); 6] = [
        ("TABLES", "TABLE_SCHEMA", &["TABLE_NAME", "TABLE_TYPE", "ENGINE", "CREATE_TIME", "CREATE_OPTIONS", "TABLE_COLLATION"]),
        (
            "COLUMNS",
            "TABLE_SCHEMA",
            &["TABLE_NAME", "ORDINAL_POSITION", "COLUMN_NAME", "COLUMN_TYPE", "COLUMN_DEFAULT", "IS_NULLABLE", "EXTRA"],
        ),
        ("VIEWS", "TABLE_SCHEMA", &["TABLE_NAME", "VIEW_DEFINITION", "DEFINER"]),
        ("ROUTINES", "ROUTINE_SCHEMA", &["ROUTINE_NAME", "ROUTINE_TYPE", "LAST_ALTERED"]),
        ("TRIGGERS", "TRIGGER_SCHEMA", &["TRIGGER_NAME", "CREATED", "ACTION_STATEMENT"]),
        ("EVENTS", "EVENT_SCHEMA", &["EVENT_NAME", "LAST_ALTERED", "STATUS"]),
    ];
    let mut out = Vec::new();
    for (catalogue, schema, columns) in parts {
        let columns = concat(columns);
        let query = format!("SELECT {columns} FROM information_schema.{catalogue} WHERE {} ORDER BY {columns}", in_this(server, schema));
        out.extend(session.ask(&query)?.map_err(super::session::Objection::into_error)?);
        out.push(b'\n');
    }
    Ok(out)
}

/// The rows of every table, in the session's present snapshot.
pub(super) fn count_rows(session: &mut Session, relations: &[Relation], moves_history: bool) -> Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    for relation in relations.iter().filter(|relation| relation.is_table()) {
        let count = if relation.has_rows_in_dump() {
            let history = if relation.is_versioned() && moves_history { " FOR SYSTEM_TIME ALL" } else { "" };
            session.text(&format!("SELECT COUNT(*) FROM {}{history}", sql::ident(&relation.name)))?.parse().unwrap_or(0)
        } else {
            0
        };
        counts.insert(relation.full_name(), count);
    }
    Ok(counts)
}

/// What stands around a database and is in no dump of it.
pub(super) fn properties(session: &mut Session, server: &Server) -> Result<BTreeMap<String, Value>> {
    let mut out = BTreeMap::from([
        ("charset".to_owned(), Value::from(server.charset.clone())),
        ("collation".to_owned(), Value::from(server.collation.clone())),
        ("lower_case_table_names".to_owned(), Value::from(server.lower_case_table_names)),
    ]);
    if let Some(comment) = comment(session, server)? {
        out.insert("comment".to_owned(), comment.into());
    }
    Ok(out)
}

/// Whether databases of this server can have a comment.
pub(super) fn has_comments(session: &mut Session) -> Result<bool> {
    let column = "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'information_schema' \
         AND TABLE_NAME = 'SCHEMATA' AND COLUMN_NAME = 'SCHEMA_COMMENT'";
    Ok(session.text(column)? != "0")
}

fn comment(session: &mut Session, server: &Server) -> Result<Option<String>> {
    if !has_comments(session)? {
        return Ok(None);
    }
    let query = format!("SELECT SCHEMA_COMMENT FROM information_schema.SCHEMATA WHERE {}", in_this(server, "SCHEMA_NAME"));
    Ok(Some(session.text(&query)?).filter(|comment| !comment.is_empty()))
}

/// What of a database a dump does not show and a migration may change; null where there is none of it.
pub(super) fn around(session: &mut Session) -> Result<BTreeMap<String, Value>> {
    let server = server(session)?;
    let mut found = properties(session, &server)?;
    Ok(["charset", "collation", "comment"].into_iter().map(|key| (key.to_owned(), found.remove(key).unwrap_or(Value::Null))).collect())
}

/// Whether a server has a database of this name, asked by a session that may have none.
pub(super) fn is_there(session: &mut Session, database: &str) -> Result<bool> {
    // A server that folds names has only folded ones.
    let name = sql::literal(database);
    let query = format!(
        "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {name} AND \
         (@@lower_case_table_names > 0 OR BINARY SCHEMA_NAME = BINARY {name})"
    );
    Ok(session.text(&query)? != "0")
}

/// A comparison, which one family gives as a number and the other as true and false.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(value) => value,
        Value::Number(number) => number.as_i64() != Some(0),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_by_case_are_two_only_where_the_server_tells_them_apart() {
        let server = |folds: u32| -> Server {
            serde_json::from_value(serde_json::json!({
                "version": "10.11.19-MariaDB", "database": "Led'ger", "account": "x@%", "datadir": "/", "charset": "utf8mb4",
                "collation": "utf8mb4_bin", "lower_case_table_names": folds, "limits_connections": 0
            }))
            .expect("a server")
        };
        assert_eq!(in_this(&server(0), "N"), "N = 'Led''ger' AND BINARY N = BINARY 'Led''ger'");
        assert_eq!(in_this(&server(2), "N"), "N = 'Led''ger'");
    }
}
