//! A file of statements as it was read: its text, and where its statements stand.

use std::ops::Range;

use crate::{
    finding::{Location, Region},
    sql::{Spliced, split},
};

/// One file. Places in it are bytes, or lines and columns (in characters), both from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// As reports call it.
    pub name: String,
    pub text: String,
    /// In order of their beginnings, without their `;`.
    pub statements: Vec<Stated>,
    /// Where each line begins.
    lines: Vec<usize>,
    /// Where the comments stand; `None` where only SQL's own are comments.
    comments: Option<Vec<Range<usize>>>,
}

/// A statement in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// In bytes of the file.
    pub at: Range<usize>,
    /// What is judged, where that is not what stands there: a string with escapes, a template.
    pub sql: Option<Spliced>,
    /// It stands in another one: in the body of a function.
    pub inside: bool,
    /// The program takes one row of what it finds.
    pub one_row: bool,
    /// What sqlc's comment before it calls it.
    pub name: Option<String>,
}

impl Stated {
    /// The file's part that a part of what is judged stands for.
    pub fn part(&self, part: &Range<usize>) -> Range<usize> {
        match &self.sql {
            Some(sql) => sql.range(part),
            None => self.at.start + part.start..self.at.start + part.end,
        }
    }
}

impl Script {
    pub fn new(name: String, text: String, statements: Vec<Range<usize>>) -> Script {
        let stated = statements.into_iter().map(|at| Stated { at, ..Stated::default() }).collect();
        Script::of(name, text, stated, None)
    }

    /// `comments`: where they stand, in a file that is more than SQL.
    pub fn of(
        name: String,
        text: String,
        mut statements: Vec<Stated>,
        comments: Option<Vec<Range<usize>>>,
    ) -> Script {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        statements.sort_by_key(|stated| (stated.at.start, stated.inside));
        Script { name, text, statements, lines, comments }
    }

    /// What is judged of a statement.
    pub fn sql<'a>(&'a self, stated: &'a Stated) -> &'a str {
        match &stated.sql {
            Some(sql) => sql.text(),
            None => self.text.get(stated.at.clone()).unwrap_or_default(),
        }
    }

    /// Where the comments stand.
    pub fn comments(&self) -> Vec<Range<usize>> {
        self.comments.clone().unwrap_or_else(|| split::comments(&self.text))
    }

    /// Where a byte is.
    pub fn location(&self, byte: usize) -> Location {
        let (line, column) = self.position(byte);
        Location { file: self.name.clone(), line, column }
    }

    /// Line and column of a byte.
    pub fn position(&self, byte: usize) -> (u64, u64) {
        let byte = self.text.floor_char_boundary(byte.min(self.text.len()));
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        (line as u64, self.text[start..byte].chars().count() as u64 + 1)
    }

    /// The byte of a line and column; a column behind the line's end is its end.
    pub fn byte(&self, line: u64, column: u64) -> Option<usize> {
        let start = self.start(line)?;
        let text = self.line(line)?;
        let column = usize::try_from(column.saturating_sub(1)).ok()?;
        Some(start + text.char_indices().nth(column).map_or(text.len(), |(at, _)| at))
    }

    /// A line without its end.
    pub fn line(&self, line: u64) -> Option<&str> {
        let start = self.start(line)?;
        let text = self.text.get(start..)?;
        let text = text.split('\n').next().unwrap_or(text);
        Some(text.strip_suffix('\r').unwrap_or(text))
    }

    pub fn region(&self, bytes: &Range<usize>) -> Region {
        let (line, column) = self.position(bytes.start);
        let (end_line, end_column) = self.position(bytes.end);
        Region { line, column, end_line, end_column }
    }

    /// The statement that begins or goes on at a byte: the innermost.
    pub fn statement(&self, byte: usize) -> Option<&Stated> {
        let after = self.statements.partition_point(|stated| stated.at.start <= byte);
        for stated in self.statements[..after].iter().rev() {
            if byte < stated.at.end {
                return Some(stated);
            }
            if !stated.inside {
                break;
            }
        }
        None
    }

    fn start(&self, line: u64) -> Option<usize> {
        self.lines.get(usize::try_from(line).ok()?.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_places_are_one() {
        let script =
            Script::new("a.sql".to_owned(), "SELECT 'ä'\r\n;\nSELECT 2".to_owned(), vec![0..11, 15..23]);
        for (byte, place) in
            [(0, (1, 1)), (8, (1, 9)), (10, (1, 10)), (13, (2, 1)), (15, (3, 1)), (23, (3, 9))]
        {
            assert_eq!(script.position(byte), place, "{byte}");
            assert_eq!(script.byte(place.0, place.1), Some(byte), "{place:?}");
        }
        assert_eq!((script.line(1), script.line(4)), (Some("SELECT 'ä'"), None));
        assert_eq!(script.byte(1, 99), Some(11), "behind the end of a line is its end");
        let found = |byte| script.statement(byte).map(|stated| stated.at.clone());
        assert_eq!((found(3), found(12)), (Some(0..11), None));
    }

    #[test]
    fn the_innermost_statement_is_found() {
        let stated = |at, inside| Stated { at, inside, ..Stated::default() };
        let all =
            vec![stated(0..30, false), stated(5..10, true), stated(12..20, true), stated(40..50, false)];
        let script = Script::of("a.sql".to_owned(), " ".repeat(60), all, None);
        let found = |byte| script.statement(byte).map(|stated| stated.at.start);
        assert_eq!(
            [3, 7, 11, 15, 25, 35, 45, 55].map(found),
            [Some(0), Some(5), Some(0), Some(12), Some(0), None, Some(40), None]
        );
    }
}
