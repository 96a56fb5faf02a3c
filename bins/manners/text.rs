//! Text that came from elsewhere, made fit to be shown.

use std::borrow::Cow;

/// The text with every character escaped that a terminal might act on: control characters (tabs and newlines too) and
/// the marks that reverse the direction of writing.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(acts_on_terminal) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\r' => out.extend(c.escape_default()),
            c if acts_on_terminal(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn acts_on_terminal(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fm_j06_a_terminal_never_sees_an_escape() {
        assert_eq!(visible("a\u{1b}[31mb\u{7}\u{9b}2J"), "a\\u{1b}[31mb\\u{7}\\u{9b}2J");
        assert_eq!(visible("one\ntwo\r\tthree"), "one\\ntwo\\r\\tthree");
        assert_eq!(visible("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
    }

    #[test]
    fn ordinary_text_of_any_language_stays() {
        assert!(matches!(visible("Größe 表 5 KiB"), Cow::Borrowed("Größe 表 5 KiB")));
    }
}
