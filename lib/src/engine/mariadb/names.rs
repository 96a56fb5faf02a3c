//! The names of the databases beside the real one that are ours.

use crate::engine::our_names;

/// The server takes names of so many characters.
const NAME_MAX_CHARS: usize = 64;

/// `TARGET__WORD_ID`, within what the server takes.
pub(super) fn derived_name(target: &str, word: &str, id: &str) -> String {
    let ending: String = format!("__{word}_{id}").chars().take(NAME_MAX_CHARS - 1).collect();
    let room = NAME_MAX_CHARS - ending.chars().count();
    target.chars().take(room).collect::<String>() + &ending
}

/// Whether it is the name that a restore or undo gives to a database beside this one, and not what a person would call one.
pub(super) fn is_name_of_ours(target: &str, name: &str) -> bool {
    // There are servers that fold names.
    let (target, name) = (target.to_lowercase(), name.to_lowercase());
    ["restore", "before"].iter().any(|word| {
        let begin = format!("__{word}_");
        name.rfind(&begin).map(|at| &name[at + begin.len()..]).is_some_and(|id| is_id(id) && derived_name(&target, word, id) == name)
    })
}

/// How our databases' names end: a time, or random digits.
fn is_id(text: &str) -> bool {
    let is_time = text.len() > 8 && text.as_bytes()[8] == b't' && text.bytes().take(8).all(|byte| byte.is_ascii_digit());
    is_time || text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Where the swap of a restore or undo keeps the old state.
pub(super) fn aside_of(target: &str, id: &str) -> String {
    derived_name(target, "before", &our_names::plain_id(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_we_give_is_ours() {
        for id in ["20261121t191017z_064b", "20261121t191017z", "00ff12ab34cd"] {
            assert!(is_name_of_ours("app", &derived_name("app", "restore", id)), "{id}");
            assert!(is_name_of_ours("app", &derived_name("app", "before", id)), "{id}");
            assert!(is_name_of_ours("App", &derived_name("app", "before", id)), "{id}");
            assert!(!is_name_of_ours("app", &derived_name("apps", "before", id)), "{id}");
            assert!(!is_name_of_ours("app", &derived_name("app", "after", id)), "{id}");
        }
        for id in ["", "staging", "2026", "20261121", "2026-11-21t1", "00ff12ab34cdef", "customers_new"] {
            assert!(!is_name_of_ours("app", &derived_name("app", "restore", id)), "{id}");
        }
        let long = "ä".repeat(64);
        assert!(is_name_of_ours(&long, &derived_name(&long, "restore", "20261121t191017z_064b")));
    }

    #[test]
    fn a_name_is_no_longer_than_the_server_takes() {
        assert_eq!(derived_name("app", "before", "20260101t000000z"), "app__before_20260101t000000z");
        let long = derived_name(&"ä".repeat(64), "restore", "20260101t000000z_dev_db_1234");
        assert_eq!(long.chars().count(), 64);
        assert!(long.starts_with("ää") && long.ends_with("__restore_20260101t000000z_dev_db_1234"));
        assert_eq!(derived_name("a", "restore", &"x".repeat(80)).chars().count(), 64);
    }
}
