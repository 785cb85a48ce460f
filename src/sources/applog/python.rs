//! What Python's `logging` puts around a message: the time, the level, the logger's name, processes and
//! threads, in whatever order the format string has them, or as one JSON object a line.

use super::lines::{self, Stamp};

/// What a record says besides its message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) time: Option<Stamp>,
    /// Tells one process, thread or request from another; 0 where the format shows none.
    pub(super) stream: u32,
}

/// Reads what stands before a message.
///
/// A stream is named by the words that have a digit (`4711`, `Thread-3`, `[req-17]`); levels, names of
/// modules, lines of code (`utils.py:151`), addresses and times of day are left out.
pub(super) fn head(before: &str) -> Head {
    let (time, rest) = without_time(before);
    let mut name = String::new();
    for word in rest.iter().flat_map(|part| part.split_whitespace()) {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        let varies = word.contains([':', '/', '.', ',', '=']) || !word.contains(|c: char| c.is_ascii_digit());
        if !varies {
            name.push_str(word);
            name.push(' ');
        }
    }
    Head { time, stream: stream(&name) }
}

/// A number for the words that name a stream.
pub(super) fn stream(name: &str) -> u32 {
    if name.is_empty() { 0 } else { lines::session(name.as_bytes()) }
}

/// The first time in a text, and what stands before and after it.
fn without_time(text: &str) -> (Option<Stamp>, [&str; 2]) {
    let mut word = true;
    for (at, c) in text.char_indices() {
        if word
            && c.is_ascii_digit()
            && let Some((time, rest)) = lines::stamp(&text[at..])
        {
            return (Some(time), [&text[..at], rest]);
        }
        word = !c.is_alphanumeric();
    }
    (None, [text, ""])
}

/// One record as a JSON formatter writes it (python-json-logger, structlog and their like).
#[derive(Debug)]
pub(super) struct Record {
    fields: serde_json::Map<String, serde_json::Value>,
}

impl Record {
    pub(super) fn of(line: &[u8]) -> Option<Record> {
        if line.first() != Some(&b'{') {
            return None;
        }
        match serde_json::from_slice(line) {
            Ok(serde_json::Value::Object(fields)) => Some(Record { fields }),
            _ => None,
        }
    }

    pub(super) fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.fields.get(*name)?.as_str())
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.fields.get(name)?.as_f64()
    }

    pub(super) fn logger(&self) -> &str {
        self.text(&["name", "logger", "logger_name", "loggerName"]).unwrap_or_default()
    }

    pub(super) fn message(&self) -> &str {
        self.text(&["message", "event", "msg"]).unwrap_or_default()
    }

    pub(super) fn head(&self) -> Head {
        let time = self
            .text(&["asctime", "timestamp", "@timestamp", "time", "ts", "datetime"])
            .and_then(|text| lines::stamp(text).map(|(time, _)| time));
        let mut name = String::new();
        for field in ["process", "processName", "thread", "threadName", "taskName", "request_id", "trace_id"]
        {
            match self.fields.get(field) {
                Some(serde_json::Value::String(text)) => name.push_str(text),
                Some(serde_json::Value::Number(number)) => name.push_str(&number.to_string()),
                _ => {}
            }
            name.push(' ');
        }
        Head { time, stream: stream(name.trim()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_by_processes_and_threads_only() {
        let of = |text| head(text).stream;
        assert_eq!(of("DEBUG 2026-11-23 09:45:16,373 utils "), 0);
        assert_eq!(of("[23/Nov/2026 09:45:16] "), 0);
        assert_eq!(of("2026-11-23T09:45:16.373Z [utils.py:151] INFO "), 0);
        assert_ne!(of("DEBUG utils 24289 139833177523904 "), 0);
        assert_eq!(
            of("DEBUG 2026-11-23 09:45:16,373 utils 24289 139833177523904 "),
            of("INFO 2026-11-23 09:45:17,001 basehttp 24289 139833177523904 ")
        );
        assert_ne!(of("[Thread-1 (t)] "), of("[Thread-2 (t)] "));
    }

    #[test]
    fn the_time_stands_anywhere() {
        let time = |text| head(text).time.map(|time| time.us);
        let expect = lines::stamp("2026-11-23 09:45:16,373").map(|(time, _)| time.us);
        assert_eq!(time("DEBUG 2026-11-23 09:45:16,373 utils "), expect);
        assert_eq!(time("[2026-11-23 09:45:16,373: DEBUG/MainProcess] "), expect);
        assert_eq!(time("DEBUG "), None);
    }
}
