//! The numbers of the catalogue of known rules: each is a rule of ours, or stands in `docs/rules-left-out.md`
//! with its reason. No number is forgotten, and none is both.

use std::{collections::BTreeMap, fs};

use sargable::rules;

/// Number → our rules, separated by blanks; nothing where it is left out.
const NUMBERS: &[(&str, &str)] = &[
    ("A1", "select-star"),
    ("A2", ""),
    ("A3", ""),
    ("A4", ""),
    ("A5", ""),
    ("A6", ""),
    ("A7", "unbounded-select"),
    ("A8", "unbounded-select"),
    ("A9", "large-limit"),
    ("A10", "count-for-existence"),
    ("A11", "count-whole-table"),
    ("A12", "count-then-page"),
    ("A13", ""),
    ("A14", "subquery-per-row correlated-subquery"),
    ("A15", ""),
    ("A16", "distinct-with-key redundant-distinct"),
    ("A17", ""),
    ("A18", ""),
    ("B1", "leading-wildcard"),
    ("B2", "ilike"),
    ("B3", "prefix-in-collated-index"),
    ("B4", ""),
    ("B5", "pattern-in-parameter"),
    ("B6", "function-on-column"),
    ("B7", "arithmetic-on-column"),
    ("B8", "cast-on-column"),
    ("B9", "implicit-cast"),
    ("B10", "coalesce-on-column"),
    ("B11", "not-in-subquery"),
    ("B12", "null-in-list"),
    ("B13", "eq-null"),
    ("B14", "is-not-distinct-from"),
    ("B15", "large-in-list"),
    ("B16", ""),
    ("B17", ""),
    ("B18", "or-across-columns"),
    ("B19", "or-across-tables"),
    ("B20", ""),
    ("B21", ""),
    ("B22", ""),
    ("B23", "duplicate-predicate"),
    ("B24", ""),
    ("B25", ""),
    ("B26", "json-path-filter"),
    ("B27", "any-of-array-column"),
    ("B28", "missing-index text-search-without-configuration"),
    ("B29", "leading-wildcard"),
    ("B30", "arithmetic-on-column"),
    ("B31", "time-zone-on-column"),
    ("B32", "keyset-as-or"),
    ("B33", ""),
    ("B34", "index-on-boolean"),
    ("B35", ""),
    ("B36", ""),
    ("C1", "cartesian-join"),
    ("C2", ""),
    ("C3", ""),
    ("C4", "join-without-equality"),
    ("C5", "or-in-join"),
    ("C6", ""),
    ("C7", "join-type-mismatch"),
    ("C8", ""),
    ("C9", ""),
    ("C10", "unused-join"),
    ("C11", "left-join-undone"),
    ("C12", "anti-join-column"),
    ("C13", "self-join-on-key"),
    ("C14", "distinct-over-join"),
    ("C15", "fan-out-aggregate"),
    ("C16", ""),
    ("C17", "nested-loop"),
    ("C18", "write-without-join"),
    ("D1", "correlated-subquery correlated-in"),
    ("D2", ""),
    ("D3", "distinct-in-subquery"),
    ("D4", "union-of-distinct-rows"),
    ("D5", "order-in-subquery"),
    ("D6", "unused-cte"),
    ("D7", "cte-fence"),
    ("D8", "unbounded-recursion"),
    ("D9", ""),
    ("D10", ""),
    ("D11", ""),
    ("D12", "repeated-subquery"),
    ("D13", "window-total"),
    ("D14", "row-number-first"),
    ("D15", ""),
    ("E1", "order-by-random"),
    ("E2", ""),
    ("E3", "limit-without-order-by"),
    ("E4", "offset-without-limit"),
    ("E5", "distinct-on-without-order"),
    ("E6", ""),
    ("E7", ""),
    ("E8", "nulls-order"),
    ("E9", ""),
    ("E10", "order-by-two-tables"),
    ("E11", ""),
    ("E12", ""),
    ("E13", ""),
    ("E14", "redundant-distinct"),
    ("E15", ""),
    ("E16", ""),
    ("E17", "distinct-aggregates"),
    ("E18", ""),
    ("E19", ""),
    ("E20", ""),
    ("F1", "update-without-where delete-without-where"),
    ("F2", ""),
    ("F3", "primary-key-update"),
    ("F4", "cold-updates"),
    ("F5", "mass-write"),
    ("F6", "write-loop"),
    ("F7", ""),
    ("F8", ""),
    ("F9", ""),
    ("F10", "select-then-insert"),
    ("F11", "write-loop"),
    ("F12", ""),
    ("F13", ""),
    ("F14", ""),
    ("F15", ""),
    ("F16", ""),
    ("F17", ""),
    ("F18", ""),
    ("F19", ""),
    ("G1", "queue-lock claim-without-lock lock-strength"),
    ("G6", "connection-chatter"),
    ("G8", "session-state"),
    ("G9", "missing-lock-timeout idle-transaction-timeout"),
    ("H1", "foreign-key-without-index"),
    ("H2", "table-without-key"),
    ("H3", "duplicate-index"),
    ("H4", "redundant-index"),
    ("H5", "unused-index"),
    ("H8", "missing-index"),
    ("H9", "index-order"),
    ("H10", "wide-index"),
    ("H11", "many-indexes"),
    ("H12", "index-on-boolean"),
    ("H13", "index-of-nulls"),
    ("H14", "needless-index-predicate"),
    ("H15", "btree-on-document"),
    ("H16", "index-on-long-text"),
    ("H17", ""),
    ("H18", "duplicate-foreign-key foreign-key-type"),
    ("H19", ""),
    ("H20", "brin-candidate"),
    ("H21", "json-column"),
    ("H26", "policy-per-row several-policies"),
    ("H28", ""),
    ("H29", ""),
    ("H34", "cold-updates"),
    ("H35", "stale-statistics never-analysed row-estimate"),
];

