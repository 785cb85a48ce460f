//! A text of many statements → the byte range of each.
//!
//! psql's meta-commands and the data of COPY … FROM stdin are skipped.

use std::ops::Range;

use memchr::memchr;

use super::{
    boundary::Boundary,
    keywords as k,
    lex::{Kind, Lexer},
};

/// Splits at `;` outside of strings, comments, dollar quotes, parentheses and `BEGIN ATOMIC … END`
/// bodies. psql meta-commands and COPY data are skipped. A range holds neither the `;` nor the white
/// space and comments around the statement. Total: an unfinished string ends at the end of the text.
pub fn statements(text: &str) -> Vec<Range<usize>> {
    walk(text, &mut |_| ())
}

/// The statements, telling of each comment on the way.
fn walk(text: &str, comment: &mut dyn FnMut(Range<usize>)) -> Vec<Range<usize>> {
    let sql = text.as_bytes();
    let mut lexer = Lexer::new(sql);
    let mut split = Split::default();
    while let Some(token) = lexer.next() {
        match token.kind {
            Kind::LineComment | Kind::BlockComment => comment(token.start..token.end),
            Kind::Punct(b'\\') => {
                let (end, sends) = meta_command(sql, token.start);
                // `\g`, `\gx`, `\gexec` … send what stands before them.
                if sends {
                    split.end();
                }
                lexer.jump(end);
            }
            Kind::Punct(b';') if split.depth == 0 && split.boundary.semicolon() => {
                let copy = split.copy == Copy::Stdin;
                split.end();
                if copy {
                    lexer.jump(copy_data(sql, token.end));
                }
            }
            kind => split.token(kind, &sql[token.start..token.end], token.start..token.end),
        }
    }
    split.end();
    split.found
}

/// The comments of a text, in order: those that PostgreSQL would take for one, outside of strings, psql
/// meta-commands and COPY data.
pub fn comments(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    walk(text, &mut |at| found.push(at));
    found
}

/// Every token of a statement but its comments, in order.
pub fn tokens(sql: &str) -> Vec<Range<usize>> {
    Lexer::new(sql.as_bytes())
        .filter(|token| !matches!(token.kind, Kind::LineComment | Kind::BlockComment))
        .map(|token| token.start..token.end)
        .collect()
}

/// How far a COPY … FROM stdin is recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Copy {
    #[default]
    No,
    Begun,
    From,
    Stdin,
}

#[derive(Default)]
struct Split {
    found: Vec<Range<usize>>,
    /// The current statement up to the last token.
    open: Option<Range<usize>>,
    boundary: Boundary,
    depth: u32,
    copy: Copy,
}

impl Split {
    fn token(&mut self, kind: Kind, text: &[u8], at: Range<usize>) {
        let keyword = match kind {
            Kind::Word(keyword) => keyword,
            _ => None,
        };
        self.boundary.token(keyword, kind == Kind::Punct(b'('));
        match kind {
            Kind::Punct(b'(' | b'[') => self.depth += 1,
            Kind::Punct(b')' | b']') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth == 0 {
            self.copy = match (self.copy, keyword) {
                (Copy::No, Some(k::COPY)) if self.open.is_none() => Copy::Begun,
                (Copy::Begun, Some(k::FROM)) => Copy::From,
                (Copy::From, None) if text.eq_ignore_ascii_case(b"stdin") => Copy::Stdin,
                (Copy::From, _) => Copy::No,
                (so_far, _) => so_far,
            };
        }
        match &mut self.open {
            Some(open) => open.end = at.end,
            None => self.open = Some(at),
        }
    }

    fn end(&mut self) {
        self.found.extend(self.open.take());
        (self.copy, self.depth, self.boundary) = (Copy::No, 0, Boundary::default());
    }
}

/// The end of a psql meta-command (its line, or the next `\\`), and whether it sends the query buffer.
fn meta_command(sql: &[u8], start: usize) -> (usize, bool) {
    let line = memchr(b'\n', &sql[start..]).map_or(sql.len(), |len| start + len);
    let name = &sql[start + 1..line];
    let word = name.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let sends = matches!(
        &name[..word],
        b"g" | b"gx" | b"gexec" | b"gset" | b"gdesc" | b"crosstabview" | b"watch" | b"bind" | b"parse"
    );
    let rest = &sql[(start + 1).min(line)..line];
    // `\\` separates meta-commands from SQL on the same line.
    let end = memchr::memmem::find(rest, b"\\\\").map_or(line, |found| start + 1 + found + 2);
    (if rest.first() == Some(&b'\\') { start + 2 } else { end }, sends)
}

/// Behind the line `\.` that ends COPY data, which begins on the next line.
fn copy_data(sql: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(len) = memchr(b'\n', &sql[at..]) {
        at += len + 1;
        let line = &sql[at..];
        let line = &line[..memchr(b'\n', line).unwrap_or(line.len())];
        if line == b"\\." || line == b"\\.\r" {
            return at + line.len();
        }
    }
    sql.len()
}

/// Line and column of a byte, both from 1, the column in characters. A byte within a character
/// counts as that character.
pub fn position(text: &str, byte: usize) -> (u64, u64) {
    let byte = text.floor_char_boundary(byte.min(text.len()));
    let before = &text[..byte];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
    (line as u64, before[start..].chars().count() as u64 + 1)
}
