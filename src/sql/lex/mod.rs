//! Bytes → tokens, by PostgreSQL's lexical rules (`scan.l`), without allocating and without failing.
//!
//! An unfinished string or comment ends at the end of the text; a byte that fits nowhere is a token
//! of its own. The placeholders of application logs (`?`, `:name`, `%s`, `%(name)s`, `@p1`) are told
//! from operators by what stands before them: after an operand comes an operator.

mod operators;
mod quoted;

use memchr::memchr2;

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
