//! Numbers as a person reads them.
//!
//! Between a number and its unit stands a no-break space, so that no line ends there; the page turns
//! it into a plain one when it is written.

use crate::digits;

/// Joins a number and its unit.
pub(super) const TIE: char = '\u{a0}';

/// `0.35 ms`, `8.2 ms`, `350 ms`, `1.2 s`, `35 s`, `12.1 min`, `2.3 h`, `4.1 d`: at most 8 characters
/// in 27 years.
pub(super) fn duration(ms: f64) -> String {
    let (value, unit) = match ms {
        ms if ms < 999.5 => (ms, "ms"),
        ms if ms < 119_500.0 => (ms / 1000.0, "s"),
        ms if ms < 3_597_000.0 => (ms / 60_000.0, "min"),
        ms if ms < 86_220_000.0 => (ms / 3_600_000.0, "h"),
        ms => (ms / 86_400_000.0, "d"),
    };
    format!("{}{TIE}{unit}", figure(value))
}

/// Two significant digits, more where that would round away whole numbers.
fn figure(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if value < 0.0095 => format!("{value:.3}"),
        value if value < 0.995 => format!("{value:.2}"),
        value if value < 9.95 => format!("{value:.1}"),
        value => digits::grouped(&format!("{value:.0}")),
    }
}

/// `1,204`.
pub(super) fn grouped(number: u64) -> String {
    digits::grouped(&number.to_string())
}

/// As [`grouped`], cut to millions and billions where a column is narrow.
pub(super) fn short_count(number: u64) -> String {
    match number {
        0..10_000_000 => grouped(number),
        10_000_000..10_000_000_000 => format!("{}{TIE}M", grouped(number / 1_000_000)),
        _ => format!("{}{TIE}G", grouped(number / 1_000_000_000)),
    }
}

/// `1 call`, `1,204 calls`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{}{TIE}{}", grouped(number), if number == 1 { one } else { many })
}

/// Rows or loops, which averages make fractions of: `1,204`, `0.5`.
pub(super) fn rows(rows: f64) -> String {
    if rows < 9.95 && rows.fract() != 0.0 {
        format!("{rows:.1}")
    } else {
        digits::grouped(&format!("{rows:.0}"))
    }
}

/// Powers of 1024, as `pg_size_pretty()` counts: `14 MB`.
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "bytes";
    for larger in ["kB", "MB", "GB", "TB", "PB"] {
        if value < 1023.5 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    match unit {
        "bytes" => count(bytes, "byte", "bytes"),
        _ => format!("{}{TIE}{unit}", figure(value)),
    }
}

/// `62 %`, `3.1 %`, `< 0.1 %`; a dash when there is no whole.
pub(super) fn share(part: f64, whole: f64) -> String {
    if whole <= 0.0 {
        return "-".to_owned();
    }
    match part / whole * 100.0 {
        0.0 => format!("0{TIE}%"),
        percent if percent < 0.05 => format!("<{TIE}0.1{TIE}%"),
        percent if percent < 9.95 => format!("{percent:.1}{TIE}%"),
        percent => format!("{percent:.0}{TIE}%"),
    }
}

/// A planner cost, which has no unit: `8.44`, `23,334`.
pub(super) fn cost(cost: f64) -> String {
    if cost < 99.995 { format!("{cost:.2}") } else { digits::grouped(&format!("{cost:.0}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        text.replace(TIE, " ")
    }

    #[test]
    fn durations_round_to_what_a_person_compares() {
        for (ms, expect) in [
            (0.0, "0 ms"),
            (0.004, "0.004 ms"),
            (0.035, "0.04 ms"),
            (0.354, "0.35 ms"),
            (0.999, "1.0 ms"),
            (8.24, "8.2 ms"),
            (9.96, "10 ms"),
            (350.0, "350 ms"),
            (999.4, "999 ms"),
            (999.6, "1.0 s"),
            (1234.0, "1.2 s"),
            (59_940.0, "60 s"),
            (119_400.0, "119 s"),
            (119_600.0, "2.0 min"),
            (726_000.0, "12 min"),
            (8_300_000.0, "2.3 h"),
            (400_000_000.0, "4.6 d"),
        ] {
            assert_eq!(plain(&duration(ms)), expect, "{ms}");
        }
    }

    #[test]
    fn counts_and_sizes() {
        assert_eq!(plain(&count(1, "call", "calls")), "1 call");
        assert_eq!(plain(&count(1_204_000, "call", "calls")), "1,204,000 calls");
        assert_eq!(plain(&short_count(9_999_999)), "9,999,999");
        assert_eq!(plain(&short_count(u64::MAX)), "18,446,744,073 G");
        for (size, expect) in
            [(0, "0 bytes"), (1, "1 byte"), (1023, "1,023 bytes"), (1024, "1.0 kB"), (14_680_064, "14 MB")]
        {
            assert_eq!(plain(&bytes(size)), expect);
        }
    }

    #[test]
    fn shares() {
        for (part, whole, expect) in [
            (0.0, 0.0, "-"),
            (0.0, 5.0, "0 %"),
            (1.0, 5000.0, "< 0.1 %"),
            (1.0, 30.0, "3.3 %"),
            (62.0, 100.0, "62 %"),
        ] {
            assert_eq!(plain(&share(part, whole)), expect);
        }
    }
}
