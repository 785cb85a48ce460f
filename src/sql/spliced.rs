//! SQL that was put together of pieces of a file, and the way back to the file's bytes.
//!
//! A string of a program has escapes, holes where values are put in, and neighbours that it is joined to; a
//! template has blocks; a function has its body in a string. What is judged is the SQL that comes of it, and
//! what is shown is the file.

use std::ops::Range;

/// The text, and for each of its bytes where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spliced {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    /// Where it begins in the text.
    at: usize,
    /// What it stands for in the file.
    from: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The file has the same bytes.
    Copied,
    /// The file says it in other bytes.
    Said,
    /// The file has something that is put in when the program runs.
    Hole,
}

/// Characters of a hole's name, bytes before it that are looked at, and the first number of those in brackets.
const LONGEST_NAME: usize = 40;
const NEAR: usize = 4096;
const FIRST_NUMBER: usize = 1001;

impl Spliced {
    /// The whole of a file.
    pub fn whole(text: &str) -> Spliced {
        let mut spliced = Spliced::default();
        spliced.copy(text, 0);
        spliced
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Appends what stands in the file at `from` as it is.
    pub fn copy(&mut self, text: &str, from: usize) {
        if text.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some(last) if last.kind == Kind::Copied && last.from.end == from => last.from.end += text.len(),
            _ => {
                let from = from..from + text.len();
                self.pieces.push(Piece { at: self.text.len(), from, kind: Kind::Copied });
            }
        }
        self.text.push_str(text);
    }

    /// Appends what other bytes of the file say.
    pub fn put(&mut self, text: &str, from: Range<usize>) {
        self.push(text, from, Kind::Said);
    }

    /// Appends a placeholder for what is put in when the program runs, named after the words that the file
    /// has there.
    pub fn hole(&mut self, words: &str, from: Range<usize>) {
        let mut name = String::new();
        for c in words.chars() {
            match c {
                c if c.is_ascii_alphanumeric() => name.push(c),
                _ if !name.is_empty() && !name.ends_with('_') => name.push('_'),
                _ => {}
            }
            if name.len() >= LONGEST_NAME {
                break;
            }
        }
        let name = name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_').trim_end_matches('_');
        let name = if name.is_empty() { "value" } else { name };
        // A name in brackets would be read as the end of a slice.
        let near = self.text.floor_char_boundary(self.text.len().saturating_sub(NEAR));
        let brackets = self.text[near..].bytes().fold(0_usize, |open, byte| match byte {
            b'[' => open + 1,
            b']' => open.saturating_sub(1),
            _ => open,
        });
        if brackets > 0 {
            let number = FIRST_NUMBER + self.pieces.len();
            self.push(&format!("${number}"), from, Kind::Hole);
        } else {
            self.push(&format!(":{name}"), from, Kind::Hole);
        }
    }

    fn push(&mut self, text: &str, from: Range<usize>, kind: Kind) {
        if !text.is_empty() {
            self.pieces.push(Piece { at: self.text.len(), from, kind });
            self.text.push_str(text);
        }
    }

    /// Where in the text something is put in when the program runs.
    pub fn holes(&self) -> impl Iterator<Item = Range<usize>> {
        self.pieces.iter().enumerate().filter(|(_, piece)| piece.kind == Kind::Hole).map(|(index, piece)| {
            piece.at..self.pieces.get(index + 1).map_or(self.text.len(), |next| next.at)
        })
    }

    fn piece(&self, byte: usize) -> Option<&Piece> {
        self.pieces.get(self.pieces.partition_point(|piece| piece.at <= byte).checked_sub(1)?)
    }

    /// The bytes of the file that a part of the text stands for, from the first to the last of them.
    pub fn range(&self, part: &Range<usize>) -> Range<usize> {
        let start = match self.piece(part.start) {
            Some(piece) if piece.kind == Kind::Copied => {
                (piece.from.start + (part.start - piece.at)).min(piece.from.end)
            }
            Some(piece) => piece.from.start,
            None => 0,
        };
        let Some(last) = part.end.checked_sub(1).filter(|last| *last >= part.start) else {
            return start..start;
        };
        let end = match self.piece(last) {
            Some(piece) if piece.kind == Kind::Copied => {
                (piece.from.start + (last - piece.at) + 1).min(piece.from.end)
            }
            Some(piece) => piece.from.end,
            None => 0,
        };
        start..end.max(start)
    }

    /// The same where the file has exactly these bytes, one after the other.
    pub fn exact(&self, part: &Range<usize>) -> Option<Range<usize>> {
        let piece = self.piece(part.start).filter(|piece| piece.kind == Kind::Copied)?;
        let start = piece.from.start + (part.start - piece.at);
        let end = start + part.len();
        (end <= piece.from.end).then_some(start..end)
    }

    /// A part of the text by itself.
    #[must_use]
    pub fn part(&self, part: &Range<usize>) -> Spliced {
        let mut found = Spliced::default();
        let mut at = part.start;
        while at < part.end {
            let next = self.pieces.partition_point(|piece| piece.at <= at);
            let end = self.pieces.get(next).map_or(self.text.len(), |piece| piece.at).min(part.end);
            let Some(text) = self.text.get(at..end).filter(|text| !text.is_empty()) else { break };
            let Some(piece) = self.piece(at) else { break };
            if piece.kind == Kind::Copied {
                found.copy(text, piece.from.start + (at - piece.at));
            } else {
                found.push(text, piece.from.clone(), piece.kind);
            }
            at = end;
        }
        found
    }

    /// Appends a part of another text of the same file.
    pub fn append(&mut self, other: &Spliced, part: &Range<usize>) {
        let part = other.part(part);
        for (index, piece) in part.pieces.iter().enumerate() {
            let end = part.pieces.get(index + 1).map_or(part.text.len(), |next| next.at);
            let text = &part.text[piece.at..end];
            if piece.kind == Kind::Copied {
                self.copy(text, piece.from.start);
            } else {
                self.push(text, piece.from.clone(), piece.kind);
            }
        }
    }

    /// Whether the file has the text as it is.
    pub fn is_verbatim(&self) -> bool {
        matches!(self.pieces.as_slice(), [] | [Piece { kind: Kind::Copied, .. }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_knows_its_place() {
        // x = "SELECT \"a\" " + col + "FROM t"
        let mut sql = Spliced::default();
        sql.copy("SELECT ", 5);
        sql.put("\"", 12..14);
        sql.copy("a", 14);
        sql.put("\"", 15..17);
        sql.copy(" ", 17);
        sql.hole("col", 21..24);
        sql.copy("FROM t", 28);
        assert_eq!(sql.text(), "SELECT \"a\" :colFROM t");
        assert_eq!(sql.range(&(0..6)), 5..11);
        assert_eq!(sql.range(&(7..10)), 12..17, "with the escapes");
        assert_eq!(sql.range(&(11..15)), 21..24, "a hole is what stands for it");
        assert_eq!(sql.range(&(15..19)), 28..32);
        assert_eq!((sql.exact(&(15..19)), sql.exact(&(7..10))), (Some(28..32), None));
        let part = sql.part(&(8..19));
        assert_eq!((part.text(), part.range(&(0..part.text().len()))), ("a\" :colFROM", 14..32));
        assert_eq!(part.holes().next(), Some(3..7));
        let mut again = Spliced::default();
        again.append(&sql, &(8..19));
        assert_eq!(again, part);
    }
}
