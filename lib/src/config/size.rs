//! Sizes as people write them: `500B`, `10KB` (10,000 bytes), `10KiB` (10,240), `2GiB`.

const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Reads a size in bytes, its unit in any case; `0` needs no unit. The error is one line that says what to write instead.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = |why: String| format!("{text:?} is not a size: {why}");
    if text == "0" {
        return Ok(0);
    }
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    if digits.is_empty() {
        return Err(wrong("it must be a whole number with a unit, such as 10KB or 2GiB".to_owned()));
    }
    if unit.is_empty() {
        return Err(wrong(format!("{digits} has no unit, write {digits}B, {digits}KB or {digits}KiB")));
    }
    let Some((_, factor)) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim_start_matches(' '))) else {
        return Err(wrong(format!("{unit:?} is no unit, use B, KB, MB, GB, TB, KiB, MiB, GiB or TiB")));
    };
    digits.parse::<u64>().ok().and_then(|count| count.checked_mul(*factor)).ok_or_else(|| wrong("it is too large".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, bytes) in [
            ("0", 0),
            ("500B", 500),
            ("10KB", 10_000),
            ("10KiB", 10_240),
            ("2GiB", 2 << 30),
            ("2 gib", 2 << 30),
            ("3TB", 3_000_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn nonsense_says_what_to_write() {
        for (text, message) in [
            ("", r#""" is not a size: it must be a whole number with a unit, such as 10KB or 2GiB"#),
            ("big", r#""big" is not a size: it must be a whole number with a unit, such as 10KB or 2GiB"#),
            ("10", r#""10" is not a size: 10 has no unit, write 10B, 10KB or 10KiB"#),
            ("10K", r#""10K" is not a size: "K" is no unit, use B, KB, MB, GB, TB, KiB, MiB, GiB or TiB"#),
            ("1.5GB", r#""1.5GB" is not a size: ".5GB" is no unit, use B, KB, MB, GB, TB, KiB, MiB, GiB or TiB"#),
            ("99999999TiB", r#""99999999TiB" is not a size: it is too large"#),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()));
        }
    }
}
