//! How each `--help` ends: with the exit statuses and two examples.

use std::fmt::Write as _;

use holdfast::exit;

/// A command line that works as it stands.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The whole line.
    pub command: &'static str,
    /// What it does.
    pub what: &'static str,
}

/// The end of a `--help`: every row of [`exit::TABLE`], then the examples.
pub fn after_help(examples: &[Example]) -> String {
    ending(exit::TABLE, examples)
}

/// The same for a binary that runs another command and passes its status on: every row of [`exit::WRAPPERS`].
pub fn after_wrapper_help(examples: &[Example]) -> String {
    ending(exit::WRAPPERS, examples)
}

fn ending(statuses: &[exit::Status], examples: &[Example]) -> String {
    let mut text = String::from("Exit status:\n");
    for row in statuses {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {:>3}  {}", row.code, row.meaning);
    }
    text.push_str("\nExamples:");
    for example in examples {
        let _ = write!(text, "\n  {}\n      {}", example.command, example.what);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_and_every_example_is_there() {
        let examples = [Example { command: "backup-db app.db", what: "one" }, Example { command: "backup-db -e dev", what: "two" }];
        for (text, statuses) in [(after_help(&examples), exit::TABLE), (after_wrapper_help(&examples), exit::WRAPPERS)] {
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            for row in statuses {
                let line = format!("{}  {}", row.code, row.meaning);
                assert!(lines.contains(&line.as_str()), "no line {line:?} in\n{text}");
            }
            assert_eq!(lines.len(), 1 + statuses.len() + 2 + 4, "and nothing else:\n{text}");
            assert!(lines.ends_with(&["backup-db app.db", "one", "backup-db -e dev", "two"]));
        }
    }

    #[test]
    fn the_document_lists_every_status() {
        let document = include_str!("../../docs/exit-status.md");
        let (all, wrappers) = document.split_once("## The wrappers").expect("a section of their own");
        for (part, statuses) in [(all, exit::TABLE), (wrappers, exit::WRAPPERS)] {
            for row in statuses {
                let line = format!("| {} | {} |", row.code, row.meaning);
                assert!(part.lines().any(|l| l == line), "docs/exit-status.md has no line {line:?} in its place");
            }
        }
    }
}
