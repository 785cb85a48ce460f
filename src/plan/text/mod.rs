//! EXPLAIN (FORMAT TEXT) → the JSON that the same plan has, as far as the text carries it.
//!
//! The tree is in the indentation: a node begins with `->`, its properties stand further in, and its children
//! further still. A string constant may hold newlines, so that a line goes on until its quotes are closed.
//! What JSON has and the text leaves out (zeros, Output without VERBOSE) stays out. Which input of a join
//! is which, and whether a subquery is an init plan, follows from the order and the label.

mod detail;
mod summary;
mod title;

use serde_json::Value;

use self::summary::Summary;
use super::{
    NotAPlan,
    keys::{DEEPEST, Object},
};

pub(super) fn read(text: &str) -> Result<Value, NotAPlan> {
    let mut lines = Lines { rest: Some(text), unclosed: false };
    let (base, root) = lines.root().ok_or_else(|| not("it has no line of a plan"))?;
    let mut tree = Tree { open: vec![Open::new(base, root)] };
    let mut plan = Object::new();
    let mut summary: Option<Summary> = None;
    let mut label: Option<(usize, String)> = None;
    while let Some(line) = lines.whole() {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if content.is_empty() {
            continue;
        }
        if indent <= base {
            summary.get_or_insert_default().line(content, &mut plan);
        } else if let Some(summary) = &summary {
            summary.indented(content, &mut plan);
        } else if let Some(node) = content.strip_prefix("->  ").and_then(title::read) {
            tree.node(indent, label.take(), node)?;
        } else if is_label(content) && lines.next_is_node(indent) {
            label = Some((indent, content.to_owned()));
        } else {
            tree.property(indent, content);
        }
    }
    plan.insert("Plan".to_owned(), tree.close());
    Ok(Value::Object(plan))
}

fn not(why: &str) -> NotAPlan {
    NotAPlan { why: why.to_owned() }
}

/// `InitPlan 1 (returns $0)`, `SubPlan 2`, `CTE name`: a line of its own above the subquery's root.
fn is_label(line: &str) -> bool {
    ["InitPlan ", "SubPlan ", "CTE "].iter().any(|word| line.starts_with(word))
}

/// A node whose children may still come.
struct Open {
    /// Where its line begins, or the label above that.
    column: usize,
    object: Object,
    children: Vec<Value>,
    /// Where `Worker 0:` began: what stands further in is about that worker.
    worker: Option<usize>,
}

impl Open {
    fn new(column: usize, object: Object) -> Open {
        Open { column, object, children: Vec::new(), worker: None }
    }

    fn relationship_of_next(&self) -> &'static str {
        let inputs = self.children.iter().filter(|child| child.get("Subplan Name").is_none()).count();
        match self.object.get("Node Type").and_then(Value::as_str) {
            Some("Append" | "Merge Append" | "BitmapAnd" | "BitmapOr") => "Member",
            Some("Subquery Scan") => "Subquery",
            Some("Custom Scan") => "children",
            _ if inputs == 0 => "Outer",
            _ => "Inner",
        }
    }

    fn close(mut self) -> Value {
        detail::settle(&mut self.object);
        if !self.children.is_empty() {
            self.object.insert("Plans".to_owned(), Value::Array(self.children));
        }
        Value::Object(self.object)
    }
}

/// The nodes from the root to the one that was read last; never empty.
struct Tree {
    open: Vec<Open>,
}

impl Tree {
    fn node(
        &mut self,
        column: usize,
        label: Option<(usize, String)>,
        mut object: Object,
    ) -> Result<(), NotAPlan> {
        let column = label.as_ref().map_or(column, |(column, _)| *column);
        self.close_until(column);
        let relationship = match &label {
            Some((_, label)) if label.starts_with("SubPlan ") => "SubPlan",
            Some(_) => "InitPlan",
            None => self.open.last().map_or("", Open::relationship_of_next),
        };
        object.insert("Parent Relationship".to_owned(), Value::from(relationship));
        if let Some((_, label)) = label {
            object.insert("Subplan Name".to_owned(), Value::from(label));
        }
        self.open.push(Open::new(column, object));
        if self.open.len() > DEEPEST {
            return Err(not(&format!("its nodes are nested deeper than {DEEPEST}")));
        }
        Ok(())
    }

