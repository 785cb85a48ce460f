//! The rules, for a person who wants to know why, or who writes their own.

use std::{fs, path::Path};

use super::{
    Outcome,
    args::{ColorWhen, RulesArgs, RulesCommand},
    output, user_rules,
};
use crate::{
    error::Error,
    examples::{self, Complaint},
    plan::Plan,
    report::text,
    rules,
};

pub(super) fn run(args: &RulesArgs) -> Result<Outcome, Error> {
    let style = output::style(true, ColorWhen::Auto);
    let text = match &args.what {
        RulesCommand::List { set } => {
            let mut listed = user_rules::all()?;
            listed.retain(|rule| set.is_none_or(|set| rule.set == set.into()));
            text::rules(&listed, &style)
        }
        RulesCommand::Show { rule } => text::rule(rules::find_among(&user_rules::all()?, rule)?, &style),
        RulesCommand::Test { folder } => return test(folder),
        RulesCommand::Schema => {
            let schema = serde_json::to_string_pretty(&rules::schema()).unwrap_or_default();
            format!("{schema}\n")
        }
    };
    output::print(&text)?;
    Ok(Outcome::Clean)
}

/// Runs the examples of every rule in a folder.
fn test(folder: &Path) -> Result<Outcome, Error> {
    let read = user_rules::read(folder)?;
    if read.is_empty() {
        return Err(Error::Usage {
            what: format!("there is no rule in {}", folder.display()),
            hint: Some("rules are files that end with .yaml".to_owned()),
        });
    }
    let plans = |name: &str| {
        let path = folder.join("plans").join(format!("{name}.json"));
        let text = fs::read_to_string(&path).map_err(|err| format!("{}: {err}", path.display()))?;
        let json = serde_json::from_str(&text).map_err(|err| format!("{}: {err}", path.display()))?;
        Plan::from_json(json).map_err(|err| format!("{}: {}", path.display(), err.why))
    };
    let mut page = String::new();
    let (mut ran, mut wrong) = (0, 0);
    for (path, text, rule) in &read {
        ran += rule.examples.bad.len() + rule.examples.good.len();
        let found = examples::complaints(rule, |example| {
            examples::run(std::slice::from_ref(rule), example, &plans).map(|report| report.findings)
        });
        for complaint in &found {
            wrong += 1;
            page.push_str(&told(path, text, &rule.name, complaint));
        }
        for name in examples::without_edge(rule, &plans) {
            wrong += 1;
            let line = line_of(text, &format!("{name}:"), 0);
            page.push_str(&format!(
                "{}:{line}: {}: no edge: no pair of examples stands at and just past {name}\n",
                path.display(),
                rule.name
            ));
        }
    }
    let rules = if read.len() == 1 { "1 rule".to_owned() } else { format!("{} rules", read.len()) };
    page.push_str(&format!("{rules}, {ran} examples, {wrong} wrong\n"));
    output::print(&page)?;
    Ok(if wrong == 0 { Outcome::Clean } else { Outcome::Findings })
}

fn told(path: &Path, text: &str, rule: &str, complaint: &Complaint) -> String {
    let section = text.find(if complaint.bad { "bad:" } else { "good:" }).unwrap_or_default();
    let line = line_of(text, "sql:", section_of(text, section, complaint.at));
    let mut out =
        format!("{}:{line}: {rule}: {}: {}\n", path.display(), complaint.what.word(), complaint.sql);
    if let Some(promised) = &complaint.promised {
        out.push_str(&format!("    promised: {promised}\n"));
    }
    for said in &complaint.said {
        out.push_str(&format!("    said: {said}\n"));
    }
    out
}

/// Where the item of a list begins that stands below a key: items are the lines that begin with the hyphen
/// of the first one.
fn section_of(text: &str, key: usize, item: usize) -> usize {
    let mut begins = key + text[key..].find('\n').map_or(0, |at| at + 1);
    let mut indent = None;
    let mut seen = 0;
    for line in text[begins..].split_inclusive('\n') {
        let own = line.len() - line.trim_start().len();
        if line.trim_start().starts_with("- ") && indent.is_none_or(|indent| indent == own) {
            indent = Some(own);
            if seen == item {
                return begins;
            }
            seen += 1;
        }
        begins += line.len();
    }
    key
}

/// From 1, of the first `word` from a place on.
fn line_of(text: &str, word: &str, from: usize) -> usize {
    let at = text[from..].find(word).map_or(from, |at| from + at);
    text[..at].matches('\n').count() + 1
}
