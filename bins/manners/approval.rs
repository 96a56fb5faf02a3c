//! From the flags to an [`Approval`]: the same in every binary that may destroy something.

use clap::Args;
use holdfast::audit::Trail;
use holdfast::error::Result;
use holdfast::guardian::{self, Approval, Means, Offer, Request, Risk};
use holdfast::rules::ApprovalRules;
use serde::Serialize;
use serde_json::json;

use crate::out::Out;
use crate::prompt;
use crate::setting::Setting;

/// The flag by which a plan is approved; flattened into the arguments of every binary that needs approvals.
#[derive(Debug, Clone, Default, Args)]
pub struct Confirm {
    /// approve what -n has shown: the environment's name and the plan's code, as in prod:CODE
    ///
    /// The code is good once, for an hour (approval.valid), and for exactly what was planned. At a terminal it is not
    /// needed: there the name is asked for.
    #[arg(long, value_name = "NAME:CODE")]
    pub confirm: Option<String>,
}

impl Confirm {
    /// Asks for the approval of a request, by whatever the rules say: nobody, another user, a program, the code, or the
    /// person at the terminal.
    pub fn approve(&self, request: &Request, rules: &ApprovalRules, setting: &Setting, out: &Out) -> Result<Approval> {
        let ask = |request: &Request| {
            holdfast::progress::Progress::end(out);
            prompt::name_of(&request.lines(), request.name())
        };
        guardian::approve(request, &Means { rules, state: &setting.state, confirmed: self.confirm.as_deref(), ask: &ask })
    }

    /// As [`Confirm::approve`], with a line in the audit trail wherever the risk is not low.
    pub fn approve_audited(
        &self,
        request: &Request,
        rules: &ApprovalRules,
        setting: &Setting,
        trail: &Trail,
        out: &Out,
    ) -> Result<Approval> {
        let approval = self.approve(request, rules, setting, out);
        if request.risk > Risk::Low {
            match &approval {
                Ok(approval) => trail.approval("granted", json!({ "request": request, "given": approval.given() })),
                Err(error) => trail.approval("refused", json!({ "request": request, "why": error.to_string() })),
            }
        }
        approval
    }
}

/// A plan, what the guardian makes of it, and how it can be approved: what a dry run prints.
#[derive(Serialize)]
struct DryRun<'a, P: Serialize> {
    #[serde(flatten)]
    plan: &'a P,
    request: &'a Request,
    approval: &'a Offer,
}

/// Prints a plan with its request, and notes the code by which it can be approved. Nobody is asked.
///
/// With `--json` the fields of `plan` stand beside `request` and `approval`.
pub fn print_plan(
    plan: &impl Serialize,
    lines: &[String],
    request: &Request,
    rules: &ApprovalRules,
    setting: &Setting,
    out: &Out,
) -> Result<()> {
    let offer = Offer::make(request, rules, &setting.state)?;
    let mut all = lines.to_vec();
    all.extend(request.lines());
    all.extend(offer.lines());
    out.plan(&DryRun { plan, request, approval: &offer }, &all)
}
