//! SQL text → every name in it that could make PostgreSQL run code: functions, attributes (`x.f` may call
//! `f(x)`, whatever `x` is), types, relations and operators.
//!
//! It reads tokens only, strictly by PostgreSQL's lexical rules under `standard_conforming_strings`, so
//! it holds for any statement, also one that our parser cannot read. It errs by naming too much.
//! <https://www.postgresql.org/docs/current/sql-syntax-lexical.html>

use std::collections::BTreeSet;

/// What stands in a text. Names are folded as the server folds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Names before `(`, with the qualifier before them.
    pub(super) called: BTreeSet<(Option<String>, String)>,
    /// Names behind a `.` and not before `(`.
    pub(super) attributes: BTreeSet<String>,
    /// Every name and keyword.
    pub(super) words: BTreeSet<String>,
    /// Words right before a string, as in `date '2024-01-31'`.
    pub(super) before_strings: BTreeSet<String>,
    pub(super) operators: BTreeSet<String>,
    /// `::` stands in it.
    pub(super) casts: bool,
    /// The largest `$n`.
    pub(super) parameters: usize,
    /// The first word; empty when the text begins otherwise.
    pub(super) first: String,
    /// Something follows a `;`.
    pub(super) several: bool,
    /// Written in a way that we do not follow.
    pub(super) odd: Option<&'static str>,
}

/// A token, as far as names go.
enum Token {
    Word(String),
    Operator(String),
    Parameter(usize),
    Cast,
    Byte(u8),
    /// A string or a number.
    Constant,
    Odd(&'static str),
}

impl Names {
    pub(super) fn of(text: &str) -> Names {
        let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
        let mut names = Names::default();
        if scanner.bytes.contains(&0) {
            names.odd = Some("it contains a zero byte");
            return names;
        }
        let mut before: [Option<Token>; 2] = [None, None];
        let mut ended = false;
        // `(` before the first word, as in `(SELECT 1) UNION …`, changes nothing.
        let mut begun = false;
        while let Some(token) = scanner.next() {
            names.several |= ended && !matches!(token, Token::Byte(b';'));
            match &token {
                Token::Word(word) => {
                    if !begun {
                        names.first.clone_from(word);
                    }
                    names.words.insert(word.clone());
                    if matches!(before[1], Some(Token::Byte(b'.'))) {
                        names.attributes.insert(word.clone());
                    }
                }
                Token::Byte(b'(') => {
                    if let Some(Token::Word(word)) = before[1].take() {
                        names.attributes.remove(&word);
                        names.called.insert((qualifier(before[0].as_ref()), word));
                    }
                }
                Token::Byte(b';') => ended = true,
                Token::Operator(operator) => {
                    names.operators.insert(operator.clone());
                }
                Token::Parameter(n) => names.parameters = names.parameters.max(*n),
                Token::Cast => names.casts = true,
                Token::Odd(why) => names.odd = Some(why),
                Token::Constant => {
                    if let Some(Token::Word(word)) = &before[1] {
                        names.before_strings.insert(word.clone());
                    }
                }
                Token::Byte(_) => {}
            }
            begun |= !matches!(token, Token::Byte(b'('));
            before = match (before, token) {
                // `schema.name`: the qualifier stays in sight of the name.
                ([Some(Token::Word(qualifier)), Some(Token::Byte(b'.'))], Token::Word(word)) => {
                    [Some(Token::Word(qualifier)), Some(Token::Word(word))]
                }
                ([_, Some(Token::Word(word))], Token::Byte(b'.')) => {
                    [Some(Token::Word(word)), Some(Token::Byte(b'.'))]
                }
                (_, token) => [None, Some(token)],
            };
        }
        names
    }

    /// Names that may be used as row types: `'(1,2)'::orders`, `orders '(1,2)'`, `json_populate_record(…)`.
    pub(super) fn row_types(&self) -> &BTreeSet<String> {
        let typed = |word: &String| ["cast", "json", "xml", "record"].iter().any(|part| word.contains(part));
        if self.casts || self.words.iter().any(typed) { &self.words } else { &self.before_strings }
    }

