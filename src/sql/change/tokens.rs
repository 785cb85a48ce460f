//! A statement's tokens as a reader of DDL wants them: words folded, names unquoted, comments gone.

use crate::{
    names::RelName,
    sql::lex::{Kind, Lexer},
};

/// How a token reads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    /// A bare word in lower case, a quoted name without its quotes, or the text itself.
    pub(super) text: String,
    /// Not a quoted name or a string.
    pub(super) bare: bool,
    /// A word or quoted name.
    pub(super) name: bool,
    start: usize,
    end: usize,
}

/// All of a statement; bytes that are no whole characters are passed over.
pub(super) fn words(sql: &str) -> Vec<Word> {
    let mut lexer = Lexer::new(sql.as_bytes());
    let mut words = Vec::new();
    while let Some(token) = lexer.next() {
        let Some(raw) = sql.get(token.start..token.end) else { continue };
        let (text, bare, name) = match token.kind {
            Kind::LineComment | Kind::BlockComment => continue,
            Kind::Word(_) => (raw.to_lowercase(), true, true),
            Kind::Quoted => (raw.trim_matches('"').replace("\"\"", "\""), false, true),
            Kind::UnicodeQuoted | Kind::String => (raw.trim_matches('\'').to_owned(), false, false),
            _ => (raw.to_owned(), true, false),
        };
        words.push(Word { text, bare, name, start: token.start, end: token.end });
    }
    words
}

/// Reads words one after the other; nothing fails, at the end everything is absent.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    sql: &'a str,
    words: &'a [Word],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(sql: &'a str, words: &'a [Word]) -> Cursor<'a> {
        Cursor { sql, words, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.at)
    }

    pub(super) fn done(&self) -> bool {
        self.at >= self.words.len()
    }

    pub(super) fn next(&mut self) -> Option<&'a Word> {
        let word = self.words.get(self.at);
        self.at += 1;
        word
    }

    fn is_at(&self, at: usize, text: &str) -> bool {
        self.words.get(at).is_some_and(|word| word.bare && word.text == text)
    }

    /// Whether these bare words come next.
    pub(super) fn sees(&self, texts: &str) -> bool {
        texts.split(' ').enumerate().all(|(ahead, text)| self.is_at(self.at + ahead, text))
    }

    /// Takes these bare words if they come next.
    pub(super) fn take(&mut self, texts: &str) -> bool {
        let sees = self.sees(texts);
        if sees {
            self.at += texts.split(' ').count();
        }
        sees
    }

    pub(super) fn name(&mut self) -> Option<String> {
        let word = self.peek().filter(|word| word.name)?;
        self.at += 1;
        Some(word.text.clone())
    }

    pub(super) fn relation(&mut self) -> Option<RelName> {
        let mut parts = vec![self.name()?];
        while self.sees(".") {
            self.at += 1;
            parts.push(self.name()?);
        }
        let name = parts.pop()?;
        Some(RelName { schema: parts.pop(), name })
    }

    pub(super) fn relations(&mut self) -> Vec<RelName> {
        let mut list = Vec::new();
        while let Some(name) = self.relation() {
            list.push(name);
            if !self.take(",") {
                break;
            }
        }
        list
    }

    /// What stands in the parentheses that come next; the cursor goes behind them.
    pub(super) fn parenthesized(&mut self) -> Option<Cursor<'a>> {
        if !self.sees("(") {
            return None;
        }
        let (open, mut depth) = (self.at, 0_usize);
        while let Some(word) = self.next() {
            match word.text.as_str() {
                "(" if word.bare => depth += 1,
                ")" if word.bare => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return Some(Cursor { words: self.words.get(open + 1..self.at - 1)?, at: 0, ..*self });
            }
        }
        None
    }

    /// The rest, cut at the commas that stand in no parentheses.
    pub(super) fn parts(&self) -> Vec<Cursor<'a>> {
        let (mut parts, mut depth, mut from) = (Vec::new(), 0_usize, self.at);
        for at in self.at..=self.words.len() {
            match self.words.get(at).filter(|word| word.bare).map(|word| word.text.as_str()) {
                Some("(" | "[") => depth += 1,
                Some(")" | "]") => depth = depth.saturating_sub(1),
                Some(",") if depth == 0 => {
                    parts.extend(self.cut(from, at));
                    from = at + 1;
                }
                _ if at == self.words.len() => parts.extend(self.cut(from, at)),
                _ => {}
            }
        }
        parts
    }

    fn cut(&self, from: usize, to: usize) -> Option<Cursor<'a>> {
        Some(Cursor { words: self.words.get(from..to)?, at: 0, ..*self })
    }

    /// Goes on until one of these words stands outside of parentheses; the text that was passed.
    pub(super) fn until(&mut self, stops: &[&str]) -> String {
        let (from, mut depth) = (self.at, 0_usize);
        while let Some(word) = self.peek() {
            if word.bare {
                match word.text.as_str() {
                    "(" | "[" => depth += 1,
                    ")" | "]" => depth = depth.saturating_sub(1),
                    text if depth == 0 && self.at > from && stops.contains(&text) => break,
                    _ => {}
                }
            }
            self.at += 1;
        }
        self.text(from, self.at)
    }

    /// The text of what is left.
    pub(super) fn rest(&self) -> String {
        self.text(self.at, self.words.len())
    }

    fn text(&self, from: usize, to: usize) -> String {
        let words = self.words.get(from..to.min(self.words.len())).unwrap_or_default();
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return String::new() };
        self.sql.get(first.start..last.end).unwrap_or_default().to_owned()
    }

    /// Whether these bare words stand anywhere in what is left, outside of parentheses.
    pub(super) fn holds(&self, texts: &str) -> bool {
        let mut depth = 0_usize;
        (self.at..self.words.len()).any(|at| {
            match self.words[at].text.as_str() {
                "(" if self.words[at].bare => depth += 1,
                ")" if self.words[at].bare => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && Cursor { at, ..*self }.sees(texts)
        })
    }
}
