//! Bytes → tokens, by PostgreSQL's lexical rules (`scan.l`), without allocating and without failing.
//!
//! An unfinished string or comment ends at the end of the text; a byte that fits nowhere is a token
//! of its own. The placeholders of application logs (`?`, `:name`, `%s`, `%(name)s`, `@p1`) are told
//! from operators by what stands before them: after an operand comes an operator.

use memchr::{memchr, memchr2, memmem};

use super::keywords::{self, Class, Keyword};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bare word.
    Word(Option<Keyword>),
    /// `"name"`.
    Quoted,
    /// `U&"name"`.
    UnicodeQuoted,
    /// Any string constant, its continuation lines and UESCAPE included.
    String,
    /// With its sign where that is not a binary operator.
    Number,
    /// `$1`.
    Parameter,
    /// `?`, `:name`, `%s`, `%(name)s`, `@p1`.
    Placeholder,
    Operator,
    /// `::`.
    Cast,
    /// One of `( ) [ ] , ; . :` or a byte that fits nowhere.
    Punct(u8),
    LineComment,
    BlockComment,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

const SPACE: u8 = 1;
const WORD_START: u8 = 2;
const WORD_PART: u8 = 4;
const OPERATOR: u8 = 8;
const DIGIT: u8 = 16;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => SPACE,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..=0xff => WORD_START | WORD_PART,
            b'0'..=b'9' => DIGIT | WORD_PART,
            b'$' => WORD_PART,
            b'+' | b'-' | b'*' | b'/' | b'<' | b'>' | b'=' | b'~' | b'!' | b'@' | b'#' | b'%' | b'^'
            | b'&' | b'|' | b'`' | b'?' => OPERATOR,
            _ => 0,
        };
        if byte == u8::MAX {
            return classes;
        }
        byte += 1;
    }
}

fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

