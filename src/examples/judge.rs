//! What is wrong with a rule's examples.

use super::{Bench, run};
use crate::{
    finding::{Finding, Severity},
    rules::{Example, Param, Rule},
};

/// An example that does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Complaint {
    pub what: Wrong,
    /// Of the bad examples, or of the good ones.
    pub bad: bool,
    /// Position among them.
    pub at: usize,
    pub sql: String,
    /// What a bad example promises.
    pub promised: Option<String>,
    /// What was said in its place, or what is wrong with the example.
    pub said: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing was found in a bad example.
    Missed,
    /// Something was found in a good example.
    Noisy,
    /// A bad example gave other words than its `because`, or several findings.
    SaidOtherwise,
    /// It is no edge of a number that the example says to be one.
    NoEdge,
    /// The example cannot be run.
    Unusable,
}

impl Wrong {
    pub fn word(self) -> &'static str {
        match self {
            Wrong::Missed => "missed",
            Wrong::Noisy => "noisy",
            Wrong::SaidOtherwise => "said otherwise",
            Wrong::NoEdge => "no edge",
            Wrong::Unusable => "cannot be run",
        }
    }
}

/// What is wrong with a rule's examples; empty when all hold. `run` says what the rule finds in one.
pub fn complaints(
    rule: &Rule,
    mut run: impl FnMut(&Example) -> Result<Vec<Finding>, String>,
) -> Vec<Complaint> {
    let bad = rule.examples.bad.iter().enumerate().map(|(at, example)| (true, at, example));
    let good = rule.examples.good.iter().enumerate().map(|(at, example)| (false, at, example));
    let mut wrong = Vec::new();
    for (bad, at, example) in bad.chain(good) {
        let (what, said) = match run(example) {
            Err(why) => (Wrong::Unusable, vec![why]),
            Ok(found) => {
                let said: Vec<String> = found.into_iter().map(|finding| finding.because).collect();
                let as_promised = matches!(said.as_slice(), [one] if Some(one) == example.because.as_ref());
                match (bad, said.is_empty()) {
                    (true, true) => (Wrong::Missed, said),
                    (true, false) if !as_promised => (Wrong::SaidOtherwise, said),
                    (false, false) => (Wrong::Noisy, said),
                    _ => continue,
                }
            }
        };
        let promised = example.because.clone();
        wrong.push(Complaint { what, bad, at, sql: example.sql.trim().to_owned(), promised, said });
    }
    wrong
}

/// What is wrong with the edges that the examples name.
pub fn edges(rule: &Rule, bench: &Bench<'_>) -> Vec<Complaint> {
    let bad = rule.examples.bad.iter().enumerate().map(|(at, example)| (true, at, example));
    let good = rule.examples.good.iter().enumerate().map(|(at, example)| (false, at, example));
    let mut wrong = Vec::new();
    for (bad, at, example) in bad.chain(good) {
        let usual = outcome(rule, example, bench);
        for (name, number) in &example.edge {
            let with = |number: f64| outcome(&set(rule, name, number), example, bench);
            let holds = with(*number) == usual;
            let ends = [1.0, -1.0].iter().any(|way| with(number + way * step(*number)) != usual);
            if holds && ends {
                continue;
            }
            let why = if holds { "it is the same just past" } else { "it is another one at" };
            wrong.push(Complaint {
                what: Wrong::NoEdge,
                bad,
                at,
                sql: example.sql.trim().to_owned(),
                promised: None,
                said: vec![format!("{why} {name} = {number}")],
            });
        }
    }
    wrong
}

/// The thresholds without an edge: no example names one, and none changes when the number is a little higher,
/// or none when it is a little lower.
pub fn without_edge(rule: &Rule, bench: &Bench<'_>) -> Vec<String> {
    let examples: Vec<&Example> = rule.examples.bad.iter().chain(&rule.examples.good).collect();
    let usual: Vec<_> = examples.iter().map(|example| outcome(rule, example, bench)).collect();
    let lacks = |(name, param): &(&String, &Param)| {
        let changes = |way: f64| {
            let moved = set(rule, name, param.default + way * step(param.default));
            examples.iter().zip(&usual).any(|(example, usual)| outcome(&moved, example, bench) != *usual)
        };
        let named = examples.iter().any(|example| example.edge.contains_key(*name));
        !(named || changes(1.0) && changes(-1.0))
    };
    rule.params.iter().filter(lacks).map(|(name, _)| name.clone()).collect()
}

/// A little more or less of a number: one unit, or a hundredth of what is above a hundred, a tenth of a part.
fn step(number: f64) -> f64 {
    if number < 1.0 { number / 10.0 } else { (number / 100.0).max(1.0) }
}

fn set(rule: &Rule, name: &str, number: f64) -> Rule {
    let mut rule = rule.clone();
    if let Some(param) = rule.params.get_mut(name) {
        param.default = number;
    }
    rule
}

/// What is found, as far as a threshold decides it.
fn outcome(rule: &Rule, example: &Example, bench: &Bench<'_>) -> Result<Vec<(Severity, String)>, String> {
    let found = run(std::slice::from_ref(rule), example, bench)?.findings;
    Ok(found.into_iter().map(|finding| (finding.severity, finding.instead)).collect())
}
