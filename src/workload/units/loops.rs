//! What one unit of work did again and again, each query with the one that fed it.

use rustc_hash::FxHashMap;

use super::{Evidence, LEAST, Placed};
use crate::sql::Fingerprint;

/// Parents that are tried out for one child, the nearest first.
const PARENTS: usize = 8;
/// Queries that run once, between two repeats, from which these are of two loops.
const ELSEWHERE: usize = 2;
/// Microseconds from one repeat of a burst to the next, on average, from which nothing says that they
/// belong together: several requests took their turn in the session.
const SLOW: i64 = 400_000;
/// The same where requests share sessions.
const SLOW_IN_A_POOL: i64 = 300_000;

/// Repeats of one query in one unit of work.
pub(super) struct Loop {
    pub(super) parent: Option<Fingerprint>,
    pub(super) evidence: Evidence,
    /// Into the steps that were given, in order.
    pub(super) repeats: Vec<usize>,
}

impl Loop {
    /// Whether its repeats are too far from each other to be of one request.
    pub(super) fn is_slow(&self, steps: &[Placed], pooled: bool) -> bool {
        let limit = if pooled { SLOW_IN_A_POOL } else { SLOW };
        self.evidence == Evidence::Burst
            && self.repeats.first().is_some_and(|&at| steps[at].is_read())
            && mean_pause(&self.repeats, steps).is_some_and(|pause| pause > limit)
    }
}

/// The steps of one query in one unit.
#[derive(Default)]
struct Repeated {
    at: Vec<usize>,
}

/// The loops of one unit, in the order of their queries.
pub(super) fn loops(steps: &[Placed], evidence: Evidence) -> Vec<Loop> {
    let mut found = Vec::new();
    if !any_repeats(steps) {
        return found;
    }
    let mut queries: FxHashMap<Fingerprint, Repeated> = FxHashMap::default();
    for (at, step) in steps.iter().enumerate() {
        if step.is_read() || step.is_write() {
            queries.entry(step.query).or_default().at.push(at);
        }
    }
    let mut children: Vec<(Fingerprint, &Repeated)> = queries
        .iter()
        .filter(|(_, repeated)| repeated.at.len() >= LEAST)
        .map(|(query, repeated)| (*query, repeated))
        .collect();
    children.sort_unstable_by_key(|&(query, _)| query);
    let children = children.into_iter().flat_map(|(_, child)| separate(child, &queries, steps));
    for child in children.filter(|child| child.at.len() >= LEAST) {
        let parents = parents(&child, &queries, steps);
        let parent = parents.first().copied();
        if evidence == Evidence::Burst {
            in_burst(&child, &parents, steps, &mut found);
        } else {
            found.push(Loop { parent, evidence, repeats: child.at });
        }
    }
    found
}

/// The repeats of a query, apart where one loop of the unit ends and another begins.
///
/// What a loop does besides comes back with every turn. Where several queries stand between two repeats that the
/// unit runs nowhere else, the program has gone on to another part of its work.
fn separate(child: &Repeated, queries: &FxHashMap<Fingerprint, Repeated>, steps: &[Placed]) -> Vec<Repeated> {
    let once =
        |step: &&Placed| step.is_read() && queries.get(&step.query).is_some_and(|query| query.at.len() == 1);
    let goes_on = |a: usize, b: usize| steps[a..b].iter().filter(once).take(ELSEWHERE).count() < ELSEWHERE;
    child.at.chunk_by(|&a, &b| goes_on(a, b)).map(|at| Repeated { at: at.to_vec() }).collect()
}

/// Whether a query may run often enough for a loop: most units are short, and have none.
fn any_repeats(steps: &[Placed]) -> bool {
    const SHORT: usize = 48;
    if steps.len() < LEAST {
        return false;
    }
    let mut queries = [0; SHORT];
    let Some(queries) = queries.get_mut(..steps.len()) else { return true };
    for (query, step) in queries.iter_mut().zip(steps) {
        *query = step.query.0;
    }
    queries.sort_unstable();
    queries.windows(LEAST).any(|same| same[0] == same[LEAST - 1])
}

