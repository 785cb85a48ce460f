//! Tokens → normalised text, with what is counted on the way.

use std::ops::Range;

use super::lists::{List, Rows};
use crate::sql::{
    boundary::Boundary,
    keywords::{self, Class, Keyword},
    lex::{Kind, Token},
    memo, tags,
};

/// What the last token was, as far as the next one's spacing and meaning depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    Nothing,
    /// What the next token is written to without a space: `(`, `[`, `.`, `::`, a sign.
    Glue,
    Name,
    Keyword(Keyword),
    /// A constant, a parameter, `)` or `]`.
    Operand,
    Comma,
    Other,
}

#[expect(clippy::struct_excessive_bools, reason = "each says which clause just began")]
pub(super) struct Scan<'s, 't> {
    pub(super) sql: &'s [u8],
    pub(super) text: &'t mut Vec<u8>,
    /// Where the constants stand.
    pub(super) places: &'t mut Vec<Range<usize>>,
    pub(super) boundary: Boundary,
    pub(super) values: u64,
    pub(super) constants: u32,
    pub(super) parameters: bool,
    pub(super) leading_tags: Option<Range<usize>>,
    pub(super) trailing_tags: Option<Range<usize>>,
    pub(super) last: Last,
    pub(super) depth: u32,
    /// Bit n: nesting level n is in an ORDER BY or GROUP BY list, where a bare integer is a position.
    pub(super) ordinals: u64,
    pub(super) order_or_group: bool,
    /// After `IS [NOT]`, where TRUE, FALSE and NULL are no constants.
    pub(super) after_is: bool,
    /// After INTO: `t (a, b)` is no call.
    pub(super) into: bool,
    /// After `::` or AS and a type's name; `Some(depth)` inside the parentheses of its length.
    pub(super) type_name: bool,
    pub(super) type_length: Option<u32>,
    pub(super) list: Option<List>,
    pub(super) rows: Option<Rows>,
}

impl<'s, 't> Scan<'s, 't> {
    pub(super) fn new(
        sql: &'s [u8],
        text: &'t mut Vec<u8>,
        places: &'t mut Vec<Range<usize>>,
    ) -> Scan<'s, 't> {
        Scan {
            sql,
            text,
            places,
            boundary: Boundary::default(),
            values: 0,
            constants: 0,
            parameters: false,
            leading_tags: None,
            trailing_tags: None,
            last: Last::Nothing,
            depth: 0,
            ordinals: 0,
            order_or_group: false,
            after_is: false,
            into: false,
            type_name: false,
            type_length: None,
            list: None,
            rows: None,
        }
    }

    pub(super) fn token(&mut self, token: Token, unary: bool) {
        match token.kind {
            Kind::BlockComment => return self.comment(token),
            Kind::LineComment => return,
            Kind::Punct(b';') if self.depth == 0 && self.boundary.semicolon() => return,
            _ => {}
        }
        self.trailing_tags = None;
        let keyword = match token.kind {
            Kind::Word(keyword) => keyword,
            _ => None,
        };
        if self.boundary.token(keyword, token.kind == Kind::Punct(b'(')) && !self.text.is_empty() {
            self.text.push(b';');
            (self.last, self.ordinals) = (Last::Other, 0);
            (self.list, self.rows) = (None, None);
        }
        if self.type_name && !matches!(token.kind, Kind::Word(_) | Kind::Punct(b'(' | b'.')) {
            self.type_name = false;
        }
        if self.into && !matches!(token.kind, Kind::Word(_) | Kind::Quoted | Kind::Punct(b'(' | b'.')) {
            self.into = false;
        }
        if self.rows.is_some_and(|rows| rows.between) && !matches!(token.kind, Kind::Punct(b',' | b'(')) {
            self.rows = None;
        }
        match token.kind {
            Kind::Word(keyword) => self.word(token, keyword),
            Kind::Quoted => self.quoted(token),
            Kind::UnicodeQuoted => {
                self.list = None;
                self.space();
                self.copy(token);
                self.last = Last::Name;
            }
            Kind::String => self.constant(token),
            Kind::Number => self.number(token),
            Kind::Parameter | Kind::Placeholder => {
                self.parameters |= token.kind == Kind::Parameter;
                self.mark();
            }
            Kind::Operator => self.operator(token, unary),
            Kind::Cast => {
                if let Some(list) = &mut self.list {
                    list.in_type = true;
                }
                if !matches!(self.last, Last::Name | Last::Operand) {
                    self.space();
                }
                self.text.extend_from_slice(b"::");
                self.type_name = true;
                self.last = Last::Glue;
            }
            Kind::Punct(byte) => self.punct(byte),
            Kind::LineComment | Kind::BlockComment => {}
        }
    }

    fn comment(&mut self, token: Token) {
        let inside = token.start + 2..token.end.saturating_sub(2).max(token.start + 2);
        if tags::looks_like(&self.sql[inside.clone()]) {
            if self.text.is_empty() && self.leading_tags.is_none() {
                self.leading_tags = Some(inside);
            } else {
                self.trailing_tags = Some(inside);
            }
        }
    }

