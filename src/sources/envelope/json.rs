//! JSON objects that carry a log line: what log services and container runtimes write.
//!
//! | who | the line | also |
//! | --- | --- | --- |
//! | Docker json-file | `log` | `stream`, `time` |
//! | Cloud SQL, GCP | `textPayload`, `jsonPayload.message` | `timestamp` |
//! | Azure | `properties.message`, `.prefix`, `.errorLevel`, `.detail` | `.timestamp`, `.processId`, `time` |
//! | `CloudNativePG` | `record`: csvlog's fields by name | `logger` |
//! | `CloudWatch` | `message`, `@message` | `timestamp`, `@timestamp` |
//! | journald | `MESSAGE` (text, or a list of bytes) | `_PID`, `__REALTIME_TIMESTAMP` |
//! | others | `message`, `msg`, `log`, `line` | `@timestamp`, `timestamp`, `time`, `ts` |
//!
//! Objects are told apart one by one, since a pipeline may mix them.

use serde_json::{Map, Value, json};

use super::{
    parts::is_head,
    stamp::{self, Stamp},
};

/// What one object holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Carried {
    /// As reports name the envelope.
    pub who: &'static str,
    pub text: Vec<u8>,
    pub time: Option<Stamp>,
    pub pid: Option<u32>,
    /// Whose lines go on: a stream, or host and program.
    pub writer: String,
    /// Where several programs write: host and program.
    pub program: Option<String>,
    pub more: bool,
    /// Nothing but a name (`message`) speaks for an envelope: any log of JSON lines looks so.
    pub weak: bool,
}

#[derive(Debug, PartialEq)]
pub(super) enum Found {
    Line(Carried),
    /// Of the envelope, but about something else.
    Other,
    /// No envelope that we know.
    Unknown,
}

/// What the object holds; several records where it is a batch (`records`, `logEvents`).
pub(super) fn each(text: &[u8], newlines: bool, sink: &mut dyn FnMut(Found)) {
    let value: Option<Value> = match serde_json::from_slice(text) {
        Ok(value) => Some(value),
        // Bytes that are no UTF-8.
        Err(_) => serde_json::from_str(&String::from_utf8_lossy(text)).ok(),
    };
    let Some(Value::Object(object)) = value else { return sink(Found::Unknown) };
    for list in LISTS {
        if let Some(Value::Array(records)) = object.get(*list) {
            for record in records {
                sink(record.as_object().map_or(Found::Unknown, |record| found(record, newlines)));
            }
            return;
        }
    }
    sink(found(&object, newlines));
}

/// Names under which services put a list of records.
pub(super) const LISTS: &[&str] = &["records", "logEvents", "events", "Events", "entries", "results"];

/// `newlines`: a `log` without one at its end goes on in the next object.
fn found(object: &Map<String, Value>, newlines: bool) -> Found {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let at = |keys: &[&str]| keys.iter().find_map(|key| time(object.get(*key)?));
    if let Some(log) = text("log")
        && (object.contains_key("stream") || newlines)
    {
        let partial = ["_p", "logtag"].iter().any(|key| text(key) == Some("P"));
        return Found::Line(Carried {
            who: "docker",
            text: log.as_bytes().to_vec(),
            time: at(&["time", "@timestamp", "timestamp"]),
            writer: text("stream").unwrap_or_default().to_owned(),
            more: partial || newlines && !log.ends_with('\n'),
            ..Carried::default()
        });
    }
    if let Some(logger) = text("logger")
        && text("msg").is_some()
    {
        return match object.get("record") {
            Some(Value::Object(record)) if logger == "postgres" => jsonlog(record)
                .map_or(Found::Other, |text| {
                    Found::Line(Carried { who: "cloudnativepg", text, ..Carried::default() })
                }),
            _ => Found::Other,
        };
    }
    if object.contains_key("logName") || object.contains_key("insertId") {
        let message = match object.get("jsonPayload") {
            Some(Value::Object(payload)) => payload.get("message").and_then(Value::as_str),
            _ => text("textPayload"),
        };
        return message.map_or(Found::Other, |message| {
            Found::Line(Carried {
                who: "gcp",
                text: message.as_bytes().to_vec(),
                time: at(&["timestamp", "receiveTimestamp"]),
                ..Carried::default()
            })
        });
    }
    if let Some(payload) = text("textPayload") {
        let (text, time) = (payload.as_bytes().to_vec(), at(&["timestamp"]));
        return Found::Line(Carried { who: "gcp", text, time, ..Carried::default() });
    }
    if let Some(Value::Object(properties)) = object.get("properties") {
        return azure(properties, at(&["time"]));
    }
    if let Some(message) = object.get("MESSAGE") {
        return journal(object, message);
    }
    for (key, who) in [("@message", "cloudwatch"), ("message", ""), ("msg", ""), ("line", ""), ("log", "")] {
        let Some(message) = text(key) else { continue };
        let numeric = object.get("timestamp").is_some_and(Value::is_number);
        let of_cloudwatch = who == "cloudwatch"
            || key == "message" && numeric && (object.contains_key("ingestionTime") || object.len() <= 3);
        return Found::Line(Carried {
            who: if of_cloudwatch { "cloudwatch" } else { "json-lines" },
            text: message.as_bytes().to_vec(),
            time: at(&["@timestamp", "timestamp", "time", "ts"]),
            weak: !of_cloudwatch,
            ..Carried::default()
        });
    }
    Found::Unknown
}