fn in_burst(child: &Repeated, parents: &[Fingerprint], steps: &[Placed], found: &mut Vec<Loop>) {
    let parent = parents.first().copied();
    let is_write = child.at.first().is_some_and(|&at| steps[at].is_write());
    let parts: Vec<&[usize]> =
        child.at.chunk_by(|&a, &b| steps[a].transaction == steps[b].transaction).collect();
    let transaction = |part: &[usize]| steps[part[0]].transaction > 0;
    // One request may do a part of its loop before, in or after its one transaction.
    let together = parts.len() > 1
        && parts.iter().filter(|part| transaction(part)).count() == 1
        && (parent.is_some() || is_write)
        && mean_pause(&child.at, steps).is_none_or(|pause| pause <= SLOW_IN_A_POOL);
    let mut rest = Vec::new();
    for part in parts {
        // A transaction that repeats it by itself is a unit for sure, whatever stands around it.
        if !together && transaction(part) && part.len() >= LEAST {
            found.push(Loop { parent, evidence: Evidence::Transaction, repeats: part.to_vec() });
        } else {
            rest.extend_from_slice(part);
        }
    }
    if rest.len() < LEAST {
        return;
    }
    if is_write || together {
        found.push(Loop { parent, evidence: Evidence::Burst, repeats: rest });
        return;
    }
    // Reads without a query that fed them are a stream of independent requests: nothing says that they
    // belong together.
    let (parent, rounds) = fed(rest, parents, steps);
    found.extend(rounds.into_iter().map(|repeats| Loop { parent, evidence: Evidence::Burst, repeats }));
}

/// The parent whose rounds are loops, and those.
///
/// On a busy session one burst may hold several requests, each of which begins with the parent. Where the
/// nearest parent is itself a part of the loop, its rounds are too short to be loops, and the loop is that
/// of a parent before it; but a parent that comes back only now and then, each time with a few repeats, is
/// a page that was asked for again.
fn fed(
    rest: Vec<usize>,
    parents: &[Fingerprint],
    steps: &[Placed],
) -> (Option<Fingerprint>, Vec<Vec<usize>>) {
    let mut nearest_has_one = false;
    for (rank, &parent) in parents.iter().enumerate() {
        let rounds = rounds(&rest, parent, steps);
        let long = rounds.iter().filter(|round| round.len() >= LEAST).count();
        if long == rounds.len() {
            return (Some(parent), rounds);
        }
        if rank == 0 {
            nearest_has_one = long > 0;
            if long == 0 && rounds.len() < LEAST {
                break;
            }
        }
    }
    (parents.first().copied(), if nearest_has_one { vec![rest] } else { Vec::new() })
}

/// The repeats between one run of the parent and the next.
fn rounds(repeats: &[usize], parent: Fingerprint, steps: &[Placed]) -> Vec<Vec<usize>> {
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut before = 0;
    for &at in repeats {
        let fresh = steps[before..at].iter().any(|step| step.query == parent);
        match rounds.last_mut().filter(|_| !fresh) {
            Some(round) => round.push(at),
            None => rounds.push(vec![at]),
        }
        before = at;
    }
    rounds
}

/// The reads that may have fed the repeats, the nearest first: those before the first repeat that ran less
/// often (a sibling of the same loop ran as often).
fn parents(
    child: &Repeated,
    queries: &FxHashMap<Fingerprint, Repeated>,
    steps: &[Placed],
) -> Vec<Fingerprint> {
    let mut parents: Vec<Fingerprint> = Vec::new();
    let first = child.at.first().copied().unwrap_or(0);
    for step in steps[..first].iter().rev().filter(|step| step.is_read()) {
        let rare = queries.get(&step.query).is_some_and(|other| other.at.len() * 2 <= child.at.len());
        if rare && !parents.contains(&step.query) {
            parents.push(step.query);
            if parents.len() == PARENTS {
                break;
            }
        }
    }
    parents
}

/// Microseconds from one repeat to the next; `None` where the log has no times.
fn mean_pause(repeats: &[usize], steps: &[Placed]) -> Option<i64> {
    let (first, last) = (steps[*repeats.first()?].end()?, steps[*repeats.last()?].end()?);
    Some((last - first) / i64::try_from(repeats.len()).ok()?.saturating_sub(1).max(1))
}
