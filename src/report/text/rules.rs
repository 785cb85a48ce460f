//! The rules for a person who wants to know why: a list, and a page about one of them.

use super::{Style, findings::severity as word, page::Page};
use crate::rules::Rule;

/// A line a rule, the titles wrapped below themselves.
pub fn rules(rules: &[Rule], style: &Style) -> String {
    let mut page = Page::new(*style);
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    for rule in rules {
        let lead = format!("{}  {:width$}  {:7}  ", rule.code, rule.name, word(rule.severity));
        page.hanging(0, &lead, lead.len(), &rule.title);
    }
    page.finish()
}

/// Why the rule is there, what to do instead, its thresholds, examples and references.
pub fn rule(rule: &Rule, style: &Style) -> String {
    let mut page = Page::new(*style);
    let head = page.strong(&format!("{} {} ({})", rule.code, rule.name, word(rule.severity)));
    page.line(0, &head);
    page.prose(0, &rule.title);
    for (title, text) in [("Why", &rule.why), ("Instead", &rule.instead)] {
        page.heading(title);
        for paragraph in text.trim().split("\n\n") {
            page.prose(2, paragraph);
        }
    }
    if !rule.params.is_empty() {
        page.heading("Thresholds");
    }
    for (name, param) in &rule.params {
        let text = format!("{name} = {} {}: {}", param.default, param.unit, param.why.trim());
        page.hanging(2, "", 2, &text);
    }
    for (title, examples) in [("Found in", &rule.examples.bad), ("Not found in", &rule.examples.good)] {
        let shown: Vec<&str> =
            examples.iter().map(|example| example.sql.trim()).filter(|sql| !sql.is_empty()).collect();
        if !shown.is_empty() {
            page.heading(title);
        }
        for sql in shown {
            page.hanging(2, "", 2, sql);
        }
    }
    if !rule.references.is_empty() {
        page.heading("References");
    }
    for reference in &rule.references {
        page.prose(2, reference);
    }
    page.finish()
}
