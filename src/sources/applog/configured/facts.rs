//! The facts of one entry, as JSON values or as the texts of groups → a statement.

use crate::sources::applog::durations;
use std::collections::BTreeMap;

use serde_json::Value;

use super::super::{
    fields,
    lines::{self, Draft, Stamp},
    placeholders::{self, Style},
    values,
};
use crate::{
    config::{Fact, Placeholders, Unit},
    workload::{Evidence, UnitId},
};

/// Facts that were there and could not be understood.
#[derive(Debug, Default)]
pub(super) struct Misread(BTreeMap<Fact, (u64, String)>);

impl Misread {
    fn add(&mut self, fact: Fact, value: &Value) {
        let (count, _) = self.0.entry(fact).or_insert_with(|| (0, sample(fact, value)));
        *count += 1;
    }

    /// Adds what came after `self` in the log.
    pub(super) fn merge(&mut self, later: Misread) {
        for (fact, (count, sample)) in later.0 {
            self.0.entry(fact).or_insert((0, sample)).0 += count;
        }
    }

    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(fact, (count, sample))| {
            let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
            format!("`{fact}` was not understood {times}{sample}")
        })
    }
}

/// Bind values are the user's data: of them none is shown.
fn sample(fact: Fact, value: &Value) -> String {
    if fact == Fact::Binds {
        return String::new();
    }
    let text: String = value.to_string().chars().take(60).collect();
    format!(", first in {text}")
}

/// What the facts say; `None` without a statement.
pub(super) fn draft(
    values: &[(Fact, &Value)],
    style: Option<Placeholders>,
    misread: &mut Misread,
) -> Option<Draft> {
    let sql =
        values.iter().filter(|(fact, _)| *fact == Fact::Statement).find_map(|(_, value)| text(value))?;
    let mut told = Told { values, misread };
    let binds = told.first(&[Fact::Binds], |_, value| Some(value.clone()));
    let style = match style {
        Some(Placeholders::Numbered) => None,
        Some(Placeholders::Question) => Some(Style::Question),
        Some(Placeholders::Percent) => Some(Style::Percent),
        Some(Placeholders::Colon) => Some(Style::Colon),
        Some(Placeholders::At) => Some(Style::At),
        None => style_of(&sql, binds.as_ref()),
    };
    let binds = told.first(&[Fact::Binds], |_, value| bind_values(value, &sql, style));
    let sqlstate = told.first(&[Fact::Sqlstate], |_, value| text(value).filter(|code| is_sqlstate(code)));
    let sqlstate = sqlstate.filter(|code| code != "00000");
    let error = told
        .first(&[Fact::Error], |_, value| text(value).filter(|_| *value != Value::Bool(false)))
        .or_else(|| sqlstate.as_ref().map(|code| format!("SQLSTATE {code}")));
    let trace = told.first(&[Fact::Trace], |_, value| text(value));
    let request = told.first(&[Fact::Request], |_, value| text(value));
    let unit = match (&trace, &request) {
        (Some(trace), _) => Some(UnitId::new(Evidence::Trace, trace_id(trace).as_bytes())),
        (None, Some(request)) => Some(UnitId::new(Evidence::Tag, request.as_bytes())),
        (None, None) => None,
    };
    Some(Draft {
        binds,
        duration: told.first(DURATIONS, duration),
        end: told.first(TIMESTAMPS, timestamp),
        session: told.first(&[Fact::Session], |_, value| text(value)).map(|name| session(&name)),
        unit,
        caller: caller(&mut told),
        rows: told.first(&[Fact::Rows], |_, value| match value {
            Value::Number(rows) => rows.as_u64(),
            Value::String(rows) => rows.trim().parse().ok(),
            _ => None,
        }),
        database: told.first(&[Fact::Database], |_, value| text(value)),
        user: told.first(&[Fact::User], |_, value| text(value)),
        application: told.first(&[Fact::Application], |_, value| text(value)),
        error,
        sqlstate,
        style,
        sql,
        ..Draft::default()
    })
}

struct Told<'a> {
    values: &'a [(Fact, &'a Value)],
    misread: &'a mut Misread,
}

