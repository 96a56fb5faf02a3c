//! What a test run would do, step by step.

use serde::Serialize;

use super::Request;
use crate::engine::{Engine, Probe};
use crate::environment::Environment;
use crate::error::Result;
use crate::fsx;
use crate::guardian::{self, Intent, Loses, Operation};
use crate::rules::OnLeak;
use crate::store::Store;

/// A test run as it will be done; `safe-db-test -n` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The environment.
    pub environment: String,
    /// The real database.
    pub target: String,
    /// The command, secrets struck out.
    pub command: String,
    /// Whether it runs on the real database.
    pub is_in_place: bool,
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
        let mut lines = vec![format!("test     {} ({})", self.target, self.environment), format!("command  {}", self.command)];
        lines.extend(self.steps.iter().enumerate().map(|(number, step)| format!("{:>7}  {step}", number + 1)));
        lines.extend(self.warnings.iter().map(|warning| format!("warning  {warning}")));
        lines
    }

    /// What the guardian is asked before it is done.
    pub fn request(&self, environment: &Environment, probe: &Probe, store: Option<&Store>) -> Result<guardian::Request> {
        guardian::Request::of(Intent {
            operation: Operation::TestInPlace,
            target: self.target.clone(),
            identity: self.identity.clone(),
            environment: Some(environment),
            subject: self.command.clone(),
            loses: match self.is_in_place {
                true => Loses::Kept("the tests may change anything; the backup before them comes back".to_owned()),
                false => Loses::Nothing,
            },
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

/// Says what a run will do. Touches nothing.
pub fn plan(environment: &Environment, engine: &dyn Engine, probe: &Probe, request: &Request, is_in_place: bool) -> Plan {
    let within = request.timeout.map(|timeout| format!(", at most {} s", timeout.as_secs())).unwrap_or_default();
    let mut steps = vec![
        format!("back up into {}", environment.store.join(&environment.name).display()),
        "restore that backup into a scratch database and compare; without the proof nothing is run".to_owned(),
    ];
    if is_in_place {
        steps.push(format!("run the command on the REAL database{within}"));
        steps.push(
            "bring the state of the backup back, whatever the command did, and keep what it left aside until the next such run".to_owned(),
        );
    } else {
        steps.push(format!("run the command on that clone{within}"));
        steps.push(if request.keep { "leave the clone for inspection" } else { "remove the clone" }.to_owned());
        steps.push(
            match request.on_leak {
                OnLeak::Report => "compare the real database with the backup, and name what the tests reached",
                OnLeak::Restore => "compare the real database with the backup, and bring it back where the tests reached it",
            }
            .to_owned(),
        );
    }
    Plan {
        environment: environment.name.clone(),
        target: engine.location(),
        command: request.command.line(),
        is_in_place,
        steps,
        warnings: probe.warnings.clone(),
        digest: request.command.digest(),
        identity: engine.identity(),
    }
}
