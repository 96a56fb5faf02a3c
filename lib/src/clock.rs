//! The time, asked for in one place. Stored times are UTC everywhere.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};

/// The present time, to the millisecond, which is what manifests keep.
///
/// A debug build takes `HOLDFAST_TEST_NOW` (RFC 3339) instead, where it is set, so that scenarios can turn the clock.
pub fn now() -> DateTime<Utc> {
    #[cfg(debug_assertions)]
    if let Ok(text) = std::env::var("HOLDFAST_TEST_NOW")
        && let Ok(time) = DateTime::parse_from_rfc3339(&text)
    {
        return time.with_timezone(&Utc).trunc_subsecs(3);
    }
    Utc::now().trunc_subsecs(3)
}

/// A time as names carry it: `20261121T130000Z`.
pub fn compact(time: DateTime<Utc>) -> String {
    time.format("%Y%m%dT%H%M%SZ").to_string()
}

/// A time as a person reads it in messages: `2026-11-21T13:00:00Z`.
pub fn readable(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// How manifests and other JSON keep times: RFC 3339, UTC, with milliseconds.
pub mod rfc3339_millis {
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes `2026-11-21T13:00:00.000Z`.
    pub fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    /// Reads any RFC 3339 time; a leap second is taken, nonsense is an error and never a panic.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|time| time.with_timezone(&Utc))
            .map_err(|error| D::Error::custom(format!("{text:?} is not a time: {error}")))
    }
}

/// The same for a time that may be absent.
pub mod rfc3339_millis_option {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::rfc3339_millis;

    #[derive(Serialize, Deserialize)]
    struct Written(#[serde(with = "rfc3339_millis")] DateTime<Utc>);

    /// Writes the time, or null.
    #[allow(clippy::ref_option)] // serde asks so
    pub fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(Written).serialize(serializer)
    }

    /// Reads a time, or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        Ok(Option::<Written>::deserialize(deserializer)?.map(|Written(time)| time))
    }
}
