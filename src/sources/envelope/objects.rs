//! A JSON document that is a list of records → its records, one by one, however it is laid out.

use std::io::{self, BufRead};

/// A record is given up after this many bytes.
const LONGEST: usize = 64 << 20;

/// Where in the document we are.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// The document is an object that holds the list: `{"events": [ … ]}`.
    wrapped: bool,
    /// Brackets that are open around the records.
    around: Vec<u8>,
    /// From 0.
    newlines: u64,
}

impl Objects {
    pub(super) fn new(wrapped: bool) -> Objects {
        Objects { wrapped, ..Objects::default() }
    }

    /// Puts the next object into `record`: the line in which it begins, `None` at the end. One that does
    /// not end is given as far as it goes.
    pub(super) fn next(&mut self, from: &mut dyn BufRead, record: &mut Vec<u8>) -> io::Result<Option<u64>> {
        record.clear();
        let mut begins = None;
        let mut depth = 0_usize;
        let (mut quoted, mut escaped) = (false, false);
        loop {
            let buffer = from.fill_buf()?;
            if buffer.is_empty() {
                return Ok(begins);
            }
            let mut used = 0;
            let mut over = false;
            let mut copied = 0;
            for &byte in buffer {
                used += 1;
                self.newlines += u64::from(byte == b'\n');
                if quoted {
                    match byte {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => quoted = false,
                        _ => {}
                    }
                    continue;
                }
                match byte {
                    b'"' => quoted = true,
                    b'{' | b'[' if begins.is_some() => depth += 1,
                    b'}' | b']' if begins.is_some() => {
                        depth -= 1;
                        if depth == 0 {
                            over = true;
                            break;
                        }
                    }
                    b'{' if !(self.wrapped && self.around.is_empty()) => {
                        begins = Some(self.newlines + 1);
                        depth = 1;
                        copied = used - 1;
                    }
                    b'{' | b'[' if self.around.len() < 64 => self.around.push(byte),
                    b'}' | b']' => {
                        self.around.pop();
                    }
                    _ => {}
                }
            }
            if begins.is_some() {
                record.extend_from_slice(&buffer[copied..used]);
            }
            from.consume(used);
            if over || record.len() > LONGEST {
                return Ok(begins);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(text: &str, wrapped: bool) -> Vec<(u64, String)> {
        let mut objects = Objects::new(wrapped);
        let mut from = io::BufReader::with_capacity(3, text.as_bytes());
        let mut record = Vec::new();
        let mut found = Vec::new();
        while let Some(line) = objects.next(&mut from, &mut record).expect("a string") {
            found.push((line, String::from_utf8_lossy(&record).into_owned()));
        }
        found
    }

    #[test]
    fn objects_of_a_list_with_their_lines() {
        let found = objects("[\n {\"a\": \"}\\\"{\"},\n\n{\n\"b\": [{}]\n}]\n", false);
        assert_eq!(found, [(2, "{\"a\": \"}\\\"{\"}".to_owned()), (4, "{\n\"b\": [{}]\n}".to_owned())]);
        assert_eq!(objects("{\"events\": [{\"a\":1},\n{\"b\":2}], \"x\": \"}\"}", true).len(), 2);
        assert_eq!(objects("[{\"a\": ", false), [(1, "{\"a\": ".to_owned())]);
        assert_eq!(objects("]]}}", true), []);
    }
}
