//! What the terminal, if there is one, can show.

use std::env;
use std::io::IsTerminal;

/// What a stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// It is a terminal.
    pub terminal: bool,
    /// Colours are welcome there.
    pub colour: bool,
    /// It shows characters beyond ASCII.
    pub utf8: bool,
}

impl Looks {
    /// What `stream` can show, by the environment and its kind.
    pub fn of(stream: &impl IsTerminal) -> Self {
        Self::told_by(stream.is_terminal(), |name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn told_by(terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        // The first of these that is set decides, as in every program that asks the C library.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_ascii_lowercase();
        Looks {
            terminal,
            colour: terminal && !dumb && set("NO_COLOR").is_none(),
            utf8: locale.contains("utf-8") || locale.contains("utf8"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(terminal: bool, variables: &[(&str, &str)]) -> Looks {
        Looks::told_by(terminal, |name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn colour_needs_a_terminal_and_no_objection() {
        assert!(looks(true, &[]).colour);
        assert!(looks(true, &[("NO_COLOR", "")]).colour);
        assert!(!looks(true, &[("NO_COLOR", "1")]).colour);
        assert!(!looks(true, &[("TERM", "dumb")]).colour);
        assert!(!looks(false, &[]).colour);
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        assert!(looks(true, &[("LANG", "de_DE.UTF-8")]).utf8);
        assert!(looks(true, &[("LC_CTYPE", "C.utf8"), ("LANG", "C")]).utf8);
        assert!(!looks(true, &[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]).utf8);
        assert!(!looks(true, &[]).utf8);
    }
}
