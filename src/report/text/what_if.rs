//! The indexes of a person's "what if", above the two plans.

use super::{page::Page, units::bytes};
use crate::report::what_if::Answer;

pub(super) fn write(page: &mut Page, answer: &Answer) {
    page.heading("What if");
    for index in &answer.indexes {
        let used = if index.used { "used" } else { "not used" };
        page.field(2, used, &format!("{}, about {}", index.sql, bytes(index.size_bytes)));
    }
    for name in &answer.hidden {
        page.field(2, "hidden", name);
    }
    page.blank();
}

/// What the plan on the right is.
pub(super) fn title(answer: &Answer) -> String {
    let count = |count: usize, with: &str| match count {
        0 => None,
        1 => Some(format!("{with} this index")),
        _ => Some(format!("{with} these {count} indexes")),
    };
    let parts = [count(answer.indexes.len(), "with"), count(answer.hidden.len(), "without")];
    let parts: Vec<String> = match (answer.indexes.as_slice(), answer.hidden.as_slice()) {
        ([_, ..], [name]) => parts[0].iter().cloned().chain([format!("without {name}")]).collect(),
        _ => parts.into_iter().flatten().collect(),
    };
    format!("{}, as the planner expects", parts.join(" and "))
}
