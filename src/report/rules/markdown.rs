//! Rules as Markdown: the pages of `docs/rules/`, and the index of them.

use std::fmt::Write as _;

use super::{FIX, allow, count, example, needed, settings, versions};
use crate::{
    lint::fix,
    rules::{Category, Example, Needs, Rule, Set},
};

/// The page of one rule.
pub fn page(rule: &Rule) -> String {
    let mut text = format!("# {}\n\n**{}**: {}\n", rule.name, rule.code, plain(rule.title.trim()));
    let _ = writeln!(text, "\n| | |\n| --- | --- |");
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "| {name} | {value} |");
    };
    row("Category", rule.category.word());
    let severity = rule.severity.word();
    row(
        "Severity",
        &rule.in_migrations.map_or_else(
            || severity.to_owned(),
            |other| format!("{severity}; {} in migrations", other.word()),
        ),
    );
    row("Set", set(rule.set));
    row("Needs", &needs(rule));
    if fix::has(&rule.name) {
        row("Fix", FIX);
    }
    if let Some(confidence) = rule.confidence {
        row("Known at best by", confidence.word());
    }
    if let Some(versions) = versions(rule) {
        row("PostgreSQL", &versions);
    }
    let _ = writeln!(text, "\n## Why\n\n{}", plain(rule.why.trim()));
    let _ = writeln!(text, "\n## Instead\n\n{}", instead(rule));
    if let Some(rewrite) = &rule.rewrite {
        let _ = writeln!(text, "\n{}\nbecomes\n\n{}", sql(&rewrite.before), sql(&rewrite.after).trim_end());
    }
    if !rule.params.is_empty() {
        let _ = writeln!(
            text,
            "\n## Thresholds\n\n| name | default | unit | why this value |\n| --- | --- | --- | --- |"
        );
        for (name, param) in &rule.params {
            let why = param.why.split_whitespace().collect::<Vec<_>>().join(" ");
            let _ =
                writeln!(text, "| `{name}` | {} | {} | {} |", count(param.default), param.unit, cell(&why));
        }
    }
    let _ = writeln!(text, "\n## Found in\n");
    for case in &rule.examples.bad {
        let _ = writeln!(text, "{}\n> {}\n", sql(&example(case)), because(case));
    }
    let _ = writeln!(text, "## Not found in\n");
    for case in &rule.examples.good {
        let _ = writeln!(text, "{}", sql(&example(case)));
    }
    let _ = writeln!(
        text,
        "## Allow and configure\n\nWhere it must be so, a comment says why:\n\n{}",
        sql(&allow(rule))
    );
    let _ = writeln!(
        text,
        "For all files or some, `sargable.yaml` ([reference](../config.md)):\n\n```yaml\n{}```",
        settings(rule)
    );
    let _ = writeln!(text, "\n## References\n");
    for reference in &rule.references {
        let _ = writeln!(text, "- <{reference}>");
    }
    text
}

/// A table of all rules for each category, with links to their pages.
pub fn index(rules: &[&Rule]) -> String {
    let on = rules.iter().filter(|rule| rule.set == Set::Default).count();
    let mut text = format!(
        "# Rules\n\n{} rules, {on} of them on by default. `sargable rules show NAME` prints a rule's page on the terminal, and \
         `sargable rules\nlist` filters this list. How to write a rule: [rule-format.md](../rule-format.md).\n",
        rules.len()
    );
    for (category, word) in Category::ALL {
        let mut of_it = rules.iter().filter(|rule| rule.category == *category).peekable();
        if of_it.peek().is_none() {
            continue;
        }
        let _ = writeln!(
            text,
            "\n## {word}\n\n| code | rule | | severity | set | needs |\n| --- | --- | --- | --- | --- | --- |"
        );
        for rule in of_it {
            let _ = writeln!(
                text,
                "| {} | [{name}]({name}.md) | {} | {} | {} | {} |",
                rule.code,
                cell(rule.title.trim()),
                rule.severity.word(),
                rule.set.word(),
                super::needs(rule),
                name = rule.name,
            );
        }
    }
    text
}

fn set(set: Set) -> &'static str {
    match set {
        Set::Default => "default: on unless it is turned off",
        Set::Pedantic => "pedantic: off unless it is turned on",
        Set::Preview => "preview: off unless it is turned on",
    }
}

fn needs(rule: &Rule) -> String {
    let words: Vec<&str> = rule.needs.iter().map(|need: &Needs| needed(*need)).collect();
    words.join(", ")
}

fn instead(rule: &Rule) -> String {
    plain(rule.instead.trim())
}

fn because(case: &Example) -> String {
    plain(case.because.as_deref().unwrap_or_default().trim())
}

fn sql(text: &str) -> String {
    format!("```sql\n{}\n```\n", text.trim_end())
}

fn cell(text: &str) -> String {
    plain(text).replace('|', "\\|")
}

/// What Markdown would take for its own.
fn plain(text: &str) -> String {
    text.replace('*', "\\*").replace('<', "\\<")
}
