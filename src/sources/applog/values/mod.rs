//! Values as programming languages print them → bind values as PostgreSQL reads them.
//!
//! One reader for JSON, Ruby, Python, JavaScript, Elixir and PHP: their lists differ in brackets and in the
//! words for NULL, not in how they are read.
//!
//! ```text
//! list("[1, 'a', null]")                 Some([Some("1"), Some("a"), None])
//! list(r#"[["id", 1], ["LIMIT", 2]]"#)   Some([Some("1"), Some("2")])    Ruby's names dropped
//! pairs("{'id': 1}")                     Some([("id", Some("1"))])       for Numbered::in_order
//! read("(1, 2) tail")                    Some((Value::List([…]), " tail"))
//! go_list("[1 abc <nil>]", 3)            Some([Some("1"), Some("abc"), None])
//! ```

mod reader;

use reader::Reader;

/// What one printed value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    /// A number, a string without its quotes, or any other text without spaces around it.
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// The value that a text begins with, and what follows it; `None` when it is cut short or no value.
pub(super) fn read(text: &str) -> Option<(Value, &str)> {
    let mut reader = Reader { rest: text.trim_start() };
    let value = reader.value(0)?;
    Some((value, reader.rest))
}

/// The values of a printed list, in order. Of a list of pairs (`[["id", 1]]`) the seconds.
pub(super) fn list(text: &str) -> Option<Vec<Option<String>>> {
    let (value, rest) = read(text)?;
    if rest.trim().is_empty() { binds(&value) } else { None }
}

/// The same of a value that was read.
pub(super) fn binds(value: &Value) -> Option<Vec<Option<String>>> {
    let Value::List(values) = value else { return None };
    let named = !values.is_empty() && values.iter().all(|value| pair(value).is_some());
    Some(
        values
            .iter()
            .map(|value| if named { pair(value).and_then(|(_, v)| bind(v)) } else { bind(value) })
            .collect(),
    )
}

/// Ruby's `["name", value]`; the name may be nil.
fn pair(value: &Value) -> Option<(&Value, &Value)> {
    match value {
        Value::List(pair) => match &pair[..] {
            [name @ (Value::Text(_) | Value::Null), value] => Some((name, value)),
            _ => None,
        },
        _ => None,
    }
}

/// The entries of a printed map (`{'id': 1}`, `{"id":1}`, `{:id=>1}`).
pub(super) fn pairs(text: &str) -> Option<Vec<(String, Option<String>)>> {
    let (value, rest) = read(text)?;
    match value {
        Value::Map(entries) if rest.trim().is_empty() => {
            Some(entries.iter().map(|(name, value)| (name.clone(), bind(value))).collect())
        }
        _ => None,
    }
}

/// One value as PostgreSQL reads it: a list as an array (`{1,"a b"}`), a map as JSON.
pub(super) fn bind(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Text(text) => Some(text.clone()),
        Value::List(values) => {
            let item = |value: &Value| match value {
                Value::Null => "NULL".to_owned(),
                Value::List(_) => bind(value).unwrap_or_default(),
                value => {
                    let text = bind(value).unwrap_or_default();
                    let plain = !text.is_empty()
                        && !text.eq_ignore_ascii_case("null")
                        && text
                            .bytes()
                            .all(|b| b.is_ascii_alphanumeric() || b"._-+:".contains(&b) || b >= 0x80);
                    if plain {
                        text
                    } else {
                        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
                    }
                }
            };
            Some(format!("{{{}}}", values.iter().map(item).collect::<Vec<_>>().join(",")))
        }
        Value::Map(_) => Some(json(value).to_string()),
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Text(text) => match serde_json::from_str(text) {
            Ok(word @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => word,
            _ => serde_json::Value::String(text.clone()),
        },
        Value::List(values) => values.iter().map(json).collect(),
        Value::Map(entries) => {
            serde_json::Value::Object(entries.iter().map(|(key, value)| (key.clone(), json(value))).collect())
        }
    }
}

