//! `rules test`: runs the examples of rules, and says which of them do not hold.

use std::{fmt::Write as _, fs, path::Path};

use super::{
    Outcome, output,
    user_rules::{self, Files},
};
use crate::{
    error::Error,
    examples::{self, Bench, Complaint},
    plan::Plan,
    rules::{self, Rule},
};

/// What was run, and what did not hold.
#[derive(Default)]
struct Tally {
    page: String,
    rules: usize,
    examples: usize,
    wrong: usize,
}

/// Those of a folder, or the built-in ones and the project's.
pub(super) fn run(folder: Option<&Path>) -> Result<Outcome, Error> {
    let mut tally = Tally::default();
    if let Some(folder) = folder {
        let read = user_rules::read(folder)?;
        if read.is_empty() {
            return Err(Error::Usage {
                what: format!("there is no rule in {}", folder.display()),
                hint: Some("rules are files that end with .yaml".to_owned()),
            });
        }
        tally.run(&read, &|name| plan_of(folder, name));
    } else {
        let built_in = rules::FILES
            .iter()
            .map(|(path, text)| ((*path).into(), (*text).to_owned(), rules::load(path, text)));
        tally.run(&built_in.collect(), &built_in_plan);
        if let Some(folder) = user_rules::here()? {
            tally.run(&user_rules::read(&folder)?, &|name| plan_of(&folder, name));
        }
    }
    let Tally { mut page, rules, examples, wrong } = tally;
    let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let verdict = if wrong == 0 { "all as they should be".to_owned() } else { format!("{wrong} wrong") };
    let _ = writeln!(page, "{}, {}: {verdict}", count(rules, "rule"), count(examples, "example"));
    output::print(&page)?;
    Ok(if wrong == 0 { Outcome::Clean } else { Outcome::Findings })
}

fn plan_of(folder: &Path, name: &str) -> Result<Plan, String> {
    let path = folder.join("plans").join(format!("{name}.json"));
    let text = fs::read_to_string(&path).map_err(|err| format!("{}: {err}", path.display()))?;
    plan(&path.display().to_string(), &text)
}

fn built_in_plan(name: &str) -> Result<Plan, String> {
    let known = rules::PLANS.iter().find(|(known, _)| *known == name);
    let (_, text) = known.ok_or_else(|| format!("there is no plan {name}"))?;
    plan(name, text)
}

fn plan(name: &str, text: &str) -> Result<Plan, String> {
    let json = serde_json::from_str(text).map_err(|err| format!("{name}: {err}"))?;
    Plan::from_json(json).map_err(|err| format!("{name}: {}", err.why))
}

impl Tally {
    fn run(&mut self, files: &Files, plan: &dyn Fn(&str) -> Result<Plan, String>) {
        let own = files.iter().filter_map(|(.., rule)| rule.as_ref().ok());
        let known: Vec<Rule> = rules::BUILTIN
            .iter()
            .filter(|built_in| !own.clone().any(|rule| rule.name == built_in.name))
            .chain(own.clone())
            .cloned()
            .collect();
        let bench = Bench { known: &known, plan };
        for (path, text, rule) in files {
            self.rules += 1;
            let rule = match rule {
                Ok(rule) => rule,
                Err(refused) => {
                    self.wrong += 1;
                    let _ = writeln!(self.page, "{refused}");
                    continue;
                }
            };
            self.examples += rule.examples.bad.len() + rule.examples.good.len();
            let found = examples::complaints(rule, |example| {
                examples::run(std::slice::from_ref(rule), example, &bench).map(|report| report.findings)
            });
            for complaint in found.iter().chain(&examples::edges(rule, &bench)) {
                self.wrong += 1;
                self.page.push_str(&told(path, text, rule, complaint));
            }
        }
    }
}

fn told(path: &Path, text: &str, rule: &Rule, complaint: &Complaint) -> String {
    let line = rules::example_line(text, complaint.bad, complaint.at);
    let kind = if complaint.bad { "bad" } else { "good" };
    let mut out = format!(
        "{}:{line}: {}: {kind} example {}: {}\n",
        path.display(),
        rule.name,
        complaint.what.word(),
        complaint.sql.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    if let Some(promised) = &complaint.promised {
        let _ = writeln!(out, "    promised: {promised}");
    }
    for said in &complaint.said {
        let _ = writeln!(out, "    said:     {said}");
    }
    out
}
