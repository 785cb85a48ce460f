//! Paths of keys into a JSON object: `err.code` is `code` within `err`, or a key that is spelt `err.code`.

use serde_json::Value;

use super::super::fields::Fields;
use crate::config::{KeyPath, Scalar};

/// Gives every value at the path: a logger may write one key twice.
pub(super) fn each<'a>(line: &'a Fields, path: &KeyPath, sink: &mut dyn FnMut(&'a Value)) {
    let path = path.0.as_str();
    for (key, value) in &line.0 {
        if key == path {
            sink(value);
        } else if let Some(rest) = path.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix('.'))
            && let Some(found) = within(value, rest)
        {
            sink(found);
        }
    }
}

fn within<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    match value {
        Value::Object(object) => object.get(path).or_else(|| {
            let mut dots = path.match_indices('.');
            dots.find_map(|(dot, _)| within(object.get(&path[..dot])?, &path[dot + 1..]))
        }),
        Value::Array(list) => {
            let (index, rest) =
                path.split_once('.').map_or((path, None), |(index, rest)| (index, Some(rest)));
            let item = list.get(index.parse::<usize>().ok()?)?;
            rest.map_or(Some(item), |rest| within(item, rest))
        }
        _ => None,
    }
}

/// Whether a value at the path is one of these.
pub(super) fn holds(line: &Fields, path: &KeyPath, scalars: &[Scalar]) -> bool {
    let (mut there, mut holds) = (false, false);
    each(line, path, &mut |value| {
        there = true;
        holds |= scalars.iter().any(|scalar| is(value, scalar));
    });
    holds || !there && scalars.contains(&Scalar::Null)
}

fn is(value: &Value, scalar: &Scalar) -> bool {
    match (value, scalar) {
        (Value::Null, Scalar::Null) => true,
        (Value::Bool(a), Scalar::Bool(b)) => a == b,
        (Value::Number(a), Scalar::Number(b)) => a.as_f64() == Some(*b),
        (Value::String(a), Scalar::Text(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn at(json: &str, path: &str) -> Vec<String> {
        let fields = Fields::json(json).expect("an object");
        let mut found = Vec::new();
        each(&fields, &path.parse().expect("a path"), &mut |value| found.push(value.to_string()));
        found
    }

    #[test]
    fn keys_within_keys() {
        assert_eq!(at(r#"{"a":{"b":{"c":1}}}"#, "a.b.c"), ["1"]);
        assert_eq!(at(r#"{"a.b":{"c.d":1}}"#, "a.b.c.d"), ["1"]);
        assert_eq!(at(r#"{"a":{"b.c":1}}"#, "a.b.c"), ["1"]);
        assert_eq!(at(r#"{"a":[5,{"b":6}]}"#, "a.1.b"), ["6"]);
        assert_eq!(at(r#"{"time":1,"x":0,"time":2}"#, "time"), ["1", "2"]);
        assert_eq!(at(r#"{"a":{"b":1},"ab":2}"#, "a"), [r#"{"b":1}"#]);
        assert_eq!(at(r#"{"a":1}"#, "a.b"), [""; 0]);
        assert_eq!(at(r#"{"a":{"b":1}}"#, "b"), [""; 0]);
    }

    #[test]
    fn conditions() {
        let line = Fields::json(r#"{"logger":"sql","level":20,"ok":true,"none":null}"#).expect("an object");
        let text = |text: &str| Scalar::Text(text.to_owned());
        for (path, scalars, expect) in [
            ("logger", vec![text("sql")], true),
            ("logger", vec![text("http"), text("sql")], true),
            ("logger", vec![text("http")], false),
            ("level", vec![Scalar::Number(20.0)], true),
            ("level", vec![text("20")], false),
            ("ok", vec![Scalar::Bool(true)], true),
            ("none", vec![Scalar::Null], true),
            ("missing", vec![Scalar::Null], true),
            ("missing", vec![Scalar::Bool(false)], false),
        ] {
            assert_eq!(holds(&line, &path.parse().expect("a path"), &scalars), expect, "{path} {scalars:?}");
        }
    }
}
