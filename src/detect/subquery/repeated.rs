//! The same subquery twice in one block: PostgreSQL does not see that they are one, and runs each.
//!
//! Left alone: subqueries whose placeholders may be two values, that call what may give another value each
//! time, or that read no table.

use rustc_hash::FxHashMap;

use crate::{
    detect::{Facts, Report, keys},
    finding::Confidence,
    rules::Rule,
    sql::{
        shape::{Role, TableSource},
        split,
    },
};

/// Functions whose second call gives another value.
const VOLATILE: &[&str] =
    &["random", "nextval", "clock_timestamp", "timeofday", "gen_random_uuid", "uuidv4", "uuidv7", "setseed"];

pub(in crate::detect) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    let Some(sample) = facts.query.samples.iter().find(|sample| sample.complete) else { return };
    // By the block around it and by its words.
    let mut seen: FxHashMap<(usize, Vec<String>), usize> = FxHashMap::default();
    for (id, block) in shape.blocks.iter().enumerate() {
        let value = matches!(block.role, Role::Scalar | Role::Exists { .. } | Role::In { .. });
        let table = block.tables.iter().any(|table| matches!(table.source, TableSource::Table(_)));
        let (Some(parent), true, true) = (block.parent, value, table) else { continue };
        let Some(text) = sample.sql.get(block.at.clone()).filter(|text| !text.is_empty()) else { continue };
        let words: Vec<String> = split::tokens(text)
            .into_iter()
            .map(|at| {
                let word = &text[at];
                // Only what stands in quotes minds its capitals.
                if word.contains(['\'', '"']) { word.to_owned() } else { word.to_ascii_lowercase() }
            })
            .collect();
        let unlike = |word: &String| {
            word == "?"
                || word.starts_with('%')
                || VOLATILE.contains(&word.as_str())
                || word.starts_with("uuid_generate")
        };
        if words.iter().any(unlike) {
            continue;
        }
        let times = seen.entry((parent, words)).or_default();
        *times += 1;
        if *times != 2 {
            continue;
        }
        let because = format!(
            "the subquery on {} stands twice, word for word: each is run by itself",
            keys::alias(block, 0)
        );
        let instead = rule.instead.trim().to_owned();
        report
            .findings
            .push(facts.finding(rule, Confidence::Shape, because, instead).on(&shape.blocks[id].at));
    }
}
