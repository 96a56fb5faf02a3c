//! What a restore would do: refusals first, then its steps with a reason each.

use serde::Serialize;

use super::{Origin, Target};
use crate::clock;
use crate::engine::{Engine, Live};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;

/// A restore, as it will be done; `restore-db -n` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The backup's id, or the file.
    pub origin: String,
    /// When the backup was made.
    pub made_at: Option<String>,
    /// Rows it holds.
    pub rows: Option<u64>,
    /// Where it goes.
    pub target: String,
    /// The environment that the target belongs to.
    pub environment: Option<String>,
    /// Whether that environment is protected.
    pub is_protected: bool,
    /// What is at the target now.
    pub found: String,
    /// Whether the backup holds files too, which stay as they are.
    pub has_files: bool,
    /// The steps, in order, with a reason each.
    pub steps: Vec<Step>,
}

/// One step of a restore.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// What is done.
    #[serde(rename = "do")]
    pub action: Action,
    /// Why, or with what.
    pub why: String,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Reads every byte of the backup and checks it.
    Verify,
    /// Backs the target up into the store.
    SafetyBackup,
    /// Does without that.
    NoSafetyBackup,
    /// Loads it beside the target.
    Load,
    /// Compares it with the fingerprint.
    Compare,
    /// Puts it in place.
    Swap,
    /// Runs the configured command.
    Restart,
}

impl Action {
    /// Its name in JSON.
    pub(in crate::verbs) fn name(self) -> &'static str {
        match self {
            Action::Verify => "verify",
            Action::SafetyBackup => "safety-backup",
            Action::NoSafetyBackup => "no-safety-backup",
            Action::Load => "load",
            Action::Compare => "compare",
            Action::Swap => "swap",
            Action::Restart => "restart",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Action::Verify => "verify",
            Action::SafetyBackup => "safety backup",
            Action::NoSafetyBackup => "NO safety backup",
            Action::Load => "load",
            Action::Compare => "compare",
            Action::Swap => "swap",
            Action::Restart => "restart",
        }
    }
}

impl Plan {
    /// One line a fact and a step.
    pub fn lines(&self) -> Vec<String> {
        let made = self.made_at.as_ref().map(|time| format!(", made {time}")).unwrap_or_default();
        let rows = self.rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
        let environment = match (&self.environment, self.is_protected) {
            (Some(name), true) => format!(" ({name}, protected)"),
            (Some(name), false) => format!(" ({name})"),
            (None, _) => String::new(),
        };
        let mut lines =
            vec![format!("restore  {}{made}{rows}", self.origin), format!("into     {}{environment}: {}", self.target, self.found)];
        lines.extend(
            self.steps.iter().enumerate().map(|(number, step)| format!("{:>7}  {}: {}", number + 1, step.action.words(), step.why)),
        );
        lines.extend(self.files().map(|files| format!("files    {files}")));
        lines
    }

    /// For a dry run: refuses where the swap at the end could not be done as things are now. The restore itself asks before it loads
    /// anything.
    pub fn require_swap(&self, engine: &dyn Engine) -> Result<()> {
        if self.has(Action::SafetyBackup) || self.has(Action::NoSafetyBackup) {
            engine.require_swap()?;
        }
        Ok(())
    }

    /// What becomes of the files in the backup; none where it holds none.
    pub fn files(&self) -> Option<String> {
        self.has_files.then(|| format!("not touched; restore-db {} --files-to DIR brings them", self.origin))
    }

    pub(super) fn has(&self, action: Action) -> bool {
        self.steps.iter().any(|step| step.action == action)
    }
}

/// Refuses what must not be restored there, looks at the target, and says what would be done. Touches nothing.
pub fn plan(origin: &Origin, target: &Target<'_>, safety_backup: bool) -> Result<Plan> {
    refuse_mismatch(origin, target)?;
    let live = target.engine.live()?;
    let mut steps =
        vec![Step { action: Action::Verify, why: "every byte of it is read, unpacked and checked before anything is touched".to_owned() }];
    let found = match &live {
        Live::Missing => "nothing there yet".to_owned(),
        Live::Broken(why) => {
            if safety_backup {
                return Err(Error::refused(format!("the target cannot be backed up first: {why}"))
                    .hint("say --no-safety-backup to go on; what is there is kept aside as it is"));
            }
            format!("broken: {why}")
        }
        Live::Present { is_empty: true, .. } => "an empty database".to_owned(),
        Live::Present { bytes, .. } => format!("a database of {bytes} bytes"),
    };
    steps.push(Step { action: Action::Load, why: format!("beside {}", target.engine.location()) });
    if origin.fingerprint().is_some() {
        steps.push(Step { action: Action::Compare, why: "tables, rows and schema with those of the backup".to_owned() });
    }
    if matches!(live, Live::Broken(_) | Live::Present { is_empty: false, .. }) {
        steps.push(if safety_backup {
            Step { action: Action::SafetyBackup, why: "what is there by then goes into the store first".to_owned() }
        } else {
            Step { action: Action::NoSafetyBackup, why: "what is there now is kept aside, but not backed up".to_owned() }
        });
    }
    steps.push(Step { action: Action::Swap, why: "at once and as a whole; restore-db --undo brings the old one back".to_owned() });
    if let Some(command) = target.environment.and_then(|environment| environment.restart.as_ref()) {
        steps.push(Step { action: Action::Restart, why: command.join(" ") });
    }
    Ok(Plan {
        origin: origin.named(),
        made_at: match origin {
            Origin::Backup(backup) => Some(clock::readable(backup.manifest().created_at)),
            Origin::File(_) => None,
        },
        rows: origin.fingerprint().map(Fingerprint::total_rows),
        target: target.engine.location(),
        environment: target.environment.map(|environment| environment.name.clone()),
        is_protected: target.environment.is_some_and(|environment| environment.protected),
        found,
        has_files: matches!(origin, Origin::Backup(backup) if backup.archives().next().is_some()),
        steps,
    })
}

/// The wrong engine, the wrong environment, the wrong database.
pub(super) fn refuse_mismatch(origin: &Origin, target: &Target<'_>) -> Result<()> {
    let engine = origin.engine()?;
    if engine != target.engine.name() {
        return Err(Error::refused(format!(
            "{} is of {engine}, the target {} is of {}",
            origin.named(),
            target.engine.location(),
            target.engine.name()
        ))
        .hint("name another target with --to"));
    }
    let Origin::Backup(backup) = origin else { return Ok(()) };
    let manifest = backup.manifest();
    if let Some(environment) = target.environment
        && environment.name != manifest.environment
    {
        return Err(Error::refused(format!(
            "{} is a backup of {}, the target is the database of {}",
            manifest.id, manifest.environment, environment.name
        ))
        .hint("restore it into a database of its own with --to"));
    }
    if target.is_named {
        return Ok(());
    }
    let from = origin.database_of(backup)?;
    if target.environment.is_none() && manifest.host != crate::host::name() {
        return Err(Error::refused(format!("{} was made on {}, not on this machine", manifest.id, manifest.host))
            .hint(format!("name the target with --to, for instance --to {}", from.location)));
    }
    if from.name != target.engine.database_name() {
        return Err(Error::refused(format!(
            "{} is of the database {}, the target is {}",
            manifest.id,
            from.name,
            target.engine.location()
        ))
        .hint("if that is meant, name the target with --to"));
    }
    Ok(())
}
