//! `journalctl -o export`: fields a line each, a blank line between records; a value that holds a newline
//! comes with its length.
//! <https://systemd.io/JOURNAL_EXPORT_FORMATS/>

use std::io::{self, BufRead, Read as _};

use super::{
    super::pglog::prefix,
    stamp::{self, Stamp},
};

/// What we use of a record.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub message: Vec<u8>,
    /// Line of the message, from 1.
    pub line: u64,
    pub time: Option<Stamp>,
    pub pid: Option<u32>,
    pub host: Vec<u8>,
    pub program: Vec<u8>,
    has_message: bool,
}

/// A value is given up after this many bytes.
const LONGEST: u64 = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Journal {
    newlines: u64,
}

impl Journal {
    /// The next record with a message; `None` at the end.
    pub(super) fn next(&mut self, mut from: &mut dyn BufRead) -> io::Result<Option<Entry>> {
        let mut entry = Entry::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut from).take(LONGEST).read_until(b'\n', &mut line)?;
            self.newlines += u64::from(line.last() == Some(&b'\n'));
            let at = self.newlines.max(1);
            let field = line.strip_suffix(b"\n").unwrap_or(&line);
            if field.is_empty() {
                if entry.has_message || read == 0 {
                    return Ok(entry.has_message.then_some(entry));
                }
                entry = Entry::default();
                continue;
            }
            if let Some(equals) = memchr::memchr(b'=', field) {
                let (name, value) = field.split_at(equals);
                entry.field(name, value[1..].to_vec(), at);
                continue;
            }
            let mut len = [0; 8];
            from.read_exact(&mut len)?;
            let mut value = Vec::new();
            let len = u64::from_le_bytes(len);
            (&mut from).take(len.min(LONGEST)).read_to_end(&mut value)?;
            let mut newline = Vec::new();
            (&mut from).take(1).read_to_end(&mut newline)?;
            self.newlines += memchr::memchr_iter(b'\n', &value).count() as u64 + newline.len() as u64;
            let name = field.to_vec();
            entry.field(&name, value, at + 1);
        }
    }
}

impl Entry {
    fn field(&mut self, name: &[u8], value: Vec<u8>, line: u64) {
        let number = || prefix::number(&value);
        match name {
            b"MESSAGE" => {
                self.message = value;
                self.line = line;
                self.has_message = true;
            }
            b"_PID" => self.pid = number(),
            b"SYSLOG_PID" => self.pid = self.pid.or(number()),
            b"__REALTIME_TIMESTAMP" => {
                let micros = std::str::from_utf8(&value).ok().and_then(|text| text.parse::<f64>().ok());
                self.time = micros.and_then(stamp::epoch);
            }
            b"_HOSTNAME" => self.host = value,
            b"SYSLOG_IDENTIFIER" => self.program = value,
            _ => {}
        }
    }
}
