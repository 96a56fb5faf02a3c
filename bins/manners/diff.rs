//! Changes of a database, for people: rows table by table, definitions as a unified diff.

use holdfast::changes::Changes;
use holdfast::schema::SchemaChange;
use similar::TextDiff;

/// Lines of context around a change.
const CONTEXT_LINES: usize = 3;
/// At most so many lines are printed; the whole is in `--json`.
const LINES_MAX: usize = 400;

/// Tells every change, a line each, to one of the ways in which [`crate::Out`] speaks.
pub fn tell(changes: &Changes, say: impl Fn(&str)) {
    let lines = lines(changes);
    lines.iter().take(LINES_MAX).for_each(|line| say(line));
    if lines.len() > LINES_MAX {
        say(&format!("… and {} lines more; --json has all of it", lines.len() - LINES_MAX));
    }
}

/// Every change, a line each; definitions as a unified diff.
pub fn lines(changes: &Changes) -> Vec<String> {
    let mut lines: Vec<String> = changes.tables.iter().map(|change| format!("  {change}")).collect();
    for change in &changes.schema {
        lines.extend(definition(change));
    }
    lines
}

fn definition(change: &SchemaChange) -> Vec<String> {
    let ended = |text: &Option<String>| text.as_ref().map(|text| format!("{}\n", text.trim_end())).unwrap_or_default();
    let (before, after) = (ended(&change.before), ended(&change.after));
    let diff = TextDiff::from_lines(&before, &after);
    let mut lines = vec![format!("  {}", change.object)];
    lines.extend(
        diff.unified_diff()
            .context_radius(CONTEXT_LINES)
            .to_string()
            .lines()
            .filter(|line| !line.starts_with("@@"))
            .map(|line| format!("  {line}")),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_added_column_is_one_line_with_a_plus() {
        let change = SchemaChange {
            object: "table account".into(),
            before: Some("CREATE TABLE account (\n  id integer\n)".into()),
            after: Some("CREATE TABLE account (\n  id integer,\n  name text\n)".into()),
        };
        let changes = Changes { tables: Vec::new(), schema: vec![change] };
        assert_eq!(
            lines(&changes),
            ["  table account", "   CREATE TABLE account (", "  -  id integer", "  +  id integer,", "  +  name text", "   )"]
        );
    }
}