    pub(super) fn merge(&mut self, other: Names) {
        self.called.extend(other.called);
        self.attributes.extend(other.attributes);
        self.words.extend(other.words);
        self.before_strings.extend(other.before_strings);
        self.operators.extend(other.operators);
        self.casts |= other.casts;
        self.odd = self.odd.or(other.odd);
    }
}

fn qualifier(token: Option<&Token>) -> Option<String> {
    match token {
        Some(Token::Word(word)) => Some(word.clone()),
        _ => None,
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

const OPERATOR: &[u8] = b"~!@#^&|`?+-*/%<>=";

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word_part(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &[u8] {
        let start = self.at;
        while self.at < self.bytes.len() && wanted(self.bytes[self.at]) {
            self.at += 1;
        }
        &self.bytes[start..self.at]
    }

    fn next(&mut self) -> Option<Token> {
        self.skip_space();
        let first = *self.bytes.get(self.at)?;
        let token = match first {
            b'\'' => self.string(false),
            b'"' => self.quoted(),
            b'$' => self.dollar(),
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            b':' if self.peek(1) == b':' => {
                self.at += 2;
                Token::Cast
            }
            _ if is_word_start(first) => self.word(),
            _ if OPERATOR.contains(&first) => self.operator(),
            _ => {
                self.at += 1;
                Token::Byte(first)
            }
        };
        Some(token)
    }

    /// White space and comments, nested ones too.
    fn skip_space(&mut self) {
        loop {
            self.take_while(|byte| byte.is_ascii_whitespace() || byte == 0x0b);
            match (self.peek(0), self.peek(1)) {
                (b'-', b'-') => {
                    self.take_while(|byte| byte != b'\n' && byte != b'\r');
                }
                (b'/', b'*') => {
                    let mut depth = 0_usize;
                    while self.at < self.bytes.len() {
                        match (self.peek(0), self.peek(1)) {
                            (b'/', b'*') => {
                                depth += 1;
                                self.at += 2;
                            }
                            (b'*', b'/') => {
                                depth -= 1;
                                self.at += 2;
                                if depth == 0 {
                                    break;
                                }
                            }
                            _ => self.at += 1,
                        }
                    }
                    self.at = self.at.min(self.bytes.len());
                }
                _ => return,
            }
        }
    }

    fn string(&mut self, escapes: bool) -> Token {
        self.at += 1;
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'\\' if escapes => self.at += 2,
                b'\'' if self.peek(1) == b'\'' => self.at += 2,
                b'\'' => {
                    self.at += 1;
                    // A string on the next line goes on with the first one's escapes.
                    let end = self.at;
                    self.skip_space();
                    if escapes && self.peek(0) == b'\'' {
                        return Token::Odd("a string with escapes goes on on another line");
                    }
                    self.at = end;
                    return Token::Constant;
                }
                _ => self.at += 1,
            }
        }
        Token::Odd("a string is not closed")
    }

    fn quoted(&mut self) -> Token {
        self.at += 1;
        let mut name = Vec::new();
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'"' if self.peek(1) == b'"' => {
                    name.push(b'"');
                    self.at += 2;
                }
                b'"' => {
                    self.at += 1;
                    return Token::Word(truncated(&String::from_utf8_lossy(&name)));
                }
                byte => {
                    name.push(byte);
                    self.at += 1;
                }
            }
        }
        Token::Odd("a quoted name is not closed")
    }

    /// `$1`, or `$tag$ … $tag$`.
    fn dollar(&mut self) -> Token {
        self.at += 1;
        if self.peek(0).is_ascii_digit() {
            let digits = self.take_while(|byte| byte.is_ascii_digit());
            let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            // The protocol counts parameters with 16 bits.
            return match number {
                Some(n) if n <= 65_535 => Token::Parameter(n),
                _ => Token::Odd("a parameter's number is too large"),
            };
        }
        let start = self.at - 1;
        if is_word_start(self.peek(0)) {
            self.take_while(|byte| is_word_part(byte) && byte != b'$');
        }
        if self.peek(0) != b'$' {
            return Token::Byte(b'$');
        }
        self.at += 1;
        let tag = &self.bytes[start..self.at];
        if let Some(end) = memchr::memmem::find(&self.bytes[self.at..], tag) {
            self.at += end + tag.len();
            Token::Constant
        } else {
            self.at = self.bytes.len();
            Token::Odd("a dollar-quoted string is not closed")
        }
    }

    /// Letters stay out, so that junk behind a number (`1e`, `0xfn`) is read as a name as well.
    fn number(&mut self) -> Token {
        self.take_while(|byte| byte.is_ascii_digit() || byte == b'.');
        Token::Constant
    }

    fn word(&mut self) -> Token {
        match (self.peek(0) | 0x20, self.peek(1), self.peek(2)) {
            (b'e', b'\'', _) => {
                self.at += 1;
                return self.string(true);
            }
            (b'b' | b'x' | b'n', b'\'', _) => {
                self.at += 1;
                return self.string(false);
            }
            (b'u', b'&', b'\'') => {
                self.at += 2;
                return self.string(false);
            }
            (b'u', b'&', b'"') => return self.unicode_name(),
            _ => {}
        }
        let word = self.take_while(is_word_part);
        Token::Word(truncated(&String::from_utf8_lossy(word).to_ascii_lowercase()))
    }

    /// `U&"…"` may spell any name; nobody writes it, so it is not followed.
    fn unicode_name(&mut self) -> Token {
        self.at += 2;
        self.quoted();
        Token::Odd("a name is written as U&\"…\"")
    }

    /// The longest run of operator characters, cut before a comment, and without a `+` or `-` at
    /// its end unless it holds one of the characters that SQL's own operators lack.
    fn operator(&mut self) -> Token {
        let rest = &self.bytes[self.at..];
        let mut len = rest.iter().position(|byte| !OPERATOR.contains(byte)).unwrap_or(rest.len());
        let comment = (1..len).find(|&at| matches!(&rest[at..(at + 2).min(len)], b"--" | b"/*"));
        len = comment.unwrap_or(len);
        while len > 1
            && matches!(rest[len - 1], b'+' | b'-')
            && !rest[..len - 1].iter().any(|byte| b"~!@#^&|`?%".contains(byte))
        {
            len -= 1;
        }
        self.at += len;
        Token::Operator(String::from_utf8_lossy(&rest[..len]).into_owned())
    }
}

