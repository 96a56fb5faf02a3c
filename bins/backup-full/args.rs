//! The command line of `backup-full`.

use std::path::PathBuf;

use clap::Parser;
use holdfast::compression::Compression;
use holdfast::environment::Overrides;
use holdfast::manifest::Level;
use holdfast::rules::Wanted;
use manners::{Common, Example, Keep, Span};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-full -e prod", what: "back up prod's database, files and config_files, as the config file names them" },
    Example {
        command: "backup-full --database app.db media --exclude '*.tmp'",
        what: "a SQLite file and a folder into ./backups/dev; no config file is needed",
    },
];

/// Back up a database, files and configuration files in one backup, published or not as one.
///
/// Prints the new backup's id and folder. Configuration files are kept as they are: passwords in them are in the backup. What cannot be
/// read, or changes while it is read, is named, and the status is then 7. Retention runs only after a backup that lacks nothing.
#[derive(Debug, Parser)]
#[command(name = "backup-full", version, max_term_width = 100, disable_help_flag = true, disable_version_flag = true)]
#[command(after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Args {
    /// files and folders to take along [default: the environment's files]
    #[arg(value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,

    /// database to back up: a path, sqlite:PATH, postgres://..., or mariadb://... [default: the environment's own]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) database: Option<String>,

    /// take along only files that fit; may be given more than once
    ///
    /// A pattern without a slash is held against names, as in '*.jpg'; one with a slash against the path in the archive, which begins
    /// with the name of a file or folder that is backed up, as in 'media/2026/**'. Folders are always gone through.
    #[arg(long = "include", value_name = "PATTERN")]
    pub(crate) include: Vec<String>,

    /// leave out what fits, beside the config's own patterns; may be given more than once
    ///
    /// Patterns are as for --include. A folder that fits is left out with everything in it.
    #[arg(long = "exclude", value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,

    /// take along what is in file systems that are mounted below a folder
    #[arg(long)]
    pub(crate) cross_file_systems: bool,

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
    /// newest good full; auto makes incrementals, and a full when that is older than full_every of the config (7d). Files that have
    /// not changed, by size, times and number, are not read again.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) wanted: Option<Wanted>,

    /// wait this long for another run to end, for instance 10m [default: do not wait]
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<Span>,

    /// back up a database that has no table; otherwise that is an error
    #[arg(long)]
    pub(crate) allow_empty: bool,

    /// back up this file or folder though it is empty now and was not in the last backup; may be given more than once
    ///
    /// By its name in the archive, or by its path. Without it such a backup is partial (status 7), since a disk that is not mounted
    /// looks just so.
    #[arg(long, value_name = "ROOT")]
    pub(crate) accept_empty: Vec<String>,

    #[command(flatten)]
    pub(crate) keep: Keep,

    #[command(flatten)]
    pub(crate) common: Common,
}

impl Args {
    /// What the command line says in place of the configuration.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            source: self.database.clone(),
            files: self.files.clone(),
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            one_file_system: self.cross_file_systems.then_some(false),
            compression: self.compression,
            wanted: self.wanted,
            verify: self.verify,
            wait: self.wait.map(|Span(wait)| wait),
            allow_empty: self.allow_empty.then_some(true),
            accept_empty: self.accept_empty.clone(),
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
