//! Numbers and lists as a person reads them, for the sentences of advice.

use crate::{
    catalog::{IndexKey, IndexSpec},
    digits,
};

/// `1 core`, `4 cores`, `2 queries`.
pub(super) fn plural(count: u64, word: &str) -> String {
    match (count, word.strip_suffix('y')) {
        (1, _) => format!("1 {word}"),
        (_, Some(stem)) => format!("{} {stem}ies", grouped(count as f64)),
        _ => format!("{} {word}s", grouped(count as f64)),
    }
}

/// Milliseconds as `340 ms`, `12.4 s` or `3.2 min`.
pub(super) fn time(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 1000.0 {
        format!("{ms:.0} ms")
    } else if ms < 120_000.0 {
        format!("{:.1} s", ms / 1000.0)
    } else {
        format!("{:.1} min", ms / 60_000.0)
    }
}

/// A number rounded and with its thousands apart: `31,377`; below 100 with one decimal where it has one.
pub(super) fn grouped(number: f64) -> String {
    if number.abs() < 100.0 && number.fract() != 0.0 {
        return format!("{number:.1}");
    }
    digits::grouped(&format!("{number:.0}"))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// `orders (user_id, created_at DESC) INCLUDE (total)`.
pub(super) fn index(spec: &IndexSpec) -> String {
    let keys: Vec<String> = spec.keys.iter().map(IndexKey::sql).collect();
    let method = if spec.method == "btree" { String::new() } else { format!("USING {} ", spec.method) };
    let mut text = format!("{} {method}({})", spec.table.plain(), keys.join(", "));
    if !spec.include.is_empty() {
        text.push_str(&format!(" INCLUDE ({})", spec.include.join(", ")));
    }
    if let Some(condition) = &spec.predicate {
        text.push_str(&format!(" WHERE {condition}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(plural(1, "query"), "1 query");
        assert_eq!(plural(1200, "query"), "1,200 queries");
        assert_eq!(plural(0, "core"), "0 cores");
        assert_eq!(grouped(31_376.83), "31,377");
        assert_eq!(grouped(100.0), "100");
        assert_eq!(grouped(20.58), "20.6");
        assert_eq!(grouped(-1234.0), "-1,234");
        assert_eq!(
            (time(0.44), time(340.2), time(12_400.0)),
            ("0.4 ms".into(), "340 ms".into(), "12.4 s".into())
        );
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
