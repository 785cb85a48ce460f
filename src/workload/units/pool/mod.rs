//! Loops that a connection pool spreads over its sessions.
//!
//! A pool hands out any free connection, so one request's repeats stand in several sessions, mixed with
//! other requests. What still joins them: one sender (and one route, where the statements name it), one
//! query again and again at short pauses, begun by one execution of another query, its parent. Which
//! pause and which parent is tried out (`fit`): the right ones explain most repeats of the child, and most
//! executions of the parent. Loops that overlap are told apart by their parents, served in turn.
//!
//! Other applications keep one session for one request. So a child's loops are those of the pool only
//! where they explain more of its executions than the loops of its sessions do. And where they do so for a
//! sender on the whole, its other queries may stand in bursts that its usual rate does not explain
//! (`surprise`): what one request sent all at once, whatever fed it.

mod fit;
mod surprise;

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use self::fit::Fit;
use super::{LEAST, Placed};
use crate::sql::Fingerprint;

/// Sessions from which several of them make a pool.
const SESSIONS: usize = 3;
/// How well the parent must explain the child, and the child the parent, from 0 to 1 (harmonic mean).
const EXPLAINED: f64 = 0.5;
/// Share of a child's executions that the pool's loops must explain beyond those of its sessions, where
/// the sender's other queries do not say that its requests share sessions.
const MUCH_MORE: f64 = 0.3;
/// How much more the pool's loops of a sender must explain on the whole.
const MORE: f64 = 1.1;
/// Clocks of logs show milliseconds.
const TICK: i64 = 1000;

/// Repeats of one child, in the order of their start.
pub(super) struct Loop {
    /// Into the steps that were given; so are the repeats.
    pub(super) parent: Option<u32>,
    pub(super) repeats: Vec<u32>,
}

/// A query of a sender on a route.
pub(super) type Child = (u32, u32, Fingerprint);

/// One read outside of a transaction.
#[derive(Clone, Copy, Debug)]
struct Run {
    query: Fingerprint,
    start: i64,
    /// Microseconds.
    duration: u32,
    session: u32,
    /// Into the steps that were given.
    at: u32,
}

impl Run {
    fn end(&self) -> i64 {
        self.start + i64::from(self.duration)
    }
}

/// What one sender sends on one route: its reads in the order of their start.
struct Channel {
    tagged: bool,
    runs: Vec<Run>,
    /// Of each query, in the order of their start.
    queries: BTreeMap<Fingerprint, Vec<Run>>,
}

impl Channel {
    fn of(tagged: bool, mut runs: Vec<Run>) -> Channel {
        runs.sort_unstable_by_key(|run| (run.start, run.at));
        let mut queries: BTreeMap<Fingerprint, Vec<Run>> = BTreeMap::new();
        for run in &runs {
            queries.entry(run.query).or_default().push(*run);
        }
        Channel { tagged, runs, queries }
    }

    /// Microseconds from its first to its last run.
    fn span(&self) -> i64 {
        let (Some(first), Some(last)) = (self.runs.first(), self.runs.last()) else { return 1 };
        (last.end() - first.start).max(1)
    }
}

/// The loops of senders whose sessions share their requests, and those senders. `in_sessions` tells how many
/// executions of a child stand in loops of its sessions.
pub(super) fn loops(steps: &[Placed], in_sessions: &FxHashMap<Child, usize>) -> (Vec<Loop>, FxHashSet<u32>) {
    let mut senders: BTreeMap<u32, BTreeMap<u32, Vec<Run>>> = BTreeMap::new();
    for (at, step) in (0..).zip(steps) {
        let Some(start) = step.start() else { continue };
        if step.is_read() && step.transaction == 0 && !step.coarse() {
            let run = Run { query: step.query, start, duration: step.duration, session: step.session, at };
            senders.entry(step.sender).or_default().entry(step.route).or_default().push(run);
        }
    }
    let mut loops = Vec::new();
    let mut pools = FxHashSet::default();
    for (sender, routes) in senders {
        let channels: Vec<(u32, Channel)> = routes
            .into_iter()
            .filter(|(_, runs)| {
                runs.iter().map(|run| run.session).collect::<FxHashSet<u32>>().len() >= SESSIONS
            })
            .map(|(route, runs)| (route, Channel::of(route != 0, runs)))
            .collect();
        if of_sender(sender, &channels, in_sessions, &mut loops) {
            pools.insert(sender);
        }
    }
    (loops, pools)
}

