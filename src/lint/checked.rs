//! The findings of all files, less what is allowed, unchanged, known before or cold.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::{
    Baseline, Changed,
    baseline::Entry,
    fix,
    suppress::{self, Allow, Comments, Reach},
};
use crate::{
    finding::{Confidence, Finding, Location},
    rules::Rule,
    threads,
    workload::{Script, Stated, Workload},
};

/// The rules that are about suppressions.
const UNUSED: &str = "unused-suppression";
const UNKNOWN: &str = "unknown-rule-in-suppression";

/// What a check is told.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    pub workload: &'a Workload,
    pub scripts: &'a [Script],
    /// Every rule that there is.
    pub known: &'a [Rule],
    /// The rule as it holds in a file, by file and name; `None` where it is off or could not be judged.
    pub judged: &'a dyn Fn(&str, &str) -> Option<Rule>,
    /// Whether the statement that begins here was understood.
    pub parsed: &'a dyn Fn(&Location) -> bool,
    pub changed: Option<&'a Changed>,
    pub baseline: Option<&'a Baseline>,
    pub links: &'a Links,
    /// Of the workload's time, 0 to 1: what takes less is cold. Without a workload nothing is.
    pub min_share: Option<f64>,
}

impl std::fmt::Debug for Job<'_> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Job").field("changed", &self.changed).finish_non_exhaustive()
    }
}

/// What a check did besides finding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// SQL files that were read.
    pub files: u64,
    /// Statements in them, and how many of these were not understood.
    pub statements: u64,
    pub not_parsed: u64,
    /// Findings that are not counted, by file and line.
    pub suppressed: Vec<Suppressed>,
    pub hidden: Hidden,
    /// What the baseline holds and is found no more: these entries can be removed. `None` without a
    /// baseline, and where only changes were looked at.
    pub fixed: Option<Vec<Entry>>,
    /// The findings' lines as they stand in the files, by file and line. Not in the JSON report: they hold
    /// what the statements hold.
    #[serde(skip)]
    pub lines: BTreeMap<String, BTreeMap<u64, String>>,
    #[serde(skip)]
    pub links: Links,
}

/// A finding that a comment allows, or that the baseline knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppressed {
    pub by: State,
    /// The comment.
    pub comment: Option<Location>,
    pub reason: Option<String>,
    pub finding: Finding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Comment,
    Baseline,
}

/// Findings that were not asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// In statements none of whose lines changed.
    pub unchanged: u64,
    /// In queries that take too little of the workload's time.
    pub cold: u64,
    /// In queries of the workload that stand in no file.
    pub elsewhere: u64,
}

/// How a file is called outside of the folder of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// The folder of the run below the root of the repository, with `/` at its end, or empty.
    pub folder: String,
    /// The root of the repository, to make its paths relative; empty where there is none.
    pub root: String,
    /// Where a browser finds a file of the repository, with `/` at its end.
    pub base: Option<String>,
}