    /// Closes what stands at `column` or further in; the root stays.
    fn close_until(&mut self, column: usize) {
        while self.open.len() > 1
            && let Some(done) = self.open.pop_if(|open| open.column >= column)
        {
            let done = done.close();
            if let Some(parent) = self.open.last_mut() {
                parent.children.push(done);
            }
        }
    }

    fn property(&mut self, indent: usize, line: &str) {
        let Some(open) = self.open.last_mut() else { return };
        let workers = match open.worker {
            Some(column) if indent > column => open.object.get_mut("Workers").and_then(Value::as_array_mut),
            _ => None,
        };
        if let Some(Value::Object(worker)) = workers.and_then(|workers| workers.last_mut()) {
            detail::read(line, worker);
        } else if let Some((number, figures)) = worker(line) {
            open.worker = Some(indent);
            add_worker(&mut open.object, number, figures);
        } else {
            open.worker = None;
            detail::read(line, &mut open.object);
        }
    }

    fn close(mut self) -> Value {
        self.close_until(0);
        self.open.pop().map_or(Value::Null, Open::close)
    }
}

/// `Worker 0:  actual rows=2 loops=1`, or one property of that worker.
fn worker(line: &str) -> Option<(u64, &str)> {
    let (number, rest) = line.strip_prefix("Worker ")?.split_once(':')?;
    Some((number.parse().ok()?, rest.trim_start()))
}

fn add_worker(node: &mut Object, number: u64, figures: &str) {
    let Value::Array(workers) = node.entry("Workers").or_insert_with(|| Value::Array(Vec::new())) else {
        return;
    };
    let same = |worker: &Value| worker.get("Worker Number").and_then(Value::as_u64) == Some(number);
    if !workers.last().is_some_and(same) {
        workers.push(Value::Object(Object::from_iter([("Worker Number".to_owned(), Value::from(number))])));
    }
    if let Some(Value::Object(worker)) = workers.last_mut() {
        match figures.strip_prefix("actual ") {
            Some(actual) => title::actual(actual, worker),
            None => _ = detail::read(figures, worker),
        }
    }
}

/// The text's lines, those that a string constant divides put together.
struct Lines<'a> {
    /// `None` at the end.
    rest: Option<&'a str>,
    /// A quote was found that nothing closes: then no line is put together any more.
    unclosed: bool,
}

impl<'a> Lines<'a> {
    fn line(&mut self) -> Option<&'a str> {
        let (line, rest) = cut(self.rest?);
        self.rest = rest;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    /// The root's column and properties. The statement may stand before it, with lines of any kind, so
    /// that a node's name is not enough where the plan has figures.
    fn root(&mut self) -> Option<(usize, Object)> {
        let figures = self.rest?.contains("(cost=");
        while let Some(line) = self.line() {
            let content = line.trim_start_matches(' ');
            if content.starts_with(|c: char| c.is_ascii_uppercase())
                && (!figures || content.contains("  (cost="))
                && let Some(root) = title::read(content)
            {
                return Some((line.len() - content.len(), root));
            }
        }
        None
    }

    /// The next line, and those that a constant in it goes on to.
    fn whole(&mut self) -> Option<&'a str> {
        let from = self.rest?;
        let line = self.line()?;
        // In a node's line only names have quotes.
        if self.unclosed || line.trim_start().starts_with("->") {
            return Some(line);
        }
        let Some(mut quote) = open_quote(line, None) else { return Some(line) };
        let after = self.rest;
        while let Some(rest) = self.rest {
            let (further, rest) = cut(rest);
            self.rest = rest;
            match open_quote(further, Some(quote)) {
                Some(open) => quote = open,
                None => return from.get(..from.len() - rest.map_or(0, |rest| rest.len() + 1)),
            }
        }
        self.unclosed = true;
        self.rest = after;
        Some(line)
    }

    /// The next line is that of a node, further in than `indent`.
    fn next_is_node(&self, indent: usize) -> bool {
        self.rest.is_some_and(|rest| {
            let (line, _) = cut(rest);
            let content = line.trim_start_matches(' ');
            line.len() - content.len() > indent && content.starts_with("->  ")
        })
    }
}

/// The first line, and what follows it.
fn cut(text: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b'\n', text.as_bytes()) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// The quote that is open at the end of the line.
fn open_quote(line: &str, mut open: Option<u8>) -> Option<u8> {
    for byte in line.bytes().filter(|byte| matches!(byte, b'\'' | b'"')) {
        match open {
            None => open = Some(byte),
            Some(quote) if quote == byte => open = None,
            Some(_) => {}
        }
    }
    open
}
