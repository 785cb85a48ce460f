//! The advice, each with the statement to run on a line of its own and the proof below it; then the
//! size of the connection pool.

use super::{
    calls,
    page::Page,
    query, short_id,
    shorten::fit,
    units::{bytes, cost, count, duration, share},
};
use crate::{
    advise::{Advice, AdviceKind, Proof},
    report::{Report, index::changes, saved_ms},
};

/// Served queries that are shown with their text.
const SERVED: usize = 3;

/// What `sargable index` shows: what an index answers, and what is wrong with the indexes that there are.
pub const ABOUT_INDEXES: &[&str] = &[
    "seq-scan",
    "missing-index",
    "index-order",
    "foreign-key-without-index",
    "duplicate-index",
    "redundant-index",
    "unused-index",
    "invalid-index",
];

pub(super) fn write(page: &mut Page, report: &Report) {
    let changes = changes(report);
    let pools: Vec<&Advice> = report.advice.iter().filter(|advice| advice.kind == AdviceKind::Pool).collect();
    if !changes.is_empty() {
        page.heading(&format!("Advice: {}", count(changes.len() as u64, "change", "changes")));
    }
    for (at, advice) in changes.iter().enumerate() {
        page.blank();
        one(page, report, at + 1, advice);
    }
    if !pools.is_empty() {
        page.heading("Connection pool");
        for pool in pools {
            if !pool.sql.is_empty() {
                page.prose(0, &pool.sql);
            }
            page.field(2, "because", &pool.because);
            page.field(2, "proof", &proof(pool.proof));
        }
    }
}

/// What is to be done, in a few words.
pub(super) fn title(advice: &Advice) -> String {
    let object = || advice.sql.split_once(" ON ").map_or(advice.sql.as_str(), |(_, object)| object);
    match advice.kind {
        AdviceKind::CreateIndex => format!("Create an index on {}", object()),
        AdviceKind::CreateExtension => advice.sql.clone(),
        AdviceKind::DropIndex => match &advice.table {
            Some(table) => format!("Drop an index of {table}"),
            None => "Drop an index".to_owned(),
        },
        AdviceKind::Rewrite => "Rewrite a query".to_owned(),
        AdviceKind::Setting => format!("Change a setting: {}", advice.sql),
        AdviceKind::Pool => "Size the connection pool".to_owned(),
    }
}

/// How far the advice is proven, in the report's word for it.
pub(super) fn word(proof: Proof) -> &'static str {
    match proof {
        Proof::Verified => "verified",
        Proof::Planned => "planned",
        Proof::Unverified => "unverified",
    }
}

fn proof(proof: Proof) -> String {
    let meaning = match proof {
        Proof::Verified => "applied and measured",
        Proof::Planned => "the planner, told of it, takes it and says that it costs less",
        Proof::Unverified => "nothing could cost or measure it",
    };
    format!("{}: {meaning}", word(proof))
}

fn one(page: &mut Page, report: &Report, number: usize, advice: &Advice) {
    let title = page.strong(&format!("{number}. {}", kind(advice)));
    page.line(0, &title);
    page.blank();
    page.sql(4, &advice.sql);
    page.blank();
    if let (Some(before), Some(after)) = (advice.ms_before, advice.ms_after) {
        let how = if advice.proof == Proof::Verified { "measured" } else { "est." };
        let saved = share((before - after).max(0.0), report.totals.total_ms);
        let saved = format!("saves {} ({saved} of the workload)", duration(saved_ms(advice)));
        page.field(3, "time", &format!("{} → {} {how}; {saved}", duration(before), duration(after)));
    }
    if let (Some(before), Some(after)) = (advice.cost_before, advice.cost_after) {
        page.field(3, "cost", &format!("{} → {} by the planner, over all calls", cost(before), cost(after)));
    }
    if let Some(size) = advice.size_bytes {
        if advice.kind == AdviceKind::DropIndex {
            page.field(3, "frees", &bytes(size));
        } else {
            let built =
                advice.built_bytes.map_or_else(String::new, |size| format!(", {} as built", bytes(size)));
            page.field(3, "size", &format!("{} est.{built}", bytes(size)));
        }
    }
    page.field(3, "proof", &proof(advice.proof));
    if let Some(rollback) = &advice.rollback {
        page.field(3, "undo", rollback);
    }
    if !advice.serves.is_empty() {
        let queries = count(advice.serves.len() as u64, "query", "queries");
        match calls(report, &advice.serves) {
            0 => page.field(3, "serves", &queries),
            calls => page.field(3, "serves", &format!("{queries}, {}", count(calls, "call", "calls"))),
        }
        for id in advice.serves.iter().take(SERVED) {
            let text = query(report, id).map_or("", |query| query.text.as_str());
            let gain = advice.gains.iter().find(|gain| gain.query == *id).map_or_else(String::new, |gain| {
                match (gain.ms_before, gain.ms_after) {
                    (Some(before), Some(after)) => format!(" {} → {}", duration(before), duration(after)),
                    _ => format!(" {} → {}", cost(gain.cost_before), cost(gain.cost_after)),
                }
            });
            for line in fit(&format!("{}{gain}", short_id(id)), text, page.width() - 12, 1) {
                page.field(3, "", &line);
            }
        }
        if advice.serves.len() > SERVED {
            let more: Vec<&str> = advice.serves[SERVED..].iter().map(|id| short_id(id)).collect();
            page.field(3, "", &format!("and {}", more.join(", ")));
        }
    }
    page.field(3, "because", &advice.because);
}

fn kind(advice: &Advice) -> String {
    let what = match advice.kind {
        AdviceKind::CreateExtension => "Create an extension",
        AdviceKind::CreateIndex => "Create an index",
        AdviceKind::DropIndex => "Drop an index",
        AdviceKind::Rewrite => "Rewrite a query",
        AdviceKind::Setting => "Change a setting",
        AdviceKind::Pool => "Size the connection pool",
    };
    match &advice.table {
        Some(table) => format!("{what} on {table}"),
        None => what.to_owned(),
    }
}
