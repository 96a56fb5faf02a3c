//! The command line of `backup-catalog list`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use holdfast::manifest::{Kind, Level, Type};
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-catalog list -e prod --since 7d", what: "what was backed up of prod in the last seven days" },
    Example { command: "backup-catalog list --bad --json", what: "what cannot be relied upon, for a script" },
];

/// List the backups there are, the newest last.
///
/// Without -e those of the whole store. A size is that in the store, and "verified" the strongest check that a backup passed, when
/// it was made or since; NO where it passed none, or was found bad.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct List {
    /// only of this kind
    #[arg(long, value_name = "KIND", value_parser = kind())]
    pub(crate) kind: Option<Kind>,

    /// only of this type
    #[arg(long = "type", value_name = "TYPE", value_parser = backup_type())]
    pub(crate) backup_type: Option<Type>,

    /// only with this tag; given more than once, with each of them
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,

    /// not made before TIME: 2026-11-21T13:00Z, a day, or how long ago: 36h
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,

    /// not made after TIME; a day means all of it
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,

    /// only what is known to be good at LEVEL or a stronger one [LEVEL's default: structure]
    #[arg(long, value_name = "LEVEL", value_parser = manners::level(), num_args = 0..=1, require_equals = true, default_missing_value = "structure")]
    pub(crate) verified: Option<Level>,

    /// only what cannot be relied upon: damaged, unreadable, or never verified
    #[arg(long, conflicts_with = "verified")]
    pub(crate) bad: bool,

    /// only what is pinned
    #[arg(long)]
    pub(crate) pinned: bool,

    /// only the newest N; 0 means all
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) limit: usize,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(["db", "full", "migration", "safety"]).map(|text| match text.as_str() {
        "db" => Kind::Db,
        "full" => Kind::Full,
        "migration" => Kind::Migration,
        _ => Kind::Safety,
    })
}

fn backup_type() -> impl TypedValueParser<Value = Type> {
    PossibleValuesParser::new(["full", "incremental", "differential"]).map(|text| match text.as_str() {
        "full" => Type::Full,
        "incremental" => Type::Incremental,
        _ => Type::Differential,
    })
}
