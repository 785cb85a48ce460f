//! Valid PostgreSQL that sqlparser refuses → what it reads, of the same meaning for [`Shape`].
//!
//! The second route of [`super::parse`]: taken when sqlparser refused a statement, on tokens of our
//! own scanner, with edits that keep the way back to the statement's bytes. A second parser
//! (squawk-syntax) reads more of the grammar's far corners, but it would need a second walk to
//! `Shape` of the same size as the first, kept equal to it for ever, it has no depth limit and no
//! promised API; 1,200 of 46,000 statements' refusals had some forty causes, and each is a rule here.
//!
//! A rule drops what a shape does not hold (window frames, SEARCH, COLUMNS of XMLTABLE), or writes it
//! otherwise. Functions that are called in what is dropped are kept in [`Forms::functions`]; a
//! subquery there is not droppable, and the statement stays refused. What has no other spelling (an
//! operator of an extension, `WHERE CURRENT OF`) becomes a stand-in that [`Forms::restore`] turns back.
//!
//! [`Shape`]: crate::sql::Shape

mod calls;
mod clauses;
mod operators;

use std::ops::Range;

use crate::{
    names::RelName,
    sql::{
        keywords::{self, Class},
        lex::{Kind, Lexer, Token},
    },
};

/// How stand-ins are called; the number follows.
const STAND_IN: &str = "sargable_form_";

/// ROWS FROM (…) as a function.
const ROWS_FROM: &str = "rows from";

#[derive(Default)]
pub(super) struct Forms {
    /// Bytes of the original text and what stands there instead, in order, none within another.
    pub(super) edits: Vec<(Range<usize>, String)>,
    /// Functions called in what was dropped.
    pub(super) functions: Vec<RelName>,
    /// What each stand-in stands for.
    stand_ins: Vec<String>,
}

impl Forms {
    /// Text made from the tree, with what its stand-ins stand for.
    pub(super) fn restore(&self, mut text: String) -> String {
        if !text.contains(STAND_IN) {
            return text;
        }
        for (number, original) in self.stand_ins.iter().enumerate().rev() {
            let name = format!("{STAND_IN}{number}");
            for spelled in
                [format!("OPERATOR({name})"), format!("UPDATE OF {name}"), format!("{name}()"), name.clone()]
            {
                text = text.replace(&spelled, original);
            }
        }
        text
    }

    /// Whether a function is one of ours, which the statement does not call.
    pub(super) fn is_stand_in(name: &RelName) -> bool {
        // XMLTABLE and JSON_TABLE are the grammar's, however they are spelled for sqlparser.
        name.schema.is_none()
            && (name.name.starts_with(STAND_IN)
                || matches!(name.name.as_str(), ROWS_FROM | "xmltable" | "json_table"))
    }
}

/// The edits of a statement; `Err` says why there can be none.
pub(super) fn read(sql: &str) -> Result<Forms, &'static str> {
    let mut reader = Reader::new(sql);
    for at in 0..reader.tokens.len() {
        reader.clause(at);
        reader.call(at);
        reader.operator(at);
    }
    reader.finish()
}

struct Reader<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    /// Whether an operand ends before each token.
    operand: Vec<bool>,
    /// For each opening bracket its closing one, or the end.
    close: Vec<usize>,
    /// For each token the opening bracket that it stands in.
    open: Vec<Option<usize>>,
    forms: Forms,
    /// Tokens that are gone.
    dropped: Vec<Range<usize>>,
}

impl<'a> Reader<'a> {
    fn new(sql: &'a str) -> Reader<'a> {
        let (mut tokens, mut operand) = (Vec::new(), Vec::new());
        let mut lexer = Lexer::new(sql.as_bytes());
        loop {
            let before = lexer.after_operand();
            let Some(token) = lexer.next() else { break };
            if !matches!(token.kind, Kind::LineComment | Kind::BlockComment) {
                tokens.push(token);
                operand.push(before);
            }
        }
        let mut close = vec![tokens.len(); tokens.len()];
        let mut open = vec![None; tokens.len()];
        let mut stack = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token.kind {
                Kind::Punct(b'(' | b'[') => {
                    open[at] = stack.last().copied();
                    stack.push(at);
                }
                Kind::Punct(b')' | b']') => {
                    if let Some(opened) = stack.pop() {
                        close[opened] = at;
                    }
                    open[at] = stack.last().copied();
                }
                _ => open[at] = stack.last().copied(),
            }
        }
        Reader { sql, tokens, operand, close, open, forms: Forms::default(), dropped: Vec::new() }
    }

    fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| &self.sql[token.start..token.end])
    }

    /// Whether a token is this bare word.
    fn is(&self, at: usize, word: &str) -> bool {
        matches!(self.tokens.get(at), Some(Token { kind: Kind::Word(_), .. }))
            && self.text(at).eq_ignore_ascii_case(word)
    }

    fn any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    fn all(&self, at: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(next, word)| self.is(at + next, word))
    }

    fn punct(&self, at: usize, byte: u8) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == Kind::Punct(byte))
    }

    fn is_operator(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == Kind::Operator) && self.text(at) == text
    }

    fn is_name(&self, at: usize) -> bool {
        match self.tokens.get(at).map(|token| token.kind) {
            Some(Kind::Quoted | Kind::UnicodeQuoted) => true,
            Some(Kind::Word(word)) => word.is_none_or(|word| word.class() != Class::Clause),
            _ => false,
        }
    }

    fn is_string(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == Kind::String)
    }

    /// Behind a name of any number of parts.
    fn path(&self, mut at: usize) -> usize {
        while self.is_name(at) {
            at += 1;
            if !self.punct(at, b'.') {
                break;
            }
            at += 1;
        }
        at
    }

    /// The last token before the end of what encloses `at`: the closing bracket's position, or the end.
    fn end_of_level(&self, at: usize) -> usize {
        self.open[at].map_or(self.tokens.len(), |open| self.close[open])
    }

    /// The next token on the level of `at`.
    fn next(&self, at: usize) -> usize {
        if self.punct(at, b'(') || self.punct(at, b'[') { self.close[at] + 1 } else { at + 1 }
    }

    /// The first token from `at` on, on its level, that `wanted` takes; the end of the level otherwise.
    fn find(&self, at: usize, wanted: impl Fn(usize) -> bool) -> usize {
        let end = self.tokens.get(at).map_or(at, |_| self.end_of_level(at));
        let mut here = at;
        while here < end && !wanted(here) {
            here = self.next(here);
        }
        here.min(end)
    }

    fn put(&mut self, tokens: Range<usize>, text: impl Into<String>) {
        let start = self.tokens.get(tokens.start).map_or(self.sql.len(), |token| token.start);
        let end = match tokens.end.checked_sub(1) {
            Some(last) if tokens.end > tokens.start => self.tokens.get(last).map_or(start, |token| token.end),
            _ => start,
        };
        self.forms.edits.push((start..end, text.into()));
        self.dropped.push(tokens);
    }

    fn drop(&mut self, tokens: Range<usize>) {
        if !tokens.is_empty() {
            self.put(tokens, " ");
        }
    }

    /// A name that stands for `original`.
    fn stand_in(&mut self, original: impl Into<String>) -> String {
        self.forms.stand_ins.push(original.into());
        format!("{STAND_IN}{}", self.forms.stand_ins.len() - 1)
    }

    fn finish(mut self) -> Result<Forms, &'static str> {
        let mut dropped = std::mem::take(&mut self.dropped);
        dropped.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut done = 0;
        for range in dropped {
            for at in range.start.max(done)..range.end.min(self.tokens.len()) {
                // One token that is replaced by its like.
                if range.len() > 1 && self.any(at, &["select", "insert", "update", "delete", "merge"]) {
                    let lock = self.is(at, "update") && self.any(range.start, &["for"]);
                    if !lock {
                        return Err("a subquery stands where it cannot be read");
                    }
                }
                if range.len() > 1 && self.punct(at + 1, b'(') {
                    self.called(at);
                }
            }
            done = done.max(range.end);
        }
        self.forms.edits.sort_by_key(|(at, _)| (at.start, !at.is_empty(), std::cmp::Reverse(at.end)));
        Ok(self.forms)
    }

    fn called(&mut self, at: usize) {
        let bare = matches!(self.tokens[at].kind, Kind::Word(word)
            if word.is_none_or(|word: keywords::Keyword| word.class() == Class::Free));
        let clause = self.any(at, &["columns", "nested", "path", "by", "conflict", "values"]);
        if clause || !(bare || self.tokens[at].kind == Kind::Quoted) {
            return;
        }
        let fold = |at: usize| match self.tokens[at].kind {
            Kind::Quoted => self.text(at).trim_matches('"').replace("\"\"", "\""),
            _ => self.text(at).to_ascii_lowercase(),
        };
        let schema = (at >= 2 && self.punct(at - 1, b'.')).then(|| fold(at - 2));
        let name = RelName { schema, name: fold(at) };
        self.forms.functions.push(name);
    }
}
