//! What the wrappers and the guardian go by, as the configuration and the flags say it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a backup may refer to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// Nothing: it stands alone.
    #[default]
    Full,
    /// The newest good backup.
    Incremental,
    /// The newest good full.
    Differential,
    /// The newest good backup, until the full is old.
    Auto,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "full" => Ok(Wanted::Full),
            "incremental" => Ok(Wanted::Incremental),
            "differential" => Ok(Wanted::Differential),
            "auto" => Ok(Wanted::Auto),
            other => Err(format!("{other:?} is none of full, incremental, differential, auto")),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wanted::Full => "full",
            Wanted::Incremental => "incremental",
            Wanted::Differential => "differential",
            Wanted::Auto => "auto",
        })
    }
}

/// When a backup stands alone, and when it refers to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Increments {
    /// What is wanted.
    pub wanted: Wanted,
    /// With [`Wanted::Auto`], how old the full may be.
    pub full_every: Duration,
}

/// What becomes of the database when a migration fails or its result breaks a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// It is brought back to the state of the backup.
    #[default]
    Restore,
    /// It stays as the command left it.
    Keep,
    /// A person at the terminal decides.
    Ask,
}

impl FromStr for OnFailure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "restore" => Ok(OnFailure::Restore),
            "keep" => Ok(OnFailure::Keep),
            "ask" => Ok(OnFailure::Ask),
            other => Err(format!("{other:?} is none of restore, keep, ask")),
        }
    }
}

/// What becomes of the real database when tests have changed it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnLeak {
    /// It is named, and stays as it is.
    #[default]
    Report,
    /// It is brought back to the state before the tests.
    Restore,
}

impl FromStr for OnLeak {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "report" => Ok(OnLeak::Report),
            "restore" => Ok(OnLeak::Restore),
            other => Err(format!("{other:?} is neither report nor restore")),
        }
    }
}

/// How many rows a migration may lose.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RowLoss {
    /// So many, over all tables together.
    Rows(u64),
    /// So many of a hundred, of each table.
    Percent(f64),
}

impl Default for RowLoss {
    fn default() -> Self {
        RowLoss::Rows(0)
    }
}

impl FromStr for RowLoss {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no number of rows and no percentage: write 10, or 0.5%");
        match text.strip_suffix('%') {
            None => text.trim().parse().map(RowLoss::Rows).map_err(|_| wrong()),
            Some(number) => match number.trim().parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(RowLoss::Percent(percent)),
                _ => Err(wrong()),
            },
        }
    }
}

impl fmt::Display for RowLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RowLoss::Rows(rows) => write!(f, "{rows}"),
            RowLoss::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// A table that may lose rows: `TABLE` any number, `TABLE=N` at most so many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedLoss {
    /// The table, with or without its schema.
    pub table: String,
    /// At most so many rows; without it, all of them.
    pub rows: Option<u64>,
}

impl FromStr for AllowedLoss {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (table, rows) = match text.rsplit_once('=') {
            None => (text, None),
            Some((table, rows)) => (table, Some(rows.parse().map_err(|_| format!("{text:?}: after = comes a number of rows"))?)),
        };
        if table.is_empty() {
            return Err(format!("{text:?} names no table"));
        }
        Ok(AllowedLoss { table: table.to_owned(), rows })
    }
}

/// The rules of a migration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Migration {
    /// What becomes of the database when it fails.
    pub on_failure: OnFailure,
    /// How many rows it may lose.
    pub max_row_loss: RowLoss,
    /// Tables that may lose more.
    pub allow_loss: Vec<AllowedLoss>,
    /// A command, word by word, whose exit status decides whether the application works with the result.
    pub check: Option<Vec<String>>,
    /// The longest the command may take.
    pub timeout: Option<Duration>,
    /// Handed to the command: how long one of its statements may wait for a lock.
    pub lock_timeout: Option<Duration>,
    /// Handed to the command: how long one of its statements may take.
    pub statement_timeout: Option<Duration>,
}

/// The rules of a test run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestRun {
    /// What becomes of the real database when the tests have reached it.
    pub on_leak: OnLeak,
    /// Environment variables by which the application finds its database, with the placeholders `{url}`, `{path}`, `{host}`,
    /// `{port}`, `{user}` and `{database}` for the clone's.
    pub clone_env: BTreeMap<String, String>,
}

/// Who approves what is risky.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRules {
    /// A command, word by word, that gets the request as JSON and approves it by its exit status 0.
    pub command: Option<Vec<String>>,
    /// Whether only another user of this machine may approve.
    pub by: ApprovalBy,
    /// The folder through which another user approves.
    pub folder: Option<PathBuf>,
    /// How long a plan's code, or an approval, is good for.
    pub valid: Duration,
    /// How long the command may take to answer.
    pub timeout: Duration,
}

impl Default for ApprovalRules {
    fn default() -> Self {
        ApprovalRules {
            command: None,
            by: ApprovalBy::default(),
            folder: None,
            valid: Duration::from_secs(3_600),
            timeout: Duration::from_secs(15 * 60),
        }
    }
}

/// Who may approve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ApprovalBy {
    /// Whoever runs it.
    #[default]
    Anyone,
    /// Another user of this machine.
    Other,
}

impl FromStr for ApprovalBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "anyone" => Ok(ApprovalBy::Anyone),
            "other" => Ok(ApprovalBy::Other),
            other => Err(format!("{other:?} is neither anyone nor other")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_read_as_rows_or_as_a_percentage() {
        assert_eq!("10".parse(), Ok(RowLoss::Rows(10)));
        assert_eq!("0.5%".parse(), Ok(RowLoss::Percent(0.5)));
        for wrong in ["", "-1", "101%", "x%", "NaN%", "1.5"] {
            assert!(wrong.parse::<RowLoss>().is_err(), "{wrong}");
        }
        assert_eq!("session".parse(), Ok(AllowedLoss { table: "session".into(), rows: None }));
        assert_eq!("public.log=12".parse(), Ok(AllowedLoss { table: "public.log".into(), rows: Some(12) }));
        assert!("=3".parse::<AllowedLoss>().is_err() && "a=b".parse::<AllowedLoss>().is_err());
    }
}
