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
    ("rules/write-loop.yaml", include_str!("../../rules/write-loop.yaml")),
    ("rules/order-by-random.yaml", include_str!("../../rules/order-by-random.yaml")),
    ("rules/offset-without-limit.yaml", include_str!("../../rules/offset-without-limit.yaml")),
    ("rules/limit-without-order-by.yaml", include_str!("../../rules/limit-without-order-by.yaml")),
    ("rules/eq-null.yaml", include_str!("../../rules/eq-null.yaml")),
    ("rules/update-without-where.yaml", include_str!("../../rules/update-without-where.yaml")),
    ("rules/delete-without-where.yaml", include_str!("../../rules/delete-without-where.yaml")),
    ("rules/cartesian-join.yaml", include_str!("../../rules/cartesian-join.yaml")),
];
