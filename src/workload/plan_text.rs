//! The statement inside a plan that `auto_explain` logged.

use std::borrow::Cow;

use super::event::PlanFormat;

/// The statement's text; `None` when the plan does not hold it (or is cut before it).
pub(super) fn statement(format: PlanFormat, plan: &[u8]) -> Option<Cow<'_, [u8]>> {
    match format {
        PlanFormat::Text => {
            let text = after(plan, b"Query Text: ")?;
            let end = line_starts(text).find(|&at| is_plan_line(&text[at..])).unwrap_or(text.len());
            Some(Cow::Borrowed(text[..end].trim_ascii()))
        }
        PlanFormat::Json => string(after(plan, b"\"Query Text\":")?.trim_ascii_start()),
        PlanFormat::Yaml => string(after(plan, b"Query Text: ")?),
        PlanFormat::Xml => {
            let text = after(plan, b"<Query-Text>")?;
            let text = &text[..memchr::memmem::find(text, b"</Query-Text>")?];
            let text = String::from_utf8_lossy(text);
            let text = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x0d;", "\r"), ("&amp;", "&")]
                .iter()
                .fold(text.into_owned(), |text, (entity, character)| text.replace(entity, character));
            Some(Cow::Owned(text.into_bytes()))
        }
    }
}

fn after<'a>(plan: &'a [u8], label: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::find(plan, label).map(|at| &plan[at + label.len()..])
}

/// A JSON string at the beginning of the text (YAML's double-quoted strings are written alike).
fn string(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut strings = serde_json::Deserializer::from_slice(text).into_iter::<String>();
    Some(Cow::Owned(strings.next()?.ok()?.into_bytes()))
}

/// Where each line but the first begins.
fn line_starts(text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    memchr::memchr_iter(b'\n', text).map(|at| at + 1)
}

/// The root node's line, or the line of parameters before it.
fn is_plan_line(line: &[u8]) -> bool {
    let line = line.split(|&byte| byte == b'\n').next().unwrap_or(line);
    line.starts_with(b"Query Parameters: ")
        || line.first().is_some_and(u8::is_ascii_uppercase)
            && memchr::memmem::find(line, b"  (cost=").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: PlanFormat, plan: &str, expect: &str) {
        let found = statement(format, plan.as_bytes()).expect("a statement");
        assert_eq!(String::from_utf8_lossy(&found), expect);
    }

    #[test]
    fn each_format_holds_its_statement() {
        let text = "Query Text: SELECT 1\nFROM t\nWHERE a = 1\nSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n  Filter: (a = 1)";
        check(PlanFormat::Text, text, "SELECT 1\nFROM t\nWHERE a = 1");
        let json =
            "{\n  \"Query Text\": \"SELECT \\\"a\\\"\\nFROM t\",\n  \"Plan\": {\n    \"Node Type\": \"Seq";
        check(PlanFormat::Json, json, "SELECT \"a\"\nFROM t");
        check(PlanFormat::Yaml, "Query Text: \"SELECT 1\"\nPlan: \n  Node Type: \"Result\"", "SELECT 1");
        let xml = "<explain><Query-Text>SELECT a &lt; 1</Query-Text><Plan>";
        check(PlanFormat::Xml, xml, "SELECT a < 1");
    }
}
