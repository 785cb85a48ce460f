//! The built-in rules' files, one line each.

/// Path and text of every built-in rule, in no order.
#[rustfmt::skip]
pub const FILES: &[(&str, &str)] = &[
    ("rules/seq-scan.yaml", include_str!("../../rules/seq-scan.yaml")),
    ("rules/missing-index.yaml", include_str!("../../rules/missing-index.yaml")),
    ("rules/index-order.yaml", include_str!("../../rules/index-order.yaml")),
    ("rules/select-star.yaml", include_str!("../../rules/select-star.yaml")),
    ("rules/unbounded-select.yaml", include_str!("../../rules/unbounded-select.yaml")),
    ("rules/n-plus-one.yaml", include_str!("../../rules/n-plus-one.yaml")),
    ("rules/pool-size.yaml", include_str!("../../rules/pool-size.yaml")),
    ("rules/duplicate-query.yaml", include_str!("../../rules/duplicate-query.yaml")),
    ("rules/unused-suppression.yaml", include_str!("../../rules/unused-suppression.yaml")),
    ("rules/unknown-rule-in-suppression.yaml", include_str!("../../rules/unknown-rule-in-suppression.yaml")),
    ("rules/write-loop.yaml", include_str!("../../rules/write-loop.yaml")),
    ("rules/select-then-insert.yaml", include_str!("../../rules/select-then-insert.yaml")),
    ("rules/count-then-page.yaml", include_str!("../../rules/count-then-page.yaml")),
    ("rules/waterfall.yaml", include_str!("../../rules/waterfall.yaml")),
    ("rules/cache-candidate.yaml", include_str!("../../rules/cache-candidate.yaml")),
    ("rules/transaction-chatter.yaml", include_str!("../../rules/transaction-chatter.yaml")),
    ("rules/connection-chatter.yaml", include_str!("../../rules/connection-chatter.yaml")),
];
