//! The problems that the shop has on purpose, and findings held against them.

use super::statements;
use crate::{
    finding::{Finding, Severity},
    sql::Normalizer,
};

/// One rule that one statement of the traffic breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planted {
    pub rule: &'static str,
    /// Its name in [`statements::ALL`].
    pub statement: &'static str,
}

/// All of them: the analysis must find each, and nothing else at severity warning or above.
pub const ALL: &[Planted] = &[
    // users (email) has no index.
    Planted { rule: "seq-scan", statement: "user by e-mail" },
    Planted { rule: "missing-index", statement: "user by e-mail" },
    // No index of orders begins with user_id.
    Planted { rule: "seq-scan", statement: "orders of a user" },
    Planted { rule: "missing-index", statement: "orders of a user" },
    // order_items (order_id) has no index, though it is a foreign key.
    Planted { rule: "seq-scan", statement: "items of an order" },
    Planted { rule: "missing-index", statement: "items of an order" },
    // The index of reviews begins with created_at, the query gives product_id.
    Planted { rule: "index-order", statement: "reviews of a product" },
    // password_hash, description and attributes travel for nothing.
    Planted { rule: "select-star", statement: "account page" },
    Planted { rule: "select-star", statement: "category page" },
    // The whole catalogue at once, and a page that skips 200,000 rows.
    Planted { rule: "unbounded-select", statement: "all products" },
    Planted { rule: "unbounded-select", statement: "users, far page" },
    // 100 orders, then the user of each.
    Planted { rule: "n-plus-one", statement: "user of an order" },
];

/// The foreign keys without an index are those that the statements above look up: one problem, told of the schema too.
fn about_keys(finding: &Finding) -> bool {
    finding.rule == "foreign-key-without-index"
}

/// Where an analysis and [`ALL`] differ: each line `missed: …` or `unexpected: …`, sorted. Empty when
/// every planted problem was found and nothing else at severity warning or above.
pub fn differences(findings: &[Finding]) -> Vec<String> {
    let mut normalizer = Normalizer::default();
    let ids: Vec<(&str, String)> = statements::ALL
        .iter()
        .map(|statement| (statement.name, normalizer.scan(statement.sql.as_bytes()).fingerprint.to_string()))
        .collect();
    let name = |finding: &Finding| {
        let query = finding.query.as_ref()?;
        ids.iter().find(|(_, id)| id == query).map(|(name, _)| *name)
    };
    let loud: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Warning && !about_keys(finding))
        .collect();
    let mut lines: Vec<String> = ALL
        .iter()
        .filter(|planted| {
            !loud.iter().any(|found| found.rule == planted.rule && name(found) == Some(planted.statement))
        })
        .map(|planted| format!("missed: {} in `{}`", planted.rule, planted.statement))
        .collect();
    lines.extend(
        loud.iter()
            .filter(|found| {
                !ALL.iter()
                    .any(|planted| found.rule == planted.rule && name(found) == Some(planted.statement))
            })
            .map(|found| {
                let place = name(found).or(found.query.as_deref()).unwrap_or("the workload");
                format!("unexpected: {} in `{place}`: {}", found.rule, found.because)
            }),
    );
    lines.sort();
    lines
}
