//! An SQL file → its statements, each with where it stands.

use std::{io::Read, ops::Range};

use crate::{finding::Location, workload::Statement};

/// The statements of a text, which stand at `ranges`.
pub(super) fn statements(name: &str, text: &str, ranges: &[Range<usize>]) -> Vec<Statement> {
    let mut line = 1;
    let mut line_start = 0;
    let mut at = 0;
    ranges
        .iter()
        .filter_map(|range| {
            let before = text.get(at..range.start)?;
            line += memchr::memchr_iter(b'\n', before.as_bytes()).count() as u64;
            line_start = before.rfind('\n').map_or(line_start, |newline| at + newline + 1);
            at = range.start;
            let column = text.get(line_start..range.start)?.chars().count() as u64 + 1;
            let at = Location { file: name.to_owned(), line, column };
            Some(Statement { text: text.get(range.clone())?.to_owned(), at })
        })
        .collect()
}

/// The whole text; bytes that are no UTF-8 are replaced, and `true` says so.
pub(super) fn read(reader: &mut dyn Read) -> std::io::Result<(String, u64, bool)> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    let len = bytes.len() as u64;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    match std::str::from_utf8(text) {
        Ok(text) => Ok((text.to_owned(), len, false)),
        Err(_) => Ok((String::from_utf8_lossy(text).into_owned(), len, true)),
    }
}
