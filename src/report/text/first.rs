//! The three things to do first: advice by the time it saves and findings by the time they cost, the
//! largest first, each query only once.

use std::collections::BTreeSet;

use super::{
    advice, calls,
    findings::{self, subject},
    page::Page,
    pooler, query,
    units::{count, duration, share},
};
use crate::{
    advise::{Advice, AdviceKind, Proof},
    finding::{Finding, Severity},
    report::{Report, index::answering, pooler as pooling, saved_ms},
};

const SHOWN: usize = 3;

/// Concerns the code around a query rather than the query, so it stands beside the advice for it.
const ABOUT_THE_CALLER: &str = "n-plus-one";

enum Task<'a> {
    Advice(&'a Advice),
    Finding(&'a Finding),
    Pool(&'a pooling::Advice),
}

pub(super) fn write(page: &mut Page, report: &Report) {
    let tasks = tasks(report);
    page.heading(match tasks.len() {
        0 => "Nothing found to do",
        1 => "Do this first",
        2 => "Do these two things first",
        _ => "Do these three things first",
    });
    if tasks.is_empty() {
        page.prose(0, nothing(report));
    }
    for (at, task) in tasks.iter().enumerate() {
        let text = match task {
            Task::Advice(advice) => of_advice(report, advice),
            Task::Finding(finding) => of_finding(report, finding),
            Task::Pool(step) => pooler::task(step),
        };
        page.hanging(0, &format!("{}. ", at + 1), 3, &text);
    }
}

fn nothing(report: &Report) -> &'static str {
    match (report.queries.is_empty(), report.not_judged.is_empty()) {
        (true, _) => "There was no query to judge.",
        (false, true) => "No rule found anything at severity warning or above.",
        (false, false) => {
            "No rule found anything at severity warning or above; what could not be judged is listed below."
        }
    }
}

fn tasks(report: &Report) -> Vec<Task<'_>> {
    let advice = report.advice.iter().filter(|advice| advice.kind != AdviceKind::Pool);
    let mut all: Vec<(f64, Task<'_>)> =
        advice.map(|advice| (saved_ms(advice), Task::Advice(advice))).collect();
    let findings = report.findings.iter().filter(|finding| finding.severity >= Severity::Warning);
    all.extend(findings.map(|finding| (finding.cost_ms, Task::Finding(finding))));
    // Clients that were turned away come before what is slow.
    let pools = report.pool_advice.iter().map(|step| {
        let cost = if step.clients > 0 { f64::INFINITY } else { step.waited_ms.unwrap_or(0.0) };
        (cost, Task::Pool(step))
    });
    all.extend(pools);
    // Stable: at equal time advice comes first, then the order of the report.
    all.sort_by(|(a, _), (b, _)| b.total_cmp(a));

    // Calling a query less often comes before making each call cheaper.
    let mut named: BTreeSet<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.rule == ABOUT_THE_CALLER && finding.severity >= Severity::Warning)
        .filter_map(|finding| finding.query.as_deref())
        .collect();
    let mut tasks = Vec::new();
    for (_, task) in all {
        if tasks.len() == SHOWN {
            break;
        }
        match &task {
            Task::Advice(advice) => named.extend(advice.serves.iter().map(String::as_str)),
            Task::Pool(_) => {}
            Task::Finding(finding) if finding.rule == ABOUT_THE_CALLER => {}
            Task::Finding(finding) => {
                let Some(id) = finding.query.as_deref() else {
                    tasks.push(task);
                    continue;
                };
                if answering(report, finding).is_some() || !named.insert(id) {
                    continue;
                }
            }
        }
        tasks.push(task);
    }
    tasks
}

fn of_advice(report: &Report, one: &Advice) -> String {
    let mut reasons = Vec::new();
    if let (Some(_), Some(_)) = (one.ms_before, one.ms_after) {
        let (saved, total) = (saved_ms(one), report.totals.total_ms);
        let saved = format!("saves {} of {} ({})", duration(saved), duration(total), share(saved, total));
        reasons.push(if one.proof == Proof::Verified { saved } else { format!("{saved}, est.") });
    }
    let calls = calls(report, &one.serves);
    if calls > 0 {
        reasons.push(count(calls, "call", "calls"));
    }
    reasons.push(advice::word(one.proof).to_owned());
    format!("{}: {}", advice::title(one), reasons.join("; "))
}

fn of_finding(report: &Report, finding: &Finding) -> String {
    let mut reasons = Vec::new();
    if finding.cost_ms > 0.0 {
        let total = report.totals.total_ms;
        reasons.push(format!("costs {} ({})", duration(finding.cost_ms), share(finding.cost_ms, total)));
    }
    if let Some(query) =
        finding.query.as_deref().and_then(|id| query(report, id)).filter(|query| query.calls > 0)
    {
        reasons.push(count(query.calls, "call", "calls"));
    }
    reasons.push(findings::word(finding.confidence).to_owned());
    format!("{} in {}: {}; {}", finding.rule, subject(finding), finding.because, reasons.join("; "))
}
