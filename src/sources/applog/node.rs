//! What the query logs of Node.js have in common: statements of several lines, and printed objects.

use super::{
    lines::{self, CLAUSES, Draft},
    values,
    values::Value,
};

/// Whether a line without a head of its own goes on with a statement: a quote or a parenthesis is still
/// open, or it is indented, or begins as only the middle of a statement does.
pub(super) fn goes_on(sql: &str, line: &str) -> bool {
    let word = line.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    line.starts_with([' ', '\t', ')'])
        || CLAUSES.iter().any(|known| word.eq_ignore_ascii_case(known))
        || lines::is_open(sql)
}

/// Takes the values behind a marker (` -- params: `) from the statement's end.
pub(super) fn take_values(draft: &mut Draft, marker: &str) -> bool {
    let found = draft
        .sql
        .match_indices(marker)
        .find_map(|(at, _)| Some((at, values::list(&draft.sql[at + marker.len()..])?)));
    let Some((at, binds)) = found else { return false };
    draft.sql.truncate(at);
    draft.binds = Some(binds);
    true
}

/// A printed object that is being collected: from a line that ends in `{` to the `}` at the front of one.
#[derive(Debug, Default)]
pub(super) struct Object {
    text: String,
    pub(super) line: u64,
}

impl Object {
    const LONGEST: usize = 16 << 20;

    pub(super) fn begin(number: u64) -> Object {
        Object { text: "{".to_owned(), line: number }
    }

    /// False when it has grown too long to be one.
    pub(super) fn push(&mut self, line: &str) -> bool {
        self.text.push('\n');
        self.text.push_str(line);
        self.text.len() < Object::LONGEST
    }

    pub(super) fn entries(&self) -> Option<Vec<(String, Value)>> {
        match values::read(&self.text)? {
            (Value::Map(entries), _) => Some(entries),
            _ => None,
        }
    }
}

pub(super) fn get<'a>(entries: &'a [(String, Value)], key: &str) -> Option<&'a Value> {
    entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

pub(super) fn text<'a>(entries: &'a [(String, Value)], key: &str) -> Option<&'a str> {
    match get(entries, key)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
