//! A statement as its tokens, with the few questions that fixers have about them.

use std::ops::Range;

use crate::sql::split;

/// Where a clause of a query ends, at the depth of its parentheses.
const ENDS: &[&str] = &[
    "EXCEPT",
    "FETCH",
    "FOR",
    "GROUP",
    "HAVING",
    "INTERSECT",
    "LIMIT",
    "OFFSET",
    "ON",
    "ORDER",
    "RETURNING",
    "UNION",
    "WHERE",
    "WINDOW",
];

pub(super) struct Text<'a> {
    pub(super) sql: &'a str,
    /// Without comments.
    pub(super) tokens: Vec<Range<usize>>,
}

impl<'a> Text<'a> {
    pub(super) fn new(sql: &'a str) -> Text<'a> {
        Text { sql, tokens: split::tokens(sql) }
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// A token as it is written; nothing behind the last.
    pub(super) fn at(&self, index: usize) -> &'a str {
        self.tokens.get(index).and_then(|at| self.sql.get(at.clone())).unwrap_or_default()
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(|index| self.at(index))
    }

    /// Whether a token is this word, in capitals or not.
    pub(super) fn is(&self, index: usize, word: &str) -> bool {
        self.at(index).eq_ignore_ascii_case(word)
    }

    pub(super) fn is_one_of(&self, index: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(index, word))
    }

    /// Whether these words follow each other from a token on.
    pub(super) fn are(&self, index: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| self.is(index + offset, word))
    }

    pub(super) fn has(&self, words: &[&str]) -> bool {
        (0..self.len()).any(|index| self.is_one_of(index, words))
    }

    /// The only token from which on these words stand.
    pub(super) fn only(&self, words: &[&str]) -> Option<usize> {
        let mut found = (0..self.len()).filter(|index| self.are(*index, words));
        found.next().filter(|_| found.next().is_none())
    }

    /// The parenthesis that ends the one that begins here.
    pub(super) fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for index in open..self.len() {
            match self.at(index) {
                "(" => depth += 1,
                ")" => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(index);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The tokens from `from` on that are in no parentheses of their own, to the one that closes theirs.
    pub(super) fn level(&self, from: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut index = from;
        while index < self.len() {
            match self.at(index) {
                ")" | ";" => break,
                "(" => {
                    found.push(index);
                    let Some(end) = self.closing(index) else { break };
                    index = end;
                }
                _ => {}
            }
            found.push(index);
            index += 1;
        }
        found
    }

    /// The token at which the clause that `from` stands in is over.
    pub(super) fn clause_end(&self, from: usize) -> usize {
        self.level(from)
            .into_iter()
            .find(|index| self.is_one_of(*index, ENDS))
            .unwrap_or_else(|| self.level(from).last().map_or(from, |last| last + 1))
    }

    /// The bytes of tokens, the last one included.
    pub(super) fn bytes(&self, first: usize, last: usize) -> Option<Range<usize>> {
        Some(self.tokens.get(first)?.start..self.tokens.get(last)?.end)
    }

    /// What removes tokens, the last one included, with the white space before them.
    pub(super) fn without(&self, first: usize, last: usize) -> Option<Range<usize>> {
        let at = self.bytes(first, last)?;
        let before = first.checked_sub(1).and_then(|index| self.tokens.get(index)).map_or(0, |at| at.end);
        let blank = self.sql.get(before..at.start)?.trim().is_empty();
        Some(if blank { before..at.end } else { at })
    }

    /// What removes a word with the white space behind it.
    pub(super) fn without_word(&self, index: usize) -> Option<Range<usize>> {
        let at = self.tokens.get(index)?;
        let next = self.tokens.get(index + 1)?;
        let blank = self.sql.get(at.end..next.start)?.trim().is_empty();
        Some(if blank { at.start..next.start } else { at.clone() })
    }

    /// A column's name, perhaps with its table: the token behind it.
    pub(super) fn column(&self, index: usize) -> Option<usize> {
        let name = |index: usize| {
            let word = self.at(index);
            word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '"') && !word.ends_with('\'')
        };
        let mut index = index;
        loop {
            if !name(index) {
                return None;
            }
            index += 1;
            if self.at(index) != "." {
                return Some(index);
            }
            index += 1;
        }
    }

    /// Whether tokens are the same as those at another place, character for character.
    pub(super) fn same(&self, a: Range<usize>, b: Range<usize>) -> bool {
        a.len() == b.len() && a.zip(b).all(|(a, b)| self.at(a) == self.at(b))
    }

    /// A string without escapes, or a number.
    pub(super) fn is_literal(&self, index: usize) -> bool {
        self.is_number(index) || self.is_string(index)
    }

    pub(super) fn is_number(&self, index: usize) -> bool {
        let word = self.at(index);
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
    }

    pub(super) fn is_string(&self, index: usize) -> bool {
        let inside = self.at(index).strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        inside.is_some_and(|inside| !inside.contains(['\'', '\\', '\n']))
    }
}
