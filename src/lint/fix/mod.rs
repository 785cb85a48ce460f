//! Findings that need nobody's judgement: the edit of the file that takes one away.
//!
//! In: a finding with its place, and the file. Out: an edit after which the statement means the same in every
//! case, NULLs and types included, or nothing. Each fixer looks for the one form in the tokens that it
//! knows; what stands there twice, or otherwise, is left to a person.
//!
//! Left alone: templates, strings into which a program puts something, what a string says by escapes, and
//! comments within what would be removed. CONCURRENTLY and NOT VALID are not put in: the file does not tell
//! whether its tool opens a transaction, nor that the table is not partitioned.

mod apply;
mod clauses;
mod comments;
mod conditions;
mod joins;
mod tokens;

use std::{collections::BTreeSet, ops::Range, sync::Mutex};

pub use apply::{Chosen, applied, choose};
use rustc_hash::FxHashMap;
use tokens::Text;

use crate::{
    finding::{Edit, Finding},
    sql::{Fingerprint, Normalizer, parse, template},
    workload::Script,
};

/// Parts of the statement, and what replaces them. None is empty.
type Edits = Vec<(Range<usize>, String)>;

type Fixer = fn(&Text<'_>, &Finding) -> Option<Edits>;

/// Rules with a fix, by name.
const STATEMENTS: &[(&str, Fixer)] = &[
    ("coalesce-on-column", conditions::coalesce),
    ("count-for-existence", conditions::count),
    ("distinct-in-subquery", clauses::distinct_in),
    ("distinct-with-key", clauses::distinct),
    ("duplicate-predicate", conditions::duplicate),
    ("is-not-distinct-from", conditions::not_distinct),
    ("keyset-as-or", conditions::keyset),
    ("left-join-undone", joins::undone),
    ("nulls-order", clauses::nulls),
    ("order-in-subquery", clauses::order),
    ("redundant-distinct", clauses::distinct),
    ("union-of-distinct-rows", clauses::union),
    ("unused-cte", clauses::cte),
    ("unused-join", joins::unused),
];

/// Whether a rule's findings can be fixed, where they have the usual form.
pub fn has(rule: &str) -> bool {
    rule == comments::RULE || STATEMENTS.iter().any(|(name, _)| *name == rule)
}

/// The rules that [`has`] names.
pub fn rules() -> impl Iterator<Item = &'static str> {
    STATEMENTS.iter().map(|(name, _)| *name).chain([comments::RULE])
}

/// Whether statements parse, by fingerprint: the constants play no part in it, and a repository has the same
/// statement in many places.
#[derive(Debug, Default)]
pub(super) struct Parses(Mutex<FxHashMap<Fingerprint, bool>>);

impl Parses {
    fn asked(&self, sql: &str) -> bool {
        let id = Normalizer::default().scan(sql.as_bytes()).fingerprint;
        let known = |known: &Self| known.0.lock().ok()?.get(&id).copied();
        if let Some(parses) = known(self) {
            return parses;
        }
        let parses = parse::parse(sql).is_ok();
        if let Ok(mut known) = self.0.lock() {
            known.insert(id, parses);
        }
        parses
    }
}

/// What takes a finding away; `None` where a person has to.
pub(super) fn edit(finding: &Finding, script: &Script, parses: &Parses) -> Option<Edit> {
    if finding.rule == comments::RULE {
        let at = comments::removed(finding, script)?;
        return placed(script, at, String::new());
    }
    let (_, fixer) = STATEMENTS.iter().find(|(name, _)| *name == finding.rule)?;
    let at = finding.at.as_ref()?;
    let stated = script.statement(script.byte(at.line, at.column)?)?;
    let sql = script.sql(stated);
    let text = Text::new(sql);
    let mut changes = fixer(&text, finding)?;
    changes.sort_by_key(|(at, _)| at.start);
    let new = replaced(sql, changes.iter().map(|(at, new)| (at, new.as_str())))?;
    if !keeps(&text, &Text::new(&new), &changes) || !parses.asked(&new) {
        return None;
    }
    // One edit for all of them, so that nobody applies half.
    let part = changes.first()?.0.start..changes.last()?.0.end;
    let new = new.get(part.start..new.len() - (sql.len() - part.end))?.to_owned();
    let at = match &stated.sql {
        None => stated.at.start + part.start..stated.at.start + part.end,
        Some(said) => {
            let holes = said.holes().next().is_some();
            // What a string of a program would read otherwise.
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" _(),.<>=*".contains(&byte);
            if holes || !new.bytes().all(plain) || template::jinja(&script.text).is_some() {
                return None;
            }
            said.exact(&part)?
        }
    };
    placed(script, at, new)
}

fn placed(script: &Script, at: Range<usize>, text: String) -> Option<Edit> {
    let was = script.text.get(at.clone())?.to_owned();
    Some(Edit { region: script.region(&at), at, was, text })
}

/// Whether no comment and no placeholder goes with what is removed.
fn keeps(before: &Text<'_>, after: &Text<'_>, changes: &Edits) -> bool {
    let named = |text: &Text<'_>| -> BTreeSet<String> {
        text.words().filter(|word| word.starts_with(['$', ':', '@'])).map(str::to_owned).collect()
    };
    let in_turn = |text: &Text<'_>| {
        text.words().filter(|word| *word == "?" || *word == "%s" || word.starts_with("%(")).count()
    };
    let comment = changes.iter().any(|(at, _)| {
        let part = before.sql.get(at.clone()).unwrap_or_default();
        part.contains("--") || part.contains("/*")
    });
    !comment && named(before) == named(after) && in_turn(before) == in_turn(after)
}

/// A text with parts replaced, which are in order; `None` where they overlap or are no parts of it.
fn replaced<'a>(text: &str, changes: impl Iterator<Item = (&'a Range<usize>, &'a str)>) -> Option<String> {
    let mut new = String::with_capacity(text.len());
    let mut end = 0;
    for (at, with) in changes {
        new.push_str(text.get(end..at.start)?);
        new.push_str(with);
        end = at.end;
    }
    new.push_str(text.get(end..)?);
    Some(new)
}
