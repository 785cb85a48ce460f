//! The text that sqlparser gets, and the way back from its positions to the statement's bytes.
//!
//! What sqlparser cannot read, or reads as something else without an error, is replaced by what means
//! the same: placeholders of drivers become numbered ones, `ONLY` goes, `ISNULL` becomes `IS NULL`,
//! `TABLE t` becomes `SELECT * FROM t`, and the `, ...` of a normalised list goes. On the second route
//! [`super::forms`] adds its edits.

use std::ops::Range;

use sqlparser::tokenizer::{Location, Span};

use super::forms::Forms;
use crate::sql::{
    boundary::Boundary,
    keywords as k,
    lex::{Kind, Lexer, Token},
};

/// Placeholders that we number begin here: PostgreSQL itself takes at most 65535.
const FIRST_NUMBER: usize = 1_000_000;

pub(super) struct Source<'a> {
    original: &'a str,
    pub(super) rewritten: String,
    /// Where the rewritten text goes on after a replacement, and what is there in the original.
    resumes: Vec<(usize, usize)>,
    placeholders: Vec<Range<usize>>,
    lines: Vec<Line>,
    /// Tokens that can make the tree one level deeper without a parenthesis.
    pub(super) operators: usize,
    /// Brackets in brackets, and CASE in CASE.
    pub(super) depth: usize,
    /// How many statements it holds, and what the first one is.
    pub(super) boundary: Boundary,
    pub(super) forms: Forms,
}

