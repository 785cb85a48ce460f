//! The problems that the shop has on purpose, and findings held against them.

use super::statements;
use crate::{
    finding::{Finding, Severity},
    sql::Normalizer,
};

/// One rule that one statement of the traffic, or one table, breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planted {
    pub rule: &'static str,
    /// The statement's name in [`statements::ALL`], or the table's.
    pub about: &'static str,
}

/// All of them: the analysis must find each, and nothing else at severity warning or above.
pub const ALL: &[Planted] = &[
    // users (email) has no index.
    Planted { rule: "seq-scan", about: "user by e-mail" },
    Planted { rule: "missing-index", about: "user by e-mail" },
    // No index of orders begins with user_id.
    Planted { rule: "seq-scan", about: "orders of a user" },
    Planted { rule: "missing-index", about: "orders of a user" },
    // order_items (order_id) has no index, though it is a foreign key.
    Planted { rule: "seq-scan", about: "items of an order" },
    Planted { rule: "missing-index", about: "items of an order" },
    // The index of reviews begins with created_at, the query gives product_id.
    Planted { rule: "index-order", about: "reviews of a product" },
    // password_hash, description and attributes travel for nothing.
    Planted { rule: "select-star", about: "account page" },
    Planted { rule: "select-star", about: "category page" },
    // The whole catalogue at once, and a page that skips 200,000 rows.
    Planted { rule: "unbounded-select", about: "all products" },
    Planted { rule: "unbounded-select", about: "users, far page" },
    // What the statements above look for is also what the server looks for behind each delete.
    Planted { rule: "foreign-key-without-index", about: "public.order_items" },
    Planted { rule: "foreign-key-without-index", about: "public.orders" },
    Planted { rule: "foreign-key-without-index", about: "public.reviews" },
    // 100 orders, then the user of each.
    Planted { rule: "n-plus-one", about: "user of an order" },
];

/// Where an analysis and [`ALL`] differ: each line `missed: …` or `unexpected: …`, sorted. Empty when
/// every planted problem was found and nothing else at severity warning or above.
pub fn differences(findings: &[Finding]) -> Vec<String> {
    let mut normalizer = Normalizer::default();
    let ids: Vec<(&str, String)> = statements::ALL
        .iter()
        .map(|statement| (statement.name, normalizer.scan(statement.sql.as_bytes()).fingerprint.to_string()))
        .collect();
    let name = |finding: &Finding| -> Option<String> {
        match &finding.query {
            Some(query) => ids.iter().find(|(_, id)| id == query).map(|(name, _)| (*name).to_owned()),
            None => finding.detail_text("table").map(str::to_owned),
        }
    };
    let loud: Vec<&Finding> =
        findings.iter().filter(|finding| finding.severity >= Severity::Warning).collect();
    let mut lines: Vec<String> = ALL
        .iter()
        .filter(|planted| {
            !loud
                .iter()
                .any(|found| found.rule == planted.rule && name(found).as_deref() == Some(planted.about))
        })
        .map(|planted| format!("missed: {} in `{}`", planted.rule, planted.about))
        .collect();
    lines.extend(
        loud.iter()
            .filter(|found| {
                !ALL.iter().any(|planted| {
                    found.rule == planted.rule && name(found).as_deref() == Some(planted.about)
                })
            })
            .map(|found| {
                let place = name(found).or(found.query.clone()).unwrap_or_else(|| "the workload".to_owned());
                format!("unexpected: {} in `{place}`: {}", found.rule, found.because)
            }),
    );
    lines.sort();
    lines
}
