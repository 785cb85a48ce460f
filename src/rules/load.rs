//! The text of one rule file → [`Rule`], or an error that names the place and what was probably meant.
//!
//! Strict: an unknown key, a missing one, or a name that is not the file's is refused.

use super::{Rule, matching};
use crate::error::Error;

/// At least one reference is below this.
const DOCUMENTATION: &str = "https://www.postgresql.org/docs/";

/// Reads one rule file. `path` is only named in errors, and its stem must be the rule's name.
pub fn load(path: &str, text: &str) -> Result<Rule, Error> {
    let rule: Rule = serde_yaml::from_str(text).map_err(|err| {
        let place = err.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
        Error::Rule { path: format!("{path}{place}"), message: explain(&err.to_string()) }
    })?;
    let refuse = |key: &str, message: String| {
        let at = text.lines().enumerate().find_map(|(at, line)| line.find(key).map(|column| (at, column)));
        let (line, column) = at.unwrap_or_default();
        Err(Error::Rule { path: format!("{path}:{}:{}", line + 1, column + 1), message })
    };
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".yaml");
    if rule.name != stem {
        return refuse("name:", format!("the rule is named `{}`, its file `{stem}`", rule.name));
    }
    match (&rule.detector, &rule.matching) {
        (Some(_), Some(_)) => {
            return refuse("detector:", "a rule has `detector:` or `match:`, not both".to_owned());
        }
        (None, None) => return refuse("name:", "a rule needs `detector:` or `match:`".to_owned()),
        (Some(_), None) if rule.because.is_some() => {
            return refuse("because:", "a detector says itself why".to_owned());
        }
        (None, Some(matching)) => {
            if let Some((place, message)) = matching::check(&rule, matching) {
                return refuse(&place, message);
            }
        }
        (Some(_), None) => {}
    }
    if !rule.references.iter().any(|page| page.starts_with(DOCUMENTATION)) {
        return refuse("references:", format!("a rule needs a page below {DOCUMENTATION}"));
    }
    if rule.examples.bad.len() < 2 || rule.examples.good.len() < 2 {
        return refuse("examples:", "a rule needs two bad and two good examples".to_owned());
    }
    if rule.examples.bad.iter().any(|example| example.because.is_none()) {
        return refuse("bad:", "every bad example needs its `because`".to_owned());
    }
    if rule.examples.good.iter().any(|example| example.because.is_some()) {
        return refuse("good:", "a good example has no `because`".to_owned());
    }
    Ok(rule)
}

/// The reader's message without its place, and for an unknown word the known one that is nearest.
fn explain(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.contains("unknown ").then(|| quoted.next()).flatten();
    match unknown.and_then(|word| nearest(word, quoted)) {
        Some(known) => {
            let what = message.split(", expected").next().unwrap_or(message);
            format!("{what}; did you mean `{known}`?")
        }
        None => message.to_owned(),
    }
}

/// The known word that the fewest changes make of `word`, if they are few.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (distance(word, known), known))
        .min()
        .filter(|(changes, known)| *changes <= 1 + known.len() / 3)
        .map(|(_, known)| known)
}

/// Insertions, deletions and replacements between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
