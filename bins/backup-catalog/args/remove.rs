//! The command lines of `backup-catalog delete`, `forget`, `prune`, `cleanup` and `archive`.

use clap::Args;
use manners::approval::Confirm;
use manners::{Common, Example, Span};

/// Delete backups by name.
///
/// Refused: a backup that others need, and one that is pinned. On a protected environment, and where no verified backup would
/// be left that is not older, it needs an approval: -n shows the plan and the code.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&DELETE))]
pub(crate) struct Delete {
    /// backups: ids or unique starts of them
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,

    /// also delete every backup that cannot be restored without one of these
    #[arg(long)]
    pub(crate) with_dependents: bool,

    #[command(flatten)]
    pub(crate) how: How,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) const DELETE: [Example; 2] = [
    Example { command: "backup-catalog delete 20261121T13 -n", what: "what would go, and whether it needs an approval" },
    Example { command: "backup-catalog delete 20261121T13 --with-dependents", what: "delete it with the increments that need it" },
];

/// Miss no longer what is gone: backups that this machine made and that somebody removed from the store on purpose, by hand.
///
/// No backup is removed by it; one that is still there is refused. Until it is said, backup-guard fails for the sake of them.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&FORGET))]
pub(crate) struct Forget {
    /// backups that are gone: ids or unique starts of them
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) ids: Vec<String>,

    /// all that are missed of the environment
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,

    /// wait this long for another run to end, for instance 10m [default: the config's wait]
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<Span>,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) const FORGET: [Example; 2] = [
    Example { command: "backup-catalog forget 20261121T13", what: "one that was removed by hand is missed no longer" },
    Example { command: "backup-catalog forget -e dev --all -n", what: "every backup of dev that is missed; without -n none is any more" },
];

/// Apply the retention rules of an environment by hand, as every backup does after it.
///
/// The last good backup stays, whatever the rules say, and so does what is pinned.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&PRUNE))]
pub(crate) struct Prune {
    /// so many backups may go at once; asked for where the rules would remove very many
    #[arg(long, value_name = "N")]
    pub(crate) confirm_delete: Option<usize>,

    /// the sizes are as they should be, also where the newest backup is far smaller than those before
    #[arg(long)]
    pub(crate) accept_sizes: bool,

    #[command(flatten)]
    pub(crate) how: How,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) const PRUNE: [Example; 2] = [
    Example { command: "backup-catalog prune -e prod -n", what: "what the rules keep and remove, with a reason for each backup" },
    Example { command: "backup-catalog prune -e dev", what: "apply them now" },
];

/// Put the store in order: remove what interrupted runs left and what the retention rules do not keep, move old backups into
/// the archives, and print how many that were.
///
/// Without -e for every environment of the configuration.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&CLEANUP))]
pub(crate) struct Cleanup {
    #[command(flatten)]
    pub(crate) how: How,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) const CLEANUP: [Example; 2] = [
    Example { command: "backup-catalog cleanup", what: "put every environment in order" },
    Example { command: "backup-catalog cleanup -e dev -n", what: "say what that would be" },
];

/// Move old backups into the archives folder of the store; a full backup and its increments move together.
///
/// The newest few stay where they are, whatever their age: keep_min of them, or min_verified. An archived backup is listed,
/// checked and restored like any other.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&ARCHIVE))]
pub(crate) struct Archive {
    /// move what is older than N days [default: the config's archive_after_days]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) after_days: Option<u32>,

    /// wait this long for another run to end, for instance 10m [default: the config's wait]
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<Span>,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) const ARCHIVE: [Example; 2] = [
    Example { command: "backup-catalog archive -e prod", what: "move what is older than archive_after_days" },
    Example { command: "backup-catalog archive -e prod --after-days 90 -n", what: "what would be moved, with a reason for each backup" },
];

/// How a removal is approved, and how long it waits.
#[derive(Debug, Args)]
pub(crate) struct How {
    #[command(flatten)]
    pub(crate) confirm: Confirm,

    /// wait this long for another run to end, for instance 10m [default: the config's wait]
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<Span>,
}
