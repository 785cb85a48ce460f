//! Values as text: lists that the schema states, and even steps between two ends.

use std::collections::BTreeSet;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::types::Class;

/// Bounds of a histogram: `default_statistics_target` parts.
const PARTS: u32 = 100;

/// The ends of a column's values.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Span {
    Numbers {
        least: f64,
        most: f64,
        whole: bool,
    },
    /// Seconds since 1970, UTC.
    Times {
        first: i64,
        last: i64,
        zone: bool,
    },
    Dates {
        first: i64,
        last: i64,
    },
    /// Of any other type: nothing is known of what lies between.
    Ends {
        first: String,
        last: String,
    },
}

const DAY: i64 = 86_400;

impl Span {
    /// From the ends as they are written; `None` where one is no value of the type, or they are the wrong way round.
    pub(super) fn read(class: Class, zone: bool, first: &str, last: &str) -> Option<Span> {
        let span = match class {
            Class::Integer | Class::Number => {
                let whole = class == Class::Integer;
                Span::Numbers { least: first.parse().ok()?, most: last.parse().ok()?, whole }
            }
            Class::Time => Span::Times { first: seconds(first)?, last: seconds(last)?, zone },
            Class::Date => Span::Dates { first: seconds(first)?, last: seconds(last)? },
            _ => Span::Ends { first: first.to_owned(), last: last.to_owned() },
        };
        let right = match &span {
            Span::Numbers { least, most, .. } => least < most && least.is_finite() && most.is_finite(),
            Span::Times { first, last, .. } | Span::Dates { first, last } => first < last,
            Span::Ends { first, last } => first != last,
        };
        right.then_some(span)
    }

    /// The smallest that holds both.
    pub(super) fn with(self, other: Span) -> Option<Span> {
        match (self, other) {
            (Span::Numbers { least, most, whole }, Span::Numbers { least: l, most: m, .. }) => {
                Some(Span::Numbers { least: least.min(l), most: most.max(m), whole })
            }
            (Span::Times { first, last, zone }, Span::Times { first: f, last: l, .. }) => {
                Some(Span::Times { first: first.min(f), last: last.max(l), zone })
            }
            (Span::Dates { first, last }, Span::Dates { first: f, last: l }) => {
                Some(Span::Dates { first: first.min(f), last: last.max(l) })
            }
            _ => None,
        }
    }

    /// How many values there are at most.
    pub(super) fn count(&self) -> f64 {
        match self {
            Span::Numbers { least, most, whole: true } => most - least + 1.0,
            Span::Dates { first, last } => ((last - first) / DAY + 1) as f64,
            _ => f64::INFINITY,
        }
    }

    /// The bounds of a histogram over `distinct` values that lie evenly; empty where there are too few.
    pub(super) fn bounds(&self, distinct: f64) -> Vec<String> {
        let parts = f64::from(PARTS).min(self.count() - 1.0).min(distinct - 1.0).floor();
        let one = |at: u32| -> String {
            let share = f64::from(at) / parts;
            match self {
                Span::Numbers { least, most, whole } => {
                    let number = least + (most - least) * share;
                    if *whole { format!("{number:.0}") } else { format!("{number}") }
                }
                Span::Times { first, last, zone } => time(between(*first, *last, share), *zone),
                Span::Dates { first, last } => {
                    time(between(*first, *last, share).div_euclid(DAY) * DAY, false)
                        .split(' ')
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                }
                Span::Ends { first, last } => if at == 0 { first } else { last }.clone(),
            }
        };
        if parts < 1.0 {
            return Vec::new();
        }
        if let Span::Ends { .. } = self {
            return vec![one(0), one(1)];
        }
        let mut seen = BTreeSet::new();
        (0..=PARTS)
            .take_while(|at| f64::from(*at) <= parts)
            .map(one)
            .filter(|bound| seen.insert(bound.clone()))
            .collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "between two numbers of seconds")]
fn between(first: i64, last: i64, share: f64) -> i64 {
    first + ((last - first) as f64 * share).round() as i64
}

/// As the server prints it in UTC.
fn time(seconds: i64, zone: bool) -> String {
    let Ok(at) = Timestamp::from_second(seconds) else { return String::new() };
    let civil = at.to_zoned(TimeZone::UTC).datetime();
    civil.strftime("%Y-%m-%d %H:%M:%S").to_string() + if zone { "+00" } else { "" }
}

