//! Names and texts inside SQL: the one place where they are quoted.

/// An identifier, always quoted, as the server reads it.
pub(super) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text literal that means the same under every setting of `standard_conforming_strings`.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// A connection string that names this database and nothing else, whatever characters the name holds.
pub(super) fn conninfo(database: &str) -> String {
    format!("dbname='{}'", database.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A table's name as fingerprints carry it: quoted only where it is not plain, whatever a server's list of keywords says.
pub(super) fn table_name(schema: &str, table: &str) -> String {
    let part = |name: &str| if is_plain(name) { name.to_owned() } else { ident(name) };
    format!("{}.{}", part(schema), part(table))
}

fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// A name out of a dump in the database's own encoding. What is not UTF-8 is read as Latin-1, so that different names stay different.
pub(super) fn decode(name: Vec<u8>) -> String {
    String::from_utf8(name).unwrap_or_else(|error| error.as_bytes().iter().map(|byte| char::from(*byte)).collect())
}

/// Reads one identifier, quoted or bare, off the front of `text`; gives it unquoted, and what follows.
pub(super) fn read_ident(text: &[u8]) -> Option<(String, &[u8])> {
    let mut name = Vec::new();
    if text.first() == Some(&b'"') {
        let mut at = 1;
        loop {
            match (*text.get(at)?, text.get(at + 1)) {
                (b'"', Some(b'"')) => {
                    name.push(b'"');
                    at += 2;
                }
                (b'"', _) => return Some((decode(name), &text[at + 1..])),
                (byte, _) => {
                    name.push(byte);
                    at += 1;
                }
            }
        }
    }
    let end =
        text.iter().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || *byte >= 0x80)).unwrap_or(text.len());
    (end > 0).then(|| (decode(text[..end].to_vec()), &text[end..]))
}

/// Reads `schema.table` (or only `table`) off the front of `text`, as [`table_name`] gives it, and what follows.
pub(super) fn read_table(text: &[u8]) -> Option<(String, &[u8])> {
    let (first, rest) = read_ident(text)?;
    match rest.strip_prefix(b".") {
        Some(rest) => read_ident(rest).map(|(second, rest)| (table_name(&first, &second), rest)),
        None => Some((if is_plain(&first) { first } else { ident(&first) }, rest)),
    }
}

/// The elements of a setting that holds a list of names (`"$user", public`), unquoted.
pub(super) fn read_list(text: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut rest = text.trim_start().as_bytes();
    while !rest.is_empty() {
        let (name, after) = if rest.first() == Some(&b'"') {
            read_ident(rest)?
        } else {
            let end = rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len());
            (String::from_utf8_lossy(&rest[..end]).trim().to_owned(), &rest[end..])
        };
        out.push(name);
        rest = after.trim_ascii_start();
        rest = match rest.strip_prefix(b",") {
            Some(more) => more.trim_ascii_start(),
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fm_j04_quoting_survives_every_odd_character() {
        assert_eq!(ident("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
        assert_eq!(conninfo("x' host=evil"), "dbname='x\\' host=evil'");
    }

    #[test]
    fn names_are_read_back_as_they_were_quoted() {
        assert_eq!(read_table(b"public.\"Odd \"\"(x).y\" (a, b)"), Some(("public.\"Odd \"\"(x).y\"".to_owned(), &b" (a, b)"[..])));
        assert_eq!(read_table(b"public.\"user\" (a)").map(|(name, _)| name), Some("public.user".to_owned()));
        assert_eq!(read_table(b"\"unclosed"), None);
        assert_eq!(read_list("\"$user\", public"), Some(vec!["$user".to_owned(), "public".to_owned()]));
    }
}
