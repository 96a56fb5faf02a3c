//! Who waits for whom, for the message of a run that hangs.

use serde::Deserialize;

use super::session::Session;
use crate::engine::shown::{self, QUERY_MAX_CHARS};
use crate::error::Result;

/// How many waiting sessions are named; a storm of them says no more than its first.
const WAITING_MAX: usize = 20;
/// How many sessions one may be said to wait for.
const BLOCKING_MAX: usize = 5;

#[derive(Deserialize)]
struct Row {
    waiting: Backend,
    blocking: Vec<Backend>,
    blocking_count: usize,
}

/// One session. Of other roles' the server may say no more than its process; a prepared transaction has none.
#[derive(Default, Deserialize)]
pub(super) struct Backend {
    pub(super) pid: i32,
    user: Option<String>,
    application: Option<String>,
    state: Option<String>,
    since: Option<String>,
    query: Option<String>,
}

/// A [`Backend`] as JSON, of a row of `pg_stat_activity`.
pub(super) fn backend(pid: &str, alias: &str) -> String {
    format!(
        "json_build_object('pid', {pid}, 'user', {alias}.usename, 'application', {alias}.application_name, 'state', {alias}.state, \
         'since', to_char(CASE WHEN {alias}.state = 'active' THEN {alias}.query_start ELSE {alias}.state_change END AT TIME ZONE 'UTC', \
         'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'query', left({alias}.query, {}))",
        4 * QUERY_MAX_CHARS
    )
}

/// One sentence for each session of this database that waits for a lock.
pub(super) fn sentences(session: &mut Session) -> Result<Vec<String>> {
    let rows: Vec<Row> = session.rows(&format!(
        "SELECT {} AS waiting, cardinality(w.blockers) AS blocking_count, (SELECT coalesce(json_agg({}), '[]') \
           FROM unnest(w.blockers[1:{BLOCKING_MAX}]) p LEFT JOIN pg_stat_activity b ON b.pid = p) AS blocking \
         FROM (SELECT a.*, ARRAY(SELECT DISTINCT unnest(pg_blocking_pids(a.pid))) AS blockers FROM pg_stat_activity a \
           WHERE a.datname = current_database()) w WHERE cardinality(w.blockers) > 0 ORDER BY w.query_start LIMIT {WAITING_MAX}",
        backend("w.pid", "w"),
        backend("p", "b")
    ))?;
    Ok(rows.iter().map(Row::sentence).collect())
}

impl Row {
    fn sentence(&self) -> String {
        let since = self.waiting.since.as_deref().map(|since| format!(" since {since}")).unwrap_or_default();
        let blocking: Vec<String> = self.blocking.iter().map(Backend::sentence).collect();
        let more = match self.blocking_count.saturating_sub(self.blocking.len()) {
            0 => String::new(),
            count => format!(" and for {count} more"),
        };
        format!(
            "{} waits for a lock{since}{}; it waits for {}{more}",
            self.waiting.whose(),
            self.waiting.query(),
            blocking.join(" and for ")
        )
    }
}

impl Backend {
    /// `pid 4121 (ann, psql), active since …: UPDATE account …`
    pub(super) fn sentence(&self) -> String {
        format!("{}{}", self.whose(), self.doing())
    }

    /// `pid 4121 (ann, psql)`
    fn whose(&self) -> String {
        if self.pid == 0 {
            return "a prepared transaction (SELECT * FROM pg_prepared_xacts)".to_owned();
        }
        let names: Vec<String> =
            [&self.user, &self.application].into_iter().flatten().filter(|name| !name.is_empty()).map(|name| shown::plain(name)).collect();
        if names.is_empty() { format!("pid {}", self.pid) } else { format!("pid {} ({})", self.pid, names.join(", ")) }
    }

    fn doing(&self) -> String {
        match (&self.state, &self.since) {
            (Some(state), Some(since)) => format!(", {state} since {since}{}", self.query()),
            _ => String::new(),
        }
    }

    fn query(&self) -> String {
        shown::query(self.query.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_one_short_line_without_secrets() {
        let waiting = Backend {
            pid: 7,
            user: Some("ann".into()),
            application: Some("ps\u{1b}ql".into()),
            since: Some("2026-11-21T13:00:00Z".into()),
            query: Some(format!("ALTER TABLE t\n\tADD {}", "x".repeat(200))),
            ..Backend::default()
        };
        let blocking = vec![
            Backend {
                pid: 8,
                state: Some("idle in transaction".into()),
                since: Some("2026-11-21T12:59:00Z".into()),
                query: Some("ALTER ROLE a PASSWORD 'canary'".into()),
                ..Backend::default()
            },
            Backend::default(),
        ];
        let sentence = Row { waiting, blocking, blocking_count: 4 }.sentence();
        let expected = format!(
            "pid 7 (ann, ps ql) waits for a lock since 2026-11-21T13:00:00Z: ALTER TABLE t ADD {} …; it waits for pid 8, idle in transaction \
             since 2026-11-21T12:59:00Z: ALTER ROLE a PASSWORD … and for a prepared transaction (SELECT * FROM pg_prepared_xacts) and for 2 more",
            "x".repeat(62)
        );
        assert_eq!(sentence, expected);
    }
}
