//! Where the reader stands in a statement's tokens.

use std::fmt;

use crate::{
    names::RelName,
    sql::{
        keywords::Class,
        lex::{Kind, Lexer, Token},
        parse, split,
    },
};

/// What was met in place of what the grammar has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRead {
    pub expected: &'static str,
    /// In the statement's text.
    pub byte: usize,
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    /// The table that the statement would make, where it got as far as its name.
    pub makes: Option<RelName>,
}

impl fmt::Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at line {}, column {}", self.expected, self.line, self.column)
    }
}

pub(super) struct Cursor<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    /// For each opening bracket its closing one.
    close: Vec<usize>,
    at: usize,
    /// The table that the statement makes, once its name was read.
    pub(super) makes: Option<RelName>,
}

impl<'a> Cursor<'a> {
    /// Brackets that do not match are an error at once.
    pub(super) fn new(sql: &'a str) -> Result<Cursor<'a>, NotRead> {
        let mut tokens: Vec<Token> = Lexer::new(sql.as_bytes())
            .filter(|token| !matches!(token.kind, Kind::LineComment | Kind::BlockComment))
            .collect();
        while tokens.last().is_some_and(|token| token.kind == Kind::Punct(b';')) {
            tokens.pop();
        }
        let mut close = vec![0; tokens.len()];
        let mut open = Vec::new();
        let mut stray = None;
        for (at, token) in tokens.iter().enumerate() {
            match token.kind {
                Kind::Punct(b'(' | b'[') => open.push(at),
                Kind::Punct(closing @ (b')' | b']')) => match open.pop() {
                    Some(opened) if tokens[opened].kind == Kind::Punct(opens(closing)) => close[opened] = at,
                    _ => stray = stray.or(Some(at)),
                },
                _ => {}
            }
        }
        let cursor = Cursor { sql, tokens, close, at: stray.unwrap_or(0), makes: None };
        match (stray, open.last()) {
            (None, None) => Ok(cursor),
            (Some(_), _) => Err(cursor.expected("no closing bracket")),
            (None, Some(&open)) => {
                Err(Cursor { at: open, ..cursor }.expected("a closing bracket for this one"))
            }
        }
    }

    pub(super) fn expected(&self, expected: &'static str) -> NotRead {
        let byte = self.tokens.get(self.at).map_or(self.sql.len(), |token| token.start);
        let (line, column) = split::position(self.sql, byte);
        NotRead { expected, byte, line, column, makes: None }
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(super) fn end(&self) -> Result<(), NotRead> {
        if self.at_end() { Ok(()) } else { Err(self.expected("the end of the statement")) }
    }

    pub(super) fn rest(&mut self) {
        self.at = self.tokens.len();
    }

    pub(super) fn text(&self) -> &'a str {
        self.tokens.get(self.at).map_or("", |token| &self.sql[token.start..token.end])
    }

    fn is_at(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| {
            matches!(token.kind, Kind::Word(_)) && self.sql[token.start..token.end].eq_ignore_ascii_case(word)
        })
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.is_at(self.at, word)
    }

