//! The rules, for a person who wants to know why, or who writes their own.

use super::{
    Outcome,
    args::{ColorWhen, ListArgs, RulesArgs, RulesCommand, RulesFormat, SeverityName},
    output, rules_test, user_rules,
};
use crate::{
    error::Error,
    finding::Severity,
    report::{
        rules::{json, markdown},
        text,
    },
    rules::{self, Needs, Rule},
};

pub(super) fn run(args: &RulesArgs) -> Result<Outcome, Error> {
    let style = output::style(true, ColorWhen::Auto);
    let text = match &args.what {
        RulesCommand::List(asked) => {
            let known = user_rules::all()?;
            let listed: Vec<&Rule> = known.iter().filter(|rule| is_asked_for(rule, asked)).collect();
            match asked.format {
                RulesFormat::Text => text::rules(&listed, &style),
                RulesFormat::Json => json::render(&listed),
                RulesFormat::Markdown => markdown::index(&listed),
            }
        }
        RulesCommand::Show { rule, format } => {
            let known = user_rules::all()?;
            let rule = rules::find_among(&known, rule)?;
            match format {
                RulesFormat::Text => text::rule(rule, &style),
                RulesFormat::Json => json::render(&[rule]),
                RulesFormat::Markdown => markdown::page(rule),
            }
        }
        RulesCommand::Test { folder } => return rules_test::run(folder.as_deref()),
        RulesCommand::Schema => rules::schema_text(),
    };
    output::print(&text)?;
    Ok(Outcome::Clean)
}

fn is_asked_for(rule: &Rule, asked: &ListArgs) -> bool {
    let severity = match rule.severity {
        Severity::Note => SeverityName::Note,
        Severity::Warning => SeverityName::Warning,
        Severity::Error => SeverityName::Error,
    };
    let sufficient = |need: &Needs| *need == Needs::Syntax || asked.needs.contains(need);
    (asked.set.is_empty() || asked.set.contains(&rule.set))
        && (asked.category.is_empty() || asked.category.contains(&rule.category))
        && (asked.severity.is_empty() || asked.severity.contains(&severity))
        && (asked.needs.is_empty() || rule.needs.iter().all(sufficient))
}
