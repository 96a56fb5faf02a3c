//! What a server tells of its sessions, for a message.

use crate::secret;

/// How much of a query is shown.
pub(super) const QUERY_MAX_CHARS: usize = 80;

/// `: UPDATE account …`, or nothing: on one short line, without secrets.
pub(super) fn query(text: &str) -> String {
    let query = plain(text.trim_end_matches(|c: char| c == ';' || c.is_whitespace()));
    // What follows these words may be one.
    let lower = query.to_ascii_lowercase();
    let secret_at = ["password", "identified by"].iter().filter_map(|word| Some(lower.find(word)? + word.len())).min();
    let shown: String = query[..secret_at.unwrap_or(query.len())].chars().take(QUERY_MAX_CHARS).collect();
    let cut = if shown.len() < query.len() { " …" } else { "" };
    if shown.is_empty() { String::new() } else { format!(": {shown}{cut}") }
}

/// On one line, without anything that drives a terminal.
pub(super) fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    secret::redact(&words.join(" "))
}
