//! The command lines of `backup-catalog tag`, `untag`, `pin` and `unpin`.

use clap::Args;
use manners::{Common, Example};

/// Tag a backup, to find it by later.
///
/// A published backup is never rewritten: what is said of it afterwards is kept beside it, with who said it and when.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&TAG))]
pub(crate) struct Tag {
    /// backup: latest, an id or the unique start of one, or a backup's folder
    #[arg(value_name = "SELECTOR")]
    pub(crate) selector: String,

    /// one word each
    #[arg(value_name = "TAG", required = true)]
    pub(crate) tags: Vec<String>,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) const TAG: [Example; 2] = [
    Example { command: "backup-catalog tag latest -e prod release v2.4", what: "two tags for the newest good backup of prod" },
    Example { command: "backup-catalog tag 20261121T13 before-audit", what: "one for a backup named by the start of its id" },
];

/// Take tags off a backup, also those that it was made with.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&UNTAG))]
pub(crate) struct Untag {
    /// backup: latest, an id or the unique start of one, or a backup's folder
    #[arg(value_name = "SELECTOR")]
    pub(crate) selector: String,

    /// the tags
    #[arg(value_name = "TAG", required = true)]
    pub(crate) tags: Vec<String>,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) const UNTAG: [Example; 2] = [
    Example { command: "backup-catalog untag latest -e prod release", what: "take one tag off" },
    Example { command: "backup-catalog untag 20261121T13 before-audit v2.4", what: "take two off" },
];

/// Pin backups: no retention removes a pinned one, nor any that it needs.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&PIN))]
pub(crate) struct Pin {
    /// backups: latest, ids or unique starts of them, or backups' folders
    #[arg(value_name = "SELECTOR", required = true)]
    pub(crate) selectors: Vec<String>,

    /// why it is to be kept
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) const PIN: [Example; 2] = [
    Example { command: "backup-catalog pin latest -e prod --reason 'annual accounts'", what: "keep the newest good backup of prod" },
    Example { command: "backup-catalog pin 20261121T13 20261122T13", what: "keep two" },
];

/// Unpin backups: retention judges them again.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&UNPIN))]
pub(crate) struct Unpin {
    /// backups: latest, ids or unique starts of them, or backups' folders
    #[arg(value_name = "SELECTOR", required = true)]
    pub(crate) selectors: Vec<String>,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) const UNPIN: [Example; 2] = [
    Example { command: "backup-catalog unpin 20261121T13", what: "from the next backup on, retention may remove it" },
    Example { command: "backup-catalog unpin 20261121T13 -n", what: "say which backup that is, and change nothing" },
];