/// Whether the sender's requests share sessions.
fn of_sender(
    sender: u32,
    channels: &[(u32, Channel)],
    in_sessions: &FxHashMap<Child, usize>,
    loops: &mut Vec<Loop>,
) -> bool {
    let counted =
        |route: u32, query: Fingerprint| in_sessions.get(&(sender, route, query)).copied().unwrap_or(0);
    let mut fits: Vec<(u32, Fingerprint, usize, Fit)> = Vec::new();
    for (route, channel) in channels {
        for (&query, child) in &channel.queries {
            let fit = channel.fit(child).filter(|fit| fit.explained >= EXPLAINED);
            fits.extend(fit.map(|fit| (*route, query, child.len(), fit)));
        }
    }
    let by_pool: usize = fits.iter().map(|(.., fit)| fit.repeats()).sum();
    let by_session: usize = fits.iter().map(|&(route, query, ..)| counted(route, query)).sum();
    let pool = by_pool as f64 > MORE * by_session as f64;
    let mut known: FxHashSet<(u32, Fingerprint)> = FxHashSet::default();
    for (route, query, runs, fit) in fits {
        let more = fit.repeats() as f64 - counted(route, query) as f64;
        if more >= MUCH_MORE * runs as f64 || pool && more > 0.0 {
            known.insert((route, query));
            loops.extend(fit.loops.into_iter().map(|(parent, repeats)| Loop {
                parent: Some(parent.at),
                repeats: repeats.iter().map(|run| run.at).collect(),
            }));
        }
    }
    for (route, channel) in channels.iter().filter(|_| pool) {
        for (&query, child) in &channel.queries {
            if known.contains(&(*route, query)) {
                continue;
            }
            let bursts = surprise::bursts(child, channel.span());
            if bursts.iter().map(|burst| burst.len()).sum::<usize>() > counted(*route, query) {
                loops.extend(
                    bursts.into_iter().map(|burst| Loop {
                        parent: None,
                        repeats: burst.iter().map(|run| run.at).collect(),
                    }),
                );
            }
        }
    }
    pool
}

/// Runs of one query with no longer pause between them.
fn clusters(child: &[Run], pause: i64) -> Vec<&[Run]> {
    let mut last = i64::MIN;
    let mut ends: Vec<usize> = Vec::new();
    for (at, run) in child.iter().enumerate() {
        if at > 0 && run.start - last > pause {
            ends.push(at);
        }
        last = last.max(run.end());
    }
    ends.push(child.len());
    let mut from = 0;
    ends.into_iter().map(|to| &child[std::mem::replace(&mut from, to)..to]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sql::StatementKind,
        workload::units::{Step, steps::Steps},
    };

    const PARENT: u64 = 1;
    const CHILD: u64 = 2;
    const OTHER: u64 = 3;

    /// Query, session and milliseconds, in any order of the sessions.
    fn placed(log: &[(u64, u32, i64)]) -> Vec<Placed> {
        let mut steps = Steps::default();
        for &(query, session, ms) in log {
            let step = Step {
                query: Fingerprint(query),
                kind: Some(StatementKind::Select),
                values: Some(0),
                size: 1,
                end: Some(ms * 1000 + 200),
                duration: 200,
                session,
                sender: 7,
                owner: 0,
                route: 0,
                coarse: false,
                unit: None,
            };
            steps.push(&step, &mut None);
        }
        let order: Vec<u32> = (0..).zip(log).map(|(at, _)| at).collect();
        let mut placed = Vec::new();
        steps.placed_by_session(&order, &mut placed);
        placed
    }

    /// A request each second: its page, and eight reads for the rows of it.
    fn requests(session_of: impl Fn(i64, i64) -> u32) -> Vec<(u64, u32, i64)> {
        (0..10)
            .flat_map(|request| (0..9).map(move |step| (request, step)))
            .map(|(request, step)| {
                let query = if step == 0 { PARENT } else { CHILD };
                (query, session_of(request, step), request * 1000 + step * 7)
            })
            .collect()
    }

    fn found(log: &[(u64, u32, i64)], in_sessions: usize) -> Vec<(Option<u64>, usize)> {
        let steps = placed(log);
        let in_sessions = FxHashMap::from_iter([((7, 0, Fingerprint(CHILD)), in_sessions)]);
        let (loops, pools) = loops(&steps, &in_sessions);
        assert_eq!(pools.contains(&7), !loops.is_empty());
        let parent = |found: &Loop| found.parent.map(|at| steps[at as usize].query.0);
        loops.iter().map(|found| (parent(found), found.repeats.len())).collect()
    }

    #[test]
    fn a_loop_over_several_sessions_is_one_with_its_parent() {
        let spread = requests(|request, step| u32::try_from((request + step) % 4).expect("small"));
        assert_eq!(found(&spread, 0), vec![(Some(PARENT), 8); 10]);
    }

    #[test]
    fn where_sessions_explain_as_much_they_are_believed() {
        let kept = requests(|request, _| u32::try_from(request % 4).expect("small"));
        assert_eq!(found(&kept, 80), []);
    }

    #[test]
    fn a_burst_that_the_usual_rate_does_not_explain_needs_no_parent() {
        let mut log = requests(|request, step| u32::try_from((request + step) % 4).expect("small"));
        log.extend((0..40).map(|at| (OTHER, 0, at * 250 + 120)));
        assert_eq!(found(&log, 0).len(), 10, "one now and then is none");
        log.extend((0..12).map(|at| (OTHER, u32::try_from(at % 4).expect("small"), 5_600 + at)));
        log.sort_by_key(|&(.., ms)| ms);
        let found = found(&log, 0);
        assert_eq!(found.iter().filter(|found| **found == (None, 12)).count(), 1, "{found:?}");
    }
}
