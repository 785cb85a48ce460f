//! The rules, for a person who wants to know why.

use super::{
    Outcome,
    args::{RulesArgs, RulesCommand},
    output,
};
use crate::{
    error::Error,
    rules::{self, Rule},
};

pub(super) fn run(args: &RulesArgs) -> Result<Outcome, Error> {
    let text = match &args.what {
        RulesCommand::List => list(),
        RulesCommand::Show { rule } => page(rules::find(rule)?),
    };
    output::print(&text)?;
    Ok(Outcome::Clean)
}

fn list() -> String {
    let width = rules::BUILTIN.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    rules::BUILTIN
        .iter()
        .map(|rule| {
            let severity = severity(rule);
            format!("{}  {:width$}  {severity:7}  {}\n", rule.code, rule.name, rule.title)
        })
        .collect()
}

fn severity(rule: &Rule) -> String {
    format!("{:?}", rule.severity).to_lowercase()
}

fn page(rule: &Rule) -> String {
    let mut text = format!("{} {} ({})\n{}\n", rule.code, rule.name, severity(rule), rule.title);
    section(&mut text, "Why", &rule.why);
    section(&mut text, "Instead", &rule.instead);
    let params: String = rule
        .params
        .iter()
        .map(|(name, param)| format!("{name} = {} {}: {}\n", param.default, param.unit, param.why.trim()))
        .collect();
    section(&mut text, "Thresholds", &params);
    for (title, examples) in [("Found in", &rule.examples.bad), ("Not found in", &rule.examples.good)] {
        let shown: String = examples.iter().map(|example| format!("{}\n", example.sql.trim())).collect();
        section(&mut text, title, &shown);
    }
    section(&mut text, "References", &rule.references.join("\n"));
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    if body.trim().is_empty() {
        return;
    }
    text.push_str(&format!("\n{title}\n"));
    for line in body.trim_end().split('\n') {
        text.push_str(format!("  {line}").trim_end());
        text.push('\n');
    }
}