    pub(super) fn any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub(super) fn all(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.is_at(self.at + ahead, word))
    }

    /// Whether the next token but one is this word.
    pub(super) fn second(&self, word: &str) -> bool {
        self.is_at(self.at + 1, word)
    }

    pub(super) fn second_punct(&self, byte: u8) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|token| token.kind == Kind::Punct(byte))
    }

    pub(super) fn take(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_any(&mut self, words: &[&str]) -> bool {
        let found = self.any(words);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_all(&mut self, words: &[&str]) -> bool {
        let found = self.all(words);
        self.at += if found { words.len() } else { 0 };
        found
    }

    pub(super) fn need(&mut self, word: &'static str) -> Result<(), NotRead> {
        if self.take(word) { Ok(()) } else { Err(self.expected(word)) }
    }

    pub(super) fn punct(&self, byte: u8) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Punct(byte))
    }

    pub(super) fn take_punct(&mut self, byte: u8) -> bool {
        let found = self.punct(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_operator(&mut self, text: &str) -> bool {
        let found = self.is_operator() && self.text() == text;
        self.at += usize::from(found);
        found
    }

    pub(super) fn is_operator(&self) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Operator)
    }

    pub(super) fn is_name(&self) -> bool {
        match self.tokens.get(self.at).map(|token| token.kind) {
            Some(Kind::Quoted | Kind::UnicodeQuoted) => true,
            // Words that name no column in an expression may well name one in DDL.
            Some(Kind::Word(word)) => word.is_none_or(|word| word.class() != Class::Clause) || self.any(FREE),
            _ => false,
        }
    }

    pub(super) fn is_number(&self) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Number)
    }

    /// Whether a closing bracket was read last.
    pub(super) fn behind_call(&self) -> bool {
        self.at > 0 && self.tokens.get(self.at - 1).is_some_and(|token| token.kind == Kind::Punct(b')'))
    }

    pub(super) fn step(&mut self) {
        self.at += usize::from(!self.at_end());
    }

    /// One name as the catalog has it.
    pub(super) fn name(&mut self) -> Result<String, NotRead> {
        if !self.is_name() {
            return Err(self.expected("a name"));
        }
        let text = self.text();
        let quoted = self.tokens[self.at].kind != Kind::Word(None) && text.starts_with('"');
        self.at += 1;
        Ok(if quoted {
            text[1..text.len().max(2) - 1].replace("\"\"", "\"")
        } else {
            text.to_ascii_lowercase()
        })
    }

    /// Names with a comma between.
    pub(super) fn relations(&mut self) -> Result<Vec<RelName>, NotRead> {
        let mut list = vec![self.relation()?];
        while self.take_punct(b',') {
            list.push(self.relation()?);
        }
        Ok(list)
    }

    /// The last two parts of a name.
    pub(super) fn relation(&mut self) -> Result<RelName, NotRead> {
        let mut schema = None;
        let mut name = self.name()?;
        while self.punct(b'.') {
            self.at += 1;
            schema = Some(name);
            // Behind a dot, a keyword is a name.
            name = if matches!(self.tokens.get(self.at).map(|token| token.kind), Some(Kind::Word(_))) {
                let word = self.text().to_ascii_lowercase();
                self.at += 1;
                word
            } else {
                self.name()?
            };
        }
        let _ = self.take_operator("*");
        Ok(RelName { schema, name })
    }

    /// `[ONLY] t`, `ONLY (t)`.
    pub(super) fn only_relation(&mut self) -> Result<(RelName, bool), NotRead> {
        let only = self.take("only");
        let bracket = only && self.take_punct(b'(');
        let name = self.relation()?;
        if bracket && !self.take_punct(b')') {
            return Err(self.expected("a closing bracket"));
        }
        Ok((name, only))
    }

    /// `(a, b)`.
    pub(super) fn names(&mut self) -> Result<Vec<String>, NotRead> {
        let mut names = Vec::new();
        if !self.take_punct(b'(') {
            return Err(self.expected("a list of columns in brackets"));
        }
        loop {
            names.push(self.name()?);
            // PERIOD and WITHOUT OVERLAPS of 18.
            if names.last().is_some_and(|name| name == "period") && self.is_name() {
                names.pop();
                names.push(self.name()?);
            }
            let _ = self.take_all(&["without", "overlaps"]);
            if !self.take_punct(b',') {
                break;
            }
        }
        if self.take_punct(b')') { Ok(names) } else { Err(self.expected("a closing bracket")) }
    }

    /// What stands between the brackets here, as SQL text.
    pub(super) fn bracket(&mut self) -> Result<&'a str, NotRead> {
        if !self.punct(b'(') {
            return Err(self.expected("an opening bracket"));
        }
        let close = self.close[self.at];
        let inside = &self.sql[self.tokens[self.at].end..self.tokens[close].start];
        self.at = close + 1;
        Ok(inside.trim())
    }

    /// `[3]` of an array's type, if it stands here; it ends where the bracket does.
    pub(super) fn take_bounds(&mut self) -> bool {
        let here = self.punct(b'[');
        if here {
            self.at = self.close[self.at] + 1;
        }
        here
    }

    /// `(fillfactor = 70, autovacuum_enabled)`, `(FULL, ANALYZE off)`: names in lower case, and their values;
    /// `true` where none is given.
    pub(super) fn options(&mut self) -> Result<Vec<(String, String)>, NotRead> {
        if !self.punct(b'(') {
            return Err(self.expected("an opening bracket"));
        }
        let close = self.close[self.at];
        self.at += 1;
        let mut options = Vec::new();
        while self.at < close {
            let mut name = self.text().to_ascii_lowercase();
            self.at += 1;
            while self.take_punct(b'.') {
                name = format!("{name}.{}", self.text().to_ascii_lowercase());
                self.step();
            }
            let _ = self.take_operator("=");
            let mut value = String::new();
            while self.at < close && !self.punct(b',') {
                value.push_str(self.text());
                self.at += 1;
            }
            let value = value.trim_matches('\'');
            options.push((name, if value.is_empty() { "true".to_owned() } else { value.to_owned() }));
            let _ = self.take_punct(b',');
        }
        self.at = close + 1;
        Ok(options)
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// An expression: at least one token, on to where `stop` says, a comma, or the end of the level.
    pub(super) fn expression(&mut self, stop: impl Fn(&Cursor<'_>) -> bool) -> Result<&'a str, NotRead> {
        let begin = self.at;
        while !self.at_end() && !self.punct(b',') && !self.punct(b')') && !self.punct(b']') {
            if self.at > begin && stop(self) {
                break;
            }
            self.at = match self.tokens[self.at].kind {
                Kind::Punct(b'(' | b'[') => self.close[self.at] + 1,
                _ => self.at + 1,
            };
        }
        if self.at == begin {
            return Err(self.expected("an expression"));
        }
        Ok(&self.sql[self.tokens[begin].start..self.tokens[self.at - 1].end])
    }
}

/// The bracket that this one closes.
fn opens(closing: u8) -> u8 {
    if closing == b')' { b'(' } else { b'[' }
}

/// Words that our scanner holds for clauses, and PostgreSQL lets name a column (catcode U and C).
const FREE: &[&str] = &["between", "exists", "inout", "interval", "out", "setof", "values"];

/// An expression as sqlparser prints it, or as it is written.
pub(super) fn printed(text: &str) -> String {
    parse::expression(text).unwrap_or_else(|| text.to_owned())
}
