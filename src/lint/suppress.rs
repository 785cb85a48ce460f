//! Comments that allow a rule somewhere: `-- sargable: allow(select-star) exported as a whole`.
//!
//! | comment | allows the rules |
//! | --- | --- |
//! | `sargable: allow(a, b) why` | in the statement that holds it, that ends on its line, or that follows |
//! | `sargable: allow-begin(a) why` … `sargable: allow-end` | between the two, or to the end of the file |
//! | `sargable: allow-file(a) why` | in the whole file |
//!
//! Left alone: comments that do not begin with `sargable:`. What begins so and is not understood is told,
//! since it would look as if it worked.

use std::ops::Range;

use crate::{
    rules::Rule,
    workload::{Script, Stated},
    yaml,
};

/// One comment that allows something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The comment, in bytes of the file, as the next.
    pub at: Range<usize>,
    /// A statement is allowed where it begins within, or where the finding itself stands within.
    pub scope: Range<usize>,
    pub reach: Reach,
    pub rules: Vec<Allowed>,
    pub reason: Option<String>,
}

/// A rule that a comment names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The rule's name, also where its code was written.
    pub rule: String,
    pub at: Range<usize>,
}

/// How far a comment reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Statement,
    Block,
    File,
}

/// A comment, or a name in it, that means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    pub at: Range<usize>,
    pub because: String,
    pub instead: String,
}

/// What the comments of a file say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comments {
    pub allows: Vec<Allow>,
    pub unknown: Vec<Unknown>,
}

const PREFIX: &str = "sargable:";

const WORDS: [&str; 4] = ["allow", "allow-begin", "allow-end", "allow-file"];

/// Reads the comments of a file. `rules`: all that there are, also those that are off.
pub fn read(script: &Script, rules: &[Rule]) -> Comments {
    let mut found = Comments::default();
    // Most files have none: the bytes are searched before the text is taken apart.
    if memchr::memmem::find(script.text.as_bytes(), PREFIX.as_bytes()).is_none() {
        return found;
    }
    let mut open: Vec<usize> = Vec::new();
    for at in script.comments() {
        let Some((word, rest)) = script.text.get(at.clone()).and_then(directive) else { continue };
        let (word, rest) =
            (at.start + word.start..at.start + word.end, at.start + rest.start..at.start + rest.end);
        let name = &script.text[word.clone()];
        let (reach, scope) = match name {
            "allow" => (Reach::Statement, statement(script, &at)),
            "allow-begin" => (Reach::Block, at.end..script.text.len()),
            "allow-file" => (Reach::File, 0..script.text.len()),
            "allow-end" => {
                match open.pop().and_then(|begun| found.allows.get_mut(begun)) {
                    Some(begun) => begun.scope.end = at.start,
                    None => found.unknown.push(Unknown {
                        at: at.clone(),
                        because: "there is no `allow-begin` that this `allow-end` would end".to_owned(),
                        instead: "Remove it, or begin the block with sargable: allow-begin(rule).".to_owned(),
                    }),
                }
                continue;
            }
            _ => {
                let meant = yaml::nearest(name, WORDS.into_iter()).unwrap_or("allow(rule)");
                found.unknown.push(Unknown {
                    at: word,
                    because: format!("`{name}` is none of {}", WORDS.join(", ")),
                    instead: format!("Write {meant}, or take `sargable:` out of the comment."),
                });
                continue;
            }
        };
        let Some((names, reason)) = list(&script.text, &rest) else {
            found.unknown.push(Unknown {
                at: word,
                because: format!("`{name}` names no rule"),
                instead: format!("Name the rules: {name}(select-star, SG005) and why."),
            });
            continue;
        };
        let mut allowed = Vec::new();
        for at in names {
            match named(&script.text[at.clone()], rules) {
                Ok(rule) => allowed.push(Allowed { rule, at }),
                Err(unknown) => found.unknown.push(Unknown { at, ..unknown }),
            }
        }
        if reach == Reach::Block {
            open.push(found.allows.len());
        }
        found.allows.push(Allow { at, scope, reach, rules: allowed, reason });
    }
    found
}

