//! Two contents, line by line. Bytes that are not UTF-8 come out as they went in.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

/// Lines of context around a change.
const CONTEXT_LINES: usize = 3;
/// After this time the comparison is content with one that is right and not the shortest.
const TIME_MAX: Duration = Duration::from_secs(10);
/// A zero byte among the first ones means that it is no text, as diff and git have it.
const PROBE_BYTES: usize = 8192;

/// How many lines came and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) added: usize,
    pub(crate) removed: usize,
}

/// What comparing gave.
pub(crate) enum Kind {
    /// The counts, and the unified diff as bytes.
    Text(Counts, Vec<u8>),
    /// One of them is no text.
    Binary,
    /// One of them is too large.
    Large,
}

/// Compares two contents.
pub(crate) fn compare(from: &[u8], to: &[u8], (header_from, header_to): (&str, &str)) -> Kind {
    if [from, to].iter().any(|bytes| bytes[..bytes.len().min(PROBE_BYTES)].contains(&0)) {
        return Kind::Binary;
    }
    // A byte is a character here, so that every text can be compared, whatever its encoding; and is a byte again below.
    let (from, to) = (characters(from), characters(to));
    let lines = |text: &'_ str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<String>>();
    let (from, to) = (lines(&from), lines(&to));
    let (from, to): (Vec<&str>, Vec<&str>) = (from.iter().map(String::as_str).collect(), to.iter().map(String::as_str).collect());
    let diff = TextDiff::configure().newline_terminated(true).timeout(TIME_MAX).diff_slices(&from, &to);
    let mut counts = Counts::default();
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Insert => counts.added += 1,
            ChangeTag::Delete => counts.removed += 1,
            ChangeTag::Equal => {}
        }
    }
    let mut text = format!("--- {header_from}\n+++ {header_to}\n").into_bytes();
    text.extend(diff.unified_diff().context_radius(CONTEXT_LINES).to_string().chars().map(byte));
    Kind::Text(counts, text)
}

fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The byte that a character stands for. What the diff adds of its own is ASCII.
fn byte(character: char) -> u8 {
    u8::try_from(u32::from(character)).unwrap_or(b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(from: &[u8], to: &[u8]) -> (Counts, Vec<u8>) {
        match compare(from, to, ("a", "b")) {
            Kind::Text(counts, diff) => (counts, diff),
            _ => panic!("it is text"),
        }
    }

    #[test]
    fn a_changed_line_is_one_less_and_one_more() {
        let (counts, diff) = text(b"one\ntwo\nthree\n", b"one\n2\nthree\n");
        assert_eq!(counts, Counts { added: 1, removed: 1 });
        assert_eq!(String::from_utf8(diff).expect("text"), "--- a\n+++ b\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n");
    }

    #[test]
    fn bytes_of_any_encoding_and_odd_line_ends_come_out_as_they_are() {
        let (counts, diff) = text(b"caf\xe9\r\nx\ry\n", b"caf\xc3\xa9\r\nx\ry");
        assert_eq!(counts, Counts { added: 2, removed: 2 });
        let wanted: &[u8] = b"--- a\n+++ b\n@@ -1,2 +1,2 @@\n-caf\xe9\r\n-x\ry\n+caf\xc3\xa9\r\n+x\ry\n\\ No newline at end of file\n";
        assert_eq!(diff, wanted, "{}", String::from_utf8_lossy(&diff));
    }

    #[test]
    fn a_zero_byte_makes_it_binary() {
        assert!(matches!(compare(b"a\0", b"a", ("a", "b")), Kind::Binary));
        assert!(matches!(compare(b"a", b"\0", ("a", "b")), Kind::Binary));
    }
}
