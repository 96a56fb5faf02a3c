//! Whether a place in SQL text lies inside a quoted string, a name, a dollar-quoted body or a comment.

use super::copy;

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Plain,
    /// `'…'`; in `E'…'` a backslash escapes.
    Single {
        escapes: bool,
    },
    /// Behind a quote that ends the string, unless another follows.
    SingleEnd {
        escapes: bool,
    },
    SingleBackslash,
    Double,
    /// Behind one `-`.
    Dash,
    /// Behind one `/`.
    Slash,
    /// Behind a `$` and the tag so far.
    DollarTag(Vec<u8>),
    /// Inside `$tag$…`; how many bytes of the closing tag have matched.
    Dollar {
        close: Vec<u8>,
        matched: usize,
    },
    LineComment,
    /// `/* … */`, nested so deep; the byte before.
    BlockComment {
        depth: u32,
        before: u8,
    },
}

/// Follows the text, in pieces of any size.
#[derive(Debug)]
pub(super) struct Quotes {
    state: State,
    /// The last two plain bytes: `E'` escapes, `a$1` is no dollar quote.
    before: [u8; 2],
}

impl Default for Quotes {
    fn default() -> Self {
        Quotes { state: State::Plain, before: [b'\n'; 2] }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl Quotes {
    /// Whether the next byte is plain SQL.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.state, State::Plain | State::SingleEnd { .. } | State::Dash | State::Slash | State::DollarTag(_) | State::LineComment)
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            at = self.skip(bytes, at);
            let Some(byte) = bytes.get(at) else { return };
            if self.step(*byte) {
                at += 1;
            }
        }
    }

    /// Jumps over what cannot change the state.
    fn skip(&self, bytes: &[u8], at: usize) -> usize {
        let rest = &bytes[at..];
        let found = match &self.state {
            State::Single { escapes: true } => copy::find(rest, b'\'', b'\\'),
            State::Single { escapes: false } => copy::find(rest, b'\'', b'\''),
            State::Double => copy::find(rest, b'"', b'"'),
            State::Dollar { matched: 0, .. } => copy::find(rest, b'$', b'$'),
            State::LineComment => copy::find_newline(rest),
            _ => Some(0),
        };
        found.map_or(bytes.len(), |offset| at + offset)
    }

    /// One byte; false where the state changed and the byte must be looked at again.
    fn step(&mut self, byte: u8) -> bool {
        match &mut self.state {
            State::Plain => self.plain(byte),
            State::Single { escapes } => {
                let escapes = *escapes;
                match byte {
                    b'\'' => self.state = State::SingleEnd { escapes },
                    b'\\' if escapes => self.state = State::SingleBackslash,
                    _ => {}
                }
            }
            State::SingleEnd { escapes } => {
                if byte == b'\'' {
                    self.state = State::Single { escapes: *escapes };
                } else {
                    self.become_plain(b'\'');
                    return false;
                }
            }
            State::SingleBackslash => self.state = State::Single { escapes: true },
            State::Double => {
                if byte == b'"' {
                    self.become_plain(byte);
                }
            }
            State::Dash | State::Slash => return self.second_of_pair(byte),
            State::DollarTag(tag) => {
                if byte == b'$' {
                    let mut close = std::mem::take(tag);
                    close.push(b'$');
                    self.state = State::Dollar { close, matched: 0 };
                } else if is_word(byte) && !(tag.len() == 1 && byte.is_ascii_digit()) {
                    tag.push(byte);
                } else {
                    self.become_plain(b'$');
                    return false;
                }
            }
            State::Dollar { close, matched } => {
                // The tag itself holds no `$`, so a failed match can only begin anew at one.
                *matched = if byte == close[*matched] { *matched + 1 } else { usize::from(byte == b'$') };
                if *matched == close.len() {
                    self.become_plain(b'$');
                }
            }
            State::LineComment => {
                if byte == b'\n' {
                    self.become_plain(byte);
                }
            }
            State::BlockComment { depth, before } => match (*before, byte) {
                (b'*', b'/') if *depth == 1 => self.become_plain(b' '),
                (b'*', b'/') => (*depth, *before) = (*depth - 1, 0),
                (b'/', b'*') => (*depth, *before) = (depth.saturating_add(1), 0),
                _ => *before = byte,
            },
        }
        true
    }

    fn become_plain(&mut self, before: u8) {
        self.state = State::Plain;
        self.before = [before; 2];
    }

    fn plain(&mut self, byte: u8) {
        let [second_last, last] = self.before;
        match byte {
            b'\'' => self.state = State::Single { escapes: matches!(last, b'E' | b'e') && !is_word(second_last) },
            b'"' => self.state = State::Double,
            b'-' => self.state = State::Dash,
            b'/' => self.state = State::Slash,
            b'$' if !is_word(last) && last != b'$' => self.state = State::DollarTag(vec![b'$']),
            _ => {}
        }
        self.before = [last, byte];
    }

    fn second_of_pair(&mut self, byte: u8) -> bool {
        match (&self.state, byte) {
            (State::Dash, b'-') => self.state = State::LineComment,
            (State::Slash, b'*') => self.state = State::BlockComment { depth: 1, before: 0 },
            _ => {
                self.state = State::Plain;
                return false;
            }
        }
        true
    }
}
