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