pub(super) struct Lexer<'a> {
    sql: &'a [u8],
    at: usize,
    /// The last token ends an operand, so that an operator follows, not a sign.
    operand: bool,
    /// The last token is a `.`: the next word is a name, keyword or not.
    dot: bool,
    /// Open `[`: there, a single colon is a slice.
    brackets: u32,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(sql: &'a [u8]) -> Lexer<'a> {
        Lexer { sql, at: 0, operand: false, dot: false, brackets: 0 }
    }

    /// Goes on from another place, as after a statement or a block of COPY data.
    pub(super) fn jump(&mut self, to: usize) {
        *self = Lexer { at: to, ..Lexer::new(self.sql) };
    }

    /// Says that an operand stands before: after a jump over one.
    pub(super) fn operand_before(&mut self) {
        self.operand = true;
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.sql.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The end of the run of bytes of a class that begins at `from`.
    fn run(&self, from: usize, class: u8) -> usize {
        self.sql[from..].iter().position(|&byte| !is(byte, class)).map_or(self.sql.len(), |len| from + len)
    }

    /// Whether what was read last ends an operand.
    pub(super) fn after_operand(&self) -> bool {
        self.operand
    }

    fn word(&mut self, start: usize) -> Kind {
        let first = self.sql[start];
        if let Some(&next) = self.sql.get(start + 1) {
            let prefix = first | 0x20;
            if next == b'\'' && matches!(prefix, b'e' | b'b' | b'x' | b'n') {
                self.at = start + 1;
                self.string(prefix == b'e');
                return Kind::String;
            }
            if next == b'&' && prefix == b'u' {
                match self.sql.get(start + 2) {
                    Some(b'\'') => {
                        self.at = start + 2;
                        self.string(false);
                        self.uescape();
                        return Kind::String;
                    }
                    Some(b'"') => {
                        self.at = start + 2;
                        self.quoted();
                        self.uescape();
                        return Kind::UnicodeQuoted;
                    }
                    _ => {}
                }
            }
        }
        self.at = self.run(start + 1, WORD_PART);
        let keyword = if self.dot { None } else { keywords::lookup(&self.sql[start..self.at]) };
        self.operand =
            keyword.is_none_or(|word| matches!(word.class(), Class::Value | Class::Type | Class::Free));
        Kind::Word(keyword)
    }

    /// From the opening quote to behind the closing one, continuation lines included.
    pub(super) fn string(&mut self, escapes: bool) {
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
    fn uescape(&mut self) {
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
    fn quoted(&mut self) {
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
    pub(super) fn dollar(&mut self, start: usize) -> Kind {
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

    pub(super) fn number(&mut self, start: usize) {
        self.operand = true;
        let digits = |lexer: &Lexer<'_>, mut at: usize| {
            while lexer.sql.get(at).is_some_and(|&b| b.is_ascii_digit() || b == b'_') {
                at += 1;
            }
            at
        };
        let byte = |at: usize| self.sql.get(at).copied().unwrap_or(0);
        if byte(start) == b'0' && matches!(byte(start + 1) | 0x20, b'x' | b'o' | b'b') {
            let mut at = start + 2;
            while byte(at).is_ascii_hexdigit() || byte(at) == b'_' {
                at += 1;
            }
            if at > start + 2 {
                self.at = at;
                return;
            }
        }
        let mut at = digits(self, start);
        if byte(at) == b'.' && byte(at + 1) != b'.' {
            at = digits(self, at + 1);
        }
        if byte(at) | 0x20 == b'e' {
            let sign = usize::from(matches!(byte(at + 1), b'+' | b'-'));
            if byte(at + 1 + sign).is_ascii_digit() {
                at = digits(self, at + 1 + sign);
            }
        }
        self.at = at;
    }

    fn begins_number(&self, at: usize) -> bool {
        let byte = |at: usize| self.sql.get(at).copied().unwrap_or(0);
        byte(at).is_ascii_digit() || (byte(at) == b'.' && byte(at + 1).is_ascii_digit())
    }

    pub(super) fn block_comment(&mut self) {
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

    /// A placeholder that begins like an operator: its end.
    fn placeholder(&self, at: usize) -> Option<usize> {
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
    fn begins_operand(&self, at: usize) -> bool {
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

    fn operator(&mut self, start: usize) -> Kind {
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

    fn colon(&mut self, start: usize) -> Kind {
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

/// Where a token that begins at `start` ends, once the lexer has read it.
pub(super) fn end(sql: &[u8], start: usize, read: impl FnOnce(&mut Lexer<'_>)) -> usize {
    let mut lexer = Lexer { at: start, ..Lexer::new(sql) };
    read(&mut lexer);
    lexer.at
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        while is(*self.sql.get(self.at)?, SPACE) {
            self.at += 1;
        }
        let start = self.at;
        let byte = self.sql[start];
        let kind = if is(byte, WORD_START) {
            self.word(start)
        } else if is(byte, DIGIT) || (byte == b'.' && !self.operand && self.begins_number(start)) {
            self.number(start);
            Kind::Number
        } else if byte == b'\'' {
            self.string(false);
            Kind::String
        } else if byte == b'"' {
            self.quoted();
            Kind::Quoted
        } else if byte == b'$' {
            self.dollar(start)
        } else if byte == b'-' && self.peek(1) == b'-' {
            self.at = memchr2(b'\n', b'\r', &self.sql[start..]).map_or(self.sql.len(), |len| start + len);
            Kind::LineComment
        } else if byte == b'/' && self.peek(1) == b'*' {
            self.block_comment();
            Kind::BlockComment
        } else if is(byte, OPERATOR) {
            self.operator(start)
        } else if byte == b':' {
            self.colon(start)
        } else {
            self.at += 1;
            self.operand = matches!(byte, b')' | b']');
            match byte {
                b'[' => self.brackets += 1,
                b']' => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            }
            Kind::Punct(byte)
        };
        if !matches!(kind, Kind::LineComment | Kind::BlockComment) {
            self.dot = kind == Kind::Punct(b'.');
        }
        Some(Token { kind, start, end: self.at })
    }
}
