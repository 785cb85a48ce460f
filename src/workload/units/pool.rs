//! Loops that a connection pool spreads over its sessions.
//!
//! A pool hands out any free connection, so one request's repeats stand in several sessions, mixed with
//! other requests. What still joins them: one sender (and one route, where the statements name it), one
//! query again and again at short pauses, begun by one execution of another query, its parent. Which
//! pause and which parent is tried out: the right ones explain most repeats of the child, and most
//! executions of the parent. Loops that overlap are told apart by their parents, served in turn.
//!
//! Other applications keep one session for one request. Whether a sender does shows in its loops that
//! overlap no other one: theirs stand in one session.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Repetition, Step};
use crate::sql::{Fingerprint, StatementKind};

/// Pauses inside a loop that are tried out, in microseconds.
const PAUSES: [i64; 6] = [50_000, 100_000, 200_000, 300_000, 500_000, 800_000];
/// From the parent's end to the first repeat, at most, in microseconds.
const AFTER_PARENT: i64 = 300_000;
/// Steps before a loop among which its parent is looked for.
const BEFORE: usize = 30;
/// Parents that are tried out for one child, the commonest first.
const PARENTS: usize = 8;
/// Loops of one child at the same time, at most: more are no longer told apart.
const AT_ONCE: usize = 16;
/// Chance, too, puts executions of one query near each other: a loop has at most this share of its
/// repeats by the query's usual rate.
const CHANCE: f64 = 0.4;
/// How well the parent must explain the child, and the child the parent, from 0 to 1 (harmonic mean).
const EXPLAINED: f64 = 0.5;
/// A parent or pause must be better than one before it by so much.
const BETTER: f64 = 0.02;
/// Share of loops without overlap that stand in several sessions, from which a sender's do not keep
/// one: seen were 0 to 0.6 where they do, and 0.65 to 1 where they do not.
const SPREAD: f64 = 0.6;
/// Clocks of logs show milliseconds.
const TICK: i64 = 1000;

/// Repeats of one child, in the order of their start.
pub(super) struct Loop {
    /// Into the steps that were given; so are the repeats.
    pub(super) parent: usize,
    pub(super) repeats: Vec<usize>,
}

/// One step outside of a transaction.
#[derive(Clone, Copy)]
struct Run {
    at: usize,
    query: Fingerprint,
    session: u32,
    start: i64,
    end: i64,
}

/// What one sender sends on one route: its reads in the order of their start.
struct Channel {
    tagged: bool,
    runs: Vec<Run>,
    /// Of each query, in the order of their start.
    queries: BTreeMap<Fingerprint, Vec<Run>>,
}

/// The best parent and pause of one child.
struct Fit {
    explained: f64,
    loops: Vec<(Run, Vec<Run>)>,
    /// Loops that overlap no other, and how many of those stand in several sessions.
    alone: usize,
    spread: usize,
}

/// The loops of senders whose sessions share their requests.
pub(super) fn loops(steps: &[Step]) -> Vec<Loop> {
    let mut senders: BTreeMap<u32, BTreeMap<u32, Vec<Run>>> = BTreeMap::new();
    for (at, step) in steps.iter().enumerate() {
        let read = matches!(step.kind, Some(StatementKind::Select | StatementKind::With));
        let (Some(start), Some(end)) = (step.start(), step.end) else { continue };
        if read && step.unit.is_none() && step.transaction == 0 && !step.coarse {
            let run = Run { at, query: step.query, session: step.session, start, end };
            senders.entry(step.sender).or_default().entry(step.route).or_default().push(run);
        }
    }
    let mut loops = Vec::new();
    for routes in senders.into_values() {
        let mut fits = Vec::new();
        for (route, runs) in routes {
            if runs.first().is_some_and(|first| runs.iter().any(|run| run.session != first.session)) {
                let channel = Channel::of(route != 0, runs);
                fits.extend(channel.queries.values().filter_map(|child| channel.fit(child)));
            }
        }
        let alone: usize = fits.iter().map(|fit| fit.alone).sum();
        let spread: usize = fits.iter().map(|fit| fit.spread).sum();
        if alone > 0 && spread as f64 >= SPREAD * alone as f64 {
            loops.extend(fits.into_iter().flat_map(|fit| fit.loops).map(|(parent, repeats)| Loop {
                parent: parent.at,
                repeats: repeats.iter().map(|run| run.at).collect(),
            }));
        }
    }
    loops
}

impl Channel {
    fn of(tagged: bool, mut runs: Vec<Run>) -> Channel {
        runs.sort_by_key(|run| (run.start, run.at));
        let mut queries: BTreeMap<Fingerprint, Vec<Run>> = BTreeMap::new();
        for run in &runs {
            queries.entry(run.query).or_default().push(*run);
        }
        Channel { tagged, runs, queries }
    }

