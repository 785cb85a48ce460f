//! A CSV table with a column of log lines, as `CloudWatch` Insights and GCP's console export it.

use std::io::{self, BufRead};

/// Which column is what; the first row says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub message: usize,
    pub time: Option<usize>,
}

const MESSAGES: &[&[u8]] = &[b"@message", b"message", b"textPayload", b"jsonPayload.message", b"Message"];
const TIMES: &[&[u8]] = &[b"@timestamp", b"timestamp", b"receiveTimestamp", b"Timestamp"];

impl Columns {
    /// `None` where the row names no column of messages beside others.
    pub(super) fn of(row: &[u8]) -> Option<Columns> {
        let row = row.strip_suffix(b"\n").unwrap_or(row);
        let names = fields(row.strip_suffix(b"\r").unwrap_or(row));
        let find = |known: &[&[u8]]| names.iter().position(|name| known.contains(&name.as_slice()));
        (names.len() > 1).then_some(())?;
        Some(Columns { message: find(MESSAGES)?, time: find(TIMES) })
    }
}

/// The next row with its newlines, which may stand between quotes; how many newlines it holds.
pub(super) fn row(from: &mut dyn BufRead, row: &mut Vec<u8>, longest: usize) -> io::Result<u64> {
    row.clear();
    let mut newlines = 0;
    let mut odd = false;
    loop {
        let begin = row.len();
        let mut limited = io::Read::take(&mut *from, (longest - begin.min(longest)) as u64);
        if limited.read_until(b'\n', row)? == 0 {
            return Ok(newlines);
        }
        newlines += u64::from(row.last() == Some(&b'\n'));
        odd ^= memchr::memchr_iter(b'"', &row[begin..]).count() % 2 == 1;
        if !odd {
            return Ok(newlines);
        }
    }
}

/// The values of a row, quotes undone.
pub(super) fn fields(row: &[u8]) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    let mut field = Vec::new();
    let mut quoted = false;
    let mut bytes = row.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek() == Some(&b'"') => {
                bytes.next();
                field.push(b'"');
            }
            b'"' => quoted = !quoted,
            b',' if !quoted => fields.push(std::mem::take(&mut field)),
            _ => field.push(byte),
        }
    }
    fields.push(field);
    fields
}
