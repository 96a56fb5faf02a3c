//! The words, names and texts of one statement that is in memory.

/// A part of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine::mariadb) enum Token<'a> {
    /// A keyword, a bare name or a number.
    Word(&'a [u8]),
    /// What stood in quotes of any kind, without them.
    Quoted(u8, Vec<u8>),
    /// Any other byte.
    Symbol(u8),
}

impl Token<'_> {
    pub(in crate::engine::mariadb) fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Word(text) if text.eq_ignore_ascii_case(word.as_bytes()))
    }
}

/// What lies at a place of a statement, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Quoted,
    Comment,
    /// `/*!50001` or `/*M!100100`: what follows it is part of the statement.
    Version,
    /// The `*/` of such a one.
    VersionEnd,
    Other,
}

fn span(text: &[u8], at: usize, escapes: bool) -> (Span, usize) {
    let rest = &text[at..];
    let to_end = |found: Option<usize>| found.map_or(text.len(), |end| at + end);
    match rest[0] {
        quote @ (b'\'' | b'"' | b'`') => {
            let mut end = 1;
            while let Some(byte) = rest.get(end) {
                end += 1;
                match *byte {
                    b'\\' if escapes && quote != b'`' => end += 1,
                    byte if byte == quote && rest.get(end) == Some(&quote) => end += 1,
                    byte if byte == quote => break,
                    _ => {}
                }
            }
            (Span::Quoted, text.len().min(at + end))
        }
        b'#' => (Span::Comment, to_end(rest.iter().position(|byte| *byte == b'\n'))),
        b'-' if rest.starts_with(b"--") && rest.get(2).is_none_or(u8::is_ascii_whitespace) => {
            (Span::Comment, to_end(rest.iter().position(|byte| *byte == b'\n')))
        }
        b'/' if rest.starts_with(b"/*!") || rest.starts_with(b"/*M!") => {
            let digits = rest.iter().position(|byte| *byte == b'!').unwrap_or(0) + 1;
            let end = rest[digits..].iter().position(|byte| !byte.is_ascii_digit()).map_or(rest.len(), |count| digits + count);
            (Span::Version, at + end + usize::from(rest.get(end) == Some(&b' ')))
        }
        b'/' if rest.starts_with(b"/*") => {
            (Span::Comment, to_end(rest[2..].windows(2).position(|pair| pair == b"*/").map(|offset| offset + 4)))
        }
        b'*' if rest.starts_with(b"*/") => (Span::VersionEnd, at + 2),
        _ => (Span::Other, at + 1),
    }
}

/// The statement that a server new enough for every versioned comment reads: the same text without the marks of these.
pub(super) fn without_versions(text: &[u8], escapes: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let (span, end) = span(text, at, escapes);
        if !matches!(span, Span::Version | Span::VersionEnd) {
            out.extend_from_slice(&text[at..end]);
        }
        at = end;
    }
    out.trim_ascii().to_vec()
}

/// The statement without the next value of an automatic column, which every row that is added changes.
pub(super) fn without_counter(text: &[u8], escapes: bool) -> Vec<u8> {
    const COUNTER: &[u8] = b" AUTO_INCREMENT=";
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(COUNTER) {
            at += COUNTER.len();
            at += text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            continue;
        }
        let (_, end) = span(text, at, escapes);
        out.extend_from_slice(&text[at..end]);
        at = end;
    }
    out
}

/// The parts of the list in a statement's first parentheses, with what stands before and behind the list.
pub(in crate::engine::mariadb) struct List<'a> {
    pub(in crate::engine::mariadb) before: &'a [u8],
    pub(in crate::engine::mariadb) parts: Vec<&'a [u8]>,
    pub(in crate::engine::mariadb) behind: &'a [u8],
}

/// Reads such a list; none where there is none, or it does not end.
pub(in crate::engine::mariadb) fn list(text: &[u8], escapes: bool) -> Option<List<'_>> {
    let (mut depth, mut from, mut at) = (0, 0, 0);
    let mut before: &[u8] = &[];
    let mut parts = Vec::new();
    while at < text.len() {
        let (span, end) = span(text, at, escapes);
        if span == Span::Other {
            match text[at] {
                b'(' => {
                    depth += 1;
                    if depth == 1 {
                        (before, from) = (&text[..at], end);
                    }
                }
                b',' if depth == 1 => {
                    parts.push(text[from..at].trim_ascii());
                    from = end;
                }
                b')' if depth == 1 => {
                    parts.push(text[from..at].trim_ascii());
                    return Some(List { before, parts, behind: &text[end..] });
                }
                b')' => depth -= i32::from(depth > 0),
                _ => {}
            }
        }
        at = end;
    }
    None
}

/// The tokens of a statement; comments are left out, versioned ones are not.
pub(in crate::engine::mariadb) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    escapes: bool,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

impl<'a> Tokens<'a> {
    pub(in crate::engine::mariadb) fn new(text: &'a [u8], escapes: bool) -> Self {
        Tokens { text, at: 0, escapes }
    }

    /// Where the next token is looked for.
    pub(in crate::engine::mariadb) fn reached(&self) -> usize {
        self.at
    }

