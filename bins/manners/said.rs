//! Commands in hints as they work when they are pasted: with the flags by which this run was told where things are.

use std::path::Path;

use holdfast::shell;

use crate::common::Common;

/// Binaries whose hints name commands that begin with their flags.
const TOOLS: [&str; 2] = ["restore-db ", "backup-guard "];

impl Flag {
    fn is_environment(&self) -> bool {
        self.words.starts_with("-e ")
    }
}

/// The flags by which a run was told where things are.
#[derive(Debug, Clone, Default)]
pub struct Said(Vec<Flag>);

#[derive(Debug, Clone)]
struct Flag {
    /// As it is completed: with its value.
    words: String,
    /// Where one of these stands in a command it is not completed.
    instead: &'static [&'static str],
}

impl Said {
    /// What of the flags has not come from the surroundings, where it is still there for the next command.
    pub fn of(common: &Common) -> Self {
        let is_given = |variable: &str, value: &str| std::env::var_os(variable).is_none_or(|around| around != value);
        let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(Path::display).map(|path| path.to_string());
        let flags = [
            // A target that is named may be another environment's.
            ("-e", "HOLDFAST_ENV", common.env.clone(), &[" -e ", " --env", " --to "][..]),
            ("--config", "HOLDFAST_CONFIG", path(&common.config), &[" -c ", " --config"]),
            ("--store", "HOLDFAST_STORE", path(&common.store), &[" --store"]),
        ];
        let given = flags.into_iter().filter_map(|(flag, variable, value, instead)| {
            let value = value.filter(|value| is_given(variable, value))?;
            Some(Flag { words: format!("{flag} {} ", shell::word(&value)), instead })
        });
        Said(given.collect())
    }

    /// The text, with the flags in every command of it that lacks them.
    pub fn complete(&self, text: &str) -> String {
        let mut completed = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(end) = TOOLS.iter().filter_map(|tool| rest.find(tool).map(|at| at + tool.len())).min() {
            completed.push_str(&rest[..end]);
            rest = &rest[end..];
            if is_command(rest) {
                let command = &rest[..rest.find([';', ',', '\n']).unwrap_or(rest.len())];
                let command = format!(" {command} ");
                // An id may be of another environment's backup.
                let has_id = rest.starts_with(|first: char| first.is_ascii_digit());
                let is_settled = |flag: &Flag| flag.instead.iter().any(|word| command.contains(word)) || has_id && flag.is_environment();
                for flag in self.0.iter().filter(|flag| !is_settled(flag)) {
                    completed.push_str(&flag.words);
                }
            }
        }
        completed.push_str(rest);
        completed
    }
}

/// Whether what follows a tool's name is how a command goes on: a flag, `latest` or an id. Else it is only spoken of.
fn is_command(rest: &str) -> bool {
    rest.starts_with(|first: char| first == '-' || first.is_ascii_digit()) || rest.starts_with("latest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_in_a_hint_has_the_flags_of_this_run_where_it_lacks_them() {
        let mut common = Common::default();
        common.env = Some("dev".to_owned());
        common.config = Some("/etc/h.toml".into());
        common.store = Some("/a b".into());
        let said = Said::of(&common);
        let all = "-e dev --config /etc/h.toml --store '/a b'";
        let with_id = "--config /etc/h.toml --store '/a b'";
        for (hint, completed) in [
            ("nothing to paste", "nothing to paste".to_owned()),
            ("restore-db --list shows what there is", format!("restore-db {all} --list shows what there is")),
            (
                "restore-db 20261121 --files-to DIR, or restore-db latest -n",
                format!("restore-db {with_id} 20261121 --files-to DIR, or restore-db {all} latest -n"),
            ),
            ("restore-db -e prod --list", "restore-db --config /etc/h.toml --store '/a b' -e prod --list".to_owned()),
            ("restore-db --undo --to x", "restore-db --config /etc/h.toml --store '/a b' --undo --to x".to_owned()),
            ("restore-db -c x --list; restore-db --store y --list", {
                format!("restore-db -e dev --store '/a b' -c x --list; restore-db {} --store y --list", "-e dev --config /etc/h.toml")
            }),
            ("run restore-db again, or backup-guard", "run restore-db again, or backup-guard".to_owned()),
            ("backup-guard approve CODE", "backup-guard approve CODE".to_owned()),
        ] {
            assert_eq!(said.complete(hint), completed);
            assert_eq!(Said::default().complete(hint), hint);
        }
    }
}
