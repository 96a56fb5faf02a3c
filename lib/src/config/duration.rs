//! Durations as people write them: `90s`, `15m`, `36h`, `7d`, `1h30m`.

use std::time::Duration;

/// The longest duration: a hundred years, so that no clock overflows when one is added to it.
pub const MAX: Duration = Duration::from_secs(100 * 366 * 86_400);

const UNITS: [(&str, u64); 5] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 7 * 86_400)];

/// Reads a duration of whole seconds; `0` needs no unit. The error is one line that says what to write instead.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = |why: String| format!("{text:?} is not a duration: {why}");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return Err(wrong("it is empty, write one such as 15m".to_owned()));
    }
    let mut seconds = 0u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(digits_end);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        if digits.is_empty() {
            return Err(wrong("it must be whole numbers with a unit, such as 15m or 1h30m".to_owned()));
        }
        if unit.is_empty() {
            return Err(wrong(format!("{digits} has no unit, write {digits}s, {digits}m, {digits}h or {digits}d")));
        }
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(wrong(format!("{unit:?} is no unit, use s, m, h, d or w")));
        };
        seconds = digits
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(*factor))
            .and_then(|part| seconds.checked_add(part))
            .filter(|total| *total <= MAX.as_secs())
            .ok_or_else(|| wrong("it is longer than a hundred years".to_owned()))?;
        rest = next;
    }
    Ok(Duration::from_secs(seconds))
}

/// Writes a duration so that [`parse`] reads it back, whole seconds only: `1d12h`, `15m`, `0s`.
pub fn text(duration: Duration) -> String {
    let mut seconds = duration.as_secs();
    let mut out = String::new();
    for (unit, factor) in UNITS.iter().rev().filter(|(unit, _)| *unit != "w") {
        let count = seconds / factor;
        seconds %= factor;
        if count > 0 {
            out.push_str(&format!("{count}{unit}"));
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, seconds) in
            [("90s", 90), ("15m", 900), ("36h", 129_600), ("7d", 604_800), ("2w", 1_209_600), ("1h30m", 5_400), ("0", 0), ("0s", 0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for seconds in [0, 1, 59, 60, 61, 3_600, 86_399, 86_400, 129_600, 1_000_003] {
            let duration = Duration::from_secs(seconds);
            assert_eq!(parse(&text(duration)), Ok(duration));
        }
        assert_eq!(text(Duration::from_secs(129_600)), "1d12h");
    }

    #[test]
    fn nonsense_says_what_to_write() {
        for (text, message) in [
            ("", r#""" is not a duration: it is empty, write one such as 15m"#),
            ("90", r#""90" is not a duration: 90 has no unit, write 90s, 90m, 90h or 90d"#),
            ("1h30", r#""1h30" is not a duration: 30 has no unit, write 30s, 30m, 30h or 30d"#),
            ("5min", r#""5min" is not a duration: "min" is no unit, use s, m, h, d or w"#),
            ("5 m", r#""5 m" is not a duration: " m" is no unit, use s, m, h, d or w"#),
            ("1.5h", r#""1.5h" is not a duration: "." is no unit, use s, m, h, d or w"#),
            ("-5m", r#""-5m" is not a duration: it must be whole numbers with a unit, such as 15m or 1h30m"#),
            ("soon", r#""soon" is not a duration: it must be whole numbers with a unit, such as 15m or 1h30m"#),
            ("99999999999999999999s", r#""99999999999999999999s" is not a duration: it is longer than a hundred years"#),
            ("36601d", r#""36601d" is not a duration: it is longer than a hundred years"#),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()));
        }
        assert_eq!(parse("36600d"), Ok(MAX));
    }
}
