//! Limits on waiting, for programs that are not ours: every libpq sends `PGOPTIONS` when it connects.

use std::collections::BTreeMap;
use std::time::Duration;

/// The longest the server takes; more is no limit at all.
const LIMIT_MAX_MS: u128 = i32::MAX as u128;

/// What is inherited, and the limits behind it, so that they win.
pub(super) fn variables(inherited: &str, lock: Option<Duration>, statement: Option<Duration>) -> BTreeMap<String, String> {
    let limits = [("lock_timeout", lock), ("statement_timeout", statement)];
    let settings: Vec<String> = limits.into_iter().filter_map(|(name, limit)| Some(format!("-c {name}={}ms", whole_ms(limit?)))).collect();
    if settings.is_empty() {
        return BTreeMap::new();
    }
    let options = format!("{inherited} {}", settings.join(" "));
    BTreeMap::from([("PGOPTIONS".to_owned(), options.trim_start().to_owned())])
}

/// Rounded up, since to the server 0 is for ever.
fn whole_ms(limit: Duration) -> u128 {
    limit.as_nanos().div_ceil(1_000_000).min(LIMIT_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_come_behind_what_is_inherited() {
        let options = |inherited: &str, lock, statement| variables(inherited, lock, statement).remove("PGOPTIONS");
        let seconds = |count| Some(Duration::from_secs(count));
        assert_eq!(options("", None, None), None);
        assert_eq!(
            options("-c work_mem=8MB", seconds(2), seconds(60)).as_deref(),
            Some("-c work_mem=8MB -c lock_timeout=2000ms -c statement_timeout=60000ms")
        );
        assert_eq!(options("", None, Some(Duration::from_micros(10))).as_deref(), Some("-c statement_timeout=1ms"));
        assert_eq!(options("", Some(Duration::MAX), None).as_deref(), Some("-c lock_timeout=2147483647ms"));
    }
}