    fn fit(&self, child: &[Run]) -> Option<Fit> {
        if child.len() < LEAST {
            return None;
        }
        let span = self.runs.last()?.end - self.runs.first()?.start;
        let rate = child.len() as f64 / span.max(1) as f64;
        let sessions: FxHashSet<u32> = child.iter().map(|run| run.session).collect();
        let mut best: Option<Fit> = None;
        for pause in PAUSES {
            let clusters = clusters(child, pause);
            let long: Vec<&[Run]> =
                clusters.iter().copied().filter(|cluster| cluster.len() >= LEAST).collect();
            let repeats: usize = long.iter().map(|cluster| cluster.len()).sum();
            let taken: i64 = long.iter().filter_map(|c| Some(c.last()?.end - c.first()?.start)).sum();
            // On one route a loop may be all that the route does.
            if long.is_empty() || !self.tagged && taken as f64 * rate > CHANCE * repeats as f64 {
                continue;
            }
            for parent in self.parents(&long, pause.min(AFTER_PARENT)) {
                let Some(parents) = self.queries.get(&parent) else { continue };
                // A session that never runs the child is none of the pool's.
                let parents: Vec<Run> =
                    parents.iter().copied().filter(|parent| sessions.contains(&parent.session)).collect();
                let fit = Fit::of(child, &parents, &clusters, pause.min(AFTER_PARENT));
                if best.as_ref().is_none_or(|best| fit.explained > best.explained + BETTER) {
                    best = Some(fit);
                }
            }
        }
        best.filter(|best| best.explained >= EXPLAINED)
    }

    /// Queries that ended shortly before the clusters began, the commonest first.
    fn parents(&self, clusters: &[&[Run]], after: i64) -> Vec<Fingerprint> {
        let mut counted: FxHashMap<Fingerprint, usize> = FxHashMap::default();
        for first in clusters.iter().filter_map(|cluster| cluster.first()) {
            let at = self.runs.partition_point(|run| run.start < first.start);
            let mut seen: Vec<Fingerprint> = Vec::new();
            for run in self.runs[at.saturating_sub(BEFORE)..at].iter().rev() {
                if first.start - run.end > after {
                    break;
                }
                let new = run.query != first.query && !seen.contains(&run.query);
                if new && run.end <= first.start + TICK {
                    seen.push(run.query);
                    *counted.entry(run.query).or_default() += 1;
                }
            }
        }
        let mut parents: Vec<(Fingerprint, usize)> = counted.into_iter().collect();
        parents.sort_by_key(|&(query, count)| (std::cmp::Reverse(count), query));
        parents.into_iter().take(PARENTS).map(|(query, _)| query).collect()
    }
}

impl Fit {
    fn of(child: &[Run], parents: &[Run], clusters: &[&[Run]], after: i64) -> Fit {
        let mut fit = Fit { explained: 0.0, loops: Vec::new(), alone: 0, spread: 0 };
        for cluster in clusters {
            let (Some(first), Some(last)) = (cluster.first(), cluster.last()) else { continue };
            // By their start: the parents are sorted so, and none runs for long.
            let from = parents.partition_point(|parent| parent.start < first.start - after);
            let to = parents.partition_point(|parent| parent.start <= last.start);
            let begun = &parents[from..to.max(from)];
            if begun.is_empty() || begun.len() > AT_ONCE {
                continue;
            }
            if let [parent] = begun
                && cluster.len() >= LEAST
            {
                fit.alone += 1;
                fit.spread += usize::from(cluster.iter().any(|run| run.session != parent.session));
            }
            fit.loops.extend(in_turn(cluster, begun).into_iter().filter(|(_, run)| run.len() >= LEAST));
        }
        let repeats: usize = fit.loops.iter().map(|(_, repeats)| repeats.len()).sum();
        let of_parents = fit.loops.len() as f64 / parents.len().max(1) as f64;
        let of_children = repeats as f64 / child.len().max(1) as f64;
        if repeats > 0 {
            fit.explained = 2.0 * of_parents * of_children / (of_parents + of_children);
        }
        fit
    }
}

const LEAST: usize = {
    #[expect(clippy::cast_possible_truncation, reason = "a small constant")]
    let least = Repetition::LEAST as usize;
    least
};

/// Runs of one query with no longer pause between them.
fn clusters(child: &[Run], pause: i64) -> Vec<&[Run]> {
    let mut last = i64::MIN;
    let mut ends: Vec<usize> = Vec::new();
    for (at, run) in child.iter().enumerate() {
        if at > 0 && run.start - last > pause {
            ends.push(at);
        }
        last = last.max(run.end);
    }
    ends.push(child.len());
    let mut from = 0;
    ends.into_iter().map(|to| &child[std::mem::replace(&mut from, to)..to]).collect()
}

/// Gives each repeat to a loop of its session, or else to the one that has waited longest.
fn in_turn(cluster: &[Run], parents: &[Run]) -> Vec<(Run, Vec<Run>)> {
    // Each with the end and the session of what it did last.
    let mut loops: Vec<(i64, u32, Run, Vec<Run>)> = Vec::new();
    let mut parents = parents.iter().peekable();
    for run in cluster {
        while let Some(parent) = parents.next_if(|parent| parent.end <= run.start + TICK) {
            loops.push((parent.end, parent.session, *parent, Vec::new()));
        }
        // A pool gives out the connection that came back last: often it is the same.
        let order = |(last, session, ..): &(i64, u32, Run, Vec<Run>)| {
            (*last > run.start + TICK, *session != run.session, *last)
        };
        if let Some(next) = loops.iter_mut().min_by_key(|open| order(open)) {
            next.0 = run.end;
            next.1 = run.session;
            next.3.push(*run);
        }
    }
    loops.into_iter().map(|(_, _, parent, repeats)| (parent, repeats)).collect()
}
