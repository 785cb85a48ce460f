//! PL/pgSQL → the statements in it.

use std::ops::Range;

use super::{Body, Run, Variables, inner, is_word, statement, tokens};
use crate::sql::{
    Spliced,
    lex::{Kind, Token},
};

/// Reads a body. What is not understood is passed over to the next `;`.
pub(super) fn read(text: &Spliced, mut variables: Variables) -> Body {
    variables.extend(["new", "old"].map(|row| (row.to_owned(), true)));
    let mut reader = Reader { text, tokens: tokens(text.text()), at: 0, variables, body: Body::default() };
    reader.all();
    reader.body
}

struct Reader<'a> {
    text: &'a Spliced,
    tokens: Vec<Token>,
    at: usize,
    variables: Variables,
    body: Body,
}

/// Words that begin statements of SQL.
const SQL: &[&str] = &["select", "insert", "update", "delete", "with", "merge", "perform", "values"];

impl Reader<'_> {
    fn word(&self, at: usize) -> String {
        let token = self.tokens.get(at).filter(|token| matches!(token.kind, Kind::Word(_)));
        token.map(|token| self.text.text()[token.start..token.end].to_ascii_lowercase()).unwrap_or_default()
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| is_word(self.text.text(), token, word))
    }

    /// The first token from `at` on, outside of parentheses, that is a `;` or one of the words.
    fn until(&self, at: usize, words: &[&str]) -> usize {
        let (mut depth, mut cases) = (0_usize, 0_usize);
        for (index, token) in self.tokens.iter().enumerate().skip(at) {
            match token.kind {
                Kind::Punct(b'(' | b'[') => depth += 1,
                Kind::Punct(b')' | b']') => depth = depth.saturating_sub(1),
                Kind::Punct(b';') if depth == 0 => return index,
                Kind::Word(_) if depth == 0 => {
                    let word = self.word(index);
                    if cases == 0 && words.contains(&word.as_str()) {
                        return index;
                    }
                    match word.as_str() {
                        "case" => cases += 1,
                        "end" => cases = cases.saturating_sub(1),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// The bytes of tokens.
    fn bytes(&self, tokens: Range<usize>) -> Option<Range<usize>> {
        let first = self.tokens.get(tokens.start)?;
        let last = self.tokens.get(tokens.end.checked_sub(1)?).filter(|_| tokens.start < tokens.end)?;
        Some(first.start..last.end)
    }

    fn query(&mut self, tokens: Range<usize>) {
        if let Some(part) = self.bytes(tokens) {
            let (sql, one_row) = statement(self.text, part, &self.variables);
            self.body.statements.push(Run { sql, one_row });
        }
    }

    /// An expression is run as a SELECT of it, where it reads anything.
    fn expression(&mut self, tokens: Range<usize>) {
        if !tokens.clone().any(|at| self.is(at, "select")) {
            return;
        }
        let Some(part) = self.bytes(tokens) else { return };
        let (read, _) = statement(self.text, part.clone(), &self.variables);
        let mut sql = Spliced::default();
        sql.put("SELECT ", self.text.range(&(part.start..part.start + 1)));
        sql.append(&read, &(0..read.text().len()));
        self.body.statements.push(Run { sql, one_row: true });
    }

    /// EXECUTE: one constant is a statement, all else is put together.
    fn execute(&mut self, at: usize, end: usize) {
        let alone = at + 2 == end || self.is(at + 2, "using") || self.is(at + 2, "into");
        if let Some(token) = self.tokens.get(at + 1).filter(|token| token.kind == Kind::String && alone)
            && let Some(sql) = inner(self.text, token)
        {
            let one_row = (at + 2..end).any(|at| self.is(at, "into"));
            self.body.statements.push(Run { sql, one_row });
        } else if let Some(bytes) = self.bytes(at..end) {
            self.body.dynamic.push(self.text.range(&bytes));
        }
    }

    /// A query, or one that is put together, from `at` to `end`.
    fn run(&mut self, at: usize, end: usize) {
        if self.is(at, "execute") { self.execute(at, end) } else { self.query(at..end) }
    }

    fn all(&mut self) {
        while self.at < self.tokens.len() {
            let at = self.at;
            let word = self.word(at);
            let end = self.until(at, &[]);
            self.at = end + 1;
            match word.as_str() {
                "declare" => {
                    self.at = at + 1;
                    self.declarations();
                }
                "begin" | "else" | "loop" | "exception" => self.at = at + 1,
                "if" | "elsif" | "elseif" | "when" => {
                    let then = self.until(at + 1, &["then"]);
                    self.expression(at + 1..then);
                    self.at = then + 1;
                }
                "while" => {
                    let body = self.until(at + 1, &["loop"]);
                    self.expression(at + 1..body);
                    self.at = body + 1;
                }
                // `CASE x WHEN`: its arms are read as they come.
                "case" => self.at = self.until(at + 1, &["when"]),
                "for" | "foreach" => self.at = self.loops(at),
                "return" if self.is(at + 1, "query") => self.run(at + 2, end),
                "return" => self.expression(at + 1..end),
                "open" => {
                    let query = self.until(at, &["for"]);
                    if query < end {
                        self.run(query + 1, end);
                    }
                }
                "execute" => self.execute(at, end),
                "end" | "raise" | "null" | "exit" | "continue" | "get" | "close" | "fetch" | "move"
                | "commit" | "rollback" | "assert" => {}
                word if SQL.contains(&word) => self.query(at..end),
                // `<<label>>`
                "" if self
                    .text
                    .text()
                    .get(self.tokens[at].start..)
                    .is_some_and(|rest| rest.starts_with("<<")) =>
                {
                    self.at = (at + 1..self.tokens.len())
                        .find(|&close| {
                            let token = self.tokens[close];
                            &self.text.text()[token.start..token.end] == ">>"
                        })
                        .map_or(end + 1, |close| close + 1);
                }
                // An assignment, or a statement that reads nothing.
                _ => {
                    let assigned = (at..end).find(|&at| {
                        let token = self.tokens[at];
                        matches!(&self.text.text()[token.start..token.end], ":=" | "=")
                    });
                    if let Some(assigned) = assigned {
                        self.expression(assigned + 1..end);
                    }
                }
            }
        }
    }

    fn declarations(&mut self) {
        while self.at < self.tokens.len() && !self.is(self.at, "begin") {
            let at = self.at;
            let end = self.until(at, &[]);
            let word = self.word(at);
            let cursor = (at + 1..end.min(at + 4)).any(|at| self.is(at, "cursor"));
            if cursor {
                let query = (at..end).find(|&at| self.is(at, "for") || self.is(at, "is"));
                if let Some(query) = query {
                    self.query(query + 1..end);
                }
            } else if !word.is_empty() {
                let row = (at + 1..end).any(|at| self.is(at, "record") || self.is(at, "rowtype"));
                self.variables.insert(word, row);
                let value = (at + 1..end).find(|&at| {
                    let token = self.tokens[at];
                    self.is(at, "default") || matches!(&self.text.text()[token.start..token.end], ":=" | "=")
                });
                if let Some(value) = value {
                    self.expression(value + 1..end);
                }
            }
            self.at = end + 1;
        }
    }

    /// `FOR row IN query LOOP`; gives what follows.
    fn loops(&mut self, at: usize) -> usize {
        let end = self.until(at, &["loop"]);
        let Some(inside) = (at..end).find(|&at| self.is(at, "in")) else { return end + 1 };
        let first = inside
            + 1
            + usize::from(self.tokens.get(inside + 1).is_some_and(|token| token.kind == Kind::Punct(b'(')));
        let word = self.word(first);
        let query = word == "execute" || SQL.contains(&word.as_str());
        for name in at + 1..inside {
            let name = self.word(name);
            if !name.is_empty() {
                self.variables.entry(name).or_insert(query);
            }
        }
        if query {
            self.run(inside + 1, end);
        } else {
            self.expression(inside + 1..end);
        }
        end + 1
    }
}