/// Names are cut to 63 bytes, at a character's border.
fn truncated(name: &str) -> String {
    let mut end = name.len().min(63);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[track_caller]
    fn called(sql: &str) -> String {
        let names = Names::of(sql);
        let calls = names.called.iter().map(|(schema, name)| match schema {
            Some(schema) => format!("{schema}.{name}"),
            None => name.clone(),
        });
        calls.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_way_to_write_a_call() {
        for (sql, expect) in [
            ("SELECT Wipe(1)", "wipe"),
            ("SELECT wipe /* x */ -- y\n (1)", "wipe"),
            ("SELECT \"Wi\"\"pe\"(1)", "Wi\"pe"),
            ("SELECT a . wipe (1), b.c.d(2)", "a.wipe c.d"),
            ("SELECT 'wipe(1)', $$wipe(1)$$, $x$ $$ wipe( $x$, E'\\' wipe(1)'", ""),
            ("SELECT 'it''s' || wipe(1)", "wipe"),
            ("SELECT '\\' || wipe(1)", "wipe"),
            ("SELECT 1wipe(2)", "wipe"),
            ("/* /* */ wipe( */ SELECT 1", ""),
        ] {
            assert_eq!(called(sql), expect, "{sql}");
        }
        let long = "w".repeat(70);
        assert_eq!(called(&format!("SELECT {long}(1)")), "w".repeat(63));
    }

    #[test]
    fn attributes_operators_and_the_rest() {
        let names = Names::of("SELECT (x).wipe, o.f(1), a =- b, a @-@ b, c::int, $7 FROM t;");
        assert_eq!(names.attributes.iter().collect::<Vec<_>>(), ["wipe"]);
        assert_eq!(names.operators.iter().collect::<Vec<_>>(), ["-", "=", "@-@"]);
        assert_eq!((names.casts, names.parameters, names.several), (true, 7, false));
        assert_eq!(Names::of("(SELECT 1)").first, "select");
        assert!(Names::of("SELECT 1; DROP TABLE t").several);
        assert!(!Names::of("SELECT ';' ; -- end").several);
        for odd in ["SELECT U&\"w\"()", "SELECT 'x", "SELECT \"x", "SELECT $a$ x"] {
            assert!(Names::of(odd).odd.is_some(), "{odd}");
        }
    }
}
