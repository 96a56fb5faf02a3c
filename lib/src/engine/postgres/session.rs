//! One long-lived `psql` that is asked questions: the same authentication, TLS, services and password files as `pg_dump`.

use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::address::Address;
use crate::error::{Error, Result};
use crate::exec::Conversation;
use crate::fsx;

/// The longest one answer may take. Counting the rows of a large table takes minutes, hours would be a hang.
const ANSWER_WAIT: Duration = Duration::from_secs(4 * 3600);

/// Turns off whatever could end a session that waits, for its `pg_dump` or as a lock's holder, and makes answers independent
/// of the role's settings.
const SETTINGS: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET client_encoding = 'UTF8'; \
    SET search_path = pg_catalog; SET client_min_messages = error; SET DateStyle = ISO; SET standard_conforming_strings = on; \
    SET tcp_keepalives_idle = 60";

/// Two more of the first kind, which older servers do not know.
const NEWER_SETTINGS: &str =
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('transaction_timeout', 'idle_session_timeout')";

/// What a server says against a statement.
#[derive(Debug)]
pub(super) struct Objection {
    /// Its SQLSTATE, which no language changes.
    pub(super) state: String,
    message: String,
}

impl Objection {
    pub(super) fn into_error(self) -> Error {
        Error::failed(format!("PostgreSQL says: {}", self.message))
    }
}

/// A session; its connection ends with the value, and its transaction with it.
pub(super) struct Session {
    psql: Conversation,
    sentinel: String,
}

impl Session {
    /// Connects. Each wait for a lock inside the database ends after `lock_wait`.
    pub(super) fn open(psql: &Path, address: &Address, lock_wait: Duration) -> Result<Self> {
        let call = address.call(psql).args(["-X", "-A", "-t", "-q", "-w"]).args(address.database_arg());
        let mut session = Session { psql: call.talk()?, sentinel: format!("holdfast-{}", fsx::random_hex(12)?) };
        session.run(&format!("{SETTINGS}; SET lock_timeout = {}", lock_wait.as_millis())).map_err(connection_error)?;
        session.require_one_backend()?;
        session.run(NEWER_SETTINGS)?;
        Ok(session)
    }

    /// A pooler that hands each transaction to another backend loses the session's settings and its snapshot.
    fn require_one_backend(&mut self) -> Result<()> {
        let mut pid = None;
        for _ in 0..3 {
            let now = self.text("SELECT pg_backend_pid()")?;
            if pid.as_ref().is_some_and(|before| *before != now) {
                return Err(Error::failed("the connection goes through a pooler that changes servers between statements")
                    .hint("connect to PostgreSQL itself, or to a pool in session mode"));
            }
            pid = Some(now);
        }
        Ok(())
    }

    /// Says one statement, or several without results; what the server answers, or what it objects.
    pub(super) fn ask(&mut self, statement: &str) -> Result<Result<Vec<u8>, Objection>> {
        self.psql.say(&format!("{statement}\n;\n\\echo {} :SQLSTATE\n", self.sentinel))?;
        let (answer, state) = self.hear()?;
        if state == "00000" {
            return Ok(Ok(answer));
        }
        self.psql.say(&format!("\\echo :LAST_ERROR_MESSAGE\n\\echo {} -\n", self.sentinel))?;
        let (message, _) = self.hear()?;
        let message = crate::secret::redact(&String::from_utf8_lossy(&message).replace('\n', " "));
        Ok(Err(Objection { state, message: message.trim().to_owned() }))
    }

    /// Everything up to the sentinel, and the word behind it.
    fn hear(&mut self) -> Result<(Vec<u8>, String)> {
        let mut answer = Vec::new();
        loop {
            let line = self.psql.hear(ANSWER_WAIT)?;
            if let Some(state) = line.strip_prefix(self.sentinel.as_bytes()) {
                return Ok((answer, String::from_utf8_lossy(state).trim().to_owned()));
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

    /// The rows of a query, each by way of JSON, so that no character of a name can be taken for a border.
    pub(super) fn rows<T: DeserializeOwned>(&mut self, query: &str) -> Result<Vec<T>> {
        let answer = self.ask(&format!("SELECT row_to_json(q) FROM ({query}) q"))?.map_err(Objection::into_error)?;
        String::from_utf8_lossy(&answer)
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_str(line).map_err(|error| Error::failed("psql gave an answer that cannot be read").because(error)))
            .collect()
    }

    /// The only row of a query.
    pub(super) fn row<T: DeserializeOwned>(&mut self, query: &str) -> Result<T> {
        self.rows(query)?.into_iter().next().ok_or_else(|| Error::failed("PostgreSQL gave no row where there must be one"))
    }
}

/// Says what to do where no connection is had.
pub(super) fn connection_error(error: Error) -> Error {
    if error.next_step().is_some() || matches!(error.kind(), crate::error::Kind::Signal(_)) {
        return error;
    }
    let text = error.to_string();
    let hint = if text.contains("no password supplied") || text.contains("password authentication failed") {
        "give the password by password_file, PGPASSWORD or ~/.pgpass"
    } else if text.contains("does not exist") {
        "look at the name: psql -l lists the databases, and \\du the roles"
    } else {
        "does `psql` connect with the same URL?"
    };
    error.hint(hint)
}