impl Links {
    /// A file by its path in the repository, with slashes; without a repository as it was named.
    pub fn path(&self, file: &str) -> String {
        let file = file.replace('\\', "/");
        let absolute = match file.strip_prefix(self.root.as_str()).and_then(|path| path.strip_prefix('/')) {
            Some(path) if !self.root.is_empty() => path.to_owned(),
            _ if file.starts_with('/') => return file,
            _ => format!("{}{file}", self.folder),
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in absolute.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.last().is_some_and(|last| *last != "..") => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        parts.join("/")
    }
}

/// Lines of a finding that are kept to be shown.
const SHOWN_LINES: u64 = 6;

/// Characters of a line that are kept: a dump has lines of megabytes.
const LONGEST_LINE: usize = 4096;

/// Takes placed findings; gives those that count, and what became of the others.
pub fn check(job: &Job<'_>, findings: Vec<Finding>) -> (Vec<Finding>, Checked) {
    let scripts: FxHashMap<&str, &Script> =
        job.scripts.iter().map(|script| (script.name.as_str(), script)).collect();
    let statements: u64 = job.scripts.iter().map(|script| script.statements.len() as u64).sum();
    let mut checked = Checked {
        files: job.scripts.len() as u64,
        statements,
        links: job.links.clone(),
        ..Checked::default()
    };
    let mut findings = suppressed(job, &scripts, findings, &mut checked);

    if job.workload.totals().executions > 0 {
        let before = findings.len();
        // What is about no query is about the schema or the server: the workload has no part in it.
        findings.retain(|finding| finding.at.is_some() || finding.query.is_none());
        checked.hidden.elsewhere = (before - findings.len()) as u64;
    }
    if let Some(changed) = job.changed {
        let before = findings.len();
        findings.retain(|finding| touched(changed, job.links, &scripts, finding));
        checked.hidden.unchanged = (before - findings.len()) as u64;
    }
    if let Some(baseline) = job.baseline {
        let (new, known, fixed) = baseline.split(findings);
        findings = new;
        let known = known.into_iter().map(|finding| Suppressed {
            by: State::Baseline,
            comment: None,
            reason: None,
            finding,
        });
        checked.suppressed.extend(known);
        checked.fixed = job.changed.is_none().then_some(fixed);
    }
    let total = job.workload.totals().total_us as f64 / 1000.0;
    if let Some(share) = job.min_share.filter(|_| total > 0.0) {
        let before = findings.len();
        findings.retain(|finding| finding.cost_ms / total >= share);
        checked.hidden.cold = (before - findings.len()) as u64;
    }
    checked
        .suppressed
        .sort_by(|a, b| (&a.finding.at, &a.finding.rule).cmp(&(&b.finding.at, &b.finding.rule)));
    complete(&scripts, &mut findings);
    for finding in &findings {
        keep_lines(&scripts, finding, &mut checked.lines);
    }
    (findings, checked)
}

/// Findings whose edits one core tries before it takes others.
const AT_ONCE: usize = 64;

/// Adds what is known of a finding by its place: the edit that takes it away, and the query's name there.
fn complete(scripts: &FxHashMap<&str, &Script>, findings: &mut [Finding]) {
    let parses = fix::Parses::default();
    let of_place = |finding: &Finding| {
        let at = finding.at.as_ref()?;
        let script = scripts.get(at.file.as_str())?;
        let name = || script.statement(script.byte(at.line, at.column)?)?.name.clone();
        Some((fix::edit(finding, script, &parses), name()))
    };
    let parts = threads::in_parts(findings, AT_ONCE, |part| part.iter().map(of_place).collect::<Vec<_>>());
    for (finding, known) in findings.iter_mut().zip(parts.into_iter().flatten()) {
        (finding.fix, finding.query_name) = known.unwrap_or_default();
    }
}

fn keep_lines(
    scripts: &FxHashMap<&str, &Script>,
    finding: &Finding,
    lines: &mut BTreeMap<String, BTreeMap<u64, String>>,
) {
    let Some(at) = &finding.at else { return };
    let Some(script) = scripts.get(at.file.as_str()) else { return };
    let (first, last) = finding.region.map_or((at.line, at.line), |region| (region.line, region.end_line));
    if !lines.contains_key(&at.file) {
        lines.insert(at.file.clone(), BTreeMap::new());
    }
    let Some(of_file) = lines.get_mut(&at.file) else { return };
    let ends = finding.fix.iter().flat_map(|fix| [fix.region.line, fix.region.end_line]);
    for number in (first..=last.min(first + SHOWN_LINES)).chain(ends) {
        if let Some(line) = script.line(number) {
            let kept = line.char_indices().nth(LONGEST_LINE).map_or(line, |(end, _)| &line[..end]);
            of_file.entry(number).or_insert_with(|| kept.to_owned());
        }
    }
}

/// Whether a line of the finding's statement was changed.
fn touched(changed: &Changed, links: &Links, scripts: &FxHashMap<&str, &Script>, finding: &Finding) -> bool {
    let Some(at) = &finding.at else { return false };
    let range = scripts.get(at.file.as_str()).and_then(|script| {
        let range = &script.statement(script.byte(at.line, at.column)?)?.at;
        Some((script.position(range.start).0, script.position(range.end).0))
    });
    let (from, to) = range.unwrap_or((at.line, finding.region.map_or(at.line, |region| region.end_line)));
    changed.touches(&links.path(&at.file), from, to)
}

/// Takes out what comments allow, and adds what is wrong with the comments.
fn suppressed(
    job: &Job<'_>,
    scripts: &FxHashMap<&str, &Script>,
    findings: Vec<Finding>,
    checked: &mut Checked,
) -> Vec<Finding> {
    let comments: Vec<(&Script, Comments)> = job
        .scripts
        .iter()
        .map(|script| (script, suppress::read(script, job.known)))
        .filter(|(_, comments)| !comments.allows.is_empty() || !comments.unknown.is_empty())
        .collect();
    let by_file: FxHashMap<&str, &Comments> =
        comments.iter().map(|(script, comments)| (script.name.as_str(), comments)).collect();
    let mut used: FxHashSet<(&str, usize, usize)> = FxHashSet::default();
    let mut left = Vec::new();
    for finding in findings {
        let found = finding.at.as_ref().and_then(|at| {
            let (file, comments) = by_file.get_key_value(at.file.as_str())?;
            let script = scripts.get(at.file.as_str())?;
            let start = script.byte(at.line, at.column)?;
            let inner = finding.region.and_then(|region| script.byte(region.line, region.column));
            let (number, allow, rule) = covering(comments, &finding.rule, &[Some(start), inner])?;
            used.insert((file, number, rule));
            let (line, column) = script.position(allow.at.start);
            Some((Location { file: at.file.clone(), line, column }, allow.reason.clone()))
        });
        match found {
            Some((comment, reason)) => checked.suppressed.push(Suppressed {
                by: State::Comment,
                comment: Some(comment),
                reason,
                finding,
            }),
            None => left.push(finding),
        }
    }
    for (script, comments) in &comments {
        let of = |name: &str, at: &std::ops::Range<usize>, because: String, instead: String| {
            if covering(comments, name, &[Some(at.start)]).is_some() {
                return None;
            }
            let rule = (job.judged)(&script.name, name)?;
            Some(finding_at(&rule, script, at, because, instead))
        };
        left.extend(
            comments
                .unknown
                .iter()
                .filter_map(|one| of(UNKNOWN, &one.at, one.because.clone(), one.instead.clone())),
        );
        for (number, allow) in comments.allows.iter().enumerate() {
            for (index, allowed) in allow.rules.iter().enumerate() {
                if used.contains(&(script.name.as_str(), number, index))
                    || allowed.rule == UNUSED
                    || allowed.rule == UNKNOWN
                    || !was_judged(job, script, allow, &allowed.rule)
                {
                    continue;
                }
                let because =
                    format!("{} is allowed here, and finds nothing {}", allowed.rule, place(script, allow));
                let instead = match allow.rules.len() {
                    1 => "Remove the comment.".to_owned(),
                    _ => format!("Take {} out of the comment.", allowed.rule),
                };
                let finding = of(UNUSED, &allowed.at, because, instead);
                left.extend(finding.map(|finding| finding.with("alone", allow.rules.len() == 1)));
            }
        }
    }
    left
}

/// The comment that allows the rule at one of these bytes: the nearest, so that each proves its use.
fn covering<'a>(
    comments: &'a Comments,
    rule: &str,
    bytes: &[Option<usize>],
) -> Option<(usize, &'a Allow, usize)> {
    let covers = |allow: &Allow| bytes.iter().flatten().any(|byte| allow.scope.contains(byte));
    comments
        .allows
        .iter()
        .enumerate()
        .filter(|(_, allow)| covers(allow))
        .filter_map(|(number, allow)| {
            let index = allow.rules.iter().position(|allowed| allowed.rule == rule)?;
            Some((number, allow, index))
        })
        .min_by_key(|(_, allow, _)| allow.scope.len())
}

