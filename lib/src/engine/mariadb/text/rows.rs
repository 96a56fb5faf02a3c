//! Inside the rows of an `INSERT`: finding where each ends, at the speed of memory.

use memchr::{memchr, memchr2};

use super::marks::{Marks, WIDTH};
use super::split::{Event, escapes_in};
use super::variables::Variables;

/// What stands between two rows in the dumps of newer programs; rows that are parted like this are handed on together.
pub(super) const SEPARATOR: &[u8] = b",\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before, between and behind rows.
    Between,
    Row,
    Quoted(u8),
    Escaped(u8),
    /// Behind one `-`.
    Dash,
    /// Behind two.
    Dashes,
    /// Behind one `/`.
    Slash,
    LineComment,
    /// The byte before.
    BlockComment(u8),
}

/// Whether the rows go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The block is used up.
    Inside,
    /// What follows is no row.
    Behind,
}

/// Follows rows in pieces of any size.
#[derive(Debug)]
pub(super) struct Rows {
    state: State,
    depth: u32,
}

impl Default for Rows {
    fn default() -> Self {
        Rows { state: State::Between, depth: 0 }
    }
}

impl Rows {
    pub(super) fn is_in_row(&self) -> bool {
        self.state != State::Between
    }

    /// Takes a block of rows; how many bytes of it, and whether rows go on behind them.
    pub(super) fn feed(&mut self, block: &[u8], variables: &Variables, take: &mut impl FnMut(Event<'_>, &Variables)) -> (usize, Step) {
        let mut at = 0;
        loop {
            if self.state == State::Between {
                let gap = block[at..].iter().position(|byte| !(byte.is_ascii_whitespace() || *byte == b',')).unwrap_or(block.len() - at);
                if gap > 0 {
                    take(Event::Gap(&block[at..at + gap]), variables);
                    at += gap;
                }
                match block.get(at) {
                    None => return (at, Step::Inside),
                    Some(b'(') => {}
                    Some(_) => return (at, Step::Behind),
                }
            }
            let begins = self.state == State::Between;
            let (used, ended) = self.run(&block[at..], variables);
            take(Event::Rows { bytes: &block[at..at + used], begins, ended }, variables);
            at += used;
            if at == block.len() {
                return (at, Step::Inside);
            }
        }
    }

    /// As many rows as stand together; how many bytes they are, and how many of them end there.
    fn run(&mut self, block: &[u8], variables: &Variables) -> (usize, u64) {
        let (mut at, mut ended) = (0, 0);
        if self.state == State::Between {
            (self.state, self.depth, at) = (State::Row, 1, 1);
        }
        let escapes = escapes_in(b'\'', variables);
        while at < block.len() && self.state != State::Between {
            if self.state == State::Row {
                at += self.skim(&block[at..], escapes, &mut ended);
            }
            at += match (self.state, &block[at..]) {
                (State::Between, _) | (_, []) => break,
                (State::Row, rest) => self.plain(rest, &mut ended),
                (_, rest) => self.step(rest, variables),
            };
        }
        (at, ended)
    }

    /// Runs over rows many bytes at a time, up to where something is to be read byte by byte, or few bytes are left.
    fn skim(&mut self, block: &[u8], escapes: bool, ended: &mut u64) -> usize {
        let mut at = 0;
        // All ones where the window begins in quotes.
        let mut within = 0;
        'windows: while let Some(window) = block[at..].first_chunk() {
            let marks = Marks::of(window);
            let quoted = marks.quoted() ^ within;
            // Whether a quote ends a text cannot be seen behind a backslash.
            let end = if escapes { marks.backslashes.trailing_zeros() } else { u64::BITS };
            let mut meanings = marks.others & !quoted & !u64::MAX.unbounded_shl(end);
            while meanings != 0 {
                let place = meanings.trailing_zeros();
                let used = place as usize + self.plain(&block[at + place as usize..], ended);
                if self.state != State::Row {
                    return at + used;
                }
                if used >= WIDTH {
                    at += used;
                    within = 0;
                    continue 'windows;
                }
                meanings &= u64::MAX << used;
            }
            at += end as usize;
            within = (quoted >> end.min(u64::BITS - 1) & 1).wrapping_neg();
            if end < u64::BITS {
                break;
            }
        }
        if within != 0 {
            self.state = State::Quoted(b'\'');
        }
        at
    }

    /// The first of these bytes, which stands plainly in a row, and what belongs to it; how many bytes that is.
    fn plain(&mut self, rest: &[u8], ended: &mut u64) -> usize {
        let may_be_followed_by = |wanted: u8| rest.get(1).is_none_or(|byte| *byte == wanted);
        match rest[0] {
            b'(' => self.depth += 1,
            b')' if self.depth > 1 => self.depth -= 1,
            b')' => {
                *ended += 1;
                if rest[1..].starts_with(b",\n(") {
                    return 1 + SEPARATOR.len() + 1;
                }
                self.state = State::Between;
            }
            quote @ (b'\'' | b'"' | b'`') => self.state = State::Quoted(quote),
            b'-' if may_be_followed_by(b'-') => self.state = State::Dash,
            b'/' if may_be_followed_by(b'*') => self.state = State::Slash,
            b'#' => self.state = State::LineComment,
            _ => {}
        }
        1
    }

    /// The next bytes where they do not stand plainly in a row.
    fn step(&mut self, rest: &[u8], variables: &Variables) -> usize {
        match self.state {
            State::Quoted(quote) => self.quoted(quote, rest, escapes_in(quote, variables)),
            State::Escaped(quote) => {
                self.state = State::Quoted(quote);
                1
            }
            State::LineComment => match memchr(b'\n', rest) {
                Some(offset) => {
                    self.state = State::Row;
                    offset + 1
                }
                None => rest.len(),
            },
            State::BlockComment(before) => {
                self.state = if (before, rest[0]) == (b'*', b'/') { State::Row } else { State::BlockComment(rest[0]) };
                1
            }
            State::Dash if rest[0] == b'-' => self.enter(State::Dashes),
            State::Dashes if rest[0] == b'-' => 1,
            State::Dashes if rest[0] == b'\n' => self.enter(State::Row),
            State::Dashes if rest[0].is_ascii_whitespace() => self.enter(State::LineComment),
            State::Slash if rest[0] == b'*' => self.enter(State::BlockComment(0)),
            // It was an operator or a sign; the byte is looked at again.
            State::Dash | State::Dashes | State::Slash | State::Row | State::Between => {
                self.state = State::Row;
                0
            }
        }
    }

    fn enter(&mut self, state: State) -> usize {
        self.state = state;
        1
    }

    fn quoted(&mut self, quote: u8, rest: &[u8], escapes: bool) -> usize {
        let mut at = 0;
        loop {
            let found = if escapes { memchr2(quote, b'\\', &rest[at..]) } else { memchr(quote, &rest[at..]) };
            let Some(offset) = found else { return rest.len() };
            at += offset + 1;
            if rest[at - 1] == quote {
                self.state = State::Row;
                return at;
            }
            if at == rest.len() {
                self.state = State::Escaped(quote);
                return at;
            }
            at += 1;
        }
    }
}