pub(super) fn time(value: &Value) -> Option<Stamp> {
    match value {
        Value::String(text) => match stamp::rfc3339(text.as_bytes()) {
            Some((time, _)) => Some(time),
            // CloudWatch Insights writes UTC without saying so.
            None => match stamp::rfc3339(format!("{text}Z").as_bytes()) {
                Some((time, _)) => Some(time),
                None => stamp::epoch(text.parse().ok()?),
            },
        },
        Value::Number(number) => stamp::epoch(number.as_f64()?),
        _ => None,
    }
}

/// A number, or a number in quotes.
fn number(value: Option<&Value>) -> Option<u32> {
    match value? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        _ => None,
    }
}

/// The server's line is in `message`, with its prefix or (older) without; DETAIL stands beside it.
fn azure(properties: &Map<String, Value>, time_of_record: Option<Stamp>) -> Found {
    let text = |key: &str| properties.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(message) = text("message") else { return Found::Other };
    let first_line = message.split('\n').next().unwrap_or_default();
    let mut line = String::new();
    let prefix = if let Some(at) = super::super::pglog::infer::severity_at(first_line.as_bytes()) {
        &message[..at]
    } else {
        line.push_str(text("prefix").unwrap_or_default());
        line.push_str(text("errorLevel").unwrap_or("LOG"));
        line.push_str(":  ");
        text("prefix").unwrap_or_default()
    };
    // As the server's log has it, or as it is.
    let indented = |text: &str| {
        let by_server = text.split('\n').skip(1).all(|line| line.starts_with('\t'));
        if by_server { text.to_owned() } else { text.replace('\n', "\n\t") }
    };
    line.push_str(&indented(message));
    for (key, word) in [("detail", "DETAIL"), ("statement", "STATEMENT")] {
        if let Some(part) = text(key)
            && !message.contains(&format!("\n{prefix}{word}:  "))
        {
            line.push_str(&format!("\n{prefix}{word}:  {}", indented(part)));
        }
    }
    let at = text("timestamp").and_then(|time| {
        let (micros, _) = super::super::pglog::time::Clock::default().read(time.as_bytes())?;
        Some(Stamp::of_micros(micros))
    });
    Found::Line(Carried {
        who: "azure",
        text: line.into_bytes(),
        time: at.or(time_of_record),
        pid: number(properties.get("processId")),
        ..Carried::default()
    })
}

fn journal(object: &Map<String, Value>, message: &Value) -> Found {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let message = match message {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Array(bytes) => bytes.iter().filter_map(|b| u8::try_from(b.as_u64()?).ok()).collect(),
        _ => return Found::Other,
    };
    let pid = number(object.get("_PID")).or_else(|| number(object.get("SYSLOG_PID")));
    let program = format!("{} {}", text("_HOSTNAME"), text("SYSLOG_IDENTIFIER"));
    Found::Line(Carried {
        who: "journald",
        text: message,
        time: ["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"]
            .iter()
            .find_map(|key| time(object.get(*key)?)),
        pid,
        writer: format!("{program} {}", pid.unwrap_or(0)),
        program: Some(program),
        ..Carried::default()
    })
}

/// `CloudNativePG` reads csvlog and writes its fields under the names of the documentation's table. Back into
/// a line of jsonlog, which holds the same.
fn jsonlog(record: &Map<String, Value>) -> Option<Vec<u8>> {
    let text = |key: &str| record.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), json!(text("log_time")?));
    for (ours, theirs) in [
        ("user", "user_name"),
        ("dbname", "database_name"),
        ("session_id", "session_id"),
        ("vxid", "virtual_transaction_id"),
        ("error_severity", "error_severity"),
        ("state_code", "sql_state_code"),
        ("message", "message"),
        ("detail", "detail"),
        ("hint", "hint"),
        ("context", "context"),
        ("statement", "query"),
        ("application_name", "application_name"),
        ("backend_type", "backend_type"),
        ("query_id", "query_id"),
    ] {
        if let Some(value) = text(theirs) {
            line.insert(ours.to_owned(), json!(value));
        }
    }
    if let Some(pid) = number(record.get("process_id")) {
        line.insert("pid".to_owned(), json!(pid));
    }
    if let Some(from) = text("connection_from") {
        let host = match from.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => from,
        };
        line.insert("remote_host".to_owned(), json!(host));
    }
    serde_json::to_vec(&line).ok()
}

/// Whether a line that was carried begins an entry of a server's stderr log.
pub(super) fn carries_head(carried: &Carried) -> bool {
    carried.text.split(|b| *b == b'\n').any(|line| {
        is_head(line) || super::parts::numbered(line, carried.pid).is_some_and(|(_, _, text)| is_head(text))
    })
}