/// Whether the rule could have found something where the comment allows it.
fn was_judged(job: &Job<'_>, script: &Script, allow: &Allow, rule: &str) -> bool {
    let within = |stated: &&Stated| stated.at.start < allow.scope.end && allow.scope.start < stated.at.end;
    (job.judged)(&script.name, rule).is_some()
        && script
            .statements
            .iter()
            .filter(within)
            .all(|stated| (job.parsed)(&script.location(stated.at.start)))
}

fn place(script: &Script, allow: &Allow) -> String {
    let line = |byte| script.position(byte).0;
    match allow.reach {
        Reach::Statement if allow.scope.is_empty() => "since no statement follows".to_owned(),
        Reach::Statement => format!("in the statement of line {}", line(allow.scope.start)),
        Reach::Block => format!("in lines {} to {}", line(allow.scope.start), line(allow.scope.end)),
        Reach::File => "in this file".to_owned(),
    }
}

fn finding_at(
    rule: &Rule,
    script: &Script,
    bytes: &std::ops::Range<usize>,
    because: String,
    instead: String,
) -> Finding {
    let (line, column) = script.position(bytes.start);
    Finding {
        rule: rule.name.clone(),
        code: rule.code,
        severity: rule.severity,
        confidence: Confidence::Shape,
        query: None,
        at: Some(Location { file: script.name.clone(), line, column }),
        span: None,
        region: Some(script.region(bytes)),
        node: None,
        because,
        instead,
        fix: None,
        query_name: None,
        cost_ms: 0.0,
        detail: serde_json::Map::new(),
    }
}
