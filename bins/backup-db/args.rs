//! The command line of `backup-db`.

use clap::Parser;
use holdfast::compression::Compression;
use holdfast::environment::Overrides;
use holdfast::manifest::Level;
use holdfast::rules::Wanted;
use manners::{Common, Example, Keep, Span};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-db app.db", what: "back a SQLite file up into ./backups/dev; no config file is needed" },
    Example {
        command: "backup-db -e prod --reason 'before 2.4' --tag release --verify restore",
        what: "back prod up, and publish it only if it restores into a scratch database",
    },
];

/// Back a database up: one consistent snapshot, checked before it appears in the store.
///
/// Prints the new backup's id and folder. Retention runs after success only.
#[derive(Debug, Parser)]
#[command(name = "backup-db", version, max_term_width = 100, disable_help_flag = true, disable_version_flag = true)]
#[command(after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Args {
    /// database to back up: a path, sqlite:PATH, postgres://..., or mariadb://... [default: the environment's own]
    ///
    /// With a source the config file is not asked for a database; -e then only names the environment under which the
    /// backup is kept. Without -e and without a config file that is dev, and the store is ./backups. Passwords are
    /// better kept in PGPASSFILE or the config's password_file than in a URL, which other users of the machine can see.
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<String>,

    /// why this backup is made; kept in its manifest
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,

    /// tag to find it by; may be given more than once
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,

    /// check it this thoroughly before it is published [default: the config's, else structure]
    #[arg(long, value_name = "LEVEL", value_parser = manners::level())]
    pub(crate) verify: Option<Level>,

    /// gzip, zstd or none, with a level if wanted: zstd:9 [default: the config's, else gzip]
    #[arg(long, value_name = "METHOD[:LEVEL]")]
    pub(crate) compression: Option<Compression>,

    /// full, incremental, differential or auto [default: the config's, else full]
    ///
    /// A full stands alone. An incremental refers to the newest good backup for all that has not changed, a differential to the
    /// newest good full; auto makes incrementals, and a full when that is older than full_every of the config (7d).
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) wanted: Option<Wanted>,

    /// wait this long for another run to end, for instance 10m [default: do not wait]
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<Span>,

    /// back up a database that has no table; otherwise that is an error
    #[arg(long)]
    pub(crate) allow_empty: bool,

    #[command(flatten)]
    pub(crate) keep: Keep,

    #[command(flatten)]
    pub(crate) common: Common,
}

impl Args {
    /// What the command line says in place of the configuration.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            source: self.source.clone(),
            compression: self.compression,
            wanted: self.wanted,
            verify: self.verify,
            wait: self.wait.map(|Span(wait)| wait),
            allow_empty: self.allow_empty.then_some(true),
            retention: self.keep.rules(),
            ..Overrides::default()
        }
    }
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
