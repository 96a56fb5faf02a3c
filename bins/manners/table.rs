//! Tables: with borders on a terminal, plain columns in a pipe.

use std::borrow::Cow;

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
        let shown = |cell: String| match visible(&cell) {
            Cow::Owned(shown) => shown,
            // As it is.
            Cow::Borrowed(_) => cell,
        };
        let cells = cells.into_iter().map(|cell| shown(cell.into())).collect();
        self.rows.push((shade, cells));
    }

    /// The table as it is to be shown, without a last newline.
    pub fn render(&self, looks: Looks) -> String {
        let bordered = looks.terminal;
        let mut cells = self.rows.iter().flat_map(|(_, cells)| cells).chain(&self.headings);
        if !bordered && !looks.colour && cells.all(|cell| cell.is_ascii()) {
            return self.plain();
        }
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

    /// Plain columns of cells that are as wide as they are long: the many lines of a large store go into a pipe within a moment.
    fn plain(&self) -> String {
        let lines = || std::iter::once(&self.headings).chain(self.rows.iter().map(|(_, cells)| cells));
        let mut widths = vec![0; self.headings.len()];
        lines().for_each(|cells| widths.iter_mut().zip(cells).for_each(|(width, cell)| *width = (*width).max(cell.len())));
        let mut text = String::with_capacity((self.rows.len() + 1) * widths.iter().map(|width| width + 2).sum::<usize>());
        for cells in lines() {
            if !text.is_empty() {
                text.push('\n');
            }
            let begin = text.len();
            for (cell, width) in cells.iter().zip(&widths) {
                text.push_str(cell);
                text.extend(std::iter::repeat_n(' ', width + 2 - cell.len()));
            }
            text.truncate(begin + text[begin..].trim_end().len());
        }
        text
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

    #[test]
    fn plain_columns_are_the_same_whichever_way_they_are_made() {
        let looks = Looks { terminal: false, colour: false, utf8: true };
        let mut plain = Table::new(["id", "", "remarks"]);
        plain.row(Shade::Bad, ["a", "1", "long words here"]);
        plain.row(Shade::Plain, ["longer", "", ""]);
        plain.row(Shade::Plain, ["", "22", "x"]);
        let fast = plain.render(looks);
        // A character that is no ASCII, as wide as the one it stands for.
        plain.row(Shade::Plain, ["é", "", ""]);
        let slow = plain.render(looks);
        assert_eq!(slow.strip_suffix("\né").expect("the last row"), fast);
    }
}
