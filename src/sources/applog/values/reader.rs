//! The reader of one printed value.

use super::{Value, bind};

/// Values nested deeper than this are no bind values.
const DEEPEST: usize = 32;

pub(super) struct Reader<'a> {
    pub(super) rest: &'a str,
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

    pub(super) fn value(&mut self, depth: usize) -> Option<Value> {
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
