//! Names and texts inside SQL: the one place where they are quoted.

/// An identifier, always quoted.
pub(super) fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text literal, for a session whose `sql_mode` is empty.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''").replace('\0', "\\0"))
}

/// The columns of a query as one JSON object: names, and the expressions that give their values.
pub(super) fn json(columns: &[(&str, &str)]) -> String {
    let columns: Vec<String> = columns.iter().map(|(name, expression)| format!("'{name}', {expression}")).collect();
    format!("JSON_OBJECT({})", columns.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fm_j04_quoting_survives_every_odd_character() {
        assert_eq!(ident("a`b"), "`a``b`");
        assert_eq!(literal("it's \\ \0"), "'it''s \\\\ \\0'");
        assert_eq!(json(&[("a", "x"), ("b", "1 + 1")]), "JSON_OBJECT('a', x, 'b', 1 + 1)");
    }
}