impl Told<'_> {
    /// The first value of these facts that can be understood; what is null or empty is not there.
    fn first<T>(&mut self, facts: &[Fact], read: impl Fn(Fact, &Value) -> Option<T>) -> Option<T> {
        let mut refused = None;
        for (fact, value) in self.values.iter().filter(|(fact, _)| facts.contains(fact)) {
            if value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty()) {
                continue;
            }
            match read(*fact, value) {
                Some(read) => return Some(read),
                None => refused = refused.or(Some((*fact, *value))),
            }
        }
        if let Some((fact, value)) = refused {
            self.misread.add(fact, value);
        }
        None
    }
}

const DURATIONS: &[Fact] = &[
    Fact::Duration,
    Fact::DurationIn(Unit::Ns),
    Fact::DurationIn(Unit::Us),
    Fact::DurationIn(Unit::Ms),
    Fact::DurationIn(Unit::S),
];

const TIMESTAMPS: &[Fact] = &[
    Fact::Timestamp,
    Fact::TimestampIn(Unit::Ns),
    Fact::TimestampIn(Unit::Us),
    Fact::TimestampIn(Unit::Ms),
    Fact::TimestampIn(Unit::S),
];

/// A text that is not empty; numbers and the like as JSON writes them.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}

/// Microseconds.
fn duration(fact: Fact, value: &Value) -> Option<u64> {
    match (fact, value) {
        (Fact::DurationIn(unit), value) => fields::duration(value, 1e6 / unit.per_second() as f64),
        (_, Value::String(text)) => durations::microseconds(text).or_else(|| clock(text)),
        // Nobody knows its unit.
        _ => None,
    }
}

/// `0:00:00.001234`, `00:00:00`: hours, minutes, seconds.
fn clock(text: &str) -> Option<u64> {
    let mut parts = text.trim().splitn(3, ':');
    let (hours, minutes) = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?);
    let seconds: f64 = parts.next()?.parse().ok()?;
    durations::rounded((f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + seconds) * 1e6)
}

fn timestamp(fact: Fact, value: &Value) -> Option<Stamp> {
    let Fact::TimestampIn(unit) = fact else {
        let (stamp, rest) = lines::stamp(value.as_str()?.trim())?;
        return match rest.trim() {
            "" | "UTC" | "GMT" => Some(stamp),
            // `2026-11-23 10:00:00.123 +0900`
            zone => lines::stamp(&format!("1970-01-01T00:00:00{zone}"))
                .filter(|(_, rest)| rest.is_empty() && zone.starts_with(['+', '-', 'Z']))
                .and_then(|(zone, _)| Some(Stamp { us: stamp.us.checked_add(zone.us)?, ..stamp })),
        };
    };
    let per_second = unit.per_second();
    let (us, whole) = match value {
        Value::Number(number) => since_1970(number.as_i64(), number.as_f64(), per_second)?,
        Value::String(text) => since_1970(text.trim().parse().ok(), text.trim().parse().ok(), per_second)?,
        _ => return None,
    };
    // From 2001 to 2286: in another unit it would lie far off.
    let known = (1_000_000_000_000_000..10_000_000_000_000_000).contains(&us);
    known.then_some(Stamp { us, coarse: whole && unit == Unit::S })
}

/// Microseconds, and whether they are of a whole number.
fn since_1970(whole: Option<i64>, number: Option<f64>, per_second: i64) -> Option<(i64, bool)> {
    const US: i64 = 1_000_000;
    if let Some(whole) = whole {
        let us =
            if per_second >= US { whole / (per_second / US) } else { whole.checked_mul(US / per_second)? };
        return Some((us, true));
    }
    let us = number? * (1e6 / per_second as f64);
    #[expect(clippy::cast_possible_truncation, reason = "below 1e16")]
    (0.0..1e16).contains(&us).then(|| (us.round() as i64, false))
}

/// Small numbers as they are, so that a backend's process id stays one.
fn session(name: &str) -> u32 {
    name.parse().ok().filter(|number| *number < 1 << 24).unwrap_or_else(|| lines::session(name.as_bytes()))
}

/// The trace id of a `traceparent` (`00-4bf92f35…-00f067aa…-01`), or the text itself.
fn trace_id(text: &str) -> String {
    let parts: Vec<&str> = text.split('-').collect();
    let id = match parts[..] {
        [version, trace, span, _] if version.len() == 2 && trace.len() == 32 && span.len() == 16 => trace,
        _ => text,
    };
    id.to_ascii_lowercase()
}