/// A Go slice as `%v` prints it, `[1 abc <nil>]`: values with spaces cannot be told apart, so there must be
/// as many as the statement has placeholders.
pub(super) fn go_list(text: &str, count: usize) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
    let values: Vec<Option<String>> =
        inner.split_whitespace().map(|value| (value != "<nil>").then(|| value.to_owned())).collect();
    (values.len() == count).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[Option<&str>]) {
        let expect: Vec<Option<String>> = expect.iter().map(|value| value.map(str::to_owned)).collect();
        assert_eq!(list(text), Some(expect), "{text}");
    }

    #[test]
    fn lists_of_many_languages() {
        check(
            r#"[1,"a\"b",null,true,-1.5e3]"#,
            &[Some("1"), Some("a\"b"), None, Some("true"), Some("-1.5e3")],
        );
        check(r#"[["id", 1], ["email", "a, b]"], [nil, nil]]"#, &[Some("1"), Some("a, b]"), None]);
        check(r"(1, 'it\'s', None, True, b'x')", &[Some("1"), Some("it's"), None, Some("true"), Some("x")]);
        check("(1,)", &[Some("1")]);
        check("()", &[]);
        check(
            "[ 1, 'a', undefined, 2026-11-23T10:00:00.000Z ]",
            &[Some("1"), Some("a"), None, Some("2026-11-23T10:00:00.000Z")],
        );
        check(
            r#"[1, nil, "x", ~U[2026-11-23 10:00:00Z], #Decimal<1.5>, :open, <<1, 255>>]"#,
            &[
                Some("1"),
                None,
                Some("x"),
                Some("2026-11-23 10:00:00Z"),
                Some("1.5"),
                Some("open"),
                Some("\\x01ff"),
            ],
        );
        check(
            "(Decimal('1.50'), UUID('4b1f'), datetime.datetime(2026, 1, 2, 3, 4, 5, 67), datetime.date(2026, 1, 2), \
             datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc))",
            &[
                Some("1.50"),
                Some("4b1f"),
                Some("2026-01-02 03:04:05.000067"),
                Some("2026-01-02"),
                Some("2026-01-02 03:04:00+00"),
            ],
        );
    }

    #[test]
    fn nested_values_as_postgresql_reads_them() {
        check("[[1, 2, 3]]", &[Some("{1,2,3}")]);
        check(r#"[["a b", null, "c\"d"], 1]"#, &[Some(r#"{"a b",NULL,"c\"d"}"#), Some("1")]);
        check("({'a': 1, 'b': [None, 'x']},)", &[Some(r#"{"a":1,"b":[null,"x"]}"#)]);
        check(r#"["\u00e9\ud83d\ude00\n"]"#, &[Some("é😀\n")]);
    }

    #[test]
    fn maps() {
        let expect = vec![("id".to_owned(), Some("1".to_owned())), ("name".to_owned(), None)];
        for text in [
            "{'id': 1, 'name': None}",
            r#"{"id":1,"name":null}"#,
            "{:id=>1, :name=>nil}",
            "{ id: 1, name: null }",
        ] {
            assert_eq!(pairs(text), Some(expect.clone()), "{text}");
        }
    }

    #[test]
    fn what_is_cut_short_is_not_known() {
        for text in ["[1, 2", "[1, 'a", "{'a': ", "", "[1,,2]", "[1] x", "no list", "[ 1, ... 3 more items ]"]
        {
            assert_eq!(list(text), None, "{text}");
        }
        assert_eq!(list(&"[".repeat(100_000)), None);
    }

    #[test]
    fn what_follows_is_left() {
        let (value, rest) = read("  (1, 2) and more").expect("a tuple");
        assert_eq!(binds(&value), Some(vec![Some("1".to_owned()), Some("2".to_owned())]));
        assert_eq!(rest, " and more");
    }

    #[test]
    fn go_slices() {
        assert_eq!(
            go_list("[1 abc <nil>]", 3),
            Some(vec![Some("1".to_owned()), Some("abc".to_owned()), None])
        );
        assert_eq!(go_list("[a b c]", 1), None);
        assert_eq!(go_list("[]", 0), Some(vec![]));
    }
}
