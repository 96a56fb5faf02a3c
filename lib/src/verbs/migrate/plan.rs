//! What a migration would do, step by step.

use serde::Serialize;

use super::Request;
use crate::engine::{Engine, Probe};
use crate::environment::Environment;
use crate::error::Result;
use crate::fsx;
use crate::guardian::{self, Intent, Loses, Operation};
use crate::rules::OnFailure;
use crate::store::Store;

/// A migration as it will be done; `safe-migrate -n` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The environment.
    pub environment: String,
    /// Whether it is protected.
    pub is_protected: bool,
    /// The database.
    pub target: String,
    /// The command, secrets struck out.
    pub command: String,
    /// The steps, in order.
    pub steps: Vec<String>,
    /// What a person should know before.
    pub warnings: Vec<String>,
    /// What tells the command from others that read alike.
    #[serde(skip)]
    digest: String,
    /// What tells the database from others at its place.
    #[serde(skip)]
    identity: Option<String>,
}

impl Plan {
    /// One line a fact and a step.
    pub fn lines(&self) -> Vec<String> {
        let protected = if self.is_protected { ", protected" } else { "" };
        let mut lines = vec![format!("migrate  {} ({}{protected})", self.target, self.environment), format!("command  {}", self.command)];
        lines.extend(self.steps.iter().enumerate().map(|(number, step)| format!("{:>7}  {step}", number + 1)));
        lines.extend(self.warnings.iter().map(|warning| format!("warning  {warning}")));
        lines
    }

    /// What the guardian is asked before it is done.
    pub fn request(&self, environment: &Environment, probe: &Probe, store: Option<&Store>) -> Result<guardian::Request> {
        guardian::Request::of(Intent {
            operation: Operation::Migrate,
            target: self.target.clone(),
            identity: self.identity.clone(),
            environment: Some(environment),
            subject: self.command.clone(),
            loses: Loses::Kept("the command may change anything; the backup before it holds what was there".to_owned()),
            state: guardian::State::default()
                .with("the plan", self.steps.join("; "))
                .with("the command's own words, program and folder", self.digest.clone())
                .with(
                    "the identity of the database",
                    self.identity.as_ref().map(|identity| fsx::sha256_hex(identity.as_bytes())).unwrap_or_default(),
                ),
            marker: probe.marker.clone(),
            store,
        })
    }
}

/// Says what [`super::run`] will do. Touches nothing.
pub fn plan(environment: &Environment, engine: &dyn Engine, probe: &Probe, request: &Request) -> Plan {
    let rules = &request.rules;
    let mut steps = vec![format!("back up into {}", environment.store.join(crate::store::MIGRATIONS).display())];
    steps.push(if request.prove {
        "restore that backup into a scratch database and compare; without the proof nothing is run".to_owned()
    } else {
        "NO proof that the backup restores".to_owned()
    });
    if request.rehearse {
        steps.push("run the command on the clone, and compare the clone and the real database with the backup".to_owned());
    }
    let within = rules.timeout.map(|timeout| format!(", at most {} s", timeout.as_secs())).unwrap_or_default();
    steps.push(format!("run the command on the real database{within}"));
    if let Some(check) = &rules.check {
        steps.push(format!("ask {}", check.join(" ")));
    }
    let mut judged = format!("compare; at most {} rows may be lost", rules.max_row_loss);
    for allowed in &rules.allow_loss {
        let most = allowed.rows.map_or("any number".to_owned(), |rows| rows.to_string());
        judged.push_str(&format!(", {most} of {}", allowed.table));
    }
    steps.push(judged);
    steps.push(
        match rules.on_failure {
            OnFailure::Restore => "if that fails, bring the old state back and keep the failed one aside",
            OnFailure::Keep => "if that fails, leave the database as it is",
            OnFailure::Ask => "if that fails, ask whether to bring the old state back",
        }
        .to_owned(),
    );
    let mut warnings = probe.warnings.clone();
    if rules.on_failure != OnFailure::Keep
        && let Err(error) = engine.require_swap()
    {
        warnings.push(format!("what fails could not be rolled back, so nothing would be run: {error}"));
    }
    Plan {
        environment: environment.name.clone(),
        is_protected: environment.protected,
        target: engine.location(),
        command: request.command.line(),
        steps,
        warnings,
        digest: request.command.digest(),
        identity: engine.identity(),
    }
}
