//! The rules for a person who wants to know why: a list, and a page about one of them.

use super::{Style, page::Page};
use crate::{
    lint::fix,
    report::rules::{FIX, allow, count, example, needed, needs, settings, versions},
    rules::{Rule, Set},
};

/// From this width on, a rule is one line of a table.
const TABLE: usize = 140;

/// Two lines a rule, or one where there is room; the titles wrapped below themselves.
pub fn rules(rules: &[&Rule], style: &Style) -> String {
    let mut page = Page::new(*style);
    let code = rules.iter().map(|rule| rule.code.as_str().len()).max().unwrap_or(0);
    let name = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let need = rules.iter().map(|rule| needs(rule).len()).max().unwrap_or(0);
    for rule in rules {
        let (category, set, severity) = (rule.category.word(), rule.set.word(), rule.severity.word());
        let needs = needs(rule);
        if page.width() >= TABLE {
            let lead = format!(
                "{:code$}  {:name$}  {category:11}  {set:8}  {severity:7}  {needs:need$}  ",
                rule.code.as_str(),
                rule.name,
            );
            page.hanging(0, &lead, lead.len(), &rule.title);
            continue;
        }
        let mut facts = vec![category, severity];
        facts.extend(Some(set).filter(|_| rule.set != Set::Default));
        let needs = if needs.is_empty() { needs } else { format!(", needs {needs}") };
        let lead = format!("{:code$}  ", rule.code.as_str());
        page.hanging(0, &lead, lead.len(), &format!("{}: {}{needs}", rule.name, facts.join(", ")));
        page.prose(lead.len(), &rule.title);
    }
    page.finish()
}

/// Why the rule is there, what to do instead, its thresholds, examples and references, and how it is set.
pub fn rule(rule: &Rule, style: &Style) -> String {
    let mut page = Page::new(*style);
    let head = page.strong(&format!("{} {} ({})", rule.code, rule.name, rule.severity.word()));
    page.line(0, &head);
    page.prose(0, &rule.title);
    page.blank();
    page.field(0, "Category", rule.category.word());
    page.field(0, "Set", set(rule));
    let words: Vec<&str> = rule.needs.iter().map(|need| needed(*need)).collect();
    page.field(0, "Needs", &words.join(", "));
    if fix::has(&rule.name) {
        page.field(0, "Fix", FIX);
    }
    if let Some(versions) = versions(rule) {
        page.field(0, "PostgreSQL", &versions);
    }
    page.heading("Why");
    prose(&mut page, &rule.why);
    page.heading("Instead");
    prose(&mut page, &rule.instead);
    if let Some(rewrite) = &rule.rewrite {
        page.blank();
        page.prose(2, "Before:");
        page.sql(4, &rewrite.before);
        page.prose(2, "After:");
        page.sql(4, &rewrite.after);
    }
    if !rule.params.is_empty() {
        page.heading("Thresholds");
    }
    for (name, param) in &rule.params {
        let text = format!("{name} = {} {}: {}", count(param.default), param.unit, param.why.trim());
        page.hanging(2, "", 2, &text);
    }
    page.heading("Found in");
    for (at, case) in rule.examples.bad.iter().enumerate() {
        if at > 0 {
            page.blank();
        }
        text(&mut page, &example(case));
        page.hanging(2, "→ ", 2, case.because.as_deref().unwrap_or_default().trim());
    }
    page.heading("Not found in");
    for (at, case) in rule.examples.good.iter().enumerate() {
        let text = example(case);
        if at > 0 && text.trim().contains('\n') {
            page.blank();
        }
        self::text(&mut page, &text);
    }
    page.heading("Allow and configure");
    page.prose(2, "A comment where it must be so:");
    page.line(4, &allow(rule));
    page.prose(2, "In sargable.yaml, for all files (`overrides` is for some):");
    for line in settings(rule).lines() {
        page.line(4, line);
    }
    page.heading("References");
    for reference in &rule.references {
        page.prose(2, reference);
    }
    page.finish()
}

/// Statements as they are, and the comments around them wrapped.
fn text(page: &mut Page, text: &str) {
    let mut sql = String::new();
    for line in text.lines() {
        let Some(comment) = line.strip_prefix("-- ") else {
            sql.push_str(line);
            sql.push('\n');
            continue;
        };
        if !sql.is_empty() {
            page.sql(2, &std::mem::take(&mut sql));
        }
        page.hanging(2, "-- ", 3, comment);
    }
    if !sql.is_empty() {
        page.sql(2, &sql);
    }
}

fn prose(page: &mut Page, text: &str) {
    for (at, paragraph) in text.trim().split("\n\n").enumerate() {
        if at > 0 {
            page.blank();
        }
        page.prose(2, paragraph);
    }
}

fn set(rule: &Rule) -> &'static str {
    match rule.set {
        Set::Default => "default: on unless it is turned off",
        Set::Pedantic => "pedantic: off unless it is turned on",
        Set::Preview => "preview: off unless it is turned on",
    }
}
