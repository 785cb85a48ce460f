//! Named values of structured log lines: JSON objects, and `key=value` pairs (logfmt, tracing, slog).

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{durations, lines, lines::Stamp, values};
use crate::workload::{Evidence, UnitId};

/// In the order of the line. One name may come twice: zerolog writes the time of a statement and the time
/// of the day both as `time`.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(pub(super) Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Fields, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Fields;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Pairs)
    }
}

impl Fields {
    /// A line that is one JSON object.
    pub(super) fn json(line: &str) -> Option<Fields> {
        let line = line.trim();
        if line.starts_with('{') { serde_json::from_str(line).ok() } else { None }
    }

    /// The `key=value` pairs of a text, whatever stands between them; values in double quotes may hold
    /// anything.
    pub(super) fn pairs(text: &str) -> Fields {
        let mut fields = Vec::new();
        let mut rest = text;
        while let Some(equals) = rest.find('=') {
            let (before, after) = (&rest[..equals], &rest[equals + 1..]);
            let key =
                before.rsplit(|c: char| !(c.is_alphanumeric() || "_.-".contains(c))).next().unwrap_or("");
            let (value, left) = if after.starts_with('"') {
                match values::read(after) {
                    Some((values::Value::Text(text), left)) => (text, left),
                    _ => (after.to_owned(), ""),
                }
            } else if let Some(inner) = after.strip_prefix('[') {
                let end = inner.find(']').map_or(after.len(), |end| end + 2);
                (after[..end].to_owned(), &after[end..])
            } else {
                let end = after.find([' ', '\t', '}', ',']).unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            };
            if !key.is_empty() {
                fields.push((key.to_owned(), Value::String(value)));
            }
            rest = left;
        }
        Fields(fields)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The first of several names that is there.
    pub(super) fn any(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().find_map(|key| self.get(key))
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// A number, also one in quotes.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        match self.get(key)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// When the line was written, under the names that loggers use.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        const KEYS: &[&str] = &["timestamp", "time", "ts", "@timestamp", "datetime", "date", "t"];
        self.0.iter().filter(|(key, _)| KEYS.contains(&key.as_str())).find_map(|(_, value)| stamp(value))
    }

    /// The request or trace that the line belongs to.
    pub(super) fn unit(&self) -> Option<UnitId> {
        self.0.iter().find_map(|(key, value)| {
            let text = value.as_str().filter(|text| !text.is_empty())?;
            let key: String =
                key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
            let evidence = match key.as_str() {
                "traceid" | "ddtraceid" => Evidence::Trace,
                "requestid" | "xrequestid" | "reqid" | "correlationid" | "jobid" | "jid" => Evidence::Tag,
                _ => return None,
            };
            Some(UnitId::new(evidence, text.as_bytes()))
        })
    }
}

/// A time in words, or in seconds or milliseconds since 1970.
pub(super) fn stamp(value: &Value) -> Option<Stamp> {
    match value {
        Value::String(text) => lines::stamp(text).map(|(stamp, _)| stamp),
        Value::Number(number) => {
            let number = number.as_f64()?;
            // Seconds from 2001 to 2286, else milliseconds of the same years.
            let seconds = match number {
                n if (1e9..1e10).contains(&n) => n,
                n if (1e12..1e13).contains(&n) => n / 1000.0,
                _ => return None,
            };
            #[expect(clippy::cast_possible_truncation, reason = "below 1e16")]
            let us = (seconds * 1e6).round() as i64;
            Some(Stamp { us, coarse: number.fract() == 0.0 && number < 1e10 })
        }
        _ => None,
    }
}

/// Bind values out of a JSON value: a list, or one that is printed within a string.
pub(super) fn binds(value: &Value) -> Option<Vec<Option<String>>> {
    match value {
        Value::Array(values) => Some(values.iter().map(bind).collect()),
        Value::String(text) => values::list(text),
        _ => None,
    }
}

/// One bind value: a string without its quotes, a list as PostgreSQL's array, an object as JSON.
pub(super) fn bind(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(_) => values::read(&value.to_string()).and_then(|(value, _)| values::bind(&value)),
        other => Some(other.to_string()),
    }
}

/// A duration: a text with its unit (`1.2ms`), or a number in the given unit (in microseconds).
pub(super) fn duration(value: &Value, unit_us: f64) -> Option<u64> {
    match value {
        Value::String(text) => durations::microseconds(text)
            .or_else(|| durations::rounded(text.trim().parse::<f64>().ok()? * unit_us)),
        Value::Number(number) => durations::rounded(number.as_f64()? * unit_us),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_a_line() {
        let fields = Fields::pairs(
            r#"9:42AM INF Query args=[1 2] list{request_id="4f2c"}: module=pgx sql="SELECT \"a=b\"\n" x="open"#,
        );
        let found: Vec<_> =
            fields.0.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap_or(""))).collect();
        assert_eq!(
            found,
            [
                ("args", "[1 2]"),
                ("request_id", "4f2c"),
                ("module", "pgx"),
                ("sql", "SELECT \"a=b\"\n"),
                ("x", "\"open")
            ]
        );
        assert!(fields.unit().is_some());
    }

    #[test]
    fn a_name_may_come_twice() {
        let fields =
            Fields::json(r#"{"time":0.52,"time":"2026-11-23T09:31:42Z","args":[1,null,[2,"a b"],{"k":1}]}"#)
                .expect("an object");
        assert_eq!(fields.stamp(), Some(Stamp { us: 1_795_426_302_000_000, coarse: true }));
        assert_eq!(duration(fields.get("time").expect("the first"), 1000.0), Some(520));
        assert_eq!(
            binds(fields.get("args").expect("a list")),
            Some(vec![
                Some("1".to_owned()),
                None,
                Some("{2,\"a b\"}".to_owned()),
                Some("{\"k\":1}".to_owned())
            ])
        );
    }
}