/// The word after `sargable:` and what follows it, in bytes of the comment.
fn directive(comment: &str) -> Option<(Range<usize>, Range<usize>)> {
    let closed = [("/*", "*/"), ("{#", "#}")]
        .iter()
        .any(|(open, close)| comment.starts_with(open) && comment.ends_with(close) && comment.len() >= 4);
    let end = comment.len() - usize::from(closed) * 2;
    let lead = comment
        .get(..end)?
        .find(|c: char| !c.is_whitespace() && !matches!(c, '-' | '/' | '*' | '#' | '{'))?;
    let after = comment.get(lead..end)?.strip_prefix(PREFIX)?;
    let start = end - after.trim_start().len();
    let body = comment.get(start..end)?;
    let len = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(body.len());
    Some((start..start + len, start + len..end))
}

/// The names between parentheses, and the reason behind them. `None` where there are none.
fn list(text: &str, rest: &Range<usize>) -> Option<(Vec<Range<usize>>, Option<String>)> {
    let written = text.get(rest.clone())?;
    let open = written.len() - written.trim_start().strip_prefix('(')?.len();
    let close = open + written.get(open..)?.find(')')?;
    let mut names = Vec::new();
    let mut at = rest.start + open;
    for name in written.get(open..close)?.split(',') {
        let lead = name.len() - name.trim_start().len();
        if !name.trim().is_empty() {
            names.push(at + lead..at + lead + name.trim().len());
        }
        at += name.len() + 1;
    }
    let reason = written.get(close + 1..)?.trim_start_matches([':', '-', ' ', '\t']).trim();
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    (!names.is_empty()).then_some((names, (!reason.is_empty()).then_some(reason)))
}

fn named(name: &str, rules: &[Rule]) -> Result<String, Unknown> {
    let known = |rule: &&Rule| rule.name == name || rule.code.to_string().eq_ignore_ascii_case(name);
    if let Some(rule) = rules.iter().find(known) {
        return Ok(rule.name.clone());
    }
    let nearest = yaml::nearest(name, rules.iter().map(|rule| rule.name.as_str()));
    Err(Unknown {
        at: 0..0,
        because: format!("there is no rule `{name}`, so nothing is allowed by it"),
        instead: match nearest {
            Some(near) => format!("Did you mean {near}?"),
            None => "Take a name that `sargable rules list` lists.".to_owned(),
        },
    })
}

/// In the body of a function: the statement that ends before the comment on its line, or that follows.
fn in_body<'a>(script: &'a Script, comment: &Range<usize>, holder: &Stated) -> Option<&'a Stated> {
    let next = script.statements.partition_point(|stated| stated.at.start < comment.start);
    let inner = |stated: &&Stated| !holder.inside && stated.inside && stated.at.end <= holder.at.end;
    let (line, _) = script.position(comment.start);
    let before = next.checked_sub(1).and_then(|at| script.statements.get(at)).filter(inner);
    before
        .filter(|stated| script.position(stated.at.end).0 == line)
        .or_else(|| script.statements.get(next).filter(inner))
}

/// The statement that holds the comment, that ends before it on its line, or that follows; nothing where
/// there is none.
fn statement(script: &Script, comment: &Range<usize>) -> Range<usize> {
    if let Some(holder) = script.statement(comment.start) {
        return in_body(script, comment, holder).unwrap_or(holder).at.clone();
    }
    let next = script.statements.partition_point(|stated| stated.at.start < comment.start);
    let (line, _) = script.position(comment.start);
    let before = next.checked_sub(1).and_then(|at| script.statements.get(at));
    if let Some(before) = before.filter(|stated| script.position(stated.at.end).0 == line) {
        return before.at.clone();
    }
    script.statements.get(next).map_or(comment.end..comment.end, |stated| stated.at.clone())
}
