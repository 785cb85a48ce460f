//! Values as programming languages print them → bind values as PostgreSQL reads them; besides, colours
//! and times as loggers write them.
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
//! plain(b"\x1b[1mSELECT\x1b[0m")         b"SELECT"
//! microseconds("1.2ms")                  Some(1200)
//! ```

use std::borrow::Cow;

/// What one printed value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    /// A number, a string without its quotes, or any other text without spaces around it.
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// Values nested deeper than this are no bind values.
const DEEPEST: usize = 32;

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

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.space();
        if depth > DEEPEST {
            return None;
        }
        match self.rest.as_bytes().first()? {
            b'[' => self.items("]", depth),
            b'(' => self.items(")", depth),
            b'{' => self.map(depth),
            b'\'' | b'"' | b'`' => self.string().map(Value::Text),
            _ => self.word(depth),
        }
    }

    fn items(&mut self, close: &str, depth: usize) -> Option<Value> {
        self.rest = &self.rest[1..];
        let mut items = Vec::new();
        while !self.take(close) {
            items.push(self.value(depth + 1)?);
            // A tuple of one ends in a comma.
            if !self.take(",") && !self.rest.starts_with(close) {
                return None;
            }
        }
        Some(Value::List(items))
    }

    fn map(&mut self, depth: usize) -> Option<Value> {
        self.rest = &self.rest[1..];
        let mut entries = Vec::new();
        while !self.take("}") {
            self.space();
            let key = match self.rest.as_bytes().first()? {
                b'\'' | b'"' | b'`' => self.string()?,
                _ => {
                    self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
                    let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
                    let (key, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    key.to_owned()
                }
            };
            if !self.take("=>") && !self.take(":") {
                return None;
            }
            entries.push((key, self.value(depth + 1)?));
            if !self.take(",") && !self.rest.starts_with('}') {
                return None;
            }
        }
        Some(Value::Map(entries))
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.rest = &self.rest[at + 1..];
                return Some(text);
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            match chars.next()?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'b' => text.push('\u{8}'),
                'f' => text.push('\u{c}'),
                'e' => text.push('\u{1b}'),
                '0' => text.push('\0'),
                'x' => text.push(char::from_u32(hex(&mut chars, 2)?)?),
                'u' => {
                    let mut code = hex(&mut chars, 4)?;
                    if (0xd800..0xdc00).contains(&code) {
                        (chars.next()?.1 == '\\' && chars.next()?.1 == 'u').then_some(())?;
                        let low = hex(&mut chars, 4)?.checked_sub(0xdc00)?;
                        code = 0x1_0000 + ((code - 0xd800) << 10) + low;
                    }
                    text.push(char::from_u32(code)?);
                }
                other => text.push(other),
            }
        }
        None
    }

    /// A number, a name, a date, or a call (`Decimal('1.5')`, `~U[2020-01-01 00:00:00Z]`, `#Decimal<1.5>`).
    fn word(&mut self, depth: usize) -> Option<Value> {
        let end = self.rest.find([',', ']', ')', '}', '(', '[', '<', '\'', '"']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let word = word.trim();
        self.rest = rest;
        match rest.as_bytes().first() {
            // Python's b'…', PHP's and JavaScript's names of classes have no place in bind values.
            Some(b'\'' | b'"') if word.len() <= 2 => return self.string().map(Value::Text),
            Some(b'(') => return self.call(word, depth),
            Some(b'[') if word.starts_with('~') => return self.enclosed('[', ']').map(Value::Text),
            Some(b'<') => return self.angles(word),
            _ => {}
        }
        match word {
            "" => None,
            // `... 3 more items`: cut short.
            word if word.starts_with("...") => None,
            "nil" | "null" | "NULL" | "None" | "undefined" => Some(Value::Null),
            "True" => Some(Value::Text("true".to_owned())),
            "False" => Some(Value::Text("false".to_owned())),
            // Elixir's and Ruby's symbols.
            word => Some(Value::Text(word.strip_prefix(':').unwrap_or(word).to_owned())),
        }
    }

    fn call(&mut self, name: &str, depth: usize) -> Option<Value> {
        let Value::List(arguments) = self.arguments(depth)? else { return None };
        let short = name.rsplit('.').next().unwrap_or(name);
        let texts: Vec<&str> = arguments
            .iter()
            .filter_map(|argument| match argument {
                Value::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let text = match (short, &texts[..]) {
            ("datetime", [_, _, _, ..]) => datetime(&texts),
            ("date", [year, month, day]) => Some(format!("{year}-{month:0>2}-{day:0>2}")),
            ("timedelta", _) => None,
            // Json(…), Decimal('…'), UUID('…'), list wrappers.
            (_, []) => arguments.first().and_then(bind),
            (_, [one]) => Some((*one).to_owned()),
            _ => None,
        };
        Some(Value::Text(text.unwrap_or_else(|| format!("{name}({})", texts.join(", ")))))
    }

    /// `name=value` among arguments is kept as text.
    fn arguments(&mut self, depth: usize) -> Option<Value> {
        self.items(")", depth)
    }

    /// `~U[…]`: the text between brackets.
    fn enclosed(&mut self, open: char, close: char) -> Option<String> {
        let inner = self.rest.strip_prefix(open)?;
        let end = inner.find(close)?;
        self.rest = &inner[end + close.len_utf8()..];
        Some(inner[..end].to_owned())
    }

    /// `<nil>`, `#Decimal<1.5>`, Elixir's binaries `<<1, 2>>`, other objects `<…>`.
    fn angles(&mut self, word: &str) -> Option<Value> {
        if self.rest.starts_with("<<") {
            let end = self.rest.find(">>")?;
            let bytes = &self.rest[2..end];
            self.rest = &self.rest[end + 2..];
            let hex: Option<String> = bytes
                .split(',')
                .map(|byte| Some(format!("{:02x}", byte.trim().parse::<u8>().ok()?)))
                .collect();
            return Some(Value::Text(hex.map_or_else(|| bytes.to_owned(), |hex| format!("\\x{hex}"))));
        }
        let inner = self.enclosed('<', '>')?;
        Some(if word.is_empty() && inner == "nil" { Value::Null } else { Value::Text(inner) })
    }
}

/// Python's `datetime.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=datetime.timezone.utc)`.
fn datetime(arguments: &[&str]) -> Option<String> {
    let numbers: Vec<u32> = arguments.iter().map_while(|text| text.parse().ok()).collect();
    let at = |index: usize| numbers.get(index).copied().unwrap_or(0);
    let mut text = format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", at(0), at(1), at(2), at(3), at(4), at(5));
    if at(6) > 0 {
        text.push_str(&format!(".{:06}", at(6)));
    }
    match &arguments[numbers.len()..] {
        [] => Some(text),
        [zone] if zone.to_ascii_lowercase().contains("utc") => Some(text + "+00"),
        _ => None,
    }
}

fn hex(chars: &mut impl Iterator<Item = (usize, char)>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0, |code, _| Some(code * 16 + chars.next()?.1.to_digit(16)?))
}

/// A Go slice as `%v` prints it, `[1 abc <nil>]`: values with spaces cannot be told apart, so there must be
/// as many as the statement has placeholders.
pub(super) fn go_list(text: &str, count: usize) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
    let values: Vec<Option<String>> =
        inner.split_whitespace().map(|value| (value != "<nil>").then(|| value.to_owned())).collect();
    (values.len() == count).then_some(values)
}