/// Of a date, a date with a time, or one with a zone; without it UTC.
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_second());
    }
    // What PostgreSQL prints in UTC ends with the hours of the zone alone.
    let text = text.strip_suffix("+00").unwrap_or(text);
    let civil: DateTime =
        text.parse().ok().or_else(|| text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0)))?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// The ends of a partition's range.
pub(super) fn of_bound(bound: &str) -> Option<(String, String)> {
    let (_, rest) = bound.split_once("FROM (")?;
    let (first, rest) = rest.split_once(") TO (")?;
    let end = |text: &str| -> Option<String> {
        let text = text.trim().trim_end_matches(')');
        let value = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text);
        (!matches!(value, "MINVALUE" | "MAXVALUE")).then(|| value.to_owned())
    };
    Some((end(first)?, end(rest)?))
}

/// The values of `column = ANY (ARRAY['a'::text, 'b'::text])`, as the server prints `column IN ('a', 'b')`; `None` of
/// another condition.
pub(super) fn of_check(condition: &str, column: &str) -> Option<Vec<String>> {
    let (left, right) = condition.split_once(" = ANY")?;
    let named = left.trim_start_matches('(');
    let named = named.split("::").next()?.trim_end_matches(')').trim_matches('"');
    if named != column {
        return None;
    }
    let (_, list) = right.split_once("ARRAY[")?;
    let mut values = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '(', ',']);
        if let Some(quoted) = rest.strip_prefix('\'') {
            let (value, behind) = until_quote(quoted)?;
            values.push(value);
            rest = behind;
        } else {
            let end = rest.find([',', ']', ':', ')'])?;
            values.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        // A cast may follow.
        let end = rest.find([',', ']'])?;
        let ends = rest[end..].starts_with(']');
        rest = &rest[end + 1..];
        if ends {
            break;
        }
    }
    (!values.is_empty()).then_some(values)
}

fn until_quote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (before, behind) = rest.split_once('\'')?;
        value.push_str(before);
        match behind.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_checks() {
        for (condition, expect) in [
            ("(status = ANY (ARRAY['new'::text, 'it''s'::text]))", Some(vec!["new", "it's"])),
            (
                "((status)::text = ANY ((ARRAY['new'::character varying, 'paid'::character varying])::text[]))",
                Some(vec!["new", "paid"]),
            ),
            ("(\"status\" = ANY (ARRAY[1, 2, '-3'::integer]))", Some(vec!["1", "2", "-3"])),
            ("(other = ANY (ARRAY['new'::text]))", None),
            ("(status <> ''::text)", None),
        ] {
            let found = of_check(condition, "status");
            assert_eq!(
                found.as_deref().map(|list| list.iter().map(String::as_str).collect::<Vec<_>>()),
                expect
            );
        }
    }

    #[test]
    fn ends_of_partitions() {
        let bound = "FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2025-01-01 00:00:00+00')";
        let (first, last) = of_bound(bound).expect("two ends");
        let span = Span::read(Class::Time, true, &first, &last).expect("two times");
        let bounds = span.bounds(1e6);
        assert_eq!(
            (bounds.len(), bounds[0].as_str(), bounds[100].as_str()),
            (101, first.as_str(), last.as_str())
        );
        assert_eq!(of_bound("FOR VALUES FROM (1) TO (100)"), Some(("1".to_owned(), "100".to_owned())));
        assert_eq!(of_bound("FOR VALUES FROM (MINVALUE) TO (100)"), None);
        assert_eq!(of_bound("DEFAULT"), None);
    }

    #[test]
    fn bounds_are_even_and_no_more_than_values() {
        let keys = Span::Numbers { least: 1.0, most: 5.0, whole: true };
        assert_eq!(keys.bounds(5.0), ["1", "2", "3", "4", "5"]);
        assert_eq!(keys.bounds(1.0), Vec::<String>::new());
        let days = Span::read(Class::Date, false, "2026-01-01", "2026-01-03").expect("two days");
        assert_eq!(days.bounds(1e6), ["2026-01-01", "2026-01-02", "2026-01-03"]);
        assert_eq!(Span::read(Class::Integer, false, "5", "1"), None);
        assert_eq!(Span::read(Class::Time, false, "soon", "later"), None);
    }
}
