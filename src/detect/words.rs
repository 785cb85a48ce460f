//! Numbers and lists as people read them: the same in every finding.

use crate::digits;

/// `1,234,567`, rounded to a whole number.
pub(super) fn count(number: f64) -> String {
    digits::grouped(&format!("{:.0}", number.max(0.0)))
}

/// `1 row`, `2,000 rows`.
pub(super) fn counted(number: f64, one: &str) -> String {
    let number = count(number);
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {one}{plural}")
}

/// `512 bytes`, `3.2 kB`, `48 MB`: units of 1,024, as `pg_size_pretty()` has them.
pub(super) fn bytes(number: f64) -> String {
    let mut number = number;
    let mut units = ["kB", "MB", "GB", "TB"].iter();
    let mut unit = "bytes";
    while number >= 1024.0 {
        let Some(next) = units.next() else { break };
        number /= 1024.0;
        unit = next;
    }
    if unit != "bytes" && number < 10.0 {
        format!("{number:.1} {unit}")
    } else {
        format!("{number:.0} {unit}")
    }
}

/// `0.3 ms`, `12 ms`, `4.1 s`.
pub(super) fn milliseconds(number: f64) -> String {
    match number {
        n if n < 10.0 => format!("{n:.1} ms"),
        n if n < 1_000.0 => format!("{n:.0} ms"),
        n if n < 100_000.0 => format!("{:.1} s", n / 1_000.0),
        n => format!("{} s", count(n / 1_000.0)),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// `0.02 %`, `3 %`: two digits that count.
pub(super) fn percent(fraction: f64) -> String {
    match fraction * 100.0 {
        p if p >= 1.0 || p == 0.0 => format!("{p:.0} %"),
        p if p >= 0.01 => format!("{p:.2} %"),
        _ => "less than 0.01 %".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([count(0.0), count(999.6), count(1_234_567.0)], ["0", "1,000", "1,234,567"]);
        assert_eq!([bytes(512.0), bytes(3_300.0), bytes(50_000_000.0)], ["512 bytes", "3.2 kB", "48 MB"]);
        assert_eq!([milliseconds(0.25), milliseconds(4_100.0)], ["0.2 ms", "4.1 s"]);
        assert_eq!(
            [percent(0.0002), percent(0.034), percent(0.000_000_1)],
            ["0.02 %", "3 %", "less than 0.01 %"]
        );
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
