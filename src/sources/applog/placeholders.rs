//! Placeholders of drivers and ORMs → `$1`, `$2` …
//!
//! A format knows the one [`Style`] that its SQL is written in, and asks for that one only: a `?` is an
//! operator in SQL that was logged with `$1`. Nothing inside of strings, comments, quoted identifiers
//! and dollar quotes is a placeholder.
//!
//! ```text
//! let numbered = placeholders::number(sql, Style::Percent);
//! numbered.sql                      what goes into the event
//! numbered.in_order(&pairs)         named values in the order of $1, $2 …
//! ```

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// How a driver writes its placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `?`; the operators are written `??`, `??|` and `??&` (JDBC, PDO).
    Question,
    /// `%s`, or `%(name)s`; `%%` is a per cent sign, in strings as well (psycopg).
    Percent,
    /// `:name` or `:1`.
    Colon,
    /// `@name` or `@p1`.
    At,
}

/// SQL with its placeholders numbered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbered<'a> {
    pub(super) sql: Cow<'a, [u8]>,
    /// The name of `$1`, of `$2` …; empty where placeholders have none.
    pub(super) names: Vec<String>,
    /// The highest number.
    pub(super) count: usize,
}

impl Numbered<'_> {
    /// The values by name in the order of `$1`, `$2` …; `None` where one is missing.
    pub(super) fn in_order(&self, values: &[(String, Option<String>)]) -> Option<Vec<Option<String>>> {
        let value = |name: &String| values.iter().find(|(known, _)| known == name);
        self.names.iter().map(|name| value(name).map(|(_, value)| value.clone())).collect()
    }
}

/// Numbers the placeholders of one style in the order in which they first appear: a name that comes
/// again keeps its number. Total: any bytes.
pub(super) fn number(sql: &[u8], style: Style) -> Numbered<'_> {
    let mut scan = Scan { sql, style, at: 0, copied: 0, out: Vec::new(), names: Vec::new(), count: 0 };
    while scan.at < sql.len() {
        scan.step();
    }
    // psycopg leaves a text without parameters as it is.
    let doubled = style == Style::Percent && scan.count > 0;
    let Scan { copied, mut out, names, count, .. } = scan;
    if count == 0 && out.is_empty() {
        return Numbered { sql: Cow::Borrowed(sql), names, count };
    }
    out.extend_from_slice(&sql[copied..]);
    let sql = if doubled { undouble(&out) } else { out };
    Numbered { sql: Cow::Owned(sql), names, count }
}

/// The highest number of `$1`, `$2` … in a statement.
pub(super) fn parameters(sql: &[u8]) -> usize {
    let number = |at: usize| {
        let digits = sql[at + 1..].iter().take_while(|b| b.is_ascii_digit()).take(5);
        digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
    };
    memchr::memchr_iter(b'$', sql).map(number).max().unwrap_or(0)
}

struct Scan<'a> {
    sql: &'a [u8],
    style: Style,
    at: usize,
    /// Everything before is in `out`.
    copied: usize,
    out: Vec<u8>,
    names: Vec<String>,
    count: usize,
}

