//! OpenTelemetry spans: OTLP as JSON lines (the collector's file exporter), and what console exporters
//! print: one span a line, or indented over several.
//!
//! A trace is the unit of work. Spans of systems other than PostgreSQL, and spans of PostgreSQL without a
//! statement, are left out and counted. Spans come when they end, and in batches: within one line they are
//! put in order; across lines the order is that of the file. Old and new semantic names are read
//! (<https://opentelemetry.io/docs/specs/semconv/database/database-spans/>).

use serde_json::Value;

use super::{
    Kind, Reader,
    fields::{self, Fields},
    lines::{self, Draft, Sink, Stamp},
    placeholders::{self, Style},
    values,
};
use crate::{
    sources::pglog::Tally,
    workload::{Evidence, UnitId},
};

pub(super) const KIND: Kind = Kind { name: "otel", fits, reader: || Box::<Otel>::default() };

fn fits(lines: &[&[u8]]) -> usize {
    let of_otel = |line: &&&[u8]| {
        // A line of OTLP may be longer than what is looked at.
        let begin = &line[..line.len().min(80)];
        ["\"resourceSpans\"", "\"SpanContext\"", "\"trace_id\": \"0x"].iter().any(|word| {
            memchr::memmem::find(if word.starts_with("\"res") { begin } else { line }, word.as_bytes())
                .is_some()
        })
    };
    lines.iter().filter(of_otel).count()
}

#[derive(Debug, Default)]
struct Otel {
    /// An object that is printed over several lines, with its first line.
    indented: Option<(u64, String)>,
    others: u64,
    without_text: u64,
}

/// An object of more lines than this is none of an exporter's.
const LONGEST: usize = 16 << 20;

impl Reader for Otel {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        if let Some((first, mut object)) = self.indented.take() {
            object.push('\n');
            object.push_str(&text);
            if text == "}" {
                self.object(first, &object, tally, sink);
            } else if object.len() > LONGEST || text == "{" {
                tally.skip(first, object.as_bytes());
            } else {
                self.indented = Some((first, object));
            }
        } else if text == "{" {
            self.indented = Some((number, text));
        } else if text.trim_start().starts_with('{') {
            self.object(number, &text, tally, sink);
        } else {
            tally.foreign += u64::from(!text.trim().is_empty());
        }
    }

    fn end(&mut self, tally: &mut Tally, _: Sink<'_>) {
        if let Some((first, object)) = self.indented.take() {
            tally.skip(first, object.as_bytes());
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.others > 0 {
            notes.push(format!("{} spans are not of PostgreSQL", self.others));
        }
        if self.without_text > 0 {
            notes
                .push(format!("{} spans of PostgreSQL hold no statement (db.query.text)", self.without_text));
        }
        notes
    }
}

/// A span in the terms of all exporters.
struct Span {
    trace: String,
    /// Nanoseconds since 1970.
    start: Option<u64>,
    end: Option<u64>,
    attributes: Fields,
    /// What an error says, where there is one.
    error: Option<String>,
    application: Option<String>,
}

impl Otel {
    fn object(&mut self, number: u64, text: &str, tally: &mut Tally, sink: Sink<'_>) {
        let Ok(object) = serde_json::from_str::<Value>(text) else {
            tally.skip(number, text.as_bytes());
            return;
        };
        let mut spans = Vec::new();
        for resource in list(&object, &["resourceSpans", "resource_spans"]) {
            let application = resource
                .get("resource")
                .and_then(|of| attributes(of.get("attributes")))
                .as_ref()
                .and_then(service);
            for scope in list(resource, &["scopeSpans", "scope_spans", "instrumentationLibrarySpans"]) {
                spans.extend(
                    list(scope, &["spans"]).iter().filter_map(|span| of_otlp(span, application.clone())),
                );
            }
        }
        if let Some(span) = of_console(&object) {
            spans.push(span);
        } else if spans.is_empty() && list(&object, &["resourceSpans", "resource_spans"]).is_empty() {
            // Metrics and logs have their own lines.
            tally.foreign += 1;
        }
        spans.sort_by_key(|span| (span.end, span.start));
        for span in spans {
            self.span(number, &span, tally, sink);
        }
    }

    fn span(&mut self, number: u64, span: &Span, tally: &mut Tally, sink: Sink<'_>) {
        let attribute = |keys: &[&str]| span.attributes.any(keys).and_then(Value::as_str);
        if !attribute(&["db.system.name", "db.system"]).is_some_and(|name| name.starts_with("postgres")) {
            self.others += 1;
            return;
        }
        let Some(sql) = attribute(&["db.query.text", "db.statement"]).filter(|sql| !sql.trim().is_empty())
        else {
            self.without_text += 1;
            return;
        };
        let style = style(sql);
        let file = attribute(&["code.file.path", "code.filepath"]);
        let line = ["code.line.number", "code.lineno"].iter().find_map(|key| span.attributes.number(key));
        // A trace stands in for the connection, which no span names: its statements mostly follow each other.
        let session = lines::session(span.trace.as_bytes());
        let owned = |keys: &[&str]| attribute(keys).map(str::to_owned);
        let end = span.end.and_then(|ns| i64::try_from(ns / 1000).ok());
        let duration = span.start.zip(span.end).and_then(|(start, end)| end.checked_sub(start));
        Draft {
            line: number,
            sql: sql.to_owned(),
            style,
            binds: binds(&span.attributes, sql, style),
            duration: duration.map(|ns| (ns + 500) / 1000),
            end: end.map(|us| Stamp { us, coarse: false }),
            session: Some(session),
            unit: Some(UnitId::new(Evidence::Trace, span.trace.to_ascii_lowercase().as_bytes())),
            caller: file.map(|file| line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))),
            rows: span.attributes.number("db.response.returned_rows"),
            database: owned(&["db.namespace", "db.name"]),
            user: owned(&["db.user"]),
            application: span.application.clone(),
            error: span.error.clone(),
            ..Draft::default()
        }
        .emit(tally, sink);
    }
}

