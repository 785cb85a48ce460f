//! One query as the report has it, and the order of all.

use serde::{Deserialize, Serialize};

use super::{
    figures::{self, Class, Over, Senders, Trend},
    ms, rounded, whole_seconds,
};
use crate::{
    sql::StatementKind,
    workload::{self, InputSummary, Workload},
};

/// The order of the queries, and how many of them are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranking {
    pub by: Order,
    /// 0 is all; `None` is all in JSON, and the first ten on a page.
    pub top: Option<usize>,
}

impl Default for Ranking {
    fn default() -> Ranking {
        Ranking { by: Order::Total, top: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Total,
    Calls,
    Mean,
    P95,
    P99,
    Max,
    Rows,
    Errors,
}

/// One query. Durations are `None` when no execution had one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Fingerprint, 16 hex digits.
    pub id: String,
    /// Normalised.
    pub text: String,
    /// `select`, `insert`, `update`, `delete`, `with` or `utility`, as in [`ByKind`](workload::ByKind).
    pub kind: String,
    pub calls: u64,
    /// Calls whose duration is known.
    pub timed_calls: u64,
    pub total_ms: f64,
    pub mean_ms: Option<f64>,
    pub min_ms: Option<f64>,
    pub max_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p90_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// Of the whole workload's time, 0 to 1; `None` where nothing has a duration.
    #[serde(default)]
    pub share: Option<f64>,
    #[serde(default)]
    pub histogram: Vec<Class>,
    /// Rows of all calls; `None` where the log does not say.
    pub rows: Option<u64>,
    pub errors: u64,
    /// Parse and bind steps of the extended protocol, which are in no other figure.
    #[serde(default)]
    pub parse_steps: u64,
    #[serde(default)]
    pub parse_ms: f64,
    #[serde(default)]
    pub bind_steps: u64,
    #[serde(default)]
    pub bind_ms: f64,
    pub first: Option<String>,
    pub last: Option<String>,
    #[serde(default)]
    pub over_time: Over,
    #[serde(default)]
    pub trend: Option<Trend>,
    #[serde(default)]
    pub senders: Senders,
    pub databases: Vec<String>,
    pub users: Vec<String>,
    pub applications: Vec<String>,
    pub hosts: Vec<String>,
    pub routes: Vec<String>,
    /// Lines of code that send it, as the application's log says: `app/models/user.rb:4`.
    #[serde(default)]
    pub callers: Vec<String>,
    /// Which of the six lists above hold only the first names in the alphabet, since there were too many.
    pub incomplete: Vec<String>,
    /// `name:line` of its first event in each log, `file:line:column` in SQL files.
    pub sources: Vec<String>,
}

pub(super) fn query(query: &workload::Query, inputs: &[InputSummary], workload: &Workload) -> Query {
    let timed = query.timed > 0;
    // The sketch answers within half a percent, so a quantile may lie outside what was seen.
    let quantile = |q: f64| {
        let us = query.sketch.quantile(q).filter(|_| timed)?;
        Some(rounded(us.clamp(query.min_us as f64, query.max_us.max(query.min_us) as f64) / 1000.0))
    };
    let logged = query.seen_at.iter().map(|at| {
        let input = usize::try_from(at.input).ok().and_then(|index| inputs.get(index));
        format!("{}:{}", input.map_or("?", |input| input.name.as_str()), at.line)
    });
    let written = query.statements.iter().map(|at| format!("{}:{}:{}", at.file, at.line, at.column));
    Query {
        id: query.id.to_string(),
        text: query.text.clone(),
        kind: kind(query.kind).to_owned(),
        calls: query.calls,
        timed_calls: query.timed,
        total_ms: ms(query.total_us),
        mean_ms: query.mean_ms().map(rounded),
        min_ms: timed.then(|| ms(query.min_us)),
        max_ms: timed.then(|| ms(query.max_us)),
        p50_ms: quantile(0.5),
        p90_ms: quantile(0.9),
        p95_ms: quantile(0.95),
        p99_ms: quantile(0.99),
        share: figures::share(query.total_us as f64, workload.totals().total_us as f64),
        histogram: figures::histogram(&query.sketch),
        rows: query.rows,
        errors: query.errors,
        parse_steps: query.steps.parses,
        parse_ms: ms(query.steps.parse_us),
        bind_steps: query.steps.binds,
        bind_ms: ms(query.steps.bind_us),
        first: query.first.and_then(whole_seconds),
        last: query.last.and_then(whole_seconds),
        over_time: figures::over_time(&query.series),
        trend: figures::trend(&query.series, workload),
        senders: figures::senders(query, workload),
        databases: query.databases.as_slice().to_vec(),
        users: query.users.as_slice().to_vec(),
        applications: query.applications.as_slice().to_vec(),
        hosts: query.hosts.as_slice().to_vec(),
        routes: query.routes.as_slice().to_vec(),
        callers: query.callers.as_slice().to_vec(),
        incomplete: incomplete(query),
        sources: logged.chain(written).collect(),
    }
}

fn incomplete(query: &workload::Query) -> Vec<String> {
    let lists = [
        ("databases", &query.databases),
        ("users", &query.users),
        ("applications", &query.applications),
        ("hosts", &query.hosts),
        ("routes", &query.routes),
        ("callers", &query.callers),
    ];
    lists.iter().filter(|(_, names)| names.is_full()).map(|(key, _)| (*key).to_owned()).collect()
}

fn kind(kind: StatementKind) -> &'static str {
    match kind {
        StatementKind::Select => "select",
        StatementKind::Insert => "insert",
        StatementKind::Update => "update",
        StatementKind::Delete => "delete",
        StatementKind::With => "with",
        StatementKind::Begin | StatementKind::Commit | StatementKind::Rollback | StatementKind::Utility => {
            "utility"
        }
    }
}