struct Line {
    start: usize,
    /// The byte of each character; empty when all are ASCII.
    characters: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(original: &'a str, forms: Forms) -> Source<'a> {
        let mut source = Source {
            original,
            rewritten: String::with_capacity(original.len() + 16),
            resumes: vec![(0, 0)],
            placeholders: Vec::new(),
            lines: Vec::new(),
            operators: 0,
            depth: 0,
            boundary: Boundary::default(),
            forms,
        };
        source.rewrite();
        source.lines = lines(&source.rewritten);
        source
    }

    fn rewrite(&mut self) {
        let tokens: Vec<Token> = Lexer::new(self.original.as_bytes())
            .filter(|token| !matches!(token.kind, Kind::LineComment | Kind::BlockComment))
            .collect();
        let mut edits = Vec::new();
        let (mut depth, mut brackets) = (0_usize, 0_usize);
        for (at, token) in tokens.iter().enumerate() {
            if !(token.kind == Kind::Punct(b';') && brackets == 0 && self.boundary.semicolon()) {
                let keyword = if let Kind::Word(keyword) = token.kind { keyword } else { None };
                self.boundary.token(keyword, token.kind == Kind::Punct(b'('));
            }
            match token.kind {
                Kind::Punct(b'(' | b'[') => brackets += 1,
                Kind::Punct(b')' | b']') => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            let before = at.checked_sub(1).map(|at| tokens[at].kind);
            let after = tokens.get(at + 1).map(|token| token.kind);
            match token.kind {
                // `UNION ALL SELECT` is one level, not three.
                Kind::Word(
                    Some(
                        k::NULL
                        | k::TRUE
                        | k::FALSE
                        | k::DEFAULT
                        | k::ALL
                        | k::SELECT
                        | k::AS
                        | k::FROM
                        | k::VALUES,
                    )
                    | None,
                ) => {}
                // The words are AND, IS NULL, UNION, AT TIME ZONE …
                Kind::Operator | Kind::Cast | Kind::Punct(b'[') | Kind::Word(Some(_)) => self.operators += 1,
                _ => {}
            }
            match token.kind {
                Kind::Punct(b'(' | b'[') | Kind::Word(Some(k::CASE)) => depth += 1,
                Kind::Punct(b')' | b']') | Kind::Word(Some(k::END)) => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.depth = self.depth.max(depth);
            let replacement = match token.kind {
                Kind::Placeholder => {
                    self.placeholders.push(token.start..token.end);
                    format!("${}", FIRST_NUMBER + self.placeholders.len() - 1)
                }
                Kind::Word(Some(k::ONLY)) if only_of_a_table(before, after) => {
                    // `ONLY (t)`.
                    if let [open, name @ .., close] = tokens.get(at + 1..at + 4).unwrap_or_default()
                        && open.kind == Kind::Punct(b'(')
                        && close.kind == Kind::Punct(b')')
                        && matches!(name, [Token { kind: Kind::Word(_) | Kind::Quoted, .. }])
                    {
                        edits.push((open.start..open.end, String::new()));
                        edits.push((close.start..close.end, String::new()));
                    }
                    String::new()
                }
                Kind::Word(Some(k::ISNULL)) if postfix(before) => "IS NULL".to_owned(),
                Kind::Word(Some(k::NOTNULL)) if postfix(before) => "IS NOT NULL".to_owned(),
                Kind::Word(Some(k::TABLE)) if table_command(before) => "SELECT * FROM".to_owned(),
                Kind::Punct(b',') if self.original[token.end..].trim_start().starts_with("...") => {
                    String::new()
                }
                Kind::Punct(b'.') if dots(&tokens, at) => String::new(),
                _ => continue,
            };
            edits.push((token.start..token.end, replacement));
        }
        edits.append(&mut self.forms.edits);
        // What is inserted comes before what is replaced, and a whole clause before its parts.
        edits.sort_by_key(|(at, _)| (at.start, !at.is_empty(), std::cmp::Reverse(at.end)));
        let mut done = 0;
        for (at, replacement) in edits {
            if at.start < done {
                continue;
            }
            self.rewritten.push_str(&self.original[done..at.start]);
            self.rewritten.push_str(&replacement);
            done = at.end;
            self.resumes.push((self.rewritten.len(), done));
        }
        self.rewritten.push_str(&self.original[done..]);
    }

    /// The byte of the original text that a byte of the rewritten one stands for.
    fn original_byte(&self, rewritten: usize) -> usize {
        let after = self.resumes.partition_point(|&(at, _)| at <= rewritten);
        let (at, original) = self.resumes[after.saturating_sub(1)];
        // Within a replacement, the next resumption bounds it.
        let limit = self.resumes.get(after).map_or(self.original.len(), |&(_, original)| original);
        (original + rewritten.saturating_sub(at)).min(limit)
    }

    fn byte(&self, location: Location) -> Option<usize> {
        let line = self.lines.get(usize::try_from(location.line.checked_sub(1)?).ok()?)?;
        let column = usize::try_from(location.column.checked_sub(1)?).ok()?;
        let byte = if line.characters.is_empty() {
            line.start + column
        } else {
            line.characters.get(column).copied().unwrap_or(self.rewritten.len())
        };
        Some(self.original_byte(byte.min(self.rewritten.len())))
    }

    /// Bytes of the original text; empty when sqlparser does not know.
    pub(super) fn range(&self, span: Span) -> Range<usize> {
        match (self.byte(span.start), self.byte(span.end)) {
            (Some(start), Some(end)) if start <= end => start..end,
            _ => 0..0,
        }
    }

    /// A placeholder as it was written.
    pub(super) fn placeholder<'s>(&'s self, number: &'s str) -> &'s str {
        self.written(number).unwrap_or(number)
    }

    fn written(&self, number: &str) -> Option<&str> {
        let index = number.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(FIRST_NUMBER)?;
        Some(&self.original[self.placeholders.get(index)?.clone()])
    }

    /// Text made from the tree, with its placeholders as they were written.
    pub(super) fn restore(&self, text: String) -> String {
        let mut text = self.forms.restore(text);
        if self.placeholders.is_empty() {
            return text;
        }
        for index in (0..self.placeholders.len()).rev() {
            let number = format!("${}", FIRST_NUMBER + index);
            if text.contains(&number) {
                text = text.replace(&number, self.placeholder(&number));
            }
        }
        text
    }
}

/// `FROM ONLY t`, not `FETCH FIRST 5 ROWS ONLY` or `READ ONLY`.
fn only_of_a_table(before: Option<Kind>, after: Option<Kind>) -> bool {
    matches!(
        before,
        Some(Kind::Word(Some(k::FROM | k::JOIN | k::UPDATE | k::INTO | k::USING)) | Kind::Punct(b','))
    ) && matches!(after, Some(Kind::Word(_) | Kind::Quoted | Kind::Punct(b'(')))
}

/// Not the name in `AS isnull`.
fn postfix(before: Option<Kind>) -> bool {
    before.is_some_and(|before| before != Kind::Word(Some(k::AS)))
}

/// `TABLE t` as a query: first, in parentheses, or as an arm of a set operation.
fn table_command(before: Option<Kind>) -> bool {
    matches!(
        before,
        None | Some(Kind::Punct(b'(') | Kind::Word(Some(k::ALL | k::UNION | k::EXCEPT | k::INTERSECT)))
    )
}

/// Whether this dot is one of `...`.
fn dots(tokens: &[Token], at: usize) -> bool {
    let dot = |at: usize| tokens.get(at).is_some_and(|token| token.kind == Kind::Punct(b'.'));
    let from = at.saturating_sub(2);
    (from..=at).any(|first| dot(first) && dot(first + 1) && dot(first + 2))
}

fn lines(text: &str) -> Vec<Line> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let characters = if line.is_ascii() {
                Vec::new()
            } else {
                line.char_indices().map(|(at, _)| start + at).collect()
            };
            let this = Line { start, characters };
            start += line.len();
            this
        })
        .collect()
}