fn list<'a>(object: &'a Value, names: &[&str]) -> &'a [Value] {
    names.iter().find_map(|name| object.get(name)?.as_array()).map_or(&[], Vec::as_slice)
}

/// `[{"key": "a", "value": {"stringValue": "b"}}]`, Go's `[{"Key": "a", "Value": {"Value": "b"}}]`, or a map.
fn attributes(from: Option<&Value>) -> Option<Fields> {
    match from? {
        Value::Object(map) => Some(Fields(map.clone().into_iter().collect())),
        Value::Array(pairs) => {
            let pair = |pair: &Value| {
                let key = pair.get("key").or_else(|| pair.get("Key"))?.as_str()?.to_owned();
                let value = match pair.get("Value") {
                    Some(of_go) => of_go.get("Value").cloned().unwrap_or(Value::Null),
                    None => any_value(pair.get("value")?),
                };
                Some((key, value))
            };
            Some(Fields(pairs.iter().filter_map(pair).collect()))
        }
        _ => None,
    }
}

/// OTLP's `AnyValue`.
fn any_value(value: &Value) -> Value {
    match value.as_object().and_then(|value| value.iter().next()) {
        Some((kind, inner)) if kind == "arrayValue" => {
            list(inner, &["values"]).iter().map(any_value).collect()
        }
        Some((_, inner)) => inner.clone(),
        None => Value::Null,
    }
}

fn service(resource: &Fields) -> Option<String> {
    resource.text("service.name").map(str::to_owned)
}

fn of_otlp(span: &Value, application: Option<String>) -> Option<Span> {
    let time = |key: &str| match span.get(key)? {
        Value::String(ns) => ns.parse().ok(),
        ns => ns.as_u64(),
    };
    let status = span.get("status");
    let code = status.and_then(|status| status.get("code"));
    let failed = code.is_some_and(|code| *code == 2 || *code == "STATUS_CODE_ERROR");
    Some(Span {
        trace: span.get("traceId")?.as_str()?.to_owned(),
        start: time("startTimeUnixNano"),
        end: time("endTimeUnixNano"),
        attributes: attributes(span.get("attributes")).unwrap_or_default(),
        error: failed.then(|| said(status.and_then(|status| status.get("message")))),
        application,
    })
}

fn said(message: Option<&Value>) -> String {
    message
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .unwrap_or("the span ended in an error")
        .to_owned()
}

/// Python's `{"name": …, "context": {"trace_id": "0x…"}, …}` and Go's `{"Name": …, "SpanContext": …}`.
fn of_console(object: &Value) -> Option<Span> {
    let go = object.get("SpanContext");
    let context = go.or_else(|| object.get("context"))?;
    let trace = context.get("trace_id").or_else(|| context.get("TraceID"))?.as_str()?;
    let get = |python: &str, go: &str| object.get(python).or_else(|| object.get(go));
    let time = |value: Option<&Value>| {
        let stamp = lines::nanoseconds(value?.as_str()?)?;
        u64::try_from(stamp).ok()
    };
    let status = get("status", "Status");
    let failed = status
        .and_then(|status| status.get("status_code").or_else(|| status.get("Code")))
        .and_then(Value::as_str)
        .is_some_and(|code| code.eq_ignore_ascii_case("error"));
    let words = status.and_then(|status| status.get("description").or_else(|| status.get("Description")));
    let resource = match object.get("Resource") {
        Some(of_go) => attributes(Some(of_go)),
        None => attributes(object.get("resource").and_then(|resource| resource.get("attributes"))),
    };
    Some(Span {
        trace: trace.trim_start_matches("0x").to_owned(),
        start: time(get("start_time", "StartTime")),
        end: time(get("end_time", "EndTime")),
        attributes: attributes(get("attributes", "Attributes")).unwrap_or_default(),
        error: failed.then(|| said(words)),
        application: resource.as_ref().and_then(service),
    })
}

/// What a driver writes as it got it, or a collector after it took the constants out (`id = ?`).
fn style(sql: &str) -> Option<Style> {
    if placeholders::parameters(sql.as_bytes()) > 0 {
        return None;
    }
    [Style::Percent, Style::Question]
        .into_iter()
        .find(|&style| placeholders::number(sql.as_bytes(), style).count > 0)
}

fn binds(attributes: &Fields, sql: &str, style: Option<Style>) -> Option<Vec<Option<String>>> {
    // By position or by name: `db.query.parameter.0`, `db.query.parameter.id`.
    let named: Vec<(String, Option<String>)> = attributes
        .0
        .iter()
        .filter_map(|(key, value)| {
            Some((key.strip_prefix("db.query.parameter.")?.to_owned(), fields::bind(value)))
        })
        .collect();
    if !named.is_empty() {
        let numbered = placeholders::number(sql.as_bytes(), style.unwrap_or(Style::Percent));
        if !numbered.names.is_empty() {
            return numbered.in_order(&named);
        }
        let value = |index: usize| {
            named.iter().find(|(name, _)| name.parse() == Ok(index)).map(|(_, value)| value.clone())
        };
        return (0..named.len()).map(value).collect();
    }
    let list = attributes.any(&["db.postgresql.values", "db.statement.parameters"])?;
    if let Value::String(text) = list
        && let (Some(style), Some(pairs)) = (style, values::pairs(text))
    {
        return placeholders::number(sql.as_bytes(), style).in_order(&pairs);
    }
    fields::binds(list).filter(|values| !values.is_empty())
}
