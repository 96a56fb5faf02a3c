//! What `safe-db-test` says. stdout belongs to the command, so all of it goes to stderr, apart from the document of `--json`.

use holdfast::changes::Changes;
use holdfast::error::{Error, Kind};
use holdfast::exit;
use holdfast::process;
use holdfast::verbs::dbtest::{Report, State};
use manners::{Out, diff};

/// Says whether the real database is as it was.
pub(crate) fn tell(out: &Out, report: &Report) {
    for note in &report.notes {
        out.warn(note);
    }
    if let Some(left) = &report.kept {
        out.tell(&format!("the clone is kept at {}", left.location));
        out.tell(&format!("  open it:   {}", left.open));
        out.tell(&format!("  remove it: {}", left.drop));
    }
    if !report.left_behind.is_empty() {
        out.warn(&format!("the tests have left processes that still run: {}", process::list(&report.left_behind)));
    }
    if report.timed_out {
        out.warn("the tests ran out of time");
    }
    let name = &report.environment;
    let leak = report.damage.clone().or_else(|| report.leak.as_ref().map(Changes::summary));
    match (&report.state, leak) {
        (State::Untouched, _) => out.note(&format!("{} is exactly as it was", report.target)),
        (State::BroughtBack { kept_aside }, None) => {
            let aside = kept_aside.as_ref().map(|aside| format!("; what the tests left is kept as {aside}")).unwrap_or_default();
            out.note(&format!("{} is back as it was{aside}", report.target));
        }
        (State::BroughtBack { .. } | State::Leaked, Some(leak)) => {
            let (state, hint) = match &report.state {
                State::BroughtBack { kept_aside } => {
                    let aside = kept_aside.as_ref().map_or_else(String::new, |aside| format!("what they left is kept as {aside}; "));
                    ("it was brought back", format!("{aside}find what names it: a path or URL in the tests' own settings"))
                }
                _ => ("it is as they left it", format!("restore-db -e {name} {} brings it back", report.backup)),
            };
            let what = format!("the tests reached the real database {}, and {state}: {leak}", report.target);
            out.say_error(&Error::new(Kind::Wrapper(exit::LEAKED), what).hint(hint));
            if let Some(changes) = &report.leak {
                diff::tell(changes, |line| out.tell(line));
            }
        }
        (State::Leaked, None) => {}
        (State::Unknown { why }, _) => {
            let error = Error::new(Kind::Wrapper(report.status()), format!("{} may not be as it was: {why}", report.target));
            let restore = format!("restore-db -e {name} {}", report.backup);
            out.say_error(&error.hint(match report.clone {
                Some(_) => format!("the state before the tests is {}: {restore}", report.backup),
                None => format!(
                    "{} holds the state before the tests; go on with safe-db-test -e {name} --resume, or with {restore}",
                    report.backup
                ),
            }));
        }
    }
}
