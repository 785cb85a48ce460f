//! More sessions than the server should carry: those seen busy at once, those that a pooler's log shows, or
//! those that the configured application instances may open, against `max_connections` without the reserved slots.
//!
//! Left alone: how large the pool should be instead, which is advice with a model of its own.

use serde_json::json;

use super::{Report, WorkloadFacts, words};
use crate::{
    finding::{Confidence, Finding},
    rules::Rule,
};

pub(super) fn detect(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    let Some(catalog) = facts.catalog else { return };
    let setting = |name: &str| catalog.settings.number(name);
    let Some(most) = setting("max_connections") else {
        report.not_judged.add(&rule.name, "max_connections is not known");
        return;
    };
    // PostgreSQL 16 added reserved_connections; superuser_reserved_connections is 3 by default.
    let reserved = setting("superuser_reserved_connections").unwrap_or(3.0)
        + setting("reserved_connections").unwrap_or(0.0);
    let usable = (most - reserved).max(1.0);
    let limit = usable * rule.param("use");
    let mut push = |sessions: f64, what: String, confidence: Confidence| {
        if sessions <= limit {
            return;
        }
        let mut detail = serde_json::Map::new();
        detail.insert("sessions".to_owned(), json!(sessions));
        detail.insert("usable".to_owned(), json!(usable));
        report.findings.push(Finding {
            because: format!(
                "{what}, {} of the {} that max_connections = {} leaves to applications",
                words::percent(sessions / usable),
                words::count(usable),
                words::count(most)
            ),
            detail,
            ..super::blank(rule, confidence)
        });
    };
    if let Some(busy) = facts.concurrency {
        let what = format!(
            "{} were busy at once at the peak ({} in the 95th percentile)",
            words::counted(busy.peak as f64, "session"),
            words::count(busy.p95 as f64)
        );
        push(busy.peak as f64, what, Confidence::Measured);
    } else {
        report.not_judged.add(&rule.name, "the log does not show how many sessions were busy at once");
    }
    if let Some(open) = facts.workload.pooler().servers_peak() {
        let what = format!("the pooler held up to {} at once", words::counted(open as f64, "connection"));
        push(open as f64, what, Confidence::Measured);
    }
    let (instances, pool) = (rule.param("instances"), rule.param("pool"));
    let what = format!(
        "{} with pools of {} may open {}",
        words::counted(instances, "application instance"),
        words::count(pool),
        words::counted(instances * pool, "session")
    );
    push(instances * pool, what, Confidence::Shape);
}