/// A line without the terminal's colours and other escape sequences (ECMA-48, 5.4).
pub(super) fn plain(line: &[u8]) -> Cow<'_, [u8]> {
    const ESCAPE: u8 = 0x1b;
    if !line.contains(&ESCAPE) {
        return Cow::Borrowed(line);
    }
    let mut out = Vec::with_capacity(line.len());
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        if byte != ESCAPE {
            out.push(byte);
            at += 1;
            continue;
        }
        at += 1;
        let last = match line.get(at) {
            Some(b'[') => {
                line[at + 1..].iter().position(|b| (0x40..=0x7e).contains(b)).map(|end| at + 1 + end)
            }
            // A title or a link, up to a bell or `ESC \`.
            Some(b']') => line[at..].iter().position(|&b| b == 7 || b == ESCAPE).map(|end| {
                let end = at + end;
                if line[end] == ESCAPE { end + 1 } else { end }
            }),
            _ => Some(at),
        };
        at = last.map_or(line.len(), |last| last + 1);
    }
    Cow::Owned(out)
}

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

    #[test]
    fn colours_go() {
        assert_eq!(
            &*plain(b"  \x1b[1m\x1b[36mUser Load (0.3ms)\x1b[0m  SELECT"),
            b"  User Load (0.3ms)  SELECT"
        );
        assert_eq!(&*plain(b"\x1b]8;;file:///a\x07a.rb\x1b]8;;\x1b\\ \x1bMx\x1b[1"), b"a.rb x");
        assert!(matches!(plain(b"SELECT"), Cow::Borrowed(_)));
    }

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
