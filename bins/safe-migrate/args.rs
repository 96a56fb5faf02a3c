//! The command line of `safe-migrate`.

use clap::Parser;
use holdfast::environment::Overrides;
use holdfast::rules::{AllowedLoss, Migration, OnFailure, RowLoss};
use manners::wrapper::Around;
use manners::{Common, Example, Span};

pub(crate) const EXAMPLES: [Example; 3] = [
    Example { command: "safe-migrate -e prod -- ./manage.py migrate", what: "back up and prove it, migrate, and roll back if that fails" },
    Example {
        command: "safe-migrate -e prod --rehearse --allow-loss session -- ./manage.py migrate",
        what: "run it on a clone first; the table session may be emptied, no other may lose a row",
    },
    Example { command: "safe-migrate -e prod --resume", what: "bring a migration to its end that a power cut interrupted" },
];

/// Run a migration command between a backup that is proven to restore and the return to it.
///
/// The database is backed up, the backup is restored into a scratch database and compared, and only then is COMMAND run,
/// with its own stdin, stdout, stderr, terminal, working directory and environment. If it fails, or loses rows, or the
/// application's check fails afterwards, the old state comes back and the failed one is kept aside. The command's exit
/// status passes through; what is said of it goes to stderr.
#[derive(Debug, Parser)]
#[command(name = "safe-migrate", version, max_term_width = 100, disable_help_flag = true, disable_version_flag = true)]
#[command(after_help = manners::after_wrapper_help(&EXAMPLES))]
pub(crate) struct Args {
    /// database that the command migrates: a path, sqlite:PATH, postgres://..., or mariadb://... [default: the environment's own]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<String>,

    /// run the command on a clone first, and report what it does there
    ///
    /// The clone is the scratch database by which the backup was proven. The command's environment leads there:
    /// DATABASE_URL, the engine's own variables, and clone_env of the config. A command that reaches the real database
    /// nevertheless is noticed, and counts as a failed migration.
    #[arg(long, conflicts_with_all = ["resume", "abandon"])]
    pub(crate) rehearse: bool,

    /// command that says, by its exit status, whether the application works after the migration
    ///
    /// Split into words at blanks, with quotes and backslashes as in a shell; nothing else is expanded.
    #[arg(long, value_name = "COMMAND", value_parser = words, conflicts_with = "resume")]
    pub(crate) check: Option<Words>,

    /// rows that the migration may lose: a number over all tables, or a percentage of each [default: 0]
    #[arg(long, value_name = "N|P%", conflicts_with = "resume")]
    pub(crate) max_row_loss: Option<RowLoss>,

    /// table that may lose rows, any number or at most N; may be given more than once
    #[arg(long = "allow-loss", value_name = "TABLE[=N]", conflicts_with = "resume")]
    pub(crate) allow_loss: Vec<AllowedLoss>,

    /// end the command after this long, for instance 30m; then it has failed, with status 124
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<Span>,

    /// what becomes of the database if it fails: restore, keep, ask [default: the config's, else restore]
    #[arg(long, value_name = "POLICY", conflicts_with = "resume")]
    pub(crate) on_failure: Option<OnFailure>,

    /// hand the command this limit on waiting for a lock (PostgreSQL)
    #[arg(long, value_name = "DURATION")]
    pub(crate) lock_timeout: Option<Span>,

    /// hand the command this limit on a single statement (PostgreSQL)
    #[arg(long, value_name = "DURATION")]
    pub(crate) statement_timeout: Option<Span>,

    /// run the command although its backup was not proven to restore; refused where the environment is protected
    #[arg(long, conflicts_with_all = ["rehearse", "resume", "abandon"])]
    pub(crate) no_prove: bool,

    #[command(flatten)]
    pub(crate) around: Around,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// A command as one argument.
#[derive(Debug, Clone)]
pub(crate) struct Words(pub(crate) Vec<String>);

fn words(text: &str) -> Result<Words, String> {
    let words = shell_words::split(text).map_err(|error| error.to_string())?;
    if words.is_empty() { Err("it is empty".to_owned()) } else { Ok(Words(words)) }
}

impl Args {
    /// What the command line says in place of the configuration.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides { source: self.source.clone(), wait: self.around.wait.map(|Span(wait)| wait), ..Overrides::default() }
    }

    /// The configuration's rules with what the command line says of them; tables add up.
    pub(crate) fn rules(&self, configured: &Migration) -> Migration {
        let span = |flag: Option<Span>| flag.map(|Span(time)| time);
        Migration {
            on_failure: self.on_failure.unwrap_or(configured.on_failure),
            max_row_loss: self.max_row_loss.unwrap_or(configured.max_row_loss),
            allow_loss: self.allow_loss.iter().chain(&configured.allow_loss).cloned().collect(),
            check: self.check.as_ref().map(|Words(words)| words.clone()).or_else(|| configured.check.clone()),
            timeout: span(self.timeout).or(configured.timeout),
            lock_timeout: span(self.lock_timeout).or(configured.lock_timeout),
            statement_timeout: span(self.statement_timeout).or(configured.statement_timeout),
        }
    }
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
