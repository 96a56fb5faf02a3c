//! The exit statuses, the same for every binary. Add, never change.

/// One row of the table that ends every `--help` and stands in `docs/exit-status.md`.
pub struct Status {
    /// What the process exits with.
    pub code: u8,
    /// What that means, for a person.
    pub meaning: &'static str,
}

/// Every status the binaries end with. A stop by a signal is 128 plus its number and has no row of its own.
pub const TABLE: &[Status] = &[
    Status { code: DONE, meaning: "done" },
    Status { code: FAILED, meaning: "the operation failed; nothing was published" },
    Status { code: USAGE, meaning: "wrong usage" },
    Status { code: BAD, meaning: "a backup is bad, missing or too old" },
    Status { code: REFUSED, meaning: "refused: protection, approval or policy" },
    Status { code: BUSY, meaning: "another run holds the lock" },
    Status { code: CONFIG, meaning: "configuration error" },
    Status { code: PARTIAL, meaning: "partial: published, but something named in the report is missing from it" },
    Status { code: SIGNAL_BASE, meaning: "plus n: stopped by signal n, after cleaning up (130, 143, …)" },
];

/// What the two wrappers, `safe-migrate` and `safe-db-test`, end with: the wrapped command's own status, or one of these,
/// which stay out of its way as those of `env` and `timeout` do. A stop by a signal is 128 plus its number here too.
pub const WRAPPERS: &[Status] = &[
    Status { code: DONE, meaning: "the command succeeded, and so did all around it; its other statuses pass through" },
    Status { code: UNAUDITED, meaning: "the command succeeded, but the audit trail lacks a line of the run" },
    Status { code: ROLLBACK_FAILED, meaning: "the rollback itself failed or could not be tried" },
    Status { code: LEAKED, meaning: "the tests reached the real database" },
    Status { code: REJECTED, meaning: "the command succeeded but its result was rejected" },
    Status { code: TIMED_OUT, meaning: "the command ran out of time" },
    Status { code: NOT_STARTED, meaning: "Holdfast failed or refused before the command ran" },
    Status { code: NOT_RUNNABLE, meaning: "the command was found but cannot be run" },
    Status { code: NOT_FOUND, meaning: "the command was not found" },
    Status { code: SIGNAL_BASE, meaning: "plus n: signal n ended the command or stopped the run (130, 143, …)" },
];

/// The work is done.
pub const DONE: u8 = 0;
/// The operation failed and nothing was published.
pub const FAILED: u8 = 1;
/// The command line was wrong.
pub const USAGE: u8 = 2;
/// A backup is bad, missing or too old.
pub const BAD: u8 = 3;
/// A protection, a missing approval or a policy stood against it.
pub const REFUSED: u8 = 4;
/// Another run holds the lock.
pub const BUSY: u8 = 5;
/// The configuration is wrong.
pub const CONFIG: u8 = 6;
/// Published, but something the report names is missing from it.
pub const PARTIAL: u8 = 7;
/// A stop by signal n ends with this plus n.
pub const SIGNAL_BASE: u8 = 128;

/// A wrapper's command succeeded, and the audit trail does not tell all of it. Not 120, with which Python ends when it cannot flush
/// its output.
pub const UNAUDITED: u8 = 119;
/// A wrapper's rollback failed or could not be tried: page somebody.
pub const ROLLBACK_FAILED: u8 = 121;
/// The wrapped tests reached the real database.
pub const LEAKED: u8 = 122;
/// The wrapped command succeeded, and what it made was rejected.
pub const REJECTED: u8 = 123;
/// The wrapped command ran out of time.
pub const TIMED_OUT: u8 = 124;
/// A wrapper failed or refused before its command ran.
pub const NOT_STARTED: u8 = 125;
/// The wrapped command was found but cannot be run.
pub const NOT_RUNNABLE: u8 = 126;
/// The wrapped command was not found.
pub const NOT_FOUND: u8 = 127;
