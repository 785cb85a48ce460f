//! What the lint step does with what was read: the rules that hold in each file, then `lint::check`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{analyze, gather};
use crate::{
    catalog::Catalog,
    detect::{self, Detector, MigrationFacts},
    finding::Location,
    lint::{self, Baseline, Changed, Checked, Links, Policy, Profile},
    rules::{Needs, Rule},
    sources::Leaves,
    workload::{Query, Script, Workload},
};

/// What a check was told by flags and configuration.
#[derive(Clone, Debug)]
pub(super) struct Lint {
    pub(super) policy: Policy,
    /// Which files are not read.
    pub(super) leaves: Option<Leaves>,
    /// What standard input is called.
    pub(super) stdin: Option<PathBuf>,
    pub(super) changed: Option<Changed>,
    pub(super) baseline: Option<Baseline>,
    pub(super) min_share: Option<f64>,
    pub(super) links: Links,
    /// What files are to hold in place of what they do: edits that are being judged.
    pub(super) texts: Arc<BTreeMap<String, String>>,
    /// The format tells of every query, not of findings alone.
    pub(super) lists_queries: bool,
    /// The same inputs were read before, and what is wrong with them was told.
    pub(super) again: bool,
}

/// What is known of the inputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Everything<'a> {
    pub(super) workload: &'a Workload,
    pub(super) catalog: Option<&'a Catalog>,
    pub(super) gathered: &'a gather::Everything,
    pub(super) migrations: &'a [MigrationFacts<'a>],
    /// A log is among the inputs.
    pub(super) logs: bool,
}

impl Lint {
    /// The findings that count, and what became of the others.
    pub(super) fn apply(&self, all: &Everything<'_>, scripts: &[Script]) -> (detect::Report, Checked) {
        let profiles = self.policy.profiles(scripts.iter().map(|script| script.name.as_str()));
        let special: BTreeSet<&str> = profiles
            .iter()
            .filter_map(|profile| profile.files.as_ref())
            .flatten()
            .map(String::as_str)
            .collect();
        // The files of --schema are judged by whoever names them as inputs.
        let standing = all.workload.ranked().into_iter().flat_map(|query| &query.statements);
        let inputs: FxHashSet<&str> = standing
            .map(|at| at.file.as_str())
            .chain(scripts.iter().map(|script| script.name.as_str()))
            .collect();
        let mut report = detect::Report::default();
        for profile in &profiles {
            let found = found(profile, all, &special);
            let mut placed = lint::place(&found.findings, all.workload, scripts);
            for finding in &mut placed {
                lint::soften(finding, &profile.rules);
            }
            report.findings.extend(placed.into_iter().filter(|finding| {
                let file = finding.at.as_ref().map(|at| at.file.as_str());
                file.map_or(profile.files.is_none(), |file| {
                    inputs.contains(file) && holds(profile, file, &special)
                })
            }));
            report.not_judged.merge(found.not_judged);
        }

        let profile_of = |file: &str| profiles.iter().find(|profile| holds(profile, file, &special));
        let facts = Known {
            schema: all.catalog.is_some(),
            // A schema that was read from DDL has no version, and no statistics.
            statistics: all.catalog.is_some_and(|catalog| catalog.version != 0),
            plans: all.gathered.gathered.values().any(|known| known.plan.is_some()),
        };
        let judged = |file: &str, name: &str| {
            let rule = profile_of(file)?.rules.iter().find(|rule| rule.name == name)?;
            facts.suffice(rule).then(|| rule.clone())
        };
        let not_parsed = not_parsed(all);
        let parsed = |at: &Location| !not_parsed.contains(&(at.file.as_str(), at.line, at.column));
        let job = lint::Job {
            workload: all.workload,
            scripts,
            known: self.policy.known(),
            judged: &judged,
            parsed: &parsed,
            changed: self.changed.as_ref(),
            baseline: self.baseline.as_ref(),
            links: &self.links,
            min_share: self.min_share,
        };
        let (findings, mut checked) = lint::check(&job, report.findings);
        checked.not_parsed = not_parsed.len() as u64;
        (detect::Report { findings, not_judged: report.not_judged }, checked)
    }
}

/// What the detectors find by the rules of one profile.
fn found(profile: &Profile, all: &Everything<'_>, special: &BTreeSet<&str>) -> detect::Report {
    let kinds: FxHashMap<&str, Detector> = detect::ALL.iter().copied().collect();
    let base = profile.files.is_none();
    let rules: Vec<Rule> = profile
        .rules
        .iter()
        .filter(|rule| all.logs || !rule.needs.contains(&Needs::Workload))
        // What is about the workload as a whole is judged once, and so is a server's schema.
        .filter(|rule| {
            let detector = rule.detector.as_deref().and_then(|name| kinds.get(name));
            base || match detector {
                _ if rule.matching.is_some() => true,
                Some(Detector::Query(_) | Detector::Statement(_) | Detector::Migration(_)) => true,
                Some(Detector::Schema(_)) => all.catalog.is_some(),
                Some(Detector::Workload(_) | Detector::Comments) | None => false,
            }
        })
        .cloned()
        .collect();
    let here = |query: &Query| {
        base && query.statements.is_empty()
            || query.statements.iter().any(|at| holds(profile, &at.file, special))
    };
    let migrations: Vec<MigrationFacts<'_>> = all
        .migrations
        .iter()
        .filter(|facts| holds(profile, &facts.migration.file, special))
        .copied()
        .collect();
    analyze::detected(&rules, all, Some(&here), &migrations)
}

fn holds(profile: &Profile, file: &str, special: &BTreeSet<&str>) -> bool {
    match &profile.files {
        Some(files) => files.contains(file),
        None => !special.contains(file),
    }
}

/// What the rules can be judged by.
struct Known {
    schema: bool,
    statistics: bool,
    plans: bool,
}

impl Known {
    fn suffice(&self, rule: &Rule) -> bool {
        rule.needs.iter().all(|need| match need {
            Needs::Syntax => true,
            Needs::Schema => self.schema,
            Needs::Statistics => self.statistics,
            Needs::Plan => self.plans,
            Needs::Workload => false,
        })
    }
}

/// Where the statements stand that were not understood.
fn not_parsed<'a>(all: &Everything<'a>) -> FxHashSet<(&'a str, u64, u64)> {
    let queries = all.gathered.not_parsed.iter().filter_map(|id| all.workload.query(*id));
    queries.flat_map(|query| &query.statements).map(|at| (at.file.as_str(), at.line, at.column)).collect()
}
