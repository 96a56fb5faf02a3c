//! The end of a run that was interrupted; the same for both wrappers, since a rollback is a rollback.

use holdfast::environment::Environment;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::verbs::migrate;

use super::{Around, Tool, Watcher, document, note, tell};
use crate::approval;
use crate::common::Common;
use crate::out::Out;
use crate::setting::Setting;

/// Brings the run that stands on an environment's database to its end, or takes it out of the journal; with `-n` it only says
/// what that would do. Gives the exit status.
pub fn end_interrupted(tool: Tool, flags: &Around, common: &Common, environment: &Environment, setting: &Setting, out: &Out) -> Result<u8> {
    let store = setting.store(common, environment, false)?;
    setting.start_log(tool.name, common, Some(&store), out)?;
    if common.dry_run {
        let standing = migrate::standing(environment, &store, tool.kind)?;
        let described = standing.describe();
        let asked = standing.request(flags.abandon)?;
        approval::print_plan(&described, &described.lines(flags.abandon), &asked, &environment.approval, setting, out)?;
        return Ok(exit::DONE);
    }
    let engine = environment.engine(&setting.state)?;
    let audited = setting.audited(out, Some(&store), tool.run_on(environment, &*engine), |trail| {
        let standing = migrate::standing(environment, &store, tool.kind)?;
        for line in standing.describe().lines(flags.abandon) {
            out.note(&line);
        }
        let asked = standing.request(flags.abandon)?;
        let approval = flags.confirm.approve_audited(&asked, &environment.approval, setting, trail, out)?;
        let report = match flags.abandon {
            true => migrate::abandon(standing, &approval)?,
            false => migrate::resume(standing, &approval, &Watcher { out, trail })?,
        };
        note(trail, &report);
        Ok((report.status(), report))
    })?;
    tell(out, tool, &audited.value);
    document(out, &audited, flags.report.as_deref());
    Ok(audited.status)
}