    pub(super) fn space(&mut self) {
        if !matches!(self.last, Last::Nothing | Last::Glue) {
            self.text.push(b' ');
        }
    }

    fn copy(&mut self, token: Token) {
        self.text.extend_from_slice(&self.sql[token.start..token.end]);
    }

    fn mark(&mut self) {
        self.space();
        self.text.push(b'?');
        self.last = Last::Operand;
        self.after_is = false;
    }

    fn constant(&mut self, token: Token) {
        self.values = memo::with_constant(self.values, &self.sql[token.start..token.end]);
        self.constants += 1;
        if self.sql.len() <= memo::LONGEST {
            self.places.push(token.start..token.end);
        }
        self.mark();
    }

    fn number(&mut self, token: Token) {
        let position = self.depth < 64
            && self.ordinals & (1 << self.depth) != 0
            && matches!(self.last, Last::Comma | Last::Keyword(keywords::BY));
        if position || self.type_length.is_some() {
            self.space();
            self.copy(token);
            self.last = Last::Other;
        } else {
            self.constant(token);
        }
    }

    fn word(&mut self, token: Token, keyword: Option<Keyword>) {
        match keyword {
            None => self.name(token),
            Some(word) if word.class() == Class::Type => self.name(token),
            Some(word) => self.keyword(token, word),
        }
    }

    fn name(&mut self, token: Token) {
        if self.list.is_some_and(|list| !list.in_type) {
            self.list = None;
        }
        self.type_name |= self.last == Last::Keyword(keywords::AS);
        self.after_is = false;
        self.space();
        let from = self.text.len();
        self.copy(token);
        self.text[from..].make_ascii_lowercase();
        self.last = Last::Name;
    }

    fn quoted(&mut self, token: Token) {
        self.list = None;
        self.after_is = false;
        self.space();
        let name = match &self.sql[token.start..token.end] {
            [b'"', name @ .., b'"'] => name,
            _ => b"",
        };
        let plain = name.first().is_some_and(|b| b.is_ascii_lowercase() || *b == b'_')
            && name.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
            && keywords::lookup(name).is_none();
        if plain {
            self.text.extend_from_slice(name);
        } else {
            self.copy(token);
        }
        self.last = Last::Name;
    }

    fn keyword(&mut self, token: Token, word: Keyword) {
        use keywords as k;
        self.type_name = false;
        match word {
            k::NULL | k::TRUE | k::FALSE if self.is_constant(word) => return self.constant(token),
            k::ORDER | k::GROUP => self.order_or_group = true,
            k::BY => {
                if self.order_or_group && self.depth < 64 {
                    self.ordinals |= 1 << self.depth;
                }
                self.order_or_group = false;
            }
            k::SELECT | k::RETURNING | k::VALUES | k::SET if self.depth < 64 => {
                self.ordinals &= !(1 << self.depth);
            }
            k::INTO => self.into = true,
            _ => {}
        }
        self.after_is = word == k::IS || (word == k::NOT && self.after_is);
        self.list = None;
        if word == k::VALUES {
            self.rows = Some(Rows { depth: self.depth, row: 0, previous: None, between: false });
        }
        self.space();
        let from = self.text.len();
        self.copy(token);
        self.text[from..].make_ascii_uppercase();
        self.last = Last::Keyword(word);
    }

    /// Whether TRUE, FALSE or NULL stands for a value here.
    fn is_constant(&self, word: Keyword) -> bool {
        match self.last {
            Last::Name | Last::Operand => false,
            Last::Keyword(keywords::NOT | keywords::SET) if word == keywords::NULL => false,
            _ => !self.after_is,
        }
    }

    fn operator(&mut self, token: Token, unary: bool) {
        let operator = &self.sql[token.start..token.end];
        let star = unary && operator == b"*";
        let sign = matches!(operator, b"-" | b"+");
        match &mut self.list {
            Some(list) if sign => list.in_type = false,
            list => *list = None,
        }
        self.after_is = false;
        self.space();
        self.text.extend_from_slice(if operator == b"!=" { b"<>" } else { operator });
        self.last = if star { Last::Operand } else { Last::Other };
    }

    fn punct(&mut self, byte: u8) {
        match byte {
            b'(' | b'[' => self.open(byte),
            b')' | b']' => self.close(byte),
            b',' => {
                self.element();
                self.text.push(b',');
                self.last = Last::Comma;
            }
            b'.' => {
                let in_dots = self.text.iter().rev().take_while(|&&b| b == b'.').count();
                if self.list.is_some_and(|list| !list.in_type && self.text.len() > list.element + in_dots + 1)
                {
                    self.list = None;
                }
                if !matches!(self.last, Last::Name | Last::Operand) {
                    self.space();
                }
                self.text.push(b'.');
                self.last = Last::Glue;
            }
            _ => {
                self.list = None;
                self.space();
                self.text.push(byte);
                self.last = Last::Other;
            }
        }
    }
}
