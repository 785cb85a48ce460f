//! The text of one rule file → [`Rule`], or an error that names the place and what was probably meant.
//!
//! Strict: an unknown key, a missing one, or a name that is not the file's is refused.

use super::Rule;
use crate::{error::Error, yaml};

/// Reads one rule file. `path` is only named in errors, and its stem must be the rule's name.
pub fn load(path: &str, text: &str) -> Result<Rule, Error> {
    let rule: Rule = yaml::read(text).map_err(|refused| {
        let place = refused.place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        let meant = refused.meant.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
        Error::Rule { path: format!("{path}{place}"), message: refused.message + &meant }
    })?;
    let refuse = |key: &str, message: String| {
        let line = text.lines().position(|line| line.trim_start().starts_with(key)).map_or(1, |at| at + 1);
        Err(Error::Rule { path: format!("{path}:{line}:1"), message })
    };
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".yaml");
    if rule.name != stem {
        return refuse("name:", format!("the rule is named `{}`, its file `{stem}`", rule.name));
    }
    if rule.examples.bad.is_empty() || rule.examples.good.is_empty() {
        return refuse("examples:", "a rule needs a bad and a good example".to_owned());
    }
    if rule.examples.bad.iter().any(|example| example.because.is_none()) {
        return refuse("bad:", "every bad example needs its `because`".to_owned());
    }
    if rule.examples.good.iter().any(|example| example.because.is_some()) {
        return refuse("good:", "a good example has no `because`".to_owned());
    }
    Ok(rule)
}
