//! The parent and the pause that explain a child best.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Channel, LEAST, Run, TICK, clusters};
use crate::sql::Fingerprint;

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
/// A parent or pause must be better than one before it by so much.
const BETTER: f64 = 0.02;

/// The best parent and pause of one child.
pub(super) struct Fit {
    /// From 0 to 1.
    pub(super) explained: f64,
    /// Each with its parent.
    pub(super) loops: Vec<(Run, Vec<Run>)>,
}

impl Channel {
    pub(super) fn fit(&self, child: &[Run]) -> Option<Fit> {
        if child.len() < LEAST {
            return None;
        }
        let rate = child.len() as f64 / self.span() as f64;
        let sessions: FxHashSet<u32> = child.iter().map(|run| run.session).collect();
        let mut best: Option<Fit> = None;
        for pause in PAUSES {
            let clusters = clusters(child, pause);
            let long: Vec<&[Run]> =
                clusters.iter().copied().filter(|cluster| cluster.len() >= LEAST).collect();
            let repeats: usize = long.iter().map(|cluster| cluster.len()).sum();
            let taken: i64 = long.iter().filter_map(|c| Some(c.last()?.end() - c.first()?.start)).sum();
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
        best
    }

    /// Queries that ended shortly before the clusters began, the commonest first.
    fn parents(&self, clusters: &[&[Run]], after: i64) -> Vec<Fingerprint> {
        let mut counted: FxHashMap<Fingerprint, usize> = FxHashMap::default();
        for first in clusters.iter().filter_map(|cluster| cluster.first()) {
            let at = self.runs.partition_point(|run| run.start < first.start);
            let mut seen: Vec<Fingerprint> = Vec::new();
            for run in self.runs[at.saturating_sub(BEFORE)..at].iter().rev() {
                if first.start - run.end() > after {
                    break;
                }
                let new = run.query != first.query && !seen.contains(&run.query);
                if new && run.end() <= first.start + TICK {
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
    pub(super) fn repeats(&self) -> usize {
        self.loops.iter().map(|(_, repeats)| repeats.len()).sum()
    }

    fn of(child: &[Run], parents: &[Run], clusters: &[&[Run]], after: i64) -> Fit {
        let mut fit = Fit { explained: 0.0, loops: Vec::new() };
        for cluster in clusters {
            let (Some(first), Some(last)) = (cluster.first(), cluster.last()) else { continue };
            // By their start: the parents are sorted so, and none runs for long.
            let from = parents.partition_point(|parent| parent.start < first.start - after);
            let to = parents.partition_point(|parent| parent.start <= last.start);
            let begun = &parents[from..to.max(from)];
            if !begun.is_empty() && begun.len() <= AT_ONCE {
                fit.loops.extend(in_turn(cluster, begun).into_iter().filter(|(_, run)| run.len() >= LEAST));
            }
        }
        let of_parents = fit.loops.len() as f64 / parents.len().max(1) as f64;
        let of_children = fit.repeats() as f64 / child.len().max(1) as f64;
        if !fit.loops.is_empty() {
            fit.explained = 2.0 * of_parents * of_children / (of_parents + of_children);
        }
        fit
    }
}

/// Gives each repeat to a loop of its session, or else to the one that has waited longest.
fn in_turn(cluster: &[Run], parents: &[Run]) -> Vec<(Run, Vec<Run>)> {
    // Each with the end and the session of what it did last.
    let mut loops: Vec<(i64, u32, Run, Vec<Run>)> = Vec::new();
    let mut parents = parents.iter().peekable();
    for run in cluster {
        while let Some(parent) = parents.next_if(|parent| parent.end() <= run.start + TICK) {
            loops.push((parent.end(), parent.session, *parent, Vec::new()));
        }
        // A pool gives out the connection that came back last: often it is the same.
        let order = |(last, session, ..): &(i64, u32, Run, Vec<Run>)| {
            (*last > run.start + TICK, *session != run.session, *last)
        };
        if let Some(next) = loops.iter_mut().min_by_key(|open| order(open)) {
            next.0 = run.end();
            next.1 = run.session;
            next.3.push(*run);
        }
    }
    loops.into_iter().map(|(_, _, parent, repeats)| (parent, repeats)).collect()
}
