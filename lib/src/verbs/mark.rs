//! `backup-guard mark-env`: a database is told whose it is.

use std::fmt::Write;

use serde::Serialize;

use super::requests;
use crate::clock;
use crate::engine::{Engine, Live};
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::guardian::{Approval, Intent, Loses, Operation, Request};
use crate::lock;
use crate::marker::{Marker, Role};
use crate::store::Store;

/// What marking a database would do, or did.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Where the database is.
    pub target: String,
    /// The environment whose it is to be.
    pub environment: String,
    /// What it said of itself before; none where it bore no marker.
    pub before: Option<String>,
    /// Whether anything is to be written.
    pub is_change: bool,
    #[serde(skip)]
    found: Found,
}

/// What stands in the database.
#[derive(Debug, Clone)]
enum Found {
    None,
    Marker(Marker),
    /// Something that nobody understands, and why.
    Odd(String),
}

impl Plan {
    /// One line a fact.
    pub fn lines(&self) -> Vec<String> {
        let mut line = format!("mark     {} as {}", self.target, self.environment);
        let _ = match &self.before {
            _ if !self.is_change => write!(line, ": it is marked so already"),
            Some(before) => write!(line, ": it says now that it is {before}"),
            None => write!(line, ": it bears no marker now"),
        };
        vec![line]
    }
}

/// Looks at the database and says what would be written.
pub fn plan(environment: &Environment, engine: &dyn Engine) -> Result<Plan> {
    let target = engine.location();
    let found = match engine.live()? {
        Live::Present { .. } => match engine.marker() {
            Ok(None) => Found::None,
            Ok(Some(marker)) => Found::Marker(marker),
            Err(error) if error.kind() == Kind::Refused => Found::Odd(error.to_string()),
            Err(error) => return Err(error),
        },
        Live::Missing => return Err(Error::failed(format!("there is no database at {target}")).hint("name the one that is to be marked")),
        Live::Broken(why) => return Err(Error::failed(format!("{target} cannot be marked: {why}"))),
    };
    Ok(Plan {
        target,
        environment: environment.name.clone(),
        is_change: !matches!(&found, Found::Marker(marker) if marker.role == Role::Real && marker.environment == environment.name),
        before: match &found {
            Found::None => None,
            Found::Marker(marker) => Some(marker.to_string()),
            Found::Odd(why) => Some(why.clone()),
        },
        found,
    })
}

/// What the guardian is asked.
pub fn request(plan: &Plan, environment: &Environment, engine: &dyn Engine, store: Option<&Store>) -> Result<Request> {
    let loses = match &plan.found {
        Found::Odd(why) => Loses::ForGood { what: why.clone(), as_of: clock::now(), held_by: None, going: Vec::new() },
        _ => Loses::Nothing,
    };
    Request::of(Intent {
        operation: Operation::Mark,
        target: plan.target.clone(),
        identity: engine.identity(),
        environment: Some(environment),
        subject: format!("the marker {}", plan.environment),
        loses,
        state: requests::state_of(engine, &engine.live()?).with("before", plan.before.as_deref().unwrap_or("no marker")),
        marker: match &plan.found {
            Found::Marker(marker) => Some(marker.clone()),
            _ => None,
        },
        store,
    })
}

/// Writes the marker that was planned, into a database that is held.
pub fn run(plan: &Plan, engine: &dyn Engine, held: &lock::Target, approval: &Approval) -> Result<()> {
    approval.require(Operation::Mark, &plan.target)?;
    held.require(&engine.location())?;
    if !plan.is_change {
        return Ok(());
    }
    engine.mark(&Marker::real(&plan.environment))?;
    tracing::info!("{} is marked as {}", plan.target, plan.environment);
    Ok(())
}