    /// The next token, left where it is.
    pub(in crate::engine::mariadb) fn peek(&mut self) -> Option<Token<'a>> {
        let at = self.at;
        let token = self.next();
        self.at = at;
        token
    }

    /// Whether the next token is this word, which is then taken.
    pub(in crate::engine::mariadb) fn take_word(&mut self, word: &str) -> bool {
        let at = self.at;
        let is = self.next().is_some_and(|token| token.is_word(word));
        if !is {
            self.at = at;
        }
        is
    }

    /// Whether the next token is this byte, which is then taken.
    pub(in crate::engine::mariadb) fn take_symbol(&mut self, symbol: u8) -> bool {
        let at = self.at;
        let is = self.next() == Some(Token::Symbol(symbol));
        if !is {
            self.at = at;
        }
        is
    }

    /// A name, bare or in quotes.
    pub(in crate::engine::mariadb) fn name(&mut self) -> Option<String> {
        match self.next()? {
            Token::Word(word) => Some(decode(word.to_vec())),
            Token::Quoted(_, name) => Some(decode(name)),
            Token::Symbol(_) => None,
        }
    }

    /// The name of an object, and of the database before it where one is named.
    pub(in crate::engine::mariadb) fn qualified(&mut self) -> Option<(Option<String>, String)> {
        let first = self.name()?;
        if self.take_symbol(b'.') { self.name().map(|second| (Some(first), second)) } else { Some((None, first)) }
    }

    /// The name of a variable, with its `@` signs and its scope, where there is one.
    pub(in crate::engine::mariadb) fn variable(&mut self) -> Option<String> {
        let mut out = String::new();
        loop {
            match self.next()? {
                Token::Symbol(b'@') => out.push('@'),
                Token::Symbol(b'.') => out.push('.'),
                Token::Symbol(_) => return None,
                token if out.is_empty() && ["SESSION", "GLOBAL", "LOCAL"].iter().any(|scope| token.is_word(scope)) => {}
                Token::Word(word) => out.push_str(&String::from_utf8_lossy(word)),
                Token::Quoted(_, name) => out.push_str(&decode(name)),
            }
            if !out.ends_with(['@', '.']) && !out.is_empty() && self.peek() != Some(Token::Symbol(b'.')) {
                return Some(out);
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let first = *self.text.get(self.at)?;
            let (span, end) = span(self.text, self.at, self.escapes);
            let from = std::mem::replace(&mut self.at, end);
            match span {
                Span::Comment | Span::Version | Span::VersionEnd => {}
                Span::Quoted => return Some(Token::Quoted(first, unquoted(&self.text[from..end], self.escapes))),
                Span::Other if first.is_ascii_whitespace() => {}
                Span::Other if is_word(first) => {
                    let count = self.text[from..].iter().take_while(|byte| is_word(**byte)).count();
                    self.at = from + count;
                    return Some(Token::Word(&self.text[from..self.at]));
                }
                Span::Other => return Some(Token::Symbol(first)),
            }
        }
    }
}

fn unquoted(text: &[u8], escapes: bool) -> Vec<u8> {
    let quote = text[0];
    let inner = text.get(1..text.len().max(2) - 1).unwrap_or_default();
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().peekable();
    while let Some(byte) = bytes.next() {
        match *byte {
            b'\\' if escapes && quote != b'`' => out.extend(bytes.next()),
            byte if byte == quote => {
                bytes.next_if(|next| **next == quote);
                out.push(byte);
            }
            byte => out.push(byte),
        }
    }
    out
}

/// A name as text. What is not UTF-8 is read as Latin-1, so that different names stay different.
fn decode(name: Vec<u8>) -> String {
    String::from_utf8(name).unwrap_or_else(|error| error.as_bytes().iter().map(|byte| char::from(*byte)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_go_and_everything_else_stays() {
        let text = b"/*!50003 CREATE*/ /*!50017 DEFINER=`r*/t`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON a FOR EACH ROW /* a ' */ SET @x='*/ /*!5 \\'' -- it's\n*/";
        let plain = without_versions(text, true);
        assert_eq!(
            String::from_utf8_lossy(&plain),
            "CREATE DEFINER=`r*/t`@`%` TRIGGER t BEFORE INSERT ON a FOR EACH ROW /* a ' */ SET @x='*/ /*!5 \\'' -- it's"
        );
    }

    #[test]
    fn only_the_tables_own_counter_goes() {
        let text = b"CREATE TABLE `a AUTO_INCREMENT=7` (`b` int AUTO_INCREMENT COMMENT ' AUTO_INCREMENT=8') ENGINE=InnoDB AUTO_INCREMENT=9 CHARSET=x";
        let plain = without_counter(text, true);
        assert_eq!(
            String::from_utf8_lossy(&plain),
            "CREATE TABLE `a AUTO_INCREMENT=7` (`b` int AUTO_INCREMENT COMMENT ' AUTO_INCREMENT=8') ENGINE=InnoDB CHARSET=x"
        );
    }

    #[test]
    fn names_are_read_as_they_were_quoted() {
        let mut tokens = Tokens::new(b" `a``b.` . 'it''s' x.\"q\\\"\" @@session.sql_mode", true);
        assert_eq!(tokens.qualified(), Some((Some("a`b.".to_owned()), "it's".to_owned())));
        assert_eq!(tokens.qualified(), Some((Some("x".to_owned()), "q\"".to_owned())));
        assert_eq!(tokens.variable().as_deref(), Some("@@session.sql_mode"));
        assert_eq!(tokens.next(), None);
        assert_eq!(Tokens::new(b"`unclosed", true).name().as_deref(), Some("unclose"));
    }
}
