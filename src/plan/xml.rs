//! EXPLAIN (FORMAT XML) → the JSON that the same plan has.
//!
//! Reads what PostgreSQL writes: elements, text and five entities. Attributes and comments are passed over,
//! and anything that XML knows besides (CDATA, declarations of entities) ends the reading.

use serde_json::Value;

use super::{
    NotAPlan,
    keys::{self, Object},
};

/// Takes `<explain>` with its `<Query>` (what EXPLAIN gives) or without it (what `auto_explain` logs).
pub(super) fn read(text: &str) -> Result<Value, NotAPlan> {
    let mut reader = Reader { rest: text.trim_start() };
    reader.skip_prolog()?;
    let (tag, empty) = reader.open()?.ok_or_else(|| not("no element begins it"))?;
    let mut value = if empty { Value::Null } else { reader.content(tag, 0, false)? };
    // One query of EXPLAIN; a rewritten statement has several, of which JSON takes the first too.
    if let Some(query) = value.get_mut("Query") {
        value = query.take();
    }
    Ok(value)
}

fn not(why: &str) -> NotAPlan {
    NotAPlan { why: format!("it is not XML: {why}") }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// `<?xml …?>` and comments.
    fn skip_prolog(&mut self) -> Result<(), NotAPlan> {
        for (begin, end) in [("<?", "?>"), ("<!--", "-->")] {
            while let Some(rest) = self.rest.strip_prefix(begin) {
                let at = rest.find(end).ok_or_else(|| not("its first line does not end"))?;
                self.rest = rest[at + end.len()..].trim_start();
            }
        }
        Ok(())
    }

    /// The tag that begins here, and whether it is an empty element; `None` when text does.
    fn open(&mut self) -> Result<Option<(&'a str, bool)>, NotAPlan> {
        let Some(rest) = self.rest.strip_prefix('<') else { return Ok(None) };
        let end = rest.find('>').ok_or_else(|| not("a tag does not end"))?;
        let (tag, empty) = match rest[..end].strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (&rest[..end], false),
        };
        let name = tag.split_ascii_whitespace().next().unwrap_or_default();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return Err(not("a tag has no name"));
        }
        self.rest = &rest[end + 1..];
        Ok(Some((name, empty)))
    }

    /// What stands up to the end tag.
    fn content(&mut self, tag: &str, depth: usize, is_text: bool) -> Result<Value, NotAPlan> {
        // A node takes two elements, and its list of nodes one.
        if depth > keys::DEEPEST * 2 {
            return Err(not("its elements are nested too deep"));
        }
        let key = key_of(tag);
        let text_end = self.rest.find('<').ok_or_else(|| not("it is cut"))?;
        let text = &self.rest[..text_end];
        if let Some(rest) = end_tag(&self.rest[text_end..], tag) {
            self.rest = rest;
            return Ok(if text.trim().is_empty() && is_list(&key) {
                Value::Array(Vec::new())
            } else {
                let text = unescaped(text);
                if is_text { Value::from(text) } else { keys::value(&key, &text) }
            });
        }
        let mut list = Vec::new();
        let mut object = Object::new();
        loop {
            self.rest = self.rest.trim_start();
            if let Some(rest) = end_tag(self.rest, tag) {
                self.rest = rest;
                let items = object.is_empty() && !list.is_empty();
                return Ok(if items || is_list(&key) { Value::Array(list) } else { Value::Object(object) });
            }
            let (child, empty) = self.open()?.ok_or_else(|| not("text stands beside elements"))?;
            let value = if empty {
                Value::Null
            } else {
                // Items of lists are names and expressions, and settings are text, whatever they look like.
                self.content(child, depth + 1, child == "Item" || key == "Settings")?
            };
            if child == "Item" || is_list(&key) {
                list.push(value);
            } else {
                object.entry(key_in(&object, child)).or_insert(value);
            }
        }
    }
}

/// What follows the end tag of `tag`, where the text begins with that.
fn end_tag<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    text.strip_prefix("</")?.strip_prefix(tag)?.trim_start().strip_prefix('>')
}

/// Elements whose children are the members of a list, whatever they are called.
fn is_list(key: &str) -> bool {
    matches!(
        key,
        "Plans"
            | "Workers"
            | "Triggers"
            | "Output"
            | "Sort Key"
            | "Presorted Key"
            | "Group Key"
            | "Hash Key"
            | "Group Keys"
            | "Hash Keys"
            | "Grouping Sets"
            | "Target Tables"
    )
}

