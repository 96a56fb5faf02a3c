//! Who waits for whom, for the message of a run that hangs.

use serde::Deserialize;

use super::catalog;
use super::place::Place;
use super::programs::Flavour;
use super::questions::Questions;
use super::session;
use super::sql::{self, json};
use crate::engine::shown;
use crate::error::Result;

/// How many waiting sessions are named; a storm of them says no more than its first.
const WAITING_MAX: usize = 20;
/// How many open transactions are named beside them.
const OPEN_MAX: usize = 5;

/// One session, as the server lists it; others' it may hide.
#[derive(Deserialize)]
pub(super) struct Row {
    pub(super) id: u64,
    user: Option<String>,
    seconds: Option<i64>,
    state: Option<String>,
    query: Option<String>,
}

/// A [`Row`] as JSON, of the list of sessions.
pub(super) fn columns() -> String {
    json(&[("id", "ID"), ("user", "USER"), ("seconds", "TIME"), ("state", "STATE"), ("query", "LEFT(INFO, 320)")])
}

/// One sentence for each session of this database that waits for a lock, and for the transactions that may hold it.
pub(super) fn sentences(place: &Place) -> Result<Vec<String>> {
    let mut questions = Questions::new(place);
    let server = catalog::server(questions.session()?)?;
    let columns = columns();
    let waiting: Vec<Row> = questions.session()?.rows(&format!(
        "SELECT {columns} FROM information_schema.PROCESSLIST WHERE DB = {} AND ID <> CONNECTION_ID() AND \
         (STATE LIKE 'Waiting for %lock%' OR STATE LIKE 'User lock%') ORDER BY TIME DESC, ID LIMIT {WAITING_MAX}",
        sql::literal(&server.database)
    ))?;
    let mut out: Vec<String> = waiting.iter().map(Row::waits).collect();
    // A wait for a row has no state of its own; only who may see the server's transactions (PROCESS) sees it.
    out.extend(waits_for_rows(&mut questions, server.flavour())?);
    if out.is_empty() {
        return Ok(out);
    }
    let columns = json(&[
        ("id", "p.ID"),
        ("user", "p.USER"),
        ("seconds", "TIMESTAMPDIFF(SECOND, t.trx_started, NOW())"),
        ("state", "p.COMMAND"),
        ("query", "LEFT(p.INFO, 320)"),
    ]);
    let open: Vec<Row> = unless_hidden(
        &mut questions,
        &format!(
            "SELECT {columns} FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id \
             WHERE p.ID <> CONNECTION_ID() AND t.trx_state <> 'LOCK WAIT' ORDER BY IFNULL(p.DB = {}, 0) DESC, t.trx_started, p.ID LIMIT {OPEN_MAX}",
            sql::literal(&server.database)
        ),
    )?;
    out.extend(open.iter().map(Row::is_open));
    Ok(out)
}

fn waits_for_rows(questions: &mut Questions<'_>, flavour: Flavour) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Pair {
        id: u64,
        user: Option<String>,
        seconds: Option<i64>,
        query: Option<String>,
        blocking: u64,
    }
    let columns = json(&[
        ("id", "w.trx_mysql_thread_id"),
        ("user", "(SELECT p.USER FROM information_schema.PROCESSLIST p WHERE p.ID = w.trx_mysql_thread_id)"),
        ("seconds", "TIMESTAMPDIFF(SECOND, w.trx_wait_started, NOW())"),
        ("query", "LEFT(w.trx_query, 320)"),
        ("blocking", "b.trx_mysql_thread_id"),
    ]);
    let (table, waiting, blocking) = match flavour {
        Flavour::Mariadb => ("information_schema.INNODB_LOCK_WAITS", "requesting_trx_id", "blocking_trx_id"),
        Flavour::Mysql => ("performance_schema.data_lock_waits", "REQUESTING_ENGINE_TRANSACTION_ID", "BLOCKING_ENGINE_TRANSACTION_ID"),
    };
    let pairs: Vec<Pair> = unless_hidden(
        questions,
        &format!(
            "SELECT {columns} FROM {table} l JOIN information_schema.INNODB_TRX w ON w.trx_id = l.{waiting} \
             JOIN information_schema.INNODB_TRX b ON b.trx_id = l.{blocking} ORDER BY w.trx_wait_started LIMIT {WAITING_MAX}"
        ),
    )?;
    let sentence = |pair: Pair| {
        let row = Row { id: pair.id, user: pair.user, seconds: pair.seconds, state: None, query: pair.query };
        format!("{}; it waits for connection {}", row.waits(), pair.blocking)
    };
    Ok(pairs.into_iter().map(sentence).collect())
}

/// The rows of a query to which a server may object for want of a right.
fn unless_hidden<T: serde::de::DeserializeOwned>(questions: &mut Questions<'_>, query: &str) -> Result<Vec<T>> {
    questions.ask(query)?.map_or_else(|_| Ok(Vec::new()), |answer| session::read_rows(&answer))
}

impl Row {
    /// `connection 41 (ann)`
    fn whose(&self) -> String {
        match self.user.as_deref().filter(|user| !user.is_empty()) {
            Some(user) => format!("connection {} ({})", self.id, shown::plain(user)),
            None => format!("connection {}", self.id),
        }
    }

    fn query(&self) -> String {
        shown::query(self.query.as_deref().unwrap_or_default())
    }

    fn seconds(&self) -> String {
        self.seconds.map(|seconds| format!(" since {seconds} s")).unwrap_or_default()
    }

    fn waits(&self) -> String {
        let what = self.state.as_deref().and_then(|state| state.strip_prefix("Waiting for ")).unwrap_or("a row's lock");
        format!("{} waits for {}{}{}", self.whose(), shown::plain(what), self.seconds(), self.query())
    }

    pub(super) fn is_at_work(&self) -> String {
        format!("{} is at work{}{}", self.whose(), self.seconds(), self.query())
    }

    fn is_open(&self) -> String {
        let asleep = if self.state.as_deref() == Some("Sleep") { ", and says nothing" } else { "" };
        format!("{} has a transaction open{}{asleep}{}", self.whose(), self.seconds(), self.query())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_one_short_line_without_secrets() {
        let row = Row {
            id: 7,
            user: Some("ann".into()),
            seconds: Some(12),
            state: Some("Waiting for table metadata lock".into()),
            query: Some("ALTER TABLE t\n\tADD x int".into()),
        };
        assert_eq!(row.waits(), "connection 7 (ann) waits for table metadata lock since 12 s: ALTER TABLE t ADD x int");
        let row = Row { state: Some("Sleep".into()), query: Some("CREATE USER a IDENTIFIED BY 'canary'".into()), ..row };
        assert_eq!(row.is_open(), "connection 7 (ann) has a transaction open since 12 s, and says nothing: CREATE USER a IDENTIFIED BY …");
    }
}
