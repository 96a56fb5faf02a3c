//! What the server does for a run's command, told by the name under which its sessions make themselves known.
//!
//! Whoever kills a client does not end what the server does for it: a statement goes on to its end, one that waits for a lock
//! goes on waiting, and both take effect when nobody expects it any more.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::exchange::CLEANING_WAIT;
use super::session::Session;
use super::sql;
use super::waiting::{Backend, backend};
use crate::engine::Work;
use crate::error::{Error, Result};

/// How the name of a run's sessions begins.
const PREFIX: &str = "holdfast-run-";
/// The pause between two looks at sessions that were told to end.
const PAUSE: Duration = Duration::from_millis(20);

/// The name for every program on libpq, and for those that heed its variables; one that the user has chosen stays.
pub(super) fn variables(run: &str, inherited: &str) -> BTreeMap<String, String> {
    if inherited.is_empty() { BTreeMap::from([("PGAPPNAME".to_owned(), format!("{PREFIX}{run}"))]) } else { BTreeMap::new() }
}

/// One sentence for each of its sessions that does something. One that is idle goes by itself when its client is gone.
pub(super) fn at_work(session: &mut Session, run: &str) -> Result<Vec<Work>> {
    #[derive(Deserialize)]
    struct Row {
        session: Backend,
    }
    let rows: Vec<Row> = session.rows(&format!(
        "SELECT {} AS session FROM pg_stat_activity a WHERE {} AND a.state IS DISTINCT FROM 'idle' ORDER BY a.backend_start",
        backend("a.pid", "a"),
        is_of(run)
    ))?;
    Ok(rows.iter().map(|row| Work { session: row.session.pid.unsigned_abs().into(), what: row.session.sentence() }).collect())
}

/// Ends all of its sessions, and waits until they have gone.
pub(super) fn end(session: &mut Session, run: &str) -> Result<()> {
    let condition = is_of(run);
    if let Err(objection) = session.ask(&format!("SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE {condition}"))? {
        let role = session.text("SELECT current_user")?;
        return Err(objection
            .into_error()
            .within("what the server still does for the command cannot be ended")
            .hint(format!("as a superuser: GRANT pg_signal_backend TO {}", sql::ident(&role))));
    }
    let start = Instant::now();
    while session.text(&format!("SELECT count(*) FROM pg_stat_activity a WHERE {condition}"))? != "0" {
        if start.elapsed() > CLEANING_WAIT {
            return Err(Error::failed("what the server still does for the command does not end"));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn is_of(run: &str) -> String {
    format!("a.application_name = {}", sql::literal(&format!("{PREFIX}{run}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_user_has_chosen_stays() {
        assert_eq!(variables("0a1b", "").get("PGAPPNAME").map(String::as_str), Some("holdfast-run-0a1b"));
        assert!(variables("0a1b", "deploy").is_empty());
    }
}