/// The property whose name became this tag: PostgreSQL puts `-` for what a tag cannot hold.
fn key_of(tag: &str) -> String {
    tag.replace('-', " ")
        .replace("I O ", "I/O ")
        .replace("One Time ", "One-Time ")
        .replace("Full sort ", "Full-sort ")
        .replace("Pre sorted ", "Pre-sorted ")
}

/// The key of a child. The groups of an incremental sort have one tag, full sorts first, and so has the
/// space that they took, memory first; space on disk alone shows in the methods.
fn key_in(parent: &Object, tag: &str) -> String {
    let key = key_of(tag);
    match key.as_str() {
        "Incremental Sort Groups" if parent.contains_key("Full-sort Groups") => {
            "Pre-sorted Groups".to_owned()
        }
        "Incremental Sort Groups" => "Full-sort Groups".to_owned(),
        "Sort Space" => {
            let methods = parent.get("Sort Methods Used").and_then(Value::as_array).into_iter().flatten();
            let mut methods = methods.filter_map(Value::as_str).peekable();
            let external = methods.peek().is_some() && methods.all(|method| method.starts_with("external"));
            let disk = external || parent.contains_key("Sort Space Memory");
            format!("Sort Space {}", if disk { "Disk" } else { "Memory" })
        }
        _ => key,
    }
}

/// The text without entities; `&amp;` comes last, or what it makes would be read again.
fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#x0d;", "\r"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_have_the_types_of_json() {
        let xml = r#"<?xml version="1.0"?><explain xmlns="x"><Query-Text>SELECT 1</Query-Text><Plan>
            <Node-Type>Seq Scan</Node-Type><Alias>7</Alias><Total-Cost>1.50</Total-Cost>
            <Filter>(a &lt; 'x &amp;amp; y&#x0d;'::text)</Filter><Rows-Removed-by-Filter>3</Rows-Removed-by-Filter>
            <Parallel-Aware>false</Parallel-Aware><One-Time-Filter>false</One-Time-Filter>
            <Output><Item>1</Item></Output><Shared-I-O-Read-Time>0.5</Shared-I-O-Read-Time><Plans></Plans>
            </Plan><Settings><work_mem>64</work_mem></Settings></explain>"#;
        let expect = json!({"Query Text": "SELECT 1", "Plan": {
            "Node Type": "Seq Scan", "Alias": "7", "Total Cost": 1.5, "Filter": "(a < 'x &amp; y\r'::text)",
            "Rows Removed by Filter": 3, "Parallel Aware": false, "One-Time Filter": "false",
            "Output": ["1"], "Shared I/O Read Time": 0.5, "Plans": []}, "Settings": {"work_mem": "64"}});
        assert_eq!(read(xml).expect("XML"), expect);
    }

    #[test]
    fn groups_of_an_incremental_sort() {
        let space = |used: &str| {
            format!("<Sort-Space><Peak-Sort-Space-Used>{used}</Peak-Sort-Space-Used></Sort-Space>")
        };
        let group = |methods: &str, spaces: &str| {
            format!(
                "<Incremental-Sort-Groups><Sort-Methods-Used><Item>{methods}</Item></Sort-Methods-Used>{spaces}</Incremental-Sort-Groups>"
            )
        };
        let full = group("quicksort", &(space("25") + &space("900")));
        let xml = format!("<Plan>{full}{}</Plan>", group("external merge", &space("70")));
        let value = read(&xml).expect("XML");
        assert_eq!(value["Full-sort Groups"]["Sort Space Memory"]["Peak Sort Space Used"], 25);
        assert_eq!(value["Full-sort Groups"]["Sort Space Disk"]["Peak Sort Space Used"], 900);
        assert_eq!(value["Pre-sorted Groups"]["Sort Space Disk"]["Peak Sort Space Used"], 70);
    }

    #[test]
    fn what_is_not_xml_says_why() {
        for (text, why) in [
            ("<explain", "a tag does not end"),
            ("<explain><Plan>", "it is cut"),
            ("<explain>text<Plan/></explain>", "text stands beside elements"),
            ("<1>", "a tag has no name"),
            ("text", "no element begins it"),
        ] {
            assert_eq!(read(text).expect_err("no XML").why, format!("it is not XML: {why}"), "{text}");
        }
        let deep = "<a>".repeat(100_000);
        assert!(read(&deep).expect_err("no XML").why.contains("too deep"));
    }
}
