//! What stands below the tree of nodes: settings, planning, triggers, JIT, times.

use serde_json::{Map, Value};

use super::detail;
use crate::plan::keys::Object;

/// The lines after the tree, in order.
#[derive(Default)]
pub(super) struct Summary {
    /// The heading (`Planning`, `JIT`) that further indented lines belong to.
    section: Option<&'static str>,
}

impl Summary {
    /// Reads a line of the plan's own indentation.
    pub(super) fn line(&mut self, line: &str, plan: &mut Object) {
        self.section = None;
        if let Some(trigger) = line.strip_prefix("Trigger ") {
            if let (Some(trigger), Value::Array(triggers)) =
                (read_trigger(trigger), plan.entry("Triggers").or_insert_with(|| Value::Array(Vec::new())))
            {
                triggers.push(trigger);
            }
            return;
        }
        let Some((key, value)) = line.split_once(':') else { return };
        let value = value.trim();
        match (key, value) {
            ("Planning", "") => self.section = Some("Planning"),
            ("JIT", "") => self.section = Some("JIT"),
            ("Settings", _) => _ = plan.insert(key.to_owned(), settings(value)),
            _ => _ = plan.insert(key.to_owned(), detail::plain(key, value)),
        }
    }

    /// Reads a further indented line.
    pub(super) fn indented(&self, line: &str, plan: &mut Object) {
        let Some(section) = self.section else { return };
        let Value::Object(object) = plan.entry(section).or_insert_with(|| Value::Object(Map::new())) else {
            return;
        };
        match line.split_once(": ") {
            Some((key @ ("Options" | "Timing"), value)) => _ = object.insert(key.to_owned(), words(value)),
            _ => _ = detail::read(line, object),
        }
    }
}

/// `work_mem = '64kB', jit = 'off'`.
fn settings(text: &str) -> Value {
    let mut settings = Object::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once(" = '") {
        let (value, after) =
            after.split_once("', ").unwrap_or((after.strip_suffix('\'').unwrap_or(after), ""));
        settings.insert(name.to_owned(), Value::from(value));
        rest = after;
    }
    Value::Object(settings)
}

/// `Inlining true, Generation 0.256 ms (Deform 0.1 ms), Total 1.0 ms`.
fn words(text: &str) -> Value {
    let mut words = Object::new();
    for part in detail::list(text) {
        let (whole, inner) = match part.split_once(" (") {
            Some((whole, inner)) => (whole, inner.strip_suffix(')')),
            None => (part, None),
        };
        let Some((name, value)) = whole.split_once(' ') else { continue };
        let value = detail::plain("", value);
        let value = match inner.and_then(|inner| inner.split_once(' ')) {
            Some((of, part)) => Value::Object(Object::from_iter([
                (of.to_owned(), detail::plain("", part)),
                ("Total".to_owned(), value),
            ])),
            None => value,
        };
        words.insert(name.to_owned(), value);
    }
    Value::Object(words)
}

/// `name for constraint c on t: time=1.1 calls=10`.
fn read_trigger(text: &str) -> Option<Value> {
    let (who, figures) = text.rsplit_once(": ")?;
    let mut trigger = Object::new();
    let (who, relation) = who.rsplit_once(" on ").map_or((who, None), |(who, on)| (who, Some(on)));
    let (name, constraint) = match who.strip_prefix("for constraint ") {
        Some(constraint) => ("", Some(constraint)),
        None => who.split_once(" for constraint ").map_or((who, None), |(name, of)| (name, Some(of))),
    };
    for (key, value) in
        [("Trigger Name", Some(name)), ("Constraint Name", constraint), ("Relation", relation)]
    {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            trigger.insert(key.to_owned(), Value::from(value));
        }
    }
    for (kind, figure) in figures.split(' ').filter_map(|figure| figure.split_once('=')) {
        let key = if kind == "time" { "Time" } else { "Calls" };
        trigger.insert(key.to_owned(), detail::plain("", figure));
    }
    Some(Value::Object(trigger))
}
