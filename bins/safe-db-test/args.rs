//! The command line of `safe-db-test`.

use clap::Parser;
use holdfast::environment::Overrides;
use holdfast::rules::OnLeak;
use manners::wrapper::Around;
use manners::{Common, Example, Span};

pub(crate) const EXAMPLES: [Example; 3] = [
    Example { command: "safe-db-test -e test -- pytest", what: "run the tests on a clone; the real database is proven untouched" },
    Example { command: "safe-db-test -e test -- ./check --db {url}", what: "hand the clone's URL to a command that reads no variables" },
    Example {
        command: "safe-db-test -e test --in-place -- pytest",
        what: "run them on the real test database, and put that back afterwards",
    },
];

/// Run tests on a disposable clone of the database, and prove that they left the real one alone.
///
/// The database is backed up, and the backup restored into a scratch database: that is the proof, and the clone. COMMAND
/// finds the clone by DATABASE_URL, the engine's own variables (PG..., SQLITE_...), clone_env of the config, or {url} and
/// {path} in its arguments; variables that lead to the real database are changed or taken away. Its exit status passes
/// through, unless the real database has changed: that is status 122.
#[derive(Debug, Parser)]
#[command(name = "safe-db-test", version, max_term_width = 100, disable_help_flag = true, disable_version_flag = true)]
#[command(after_help = manners::after_wrapper_help(&EXAMPLES))]
pub(crate) struct Args {
    /// the real database: a path, sqlite:PATH, postgres://..., or mariadb://... [default: the environment's own]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<String>,

    /// leave the clone for inspection, and say how to open and how to remove it
    #[arg(long, conflicts_with_all = ["in_place", "resume", "abandon"])]
    pub(crate) keep: bool,

    /// run on the real database, and put it back afterwards, whatever the tests did
    #[arg(long, conflicts_with_all = ["resume", "abandon"])]
    pub(crate) in_place: bool,

    /// what becomes of the real database if the tests reach it: report, restore [default: the config's, else report]
    #[arg(long, value_name = "POLICY")]
    pub(crate) on_leak: Option<OnLeak>,

    /// end the tests after this long, for instance 30m; then the status is 124
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<Span>,

    #[command(flatten)]
    pub(crate) around: Around,

    #[command(flatten)]
    pub(crate) common: Common,
}

impl Args {
    /// What the command line says in place of the configuration.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides { source: self.source.clone(), wait: self.around.wait.map(|Span(wait)| wait), ..Overrides::default() }
    }
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
