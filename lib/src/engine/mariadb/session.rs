//! One long-lived `mariadb` that is asked questions: the same authentication, TLS and sockets as `mariadb-dump`.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::address::Address;
use super::programs::Program;
use super::sql;
use crate::error::{Error, Kind, Result};
use crate::exec::Conversation;
use crate::{fsx, secret};

/// The longest one answer may take. Counting the rows of a large table takes minutes, hours would be a hang.
const ANSWER_WAIT: Duration = Duration::from_secs(4 * 3600);
/// The longest a session that was idle may take to show that it is still there.
const SIGN_OF_LIFE_WAIT: Duration = Duration::from_secs(3);

/// How a client is started whose answers are read by a program. `--binary-mode` takes every command of the client's own away.
pub(super) const FOR_PROGRAMS: [&str; 6] =
    ["--batch", "--raw", "--skip-column-names", "--binary-mode", "--skip-reconnect", "--default-character-set=utf8mb4"];

/// Makes what is said mean the same on every server, and keeps a session that waits, or counts for long, from being ended.
/// What stands in a comment only the family of that version reads.
const SETTINGS: &str = "SET SESSION sql_mode = '', SESSION time_zone = '+00:00', SESSION autocommit = 1, SESSION wait_timeout = 31536000, \
    SESSION net_read_timeout = 3600, SESSION net_write_timeout = 3600 /*!100100 , SESSION max_statement_time = 0 */ \
    /*!50708 , SESSION max_execution_time = 0 */";
/// Not as a variable, whose name has changed.
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";

/// What a server says against a statement.
#[derive(Debug)]
pub(super) struct Objection {
    /// Its number, which no language changes.
    pub(super) number: u32,
    message: String,
}

impl Objection {
    pub(super) fn into_error(self) -> Error {
        Error::failed(format!("the server says: {}", self.message))
    }

    /// What the client has written before it ended: `ERROR 1146 (42S02) at line 3: …`, behind the statement.
    fn read(stderr: &str) -> Option<Self> {
        let at = stderr.rfind("\nERROR ").map(|at| at + 1).or_else(|| stderr.starts_with("ERROR ").then_some(0))?;
        let rest = stderr[at..].strip_prefix("ERROR ")?;
        let (number, rest) = rest.split_once(' ')?;
        let message = rest.split_once(": ").map_or(rest, |(_, message)| message);
        Some(Objection { number: number.parse().ok()?, message: secret::redact(&message.replace('\n', " ")).trim().to_owned() })
    }

    /// Whether the account lacks a right: for a database, a command on a table or a column, any, a routine.
    pub(super) fn is_lack_of_right(&self) -> bool {
        matches!(self.number, 1044 | 1142 | 1143 | 1227 | 1370 | 1410)
    }
}

/// A session; its connection ends with the value, and its transaction with it. It also ends with the first statement that
/// the server objects to: whoever goes on after that opens another.
pub(super) struct Session {
    client: Conversation,
    sentinel: String,
    database: Option<String>,
}

impl Session {
    /// Connects. Each wait for a lock inside the database ends after `lock_wait`.
    pub(super) fn open(program: &Program, address: &Address, lock_wait: Duration) -> Result<Self> {
        let call =
            address.call(program)?.args(FOR_PROGRAMS).arg("--unbuffered").args(address.database().map(|name| format!("--database={name}")));
        let seconds = lock_wait.as_secs().max(1);
        let waits = format!("SESSION lock_wait_timeout = {seconds}, SESSION innodb_lock_wait_timeout = {seconds}");
        let database = address.database().map(str::to_owned);
        let mut session = Session { client: call.talk()?, sentinel: format!("holdfast-{}", fsx::random_hex(12)?), database };
        session.run(&format!("{SETTINGS}, {waits}; {ISOLATION}"))?;
        Ok(session)
    }

    /// After a while in which nobody asked: leaves the database and enters it again, since a session knows its character set and what the
    /// account may do in it from when it came. An error where the connection is lost.
    pub(super) fn begin_anew(&mut self) -> Result<()> {
        let enter = self.database.as_ref().map(|database| format!("; USE {}", sql::ident(database))).unwrap_or_default();
        self.ask_within(&format!("USE information_schema{enter}"), SIGN_OF_LIFE_WAIT)?.map(|_| ()).map_err(Objection::into_error)
    }

