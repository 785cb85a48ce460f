//! A file of statements as it was read: its text, and where its statements stand.

use std::ops::Range;

use crate::finding::Region;

/// One file. Places in it are bytes, or lines and columns (in characters), both from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// As reports call it.
    pub name: String,
    pub text: String,
    /// In order, without their `;`.
    pub statements: Vec<Range<usize>>,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Script {
    pub fn new(name: String, text: String, statements: Vec<Range<usize>>) -> Script {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Script { name, text, statements, lines }
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

    /// The statement that begins or goes on at a byte.
    pub fn statement(&self, byte: usize) -> Option<&Range<usize>> {
        let after = self.statements.partition_point(|range| range.start <= byte);
        self.statements.get(after.checked_sub(1)?).filter(|range| byte < range.end)
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
        assert_eq!((script.statement(3), script.statement(12)), (Some(&(0..11)), None));
    }
}
