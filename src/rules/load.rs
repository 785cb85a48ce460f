//! The text of one rule file → [`Rule`], or an error that names the place and what was probably meant.
//!
//! Strict: an unknown key, a missing one, or a name that is not the file's is refused.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::{Example, Rule, matching};
use crate::{error::Error, yaml};

/// At least one reference is below this.
const DOCUMENTATION: &str = "https://www.postgresql.org/docs/";

/// What is wrong, and the text whose line it is on.
type Complaint = (String, String);

/// Reads one rule file. `path` is only named in errors, and its stem must be the rule's name.
pub fn load(path: &str, text: &str) -> Result<Rule, Error> {
    let refuse = |line: usize, column: usize, message: String| {
        Err(Error::Rule { path: format!("{path}:{line}:{column}"), message })
    };
    let rule: Rule = match yaml::read(text) {
        Ok(rule) => rule,
        Err(refused) => {
            let meant = refused.meant.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
            let (line, column) = refused.place.unwrap_or((1, 1));
            return refuse(line, column, refused.message + &meant);
        }
    };
    if let Some(keys) = empty(text) {
        let names: Vec<&str> = keys.iter().map(String::as_str).collect();
        let (line, column) = yaml::place(text, &names).unwrap_or_else(|| find(text, "match:"));
        let message =
            format!("{} is empty (to YAML, `~` is nothing as well: operators need quotes)", names.join("."));
        return refuse(line, column, message);
    }
    let stem = path.rsplit(['/', '\\']).next().unwrap_or(path).trim_end_matches(".yaml");
    if let Some((place, message)) = whole(&rule, stem) {
        let (line, column) = find(text, &place);
        return refuse(line, column, message);
    }
    for (bad, examples) in [(true, &rule.examples.bad), (false, &rule.examples.good)] {
        for (at, example) in examples.iter().enumerate() {
            if let Some(message) = wrong_example(&rule, bad, example) {
                return refuse(example_line(text, bad, at), 1, message);
            }
        }
    }
    Ok(rule)
}

/// The keys of a condition without a value, which would ask for nothing.
fn empty(text: &str) -> Option<Vec<String>> {
    // Reading a file again takes as long as reading it, and most rules have no conditions.
    text.lines().find(|line| line.starts_with("match:"))?;
    let file: BTreeMap<String, Value> = yaml::read(text).ok()?;
    let mut open = vec![(vec!["match".to_owned()], file.get("match")?)];
    while let Some((keys, value)) = open.pop() {
        let key = |name: &str| keys.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
        match value {
            Value::Null => return Some(keys),
            Value::Mapping(map) => {
                open.extend(map.iter().filter_map(|(name, value)| Some((key(name.as_str()?), value))));
            }
            Value::Sequence(list) => open.extend(list.iter().map(|value| (keys.clone(), value))),
            _ => {}
        }
    }
    None
}

/// What no single key shows.
fn whole(rule: &Rule, stem: &str) -> Option<Complaint> {
    let wrong = |place: &str, message: String| Some((place.to_owned(), message));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !rule.name.starts_with(|c: char| c.is_ascii_lowercase()) || !rule.name.chars().all(plain) {
        return wrong("name:", format!("`{}` is not lower case, digits and hyphens", rule.name));
    }
    if rule.name != stem {
        return wrong("name:", format!("the rule is named `{}`, its file `{stem}`", rule.name));
    }
    match (&rule.detector, &rule.matching) {
        (Some(_), Some(_)) => {
            return wrong("detector:", "a rule has `detector:` or `match:`, not both".to_owned());
        }
        (None, None) => return wrong("name:", "a rule needs `match:` (or `detector:`)".to_owned()),
        (Some(_), None) if rule.because.is_some() => {
            return wrong("because:", "a detector says itself why".to_owned());
        }
        (None, Some(matching)) => {
            let found = matching::check(rule, matching);
            if found.is_some() {
                return found;
            }
        }
        (Some(_), None) => {}
    }
    if !rule.references.iter().any(|page| page.starts_with(DOCUMENTATION)) {
        return wrong("references:", format!("a rule needs a page below {DOCUMENTATION}"));
    }
    if rule.examples.bad.len() < 2 || rule.examples.good.len() < 2 {
        return wrong("examples:", "a rule needs two bad and two good examples".to_owned());
    }
    None
}

fn wrong_example(rule: &Rule, bad: bool, example: &Example) -> Option<String> {
    if let Some(name) = example.edge.keys().find(|name| !rule.params.contains_key(*name)) {
        return Some(format!("the rule has no parameter `{name}`"));
    }
    match (bad, &example.because) {
        (true, None) => Some("a bad example needs its `because`".to_owned()),
        (false, Some(_)) => Some("a good example has no `because`".to_owned()),
        _ => None,
    }
}

/// The error about a key of a file.
pub fn refused(path: &str, text: &str, key: &str, message: String) -> Error {
    let (line, column) = find(text, key);
    Error::Rule { path: format!("{path}:{line}:{column}"), message }
}

/// Line and column, from 1, of a key of the file or else of the first such text.
fn find(text: &str, place: &str) -> (usize, usize) {
    let key = text.lines().position(|line| line.starts_with(place)).map(|at| (at, 0));
    let within = || text.lines().enumerate().find_map(|(at, line)| Some((at, line.find(place)?)));
    let (line, column) = key.or_else(within).unwrap_or_default();
    let before = text.lines().nth(line).and_then(|line| line.get(..column)).unwrap_or_default();
    (line + 1, before.chars().count() + 1)
}

/// The line, from 1, on which an example begins: items of a list are the lines that begin with the hyphen of
/// the first one.
pub fn example_line(text: &str, bad: bool, item: usize) -> usize {
    let key = if bad { "bad" } else { "good" };
    let (start, _) = yaml::place(text, &["examples", key]).unwrap_or((1, 1));
    let mut indent = None;
    let mut items = (1..).zip(text.lines()).skip(start).filter(|(_, line)| {
        let inner = line.trim_start();
        let own = line.len() - inner.len();
        let first = indent.is_none_or(|indent| indent == own) && inner.starts_with('-');
        if first {
            indent = Some(own);
        }
        first
    });
    items.nth(item).map_or(start, |(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::{example_line, find};

    #[test]
    fn places() {
        let text = "why: a bad: thing\nexamples:\n  bad:\n    - sql: a\n      log:\n        - x\n    # b\n    - sql: b\n  good:\n  - sql: c\n";
        let lines: Vec<usize> = [(true, 0), (true, 1), (false, 0), (false, 7)]
            .map(|(bad, at)| example_line(text, bad, at))
            .into();
        assert_eq!(lines, [4, 8, 10, 9]);
        assert_eq!(
            (find(text, "examples:"), find(text, "log:"), find(text, "nowhere")),
            ((2, 1), (5, 7), (1, 1))
        );
    }
}
