//! The retention rules as flags: the same in every binary that makes backups.

use holdfast::config::Retention;

/// The retention rules, where the command line sets them; each wins over the same key of the config.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Retention (after success; the last good backup always stays)")]
pub struct Keep {
    /// keep backups younger than N days; 0 keeps all for ever
    #[arg(long = "keep-days", value_name = "N")]
    pub days: Option<u32>,

    /// keep the N newest
    #[arg(long = "keep-last", value_name = "N")]
    pub last: Option<u32>,

    /// never leave fewer than N, whatever the other rules say
    #[arg(long = "keep-min", value_name = "N")]
    pub min: Option<u32>,

    /// keep one for each of the last N hours that have any
    #[arg(long = "keep-hourly", value_name = "N")]
    pub hourly: Option<u32>,

    /// keep one for each of the last N days that have any
    #[arg(long = "keep-daily", value_name = "N")]
    pub daily: Option<u32>,

    /// keep one for each of the last N weeks that have any
    #[arg(long = "keep-weekly", value_name = "N")]
    pub weekly: Option<u32>,

    /// keep one for each of the last N months that have any
    #[arg(long = "keep-monthly", value_name = "N")]
    pub monthly: Option<u32>,

    /// keep one for each of the last N years that have any
    #[arg(long = "keep-yearly", value_name = "N")]
    pub yearly: Option<u32>,

    /// delete nothing this time
    #[arg(long, conflicts_with_all = ["days", "last", "min", "hourly", "daily", "weekly", "monthly", "yearly"])]
    pub no_prune: bool,
}

impl Keep {
    /// The rules that the command line sets.
    pub fn rules(&self) -> Retention {
        Retention {
            keep_days: self.days,
            keep_last: self.last,
            keep_min: self.min,
            hourly: self.hourly,
            daily: self.daily,
            weekly: self.weekly,
            monthly: self.monthly,
            yearly: self.yearly,
            archive_after_days: None,
        }
    }
}
