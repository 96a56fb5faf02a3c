//! `backup-guard approve`: the second person.

use std::path::PathBuf;

use holdfast::audit::{Place, Run};
use holdfast::clock;
use holdfast::environment::Overrides;
use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::guardian::{Asked, Code, Typed};
use holdfast::state_dir::StateDir;
use manners::{Out, Setting, audited, prompt};
use serde_json::json;

use crate::args::approve::Approve;

pub(crate) fn run(args: &Approve, out: &Out) -> Result<u8> {
    let code = Code::parse(&args.code)?;
    let (state, folders) = match &args.folder {
        Some(folder) => (StateDir::open()?, vec![folder.clone()]),
        None => {
            let setting = Setting::open(&args.common)?;
            let folders = folders(args, &setting)?;
            (setting.state, folders)
        }
    };
    let asked = find(&code, &folders)?;
    let request = &asked.note.request;
    let mut lines = vec![format!("{} asks for {}, until {}", asked.asked_by, request.subject, clock::readable(asked.note.expires_at))];
    lines.extend(request.lines());
    if args.common.dry_run {
        out.plan(&json!({ "code": code, "asked_by": asked.asked_by, "expires_at": asked.note.expires_at, "request": request }), &lines)?;
        return Ok(exit::DONE);
    }
    let run = Run {
        tool: "backup-guard".to_owned(),
        operation: "approve".to_owned(),
        environment: request.environment.clone(),
        target: Some(request.target.clone()),
    };
    let approved = audited(out, Place::local(&state), run, |trail| {
        asked.require_other()?;
        let name = request.name();
        match prompt::name_of(&lines, name)? {
            Typed::Name => {}
            // Who runs it where nobody can be asked has named the code, and with it this one request.
            Typed::NoTerminal if out.is_json() => {}
            Typed::NoTerminal => lines.iter().try_for_each(|line| out.line(line))?,
            Typed::Else => return Err(Error::refused(format!("the name {name} was not typed")).hint("nothing is approved")),
        }
        let path = asked.approve()?;
        trail.approval("granted", json!({ "request": request, "code": code, "asked_by": asked.asked_by }));
        Ok((exit::DONE, path))
    })?;
    if out.is_json() {
        out.document(&json!({
            "code": code,
            "approved": approved.value,
            "asked_by": asked.asked_by,
            "request": request,
            "audit_error": approved.audit_error,
        }))?;
    } else {
        out.line(&format!("approved\t{}", approved.value.display()))?;
    }
    Ok(approved.status)
}

/// Every folder that the configuration names, or that of the environment that was named.
fn folders(args: &Approve, setting: &Setting) -> Result<Vec<PathBuf>> {
    let names: Vec<String> = match &args.common.env {
        Some(name) => vec![name.clone()],
        None => setting.config.environment_names().map(str::to_owned).collect(),
    };
    let mut folders = Vec::new();
    for name in names {
        folders.extend(setting.config.environment(Some(&name), Overrides::default())?.approval.folder);
    }
    folders.dedup();
    if folders.is_empty() {
        return Err(Error::usage("no folder is named through which anything could be approved")
            .hint("name it with --folder, or as approval.folder in the configuration"));
    }
    Ok(folders)
}

fn find(code: &Code, folders: &[PathBuf]) -> Result<Asked> {
    for folder in folders {
        if let Some(asked) = Asked::open(folder, code)? {
            return Ok(asked);
        }
    }
    let shown: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    Err(Error::refused(format!("there is no request {code} in {}", shown.join(", ")))
        .hint("was it used, or does the other user work with another folder?"))
}
