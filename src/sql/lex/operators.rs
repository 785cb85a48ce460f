//! Operators, and the placeholders that look like them.

use super::{DIGIT, Kind, Lexer, OPERATOR, SPACE, WORD_PART, WORD_START, is};
use crate::sql::keywords::{self, Class};

impl Lexer<'_> {
    /// A placeholder that begins like an operator: its end.
    pub(super) fn placeholder(&self, at: usize) -> Option<usize> {
        let rest = &self.sql[at..];
        let end = match rest {
            [b'?', ..] => 1,
            [b'%', b's', ..] => 2,
            [b'%', b'(', ..] => {
                let close = rest.iter().take(64).position(|&b| b == b')')?;
                (rest.get(close + 1) == Some(&b's')).then_some(close + 2)?
            }
            [b'@', b'p', digit, ..] if digit.is_ascii_digit() => self.run(at + 2, DIGIT) - at,
            _ => return None,
        };
        let whole = rest[0] == b'?' || !rest.get(end).is_some_and(|&b| is(b, WORD_PART));
        whole.then_some(at + end)
    }

    /// Whether what follows a `?` lets it be the jsonb operator, also as the first byte of `?|` and `?&`.
    pub(super) fn begins_operand(&self, at: usize) -> bool {
        let start = self.run(at, SPACE);
        match self.sql.get(start..).unwrap_or_default() {
            [b'|' | b'&', ..] if start == at => true,
            [b'\'' | b'"' | b'$' | b'(' | b'?' | b'0'..=b'9', ..] => true,
            [b':' | b'%' | b'@', next, ..] => is(*next, WORD_START) || *next == b'(',
            [byte, ..] if is(*byte, WORD_START) => {
                let word = keywords::lookup(&self.sql[start..self.run(start, WORD_PART)]);
                word.is_none_or(|word| {
                    word.class() == Class::Call || matches!(word, keywords::ARRAY | keywords::CASE)
                })
            }
            _ => false,
        }
    }

    pub(super) fn operator(&mut self, start: usize) -> Kind {
        let mark = self.sql[start] == b'?' && !self.begins_operand(start + 1);
        if (mark || !self.operand)
            && let Some(end) = self.placeholder(start)
        {
            self.at = end;
            self.operand = true;
            return Kind::Placeholder;
        }
        let mut end = start + 1;
        while end < self.sql.len() && is(self.sql[end], OPERATOR) {
            let so_far = &self.sql[start..end];
            let stop = match (self.sql[end], self.sql.get(end + 1)) {
                (b'-', Some(b'-')) | (b'/', Some(b'*')) => true,
                // `=?` and `=%s` are a comparison and a placeholder; `@?`, `?|` and `?&` are operators.
                (b'?', _) => so_far != b"@",
                (next, _) if so_far[0] == b'?' => !matches!(next, b'|' | b'&'),
                (b'%' | b'@', _) => {
                    matches!(so_far, b"=" | b"<" | b">" | b"<=" | b">=" | b"<>" | b"!=")
                        && self.placeholder(end).is_some()
                }
                _ => false,
            };
            if stop {
                break;
            }
            end += 1;
        }
        // As scan.l: an operator of several characters ends in + or - only if it also has one of these.
        if !self.sql[start..end].iter().any(|b| b"~!@#^&|`?%".contains(b)) {
            while end > start + 1 && matches!(self.sql[end - 1], b'+' | b'-') {
                end -= 1;
            }
        }
        self.at = end;
        if let b"+" | b"-" = &self.sql[start..end]
            && !self.operand
        {
            let digits = self.run(end, SPACE);
            if self.begins_number(digits) {
                self.number(digits);
                return Kind::Number;
            }
        }
        // `SELECT *`, `count(*)`: a column list, not a multiplication.
        self.operand = !self.operand && &self.sql[start..end] == b"*";
        Kind::Operator
    }

    pub(super) fn colon(&mut self, start: usize) -> Kind {
        match self.peek(1) {
            b':' => {
                self.at += 2;
                self.operand = false;
                Kind::Cast
            }
            b'=' => {
                self.at += 2;
                self.operand = false;
                Kind::Operator
            }
            next if is(next, WORD_START) && !self.operand && self.brackets == 0 => {
                self.at = self.run(start + 1, WORD_PART);
                self.operand = true;
                Kind::Placeholder
            }
            _ => {
                self.at += 1;
                self.operand = false;
                Kind::Punct(b':')
            }
        }
    }
}
