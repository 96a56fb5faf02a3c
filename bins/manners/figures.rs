//! Figures for people: sizes, durations, and the small plots that one looks at rather than reads.

use crate::terminal::Looks;

const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
/// From nothing to the highest, as characters of one line.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', ',', '-', '=', '+', '*', '#'];

/// A size in the units of the configuration, three figures of it: `191 KB` is 191,000 bytes and a bit.
pub fn size(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, 0);
    // 999.5 would be shown as 1000.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = if unit == 0 || value >= 99.95 { 0 } else { usize::from(value < 9.995) + 1 };
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// A change of a size, with its sign.
pub fn size_change(bytes: i64) -> String {
    format!("{}{}", if bytes < 0 { '-' } else { '+' }, size(bytes.unsigned_abs()))
}

/// Milliseconds as a person says them: `12 ms`, `3.4 s`, `5 min 10 s`.
pub fn milliseconds(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

/// A plot of one line, from 0 to the highest value; where there are more values than `width`, the highest of neighbours stands
/// for them.
pub fn sparkline(values: &[u64], width: usize, looks: Looks) -> String {
    let glyphs = if looks.utf8 { BLOCKS } else { ASCII };
    let Some(highest) = values.iter().copied().max() else { return String::new() };
    let each = values.len().div_ceil(width.max(1)).max(1);
    let step = |value: u64| usize::try_from(u128::from(value) * 7 / u128::from(highest.max(1))).unwrap_or(0).min(7);
    values.chunks(each).filter_map(|part| part.iter().max()).map(|value| glyphs[step(*value)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_figures_of_a_size() {
        let shown = [0, 999, 1000, 1234, 12_345, 123_456, 999_499, 999_500, 5_000_000_000, u64::MAX].map(size);
        assert_eq!(shown, ["0 B", "999 B", "1.00 KB", "1.23 KB", "12.3 KB", "123 KB", "999 KB", "1.00 MB", "5.00 GB", "18446744 TB"]);
        assert_eq!((size_change(-1500), size_change(0)), ("-1.50 KB".to_owned(), "+0 B".to_owned()));
    }

    #[test]
    fn a_duration_as_one_says_it() {
        assert_eq!([7, 3450, 310_000].map(milliseconds), ["7 ms", "3.4 s", "5 min 10 s"]);
    }

    #[test]
    fn a_plot_has_the_highest_of_neighbours_and_no_more_than_its_width() {
        let looks = Looks { terminal: true, colour: false, utf8: true };
        assert_eq!(sparkline(&[0, 50, 100], 10, looks), "▁▄█");
        assert_eq!(sparkline(&[0, 0, 100, 0, 0, 0], 3, looks), "▁█▁");
        assert_eq!(sparkline(&[0, 0], 10, looks), "▁▁");
        assert_eq!(sparkline(&[], 10, looks), "");
        assert!(sparkline(&[1, 2, 3], 10, Looks { utf8: false, ..looks }).is_ascii());
        assert_eq!(sparkline(&vec![u64::MAX; 1000], 40, looks).chars().count(), 40);
    }
}