    /// Says one statement; what the server answers, or what it objects.
    pub(super) fn ask(&mut self, statement: &str) -> Result<Result<Vec<u8>, Objection>> {
        self.ask_within(statement, ANSWER_WAIT)
    }

    fn ask_within(&mut self, statement: &str, limit: Duration) -> Result<Result<Vec<u8>, Objection>> {
        let said = self.client.say(&format!("{statement}\n;\nSELECT '{}';\n", self.sentinel));
        match said.and_then(|()| self.hear(limit)) {
            Ok(answer) => Ok(Ok(answer)),
            Err(error) if matches!(error.kind(), Kind::Signal(_)) => Err(error),
            Err(error) => match Objection::read(&self.client.child().stderr_tail()) {
                Some(objection) => Ok(Err(objection)),
                None => Err(error),
            },
        }
    }

    /// Everything up to the sentinel.
    fn hear(&mut self, limit: Duration) -> Result<Vec<u8>> {
        let mut answer = Vec::new();
        loop {
            let line = self.client.hear(limit)?;
            if line == self.sentinel.as_bytes() {
                return Ok(answer);
            }
            answer.extend_from_slice(&line);
            answer.push(b'\n');
        }
    }

    /// Says a statement; an objection is an error.
    pub(super) fn run(&mut self, statement: &str) -> Result<()> {
        self.ask(statement)?.map(|_| ()).map_err(Objection::into_error)
    }

    /// The one text that a query gives.
    pub(super) fn text(&mut self, query: &str) -> Result<String> {
        let answer = self.ask(query)?.map_err(Objection::into_error)?;
        Ok(String::from_utf8_lossy(&answer).trim_end_matches('\n').to_owned())
    }

    /// The rows of a query whose only column is a JSON object (see [`super::sql::json`]), so that no character of a name can
    /// be taken for a border.
    pub(super) fn rows<T: DeserializeOwned>(&mut self, query: &str) -> Result<Vec<T>> {
        let answer = self.ask(query)?.map_err(Objection::into_error)?;
        read_rows(&answer)
    }

    /// The only row of such a query.
    pub(super) fn row<T: DeserializeOwned>(&mut self, query: &str) -> Result<T> {
        self.rows(query)?.into_iter().next().ok_or_else(|| Error::failed("the server gave no row where there must be one"))
    }
}

/// The rows of such an answer.
pub(super) fn read_rows<T: DeserializeOwned>(answer: &[u8]) -> Result<Vec<T>> {
    String::from_utf8_lossy(answer)
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            serde_json::from_str(line).map_err(|error| Error::failed("the client gave an answer that cannot be read").because(error))
        })
        .collect()
}

/// Says what to do where no connection is had.
pub(super) fn connection_error(error: Error) -> Error {
    if error.next_step().is_some() || matches!(error.kind(), Kind::Signal(_)) {
        return error;
    }
    let text = error.to_string();
    let hint = if text.contains("Access denied for user") && text.contains("to database") {
        "is it the right database? an administrator can GRANT the account rights on it"
    } else if text.contains("Access denied") {
        "give the password by password_file, MYSQL_PWD or ~/.my.cnf"
    } else if text.contains("Unknown database") {
        "look at the name: SHOW DATABASES lists those that the account may see"
    } else {
        "does `mariadb` connect with the same host, port or socket?"
    };
    error.hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objection_is_found_behind_the_statement() {
        let said = "--------------\nSELECT 'ERROR 1 (x) at line 1: no'\n--------------\n\nERROR 1146 (42S02) at line 3: Table 'a.b\nc' doesn't exist\n";
        let objection = Objection::read(said).expect("an objection");
        assert_eq!((objection.number, objection.message.as_str()), (1146, "Table 'a.b c' doesn't exist"));
        let at_once = Objection::read("ERROR 1045 (28000): Access denied for user 'x'@'localhost'\n").expect("an objection");
        assert_eq!((at_once.number, at_once.message.as_str()), (1045, "Access denied for user 'x'@'localhost'"));
        assert!(Objection::read("Warning: nothing\n").is_none());
    }
}
