//! What `sargable explain` is asked about: one statement, or a plan that EXPLAIN printed.

use std::{fs, io::Read as _, path::Path};

use super::super::args::ExplainArgs;
use crate::{
    error::Error,
    plan::Plan,
    sql::{parse, split},
};

/// The input, with the name that messages have for it.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Statement(String),
    /// A plan, and the statement where the text has it, as what `auto_explain` logs does.
    Plan(Box<Plan>, Option<String>),
}

impl Input {
    /// Errors: what cannot be read, and what is neither one statement nor a plan.
    pub(super) fn of(args: &ExplainArgs) -> Result<Input, Error> {
        let (name, text) = match (&args.input, &args.file) {
            (Some(typed), _) if typed == "-" || is_path(typed) => (typed.clone(), read(Path::new(typed))?),
            (Some(typed), _) => ("SQL".to_owned(), typed.clone()),
            (None, Some(path)) => (path.display().to_string(), read(path)?),
            (None, None) => unreachable!("clap asks for one of them"),
        };
        let bytes = text.len() as u64;
        Ok(Input { what: recognised(&name, &text)?, name, bytes })
    }
}

/// A statement has a blank in it. A name that stands for no file is one all the same where it ends like a file's.
fn is_path(typed: &str) -> bool {
    let path = Path::new(typed);
    let ends = ["sql", "txt", "json", "xml", "yaml", "yml", "plan", "log"];
    let ends_so =
        path.extension().is_some_and(|end| ends.iter().any(|known| end.eq_ignore_ascii_case(known)));
    !typed.contains('\n') && (path.is_file() || ends_so && !typed.contains(char::is_whitespace))
}

fn read(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map_err(failed)?;
    } else {
        bytes = fs::read(path).map_err(failed)?;
    }
    let text = String::from_utf8(bytes)
        .map_err(|err| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, err.utf8_error())))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// No plan is a statement, so that the parser decides.
fn recognised(name: &str, text: &str) -> Result<What, Error> {
    let text = without_explain(text);
    let ranges = split::statements(text);
    let parsed = match ranges.as_slice() {
        [range] => match parse::parse(&text[range.clone()]) {
            Ok(_) => return Ok(What::Statement(text[range.clone()].to_owned())),
            Err(not_parsed) => Error::Usage {
                what: format!("the statement is not understood: {}", not_parsed.why),
                hint: None,
            },
        },
        _ => Error::Usage {
            what: format!("{name} holds {} statements", ranges.len()),
            hint: Some("explain takes exactly one; use analyze for more".to_owned()),
        },
    };
    match Plan::from_text(text) {
        Ok(plan) => {
            let sql = query_text(&plan, text);
            Ok(What::Plan(Box::new(plan), sql))
        }
        Err(not) if looks_like_a_plan(text) => Err(Error::Usage {
            what: format!("the plan is not understood: {}", not.why),
            hint: Some(
                "explain reads what EXPLAIN prints as TEXT, JSON, XML or YAML, the whole of it".to_owned(),
            ),
        }),
        Err(_) => Err(parsed),
    }
}

fn looks_like_a_plan(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{', '<'])
        || ["(cost=", "QUERY PLAN", "- Plan:", "Node Type"].iter().any(|sign| text.contains(sign))
}

/// `EXPLAIN (ANALYZE, BUFFERS) SELECT …` asks for what this command does anyway.
fn without_explain(text: &str) -> &str {
    let word = |text: &str, word: &str| -> Option<usize> {
        let start = text.len() - text.trim_start().len();
        let rest = text.get(start..start + word.len())?;
        let ends = !text[start + word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        (rest.eq_ignore_ascii_case(word) && ends).then_some(start + word.len())
    };
    let Some(mut at) = word(text, "EXPLAIN") else { return text };
    let options = text[at..].trim_start();
    let asks = |options: &str| {
        ["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|verb| word(options, verb).is_some())
    };
    if let Some(inside) = options.strip_prefix('(').filter(|inside| !asks(inside)) {
        let Some((_, rest)) = inside.split_once(')') else { return text };
        return rest.trim_start();
    }
    for option in ["ANALYZE", "ANALYSE", "VERBOSE"] {
        at += word(&text[at..], option).unwrap_or(0);
    }
    text[at..].trim_start()
}

/// The statement as `auto_explain` writes it: a property, or the lines above the tree of a text.
fn query_text(plan: &Plan, text: &str) -> Option<String> {
    let object = plan.json.as_array().and_then(|plans| plans.first()).unwrap_or(&plan.json);
    let told = object.get("Query Text").and_then(serde_json::Value::as_str);
    let above = || {
        let (_, after) = text.split_once("Query Text: ")?;
        let end = after.find("  (cost=")?;
        let (query, _root) = after[..end].rsplit_once('\n')?;
        Some(query.split("\nQuery Parameters:").next().unwrap_or(query).trim())
    };
    let sql = told.or_else(above)?;
    parse::parse(sql).is_ok().then(|| sql.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn what(text: &str) -> String {
        match recognised("-", text) {
            Ok(What::Statement(sql)) => format!("statement {sql}"),
            Ok(What::Plan(plan, sql)) => format!("plan {} {sql:?}", plan.root.node_type),
            Err(err) => format!("error {err}"),
        }
    }

    #[test]
    fn statements_and_plans() {
        for (text, expect) in [
            ("SELECT 1;", "statement SELECT 1"),
            ("EXPLAIN ANALYZE VERBOSE SELECT 1", "statement SELECT 1"),
            ("explain (analyze, buffers) select 1", "statement select 1"),
            ("EXPLAIN (SELECT 1)", "statement (SELECT 1)"),
            ("Update on t  (cost=0.00..1.00 rows=0 width=0)", "plan ModifyTable None"),
            ("Seq Scan on t\n  Filter: (a = 1)", "plan Seq Scan None"),
            (r#"[{"Plan": {"Node Type": "Result"}}]"#, "plan Result None"),
            (
                "Query Text: SELECT a\nFROM t\nSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)",
                "plan Seq Scan Some(\"SELECT a\\nFROM t\")",
            ),
            (
                r#"{"Query Text": "SELECT 2", "Plan": {"Node Type": "Result"}}"#,
                "plan Result Some(\"SELECT 2\")",
            ),
            ("SELECT 1; SELECT 2", "error - holds 2 statements"),
            ("", "error - holds 0 statements"),
            ("[{\"Plan\": 7}]", "error the plan is not understood: it has no \"Plan\""),
        ] {
            assert_eq!(what(text), expect, "{text}");
        }
    }
}