/// `file:line`; slog writes an object of both.
fn caller(told: &mut Told<'_>) -> Option<String> {
    let place = told.first(&[Fact::Caller], |_, value| match value {
        Value::Object(source) => {
            let file = text(source.get("file")?)?;
            let line = source.get("line").and_then(text);
            Some(line.map_or_else(|| file.clone(), |line| format!("{file}:{line}")))
        }
        value => text(value),
    })?;
    let line = told.first(&[Fact::CallerLine], |_, value| {
        text(value).filter(|line| line.bytes().all(|b| b.is_ascii_digit()))
    });
    Some(line.map_or_else(|| place.clone(), |line| format!("{place}:{line}")))
}

fn is_sqlstate(code: &str) -> bool {
    code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// Whether a text begins as a statement does, after its comments.
pub(super) fn is_sql(text: &str) -> bool {
    let mut text = text.trim_start();
    while let Some(comment) = text.strip_prefix("--") {
        let Some((_, after)) = comment.split_once('\n') else { return false };
        text = after.trim_start();
    }
    lines::begins_sql(text)
}

/// In which style its placeholders are, where the definition does not say: one that gives as many as there
/// are bind values, else the first that gives any.
fn style_of(sql: &str, binds: Option<&Value>) -> Option<Style> {
    let sql = sql.as_bytes();
    if placeholders::parameters(sql) > 0 {
        return None;
    }
    let found = [Style::Percent, Style::Question, Style::Colon, Style::At]
        .map(|style| (style, placeholders::number(sql, style)));
    let mut found: Vec<_> = found.into_iter().filter(|(_, numbered)| numbered.count > 0).collect();
    let fitting = found.iter().position(|(_, numbered)| match binds {
        Some(Value::Array(values)) => numbered.count == values.len(),
        Some(Value::Object(values)) => {
            !numbered.names.is_empty() && numbered.names.iter().all(|name| values.contains_key(name))
        }
        _ => true,
    });
    (!found.is_empty()).then(|| found.swap_remove(fitting.unwrap_or(0)).0)
}

/// In the order of `$1`, `$2` …: a list, an object by name or by number, or a text with either printed.
fn bind_values(value: &Value, sql: &str, style: Option<Style>) -> Option<Vec<Option<String>>> {
    let sql = sql.as_bytes();
    let in_order = |pairs: &[(String, Option<String>)]| {
        let numbered = style.map(|style| placeholders::number(sql, style));
        match numbered {
            Some(numbered) if !numbered.names.is_empty() => numbered.in_order(pairs),
            _ => by_number(pairs, count(sql, style)),
        }
    };
    match value {
        Value::Object(object) => {
            let pairs: Vec<_> =
                object.iter().map(|(key, value)| (key.clone(), fields::bind(value))).collect();
            in_order(&pairs)
        }
        Value::String(text) => {
            if let Some(pairs) = values::pairs(text) {
                in_order(&pairs)
            } else {
                let count = count(sql, style);
                let list = fields::binds(value);
                // Go's lists have no commas.
                let fits = list.as_ref().is_some_and(|list| list.len() == count || count == 0);
                if fits { list } else { values::go_list(text, count).or(list) }
            }
        }
        value => fields::binds(value),
    }
}

/// How many placeholders a statement has.
fn count(sql: &[u8], style: Option<Style>) -> usize {
    style.map_or_else(|| placeholders::parameters(sql), |style| placeholders::number(sql, style).count)
}

/// Values under `0`, `1` … or `1`, `2` … (or `$1`).
fn by_number(pairs: &[(String, Option<String>)], count: usize) -> Option<Vec<Option<String>>> {
    let number = |key: &String| key.trim_start_matches('$').parse::<usize>().ok();
    let from = pairs.iter().map(|(key, _)| number(key)).min()??;
    let value = |index: usize| {
        let found = pairs.iter().find(|(key, _)| number(key) == Some(index));
        found.map(|(_, value)| value.clone())
    };
    (from..from + count.max(pairs.len())).map(value).collect()
}
