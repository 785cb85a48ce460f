//! What begins with a quote of some kind, and comments: where each ends.

use memchr::{memchr, memchr2, memmem};

use super::{DIGIT, Kind, Lexer, SPACE, WORD_PART, is};

impl Lexer<'_> {
    /// From the opening quote to behind the closing one, continuation lines included.
    pub(in crate::sql) fn string(&mut self, escapes: bool) {
        self.operand = true;
        self.at += 1;
        loop {
            let rest = &self.sql[self.at.min(self.sql.len())..];
            let found = if escapes { memchr2(b'\'', b'\\', rest) } else { memchr(b'\'', rest) };
            let Some(found) = found else {
                self.at = self.sql.len();
                return;
            };
            self.at += found;
            if self.sql[self.at] == b'\\' || self.peek(1) == b'\'' {
                self.at += 2;
                continue;
            }
            self.at += 1;
            match self.continuation() {
                Some(quote) => self.at = quote + 1,
                None => return,
            }
        }
    }

    /// Where a string goes on: at a quote after white space that holds a newline.
    fn continuation(&self) -> Option<usize> {
        let mut at = self.at;
        let mut newline = false;
        loop {
            match *self.sql.get(at)? {
                b'\n' | b'\r' => newline = true,
                b' ' | b'\t' | 0x0b | 0x0c => {}
                b'-' if self.sql.get(at + 1) == Some(&b'-') => {
                    at += memchr2(b'\n', b'\r', &self.sql[at..])?;
                    continue;
                }
                b'\'' if newline => return Some(at),
                _ => return None,
            }
            at += 1;
        }
    }

    /// Takes in `UESCAPE '!'` where it follows.
    pub(super) fn uescape(&mut self) {
        let word = self.run(self.at, SPACE);
        let Some(after) = self.sql.get(word..word + 7) else { return };
        if after.eq_ignore_ascii_case(b"uescape") {
            let quote = self.run(word + 7, SPACE);
            if self.sql.get(quote) == Some(&b'\'') {
                self.at = quote;
                self.string(false);
            }
        }
    }

    /// From the opening `"` to behind the closing one.
    pub(super) fn quoted(&mut self) {
        self.operand = true;
        self.at += 1;
        while let Some(found) = memchr(b'"', &self.sql[self.at..]) {
            self.at += found + 1;
            if self.peek(0) != b'"' {
                return;
            }
            self.at += 1;
        }
        self.at = self.sql.len();
    }

    /// `$1`, `$tag$…$tag$`, or a lone `$`.
    pub(in crate::sql) fn dollar(&mut self, start: usize) -> Kind {
        self.operand = true;
        let digits = self.run(start + 1, DIGIT);
        if digits > start + 1 {
            self.at = digits;
            return Kind::Parameter;
        }
        let mut tag = start + 1;
        while self.sql.get(tag).is_some_and(|&b| b != b'$' && is(b, WORD_PART)) {
            tag += 1;
        }
        if self.sql.get(tag) != Some(&b'$') {
            self.at = start + 1;
            return Kind::Punct(b'$');
        }
        let delimiter = &self.sql[start..=tag];
        self.at = memmem::find(&self.sql[tag + 1..], delimiter)
            .map_or(self.sql.len(), |found| tag + 1 + found + delimiter.len());
        Kind::String
    }

    pub(in crate::sql) fn block_comment(&mut self) {
        let mut depth = 1_u32;
        self.at += 2;
        while let Some(found) = memchr2(b'*', b'/', self.sql.get(self.at..).unwrap_or_default()) {
            self.at += found;
            match (self.sql[self.at], self.peek(1)) {
                (b'*', b'/') => {
                    self.at += 2;
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                (b'/', b'*') => {
                    self.at += 2;
                    depth += 1;
                }
                _ => self.at += 1,
            }
        }
        self.at = self.sql.len();
    }
}
