//! A dump cut into its statements, by the rules by which the client program cuts it.

use super::rows::{Rows, Step};
use super::tokens::{Token, Tokens};
use super::variables::Variables;

/// The longest part of a statement without rows that is kept in memory. What `CREATE` makes is far shorter; what is longer is a
/// value in a statement of somebody's own, and comes in parts.
const STATEMENT_MAX_BYTES: usize = 16 << 20;
/// How newer dumps begin: a command for the client that forbids it every other command of its own. No delimiter follows it.
pub(in crate::engine::mariadb) const SANDBOX: &[u8] = br"/*M!999999\-";

/// A part of a dump.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine::mariadb) enum Event<'a> {
    /// White space and comments between two statements.
    Between(&'a [u8]),
    /// A whole `DELIMITER` line.
    Delimiter(&'a [u8]),
    /// A part of a statement too long to be kept; the rest follows.
    Part(&'a [u8]),
    /// A whole statement, without its delimiter.
    Statement(&'a [u8]),
    /// The beginning of an `INSERT` or `REPLACE`, up to its first row.
    Insert(&'a [u8]),
    /// A run of rows with `,` and a newline between them, or a part of one.
    Rows {
        /// The text of the rows.
        bytes: &'a [u8],
        /// Whether it begins at the beginning of a row.
        begins: bool,
        /// How many rows end in it.
        ended: u64,
    },
    /// What stands between two rows, or behind the last.
    Gap(&'a [u8]),
    /// The delimiter that ends a statement.
    End(&'a [u8]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    Quoted(u8),
    /// Behind a backslash in quotes.
    Escaped(u8),
    /// In a comment that ends with the line, and where in the text it began.
    LineComment(usize),
    /// In a comment that ends with `*/`, likewise.
    BlockComment(usize),
    DelimiterLine,
}

/// Takes a dump in pieces of any size.
pub(in crate::engine::mariadb) struct Splitter {
    state: State,
    /// The present statement so far, or the comment before it.
    text: Vec<u8>,
    /// Whether the text is what follows the rows of an `INSERT`.
    is_behind_rows: bool,
    /// Whether parts of the present statement have gone already.
    has_parts: bool,
    rows: Option<Rows>,
    delimiter: Vec<u8>,
    variables: Variables,
}

impl Default for Splitter {
    fn default() -> Self {
        Splitter {
            state: State::Plain,
            text: Vec::new(),
            is_behind_rows: false,
            has_parts: false,
            rows: None,
            delimiter: b";".to_vec(),
            variables: Variables::default(),
        }
    }
}

/// Whether a quoted text of this kind knows the backslash: names never do.
pub(super) fn escapes_in(quote: u8, variables: &Variables) -> bool {
    quote != b'`' && variables.has_escapes()
}

/// What a `DELIMITER` line makes the delimiter.
pub(in crate::engine::mariadb) fn delimiter_of(line: &[u8]) -> Option<&[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).nth(1)
}

impl Splitter {
    /// Takes the next block.
    pub(in crate::engine::mariadb) fn write(&mut self, mut block: &[u8], take: &mut impl FnMut(Event<'_>, &Variables)) {
        while !block.is_empty() {
            block = match &mut self.rows {
                Some(rows) => {
                    let (used, step) = rows.feed(block, &self.variables, take);
                    if step == Step::Behind {
                        self.rows = None;
                        self.is_behind_rows = true;
                    }
                    &block[used..]
                }
                None => {
                    let used = self.feed(block, take);
                    &block[used..]
                }
            };
        }
    }

    /// The end of the dump: why it is none, where it ends inside something.
    pub(in crate::engine::mariadb) fn finish(&mut self, take: &mut impl FnMut(Event<'_>, &Variables)) -> Result<(), &'static str> {
        if let Some(rows) = &self.rows {
            return Err(if rows.is_in_row() { "it ends inside a row" } else { "it ends among the rows of a table" });
        }
        match self.state {
            // A comment's line may end with the file.
            State::LineComment(0) => self.end_bare(take),
            State::DelimiterLine => self.end_delimiter_line(take),
            State::Quoted(_) | State::Escaped(_) => return Err("it ends inside a quoted text"),
            State::BlockComment(_) => return Err("it ends inside a comment"),
            State::Plain | State::LineComment(_) if self.is_behind_rows || self.has_parts || !self.text.is_empty() => {
                return Err("it ends inside a statement");
            }
            State::Plain | State::LineComment(_) => {}
        }
        Ok(())
    }

    /// Takes bytes until a statement or the block ends, or rows begin. How many it took.
    fn feed(&mut self, block: &[u8], take: &mut impl FnMut(Event<'_>, &Variables)) -> usize {
        let mut at = 0;
        while at < block.len() {
            let rest = &block[at..];
            match self.state {
                State::Plain if self.text.is_empty() && !self.is_behind_rows && rest[0].is_ascii_whitespace() => {
                    let run = rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len());
                    take(Event::Between(&rest[..run]), &self.variables);
                    at += run;
                }
                State::Plain => {
                    at += 1;
                    if self.plain(rest[0], take) {
                        // The row's own parenthesis is the rows' first byte.
                        return if self.rows.is_some() { at - 1 } else { at };
                    }
                }
                State::Quoted(quote) => at += self.quoted(quote, rest),
                State::Escaped(quote) => {
                    self.text.push(rest[0]);
                    self.state = State::Quoted(quote);
                    at += 1;
                }
                State::LineComment(from) => {
                    at += self.until_newline(rest);
                    if self.text.ends_with(b"\n") {
                        self.end_comment(from, take);
                    }
                }
                State::BlockComment(from) => {
                    self.text.push(rest[0]);
                    at += 1;
                    if self.text.ends_with(b"*/") {
                        self.end_comment(from, take);
                    }
                }
                State::DelimiterLine => {
                    at += self.until_newline(rest);
                    if self.text.ends_with(b"\n") {
                        self.end_delimiter_line(take);
                    }
                }
            }
            self.keep_small(take);
        }
        at
    }

    /// A byte outside of quotes and comments; whether a statement ended or rows begin with it.
    fn plain(&mut self, byte: u8, take: &mut impl FnMut(Event<'_>, &Variables)) -> bool {
        self.text.push(byte);
        let length = self.text.len();
        if self.text.ends_with(&self.delimiter) {
            self.end_statement(take);
            return true;
        }
        match byte {
            b'\'' | b'"' | b'`' => self.state = State::Quoted(byte),
            b'#' => self.state = State::LineComment(length - 1),
            b'-' if self.text == b"--" && !self.is_behind_rows && !self.has_parts => self.state = State::LineComment(0),
            b'(' if self.begins_rows() || self.goes_on_with_rows() => {
                self.text.pop();
                let goes_on = std::mem::take(&mut self.is_behind_rows);
                take(if goes_on { Event::Gap(&self.text) } else { Event::Insert(&self.text) }, &self.variables);
                self.text.clear();
                self.rows = Some(Rows::default());
                return true;
            }
            b' ' if length == 10 && self.text.eq_ignore_ascii_case(b"delimiter ") => self.state = State::DelimiterLine,
            b'\n' if self.text.ends_with(b"--\n") => {}
            _ if byte.is_ascii_whitespace() && self.text[..length - 1].ends_with(b"--") => self.state = State::LineComment(length - 3),
            _ => {
                let before = &self.text[..length - 1];
                if before.ends_with(b"/*") && !matches!(byte, b'!' | b'M') {
                    self.state = State::BlockComment(length - 3);
                } else if before.ends_with(b"/*M") && byte != b'!' {
                    self.state = State::BlockComment(length - 4);
                }
            }
        }
        if self.text == SANDBOX && !self.is_behind_rows && !self.has_parts {
            self.state = State::BlockComment(0);
        }
        false
    }

    /// Whether the parenthesis that has just come opens the first row of an `INSERT`.
    fn begins_rows(&self) -> bool {
        let starts = |word: &[u8]| self.text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        if self.is_behind_rows || self.has_parts || !(starts(b"INSERT ") || starts(b"REPLACE ")) {
            return false;
        }
        let before = self.text[..self.text.len() - 1].trim_ascii_end();
        let ends = |word: &[u8]| before.len() >= word.len() && before[before.len() - word.len()..].eq_ignore_ascii_case(word);
        ends(b" VALUES") || ends(b")VALUES") || ends(b"`VALUES") || ends(b" VALUE") || ends(b"\nVALUES")
    }

    /// Whether only commas and comments stand between the parenthesis that has just come and the row before it.
    fn goes_on_with_rows(&self) -> bool {
        let before = &self.text[..self.text.len() - 1];
        self.is_behind_rows && Tokens::new(before, self.variables.has_escapes()).all(|token| token == Token::Symbol(b','))
    }

    fn quoted(&mut self, quote: u8, rest: &[u8]) -> usize {
        let found = if escapes_in(quote, &self.variables) { memchr::memchr2(quote, b'\\', rest) } else { memchr::memchr(quote, rest) };
        let used = found.map_or(rest.len(), |offset| offset + 1);
        self.text.extend_from_slice(&rest[..used]);
        if let Some(offset) = found {
            self.state = if rest[offset] == quote { State::Plain } else { State::Escaped(quote) };
        }
        used
    }

    fn until_newline(&mut self, rest: &[u8]) -> usize {
        let used = memchr::memchr(b'\n', rest).map_or(rest.len(), |offset| offset + 1);
        self.text.extend_from_slice(&rest[..used]);
        used
    }

    /// Behind a comment; one with which a statement would have begun stands between statements.
    fn end_comment(&mut self, from: usize, take: &mut impl FnMut(Event<'_>, &Variables)) {
        self.state = State::Plain;
        if from == 0 && !self.is_behind_rows && !self.has_parts {
            self.end_bare(take);
        }
    }

    fn end_bare(&mut self, take: &mut impl FnMut(Event<'_>, &Variables)) {
        self.state = State::Plain;
        take(Event::Between(&self.text), &self.variables);
        self.text.clear();
    }

    fn end_delimiter_line(&mut self, take: &mut impl FnMut(Event<'_>, &Variables)) {
        self.state = State::Plain;
        if let Some(word) = delimiter_of(&self.text) {
            self.delimiter = word.to_vec();
        }
        take(Event::Delimiter(&self.text), &self.variables);
        self.text.clear();
    }

    fn end_statement(&mut self, take: &mut impl FnMut(Event<'_>, &Variables)) {
        let text = &self.text[..self.text.len() - self.delimiter.len()];
        if std::mem::take(&mut self.is_behind_rows) {
            if !text.is_empty() {
                take(Event::Gap(text), &self.variables);
            }
        } else {
            if !self.has_parts {
                self.variables.note(text);
            }
            self.has_parts = false;
            take(Event::Statement(text), &self.variables);
        }
        take(Event::End(&self.delimiter), &self.variables);
        self.text.clear();
    }

    /// Hands on what is too long to be kept, but for its last bytes, which may be the first of something.
    fn keep_small(&mut self, take: &mut impl FnMut(Event<'_>, &Variables)) {
        if self.text.len() > STATEMENT_MAX_BYTES {
            let end = self.text.len() - self.delimiter.len().max(8);
            take(Event::Part(&self.text[..end]), &self.variables);
            self.text.drain(..end);
            self.has_parts = true;
            if let State::LineComment(from) | State::BlockComment(from) = &mut self.state {
                *from = 1;
            }
        }
    }
}