impl Scan<'_> {
    fn step(&mut self) {
        let rest = &self.sql[self.at..];
        match rest {
            [b'\'', ..] => self.at += string(rest, self.escapes()),
            [b'"', ..] => self.at += string(rest, false),
            [b'-', b'-', ..] => self.at += memchr(b'\n', rest).unwrap_or(rest.len()),
            [b'/', b'*', ..] => self.at += comment(rest),
            [b'$', ..] => self.at += dollar(rest),
            [b'?', ..] if self.style == Style::Question => self.question(),
            [b'%', ..] if self.style == Style::Percent => self.percent(),
            [b':', ..] if self.style == Style::Colon => self.colon(),
            [b'@', ..] if self.style == Style::At => self.sign(),
            _ => self.at += 1,
        }
    }

    /// Whether the quote here belongs to `E'…'`, which knows backslashes.
    fn escapes(&self) -> bool {
        let before = &self.sql[..self.at];
        matches!(before, [.., b'e' | b'E']) && !before.iter().nth_back(1).is_some_and(|&b| word(b))
    }

    fn before(&self) -> Option<u8> {
        self.sql[..self.at].iter().rev().copied().find(|b| !b.is_ascii_whitespace())
    }

    fn question(&mut self) {
        let rest = &self.sql[self.at..];
        if rest.starts_with(b"??") {
            self.replace(2, b"?");
            return;
        }
        // `@?` asks whether a JSON path finds anything.
        if self.sql[..self.at].ends_with(b"@") {
            self.at += 1;
            return;
        }
        // Unescaped operators in SQL of drivers that do not read it: after an operand, before another.
        let operand = self.before().is_some_and(|b| word(b) || matches!(b, b')' | b']' | b'"' | b'\''));
        let operator = operand
            && match rest {
                [_, b'|', next, ..] => *next != b'|',
                [_, b'&', ..] => true,
                _ => match rest[1..].trim_ascii_start() {
                    [b'\'' | b'?', ..] => true,
                    [b'$', digit, ..] => digit.is_ascii_digit(),
                    _ => false,
                },
            };
        if operator {
            self.at += 1;
        } else {
            self.next_number(1);
        }
    }

    fn percent(&mut self) {
        let rest = &self.sql[self.at..];
        match rest {
            [_, b'%', ..] => self.at += 2,
            [_, b's' | b'b' | b't', after @ ..] if !after.first().is_some_and(|&b| word(b)) => {
                self.next_number(2);
            }
            [_, b'(', ..] => match memchr(b')', rest) {
                Some(close) if matches!(rest.get(close + 1), Some(b's' | b'b' | b't')) => {
                    self.named(2..close, close + 2);
                }
                _ => self.at += 1,
            },
            _ => self.at += 1,
        }
    }

    fn colon(&mut self) {
        let rest = &self.sql[self.at..];
        if let [_, b':' | b'=', ..] = rest {
            self.at += 2;
            return;
        }
        let name = 1 + rest[1..].iter().take_while(|&&b| word(b)).count();
        // `names[1:n]` is a slice, and so is `names[:n]`.
        let slice = self.sql[..self.at].last().is_some_and(|&b| word(b) || b == b'[' || b == b']');
        if name == 1 || slice {
            self.at += name;
        } else {
            self.named(1..name, name);
        }
    }

    fn sign(&mut self) {
        let rest = &self.sql[self.at..];
        let name = 1 + rest[1..].iter().take_while(|&&b| word(b)).count();
        let operator = self.sql[..self.at].last().is_some_and(|&b| b"@<!#~|&-*/+%^".contains(&b));
        if name == 1 || operator || rest[1].is_ascii_digit() {
            self.at += name;
        } else {
            self.named(1..name, name);
        }
    }

    fn next_number(&mut self, len: usize) {
        self.count += 1;
        let number = format!("${}", self.count);
        self.replace(len, number.as_bytes());
    }

    fn named(&mut self, name: std::ops::Range<usize>, len: usize) {
        let name = String::from_utf8_lossy(&self.sql[self.at..][name]).into_owned();
        let known = self.names.iter().position(|known| *known == name);
        let index = known.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        self.count = self.names.len();
        let number = format!("${}", index + 1);
        self.replace(len, number.as_bytes());
    }

    fn replace(&mut self, len: usize, by: &[u8]) {
        self.out.extend_from_slice(&self.sql[self.copied..self.at]);
        self.out.extend_from_slice(by);
        self.at += len;
        self.copied = self.at;
    }
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Length of a quoted text, its quotes included.
fn string(text: &[u8], escapes: bool) -> usize {
    let quote = text[0];
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        if byte == b'\\' && escapes {
            at += 2;
        } else if byte == quote {
            if text.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    text.len()
}

fn comment(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        match text[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

/// Length of `$tag$ … $tag$`, else of the `$`.
fn dollar(text: &[u8]) -> usize {
    let tag = 1 + text[1..].iter().take_while(|&&b| word(b)).count();
    if text.get(tag) != Some(&b'$') || text[1].is_ascii_digit() {
        return 1;
    }
    let delimiter = &text[..=tag];
    memmem::find(&text[tag + 1..], delimiter).map_or(text.len(), |found| tag + 1 + found + delimiter.len())
}

fn undouble(sql: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(found) = memmem::find(rest, b"%%") {
        out.extend_from_slice(&rest[..=found]);
        rest = &rest[found + 2..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(style: Style, sql: &str, expect: &str, names: &[&str]) {
        let numbered = number(sql.as_bytes(), style);
        assert_eq!(String::from_utf8_lossy(&numbered.sql), expect);
        assert_eq!(numbered.names, names, "{sql}");
    }

    #[test]
    fn question_marks() {
        let check = |sql, expect| check(Style::Question, sql, expect, &[]);
        check("select 1 from t where a=? and b in (?,?)", "select 1 from t where a=$1 and b in ($2,$3)");
        check("offset ? rows fetch first ? rows only", "offset $1 rows fetch first $2 rows only");
        check("name like ?||'%' or x = '?' and \"y?\" = ?", "name like $1||'%' or x = '?' and \"y?\" = $2");
        check("-- is it?\nselect ? /* or ? */, $$?$$", "-- is it?\nselect $1 /* or ? */, $$?$$");
        check(r"select 'it''s ?', E'\'?', ?", r"select 'it''s ?', E'\'?', $1");
    }

    #[test]
    fn jsonb_operators_are_no_question_marks() {
        let check = |sql, expect| check(Style::Question, sql, expect, &[]);
        check("tags ?? 'a' and tags ??| ? and id=?", "tags ? 'a' and tags ?| $1 and id=$2");
        check("tags ? 'a' and tags ?| array['b'] and id=?", "tags ? 'a' and tags ?| array['b'] and id=$1");
        check("tags ? ?", "tags ? $1");
        check("data @? '$.a' and id=?", "data @? '$.a' and id=$1");
        check("(data->'a') ?& array[?]", "(data->'a') ?& array[$1]");
    }

    #[test]
    fn per_cents() {
        check(
            Style::Percent,
            "a = %s AND b LIKE '%%x%%' AND c = %s",
            "a = $1 AND b LIKE '%x%' AND c = $2",
            &[],
        );
        check(Style::Percent, "SELECT 5 %% 2, 'x%%'", "SELECT 5 %% 2, 'x%%'", &[]);
        check(
            Style::Percent,
            "a = %(id)s OR b = %(name)s OR c = %(id)s",
            "a = $1 OR b = $2 OR c = $1",
            &["id", "name"],
        );
        check(Style::Percent, "x %sum (y) %(", "x %sum (y) %(", &[]);
    }

    #[test]
    fn names() {
        check(
            Style::Colon,
            "a = :id AND b::text = ':no' AND c[1:n] = :n AND d[:n] := 1",
            "a = $1 AND b::text = ':no' AND c[1:n] = $2 AND d[:n] := 1",
            &["id", "n"],
        );
        check(Style::Colon, "VALUES (:1, :2, :1)", "VALUES ($1, $2, $1)", &["1", "2"]);
        check(
            Style::At,
            "a @> @p2 AND b <@c AND d = @p1 OR @p2",
            "a @> $1 AND b <@c AND d = $2 OR $1",
            &["p2", "p1"],
        );
    }

    #[test]
    fn named_values_in_order() {
        let numbered = number(b"b = :b AND a = :a AND b <> :b", Style::Colon);
        let value = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let values = [value("a", "1"), value("b", "2"), value("unused", "3")];
        assert_eq!(numbered.in_order(&values), Some(vec![Some("2".to_owned()), Some("1".to_owned())]));
        assert_eq!(numbered.in_order(&values[..1]), None);
    }

    #[test]
    fn any_cut_is_survived() {
        let sql = b"E'\\' ? '' :a::b $x$ ?? $x$ %(a)s %s %% @p1 /* /* ? */ */ -- ?\n\" \" ?| ?& ?";
        for style in [Style::Question, Style::Percent, Style::Colon, Style::At] {
            for from in 0..sql.len() {
                for to in from..sql.len() {
                    number(&sql[from..to], style);
                }
            }
        }
    }
}
