//! Tables: with borders on a terminal, plain columns in a pipe.

use comfy_table::presets::{ASCII_FULL_CONDENSED, NOTHING, UTF8_FULL_CONDENSED};

use crate::terminal::Looks;
use crate::text::visible;

/// What a row is, which on a terminal gives it a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shade {
    /// Nothing special.
    Plain,
    /// As it should be.
    Good,
    /// Worth a look.
    Warning,
    /// Broken.
    Bad,
    /// Of little interest.
    Dim,
}

impl Shade {
    /// The escape sequence that switches it on; none for the plain one.
    pub(crate) fn code(self) -> Option<&'static str> {
        match self {
            Shade::Plain => None,
            Shade::Good => Some("\u{1b}[32m"),
            Shade::Warning => Some("\u{1b}[33m"),
            Shade::Bad => Some("\u{1b}[1;31m"),
            Shade::Dim => Some("\u{1b}[2m"),
        }
    }

    pub(crate) fn paint(self, text: &str, colour: bool) -> String {
        match self.code() {
            Some(code) if colour => format!("{code}{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }
}

/// Rows under headings; one line a row, whatever is in them.
#[derive(Debug)]
pub struct Table {
    headings: Vec<String>,
    rows: Vec<(Shade, Vec<String>)>,
}

impl Table {
    /// An empty table.
    pub fn new<T: Into<String>>(headings: impl IntoIterator<Item = T>) -> Self {
        Table { headings: headings.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row; its cells stand under the headings in order.
    pub fn row<T: Into<String>>(&mut self, shade: Shade, cells: impl IntoIterator<Item = T>) {
        let cells = cells.into_iter().map(|cell| visible(&cell.into()).into_owned()).collect();
        self.rows.push((shade, cells));
    }

    /// The table as it is to be shown, without a last newline.
    pub fn render(&self, looks: Looks) -> String {
        let bordered = looks.terminal;
        let mut table = comfy_table::Table::new();
        table.load_style(match (bordered, looks.utf8) {
            (false, _) => NOTHING,
            (true, true) => UTF8_FULL_CONDENSED,
            (true, false) => ASCII_FULL_CONDENSED,
        });
        table.set_header(&self.headings);
        for (_, cells) in &self.rows {
            table.add_row(cells);
        }
        // Above the first row stand the heading and, with borders, three rules around it.
        let above = if bordered { 3 } else { 1 };
        let shade_of = |line: usize| line.checked_sub(above).and_then(|row| self.rows.get(row)).map_or(Shade::Plain, |(shade, _)| *shade);
        let text = table.to_string();
        let lines = text.lines().enumerate().map(|(number, line)| shade_of(number).paint(line.trim_end(), looks.colour));
        // Plain columns begin at the start of the line.
        let lines = lines.map(|line| if bordered { line } else { line.strip_prefix(' ').map(str::to_owned).unwrap_or(line) });
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["backup", "status"]);
        table.row(Shade::Good, ["a", "whole"]);
        table.row(Shade::Bad, ["b\u{1b}[2J", "bad\nsize"]);
        table
    }

    #[test]
    fn a_pipe_gets_plain_columns() {
        let text = table().render(Looks { terminal: false, colour: false, utf8: true });
        assert_eq!(text, "backup      status\na           whole\nb\\u{1b}[2J  bad\\nsize");
    }

    #[test]
    fn borders_are_ascii_where_the_locale_is_not_utf8() {
        let looks = Looks { terminal: true, colour: false, utf8: false };
        assert!(table().render(looks).is_ascii());
        assert!(table().render(looks).starts_with("+--"));
        assert!(table().render(Looks { utf8: true, ..looks }).starts_with('┌'));
    }

    #[test]
    fn a_colour_covers_its_row_and_nothing_else() {
        let text = table().render(Looks { terminal: true, colour: true, utf8: false });
        let painted: Vec<&str> = text.lines().filter(|line| line.contains('\u{1b}')).collect();
        assert_eq!(painted.len(), 2);
        assert!(painted[0].starts_with("\u{1b}[32m") && painted[0].contains("whole") && painted[0].ends_with("\u{1b}[0m"));
        assert!(painted[1].starts_with("\u{1b}[1;31m") && painted[1].contains("bad"));
    }
}
