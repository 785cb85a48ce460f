//! Times as loggers write them.

/// `1.2ms`, `0.5s`, `312µs`, `1m2.5s`, `1.5 ms` in microseconds; `None` without a unit.
pub(super) fn microseconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, after) = rest.split_at(digits);
        let number: f64 = number.parse().ok()?;
        let after = after.trim_start();
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit);
        sum += number * unit_us(unit.trim())?;
        rest = next;
    }
    (!text.trim().is_empty()).then(|| rounded(sum)).flatten()
}

/// Microseconds of one unit of time.
pub(super) fn unit_us(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 0.001,
        "us" | "µs" | "μs" => 1.0,
        "ms" => 1000.0,
        "s" => 1e6,
        "m" | "min" => 6e7,
        "h" => 3.6e9,
        _ => return None,
    })
}

/// Whole microseconds; `None` for what is no duration.
pub(super) fn rounded(us: f64) -> Option<u64> {
    const A_YEAR: f64 = 3.2e13;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0 and a year")]
    (0.0..A_YEAR).contains(&us).then(|| us.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expect) in [
            ("1.2ms", Some(1200)),
            ("0.5s", Some(500_000)),
            ("312µs", Some(312)),
            ("312us", Some(312)),
            ("1m2.5s", Some(62_500_000)),
            ("6.555219ms", Some(6555)),
            ("1.5 ms", Some(1500)),
            ("900ns", Some(1)),
            ("12", None),
            ("", None),
            ("fast", None),
            ("-1ms", None),
            ("1e9999h", None),
        ] {
            assert_eq!(microseconds(text), expect, "{text}");
        }
    }
}