/// Number → reason, as the page has them: in the first column, alone or before a colon.
fn left_out() -> BTreeMap<String, String> {
    let text = fs::read_to_string("docs/rules-left-out.md").expect("the page");
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let number = cells[0].split(':').next().unwrap_or_default();
        let is_number = number.len() >= 2
            && number.starts_with(|c: char| c.is_ascii_uppercase())
            && number[1..].bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            let reason = cells.last().copied().unwrap_or_default().trim_matches('|').trim();
            assert!(found.insert(number.to_owned(), reason.to_owned()).is_none(), "{number} stands twice");
        }
    }
    found
}

#[test]
fn every_number_is_a_rule_or_has_its_reason() {
    let left = left_out();
    for (number, ours) in NUMBERS {
        let names: Vec<&str> = ours.split_whitespace().collect();
        for name in &names {
            assert!(
                rules::BUILTIN.iter().any(|rule| rule.name == *name),
                "{number}: there is no rule {name}"
            );
        }
        match left.get(*number) {
            Some(_) if !names.is_empty() => panic!("{number} is {ours}, and left out as well"),
            None if names.is_empty() => panic!("{number} is neither a rule nor left out"),
            Some(reason) => {
                assert!(reason == "style" || reason.len() > 15, "{number}: {reason}");
                assert!(!reason.to_lowercase().contains("not yet"), "{number}: {reason}");
                assert!(!reason.to_lowercase().contains("not written"), "{number}: {reason}");
            }
            None => {}
        }
    }
}

/// The groups that are to be whole have every number once.
#[test]
fn the_groups_are_whole() {
    for (group, last) in [('A', 18), ('B', 36), ('C', 18), ('D', 15), ('E', 20), ('F', 19)] {
        for number in 1..=last {
            let number = format!("{group}{number}");
            assert_eq!(NUMBERS.iter().filter(|(own, _)| *own == number).count(), 1, "{number}");
        }
    }
    let wanted = [1..=5, 8..=21, 26..=26, 28..=29, 34..=35].into_iter().flatten();
    let schema: Vec<String> = wanted
        .map(|number| format!("H{number}"))
        .chain(["G1", "G6", "G8", "G9"].map(str::to_owned))
        .collect();
    for number in schema {
        assert_eq!(NUMBERS.iter().filter(|(own, _)| *own == number).count(), 1, "{number}");
    }
}
