//! Where one burst of a session ends and the next begins, learnt from the log itself.
//!
//! No pause is right for every application: templates render for longer than the pause between two
//! requests of a busy pool. But requests begin with the same few queries (a session, a user, the list of
//! a page), and end with the same few, and the pauses between them are longer on the whole. These three
//! (how likely a query begins a unit, how likely one ends it, and how pauses inside and between units
//! are distributed) explain each other, and are learnt together by expectation maximisation, beginning
//! from what the pauses alone say.
//!
//! Certain are only: a session's start and end, another route in the statements' tags, a pause of more
//! than [`LONG`] (all boundaries), and an explicit transaction, which is never cut.

use rustc_hash::FxHashMap;

use super::Step;
use crate::sql::StatementKind;

/// A pause that no request makes, in microseconds.
const LONG: i64 = 2_000_000;
/// Rounds of learning; it has settled before as a rule.
const ROUNDS: usize = 15;
/// Joints of one sender from which anything can be learnt; with fewer the pause alone decides.
const LEAST: usize = 30;
/// The pause that decides then, by its magnitude: 45 ms and more.
const LONG_MAGNITUDE: usize = 6;
/// Joints of one sender that are learnt from; the rest is only judged.
const LEARNT: usize = 20_000;
/// How many joints the general rate of boundaries counts for, against what was seen of one query.
const PRIOR: f64 = 1.5;
/// How much the query before a joint counts: half of the one after it, since many requests end in their
/// loops, and few begin there.
const ENDS: f64 = 0.5;
/// Pauses by their magnitude: powers of two in milliseconds.
const MAGNITUDES: usize = 15;

/// The joint between two steps (or whole transactions) of one session.
struct Joint {
    /// The step after it, in its session.
    at: usize,
    session: usize,
    /// The queries before and after, by their number among the sender's.
    before: usize,
    after: usize,
    magnitude: usize,
    fixed: bool,
    /// How likely a unit begins here, from 0 to 1.
    boundary: f64,
}

/// Where units begin: for each session the indices of their first steps, in order.
pub(super) fn units(sessions: &[&[Step]]) -> Vec<Vec<usize>> {
    let mut starts: Vec<Vec<usize>> = vec![Vec::new(); sessions.len()];
    let mut senders: Vec<(u32, Vec<Joint>)> = Vec::new();
    let mut known: FxHashMap<u32, usize> = FxHashMap::default();
    let mut numbers: FxHashMap<(u32, u64), usize> = FxHashMap::default();
    for (session, steps) in sessions.iter().enumerate() {
        let mut before: Option<(usize, u64)> = None;
        for at in 0..steps.len() {
            let step = &steps[at];
            let inside = step.transaction > 0 && step.kind != Some(StatementKind::Begin);
            let Some(kind) = step.kind else {
                before = None;
                continue;
            };
            if inside {
                before = Some((at, leaves(steps, at)));
                continue;
            }
            let after = enters(steps, at, kind);
            if let Some((last, leaving)) = before {
                let position = *known.entry(step.sender).or_insert_with(|| {
                    senders.push((step.sender, Vec::new()));
                    senders.len() - 1
                });
                let fresh = numbers.len();
                let left = *numbers.entry((step.sender, leaving)).or_insert(fresh);
                let fresh = numbers.len();
                let entered = *numbers.entry((step.sender, after)).or_insert(fresh);
                let pause = pause(&steps[last], step);
                let reroutes = steps[last].route != 0 && step.route != 0 && steps[last].route != step.route;
                let fixed = reroutes || pause.is_some_and(|pause| pause > LONG);
                let coarse = step.coarse || steps[last].coarse;
                let transactions = steps[last].transaction > 0 && kind == StatementKind::Begin;
                senders[position].1.push(Joint {
                    at,
                    session,
                    before: left,
                    after: entered,
                    magnitude: if coarse { 0 } else { magnitude(pause.unwrap_or(0)) },
                    fixed,
                    boundary: if fixed { 1.0 } else { first_guess(pause.unwrap_or(0), coarse, transactions) },
                });
            } else {
                starts[session].push(at);
            }
            before = Some((at, leaves(steps, at)));
        }
    }
    for (_, joints) in &mut senders {
        judge(joints, numbers.len());
        for joint in joints.iter().filter(|joint| joint.boundary > 0.5) {
            starts[joint.session].push(joint.at);
        }
    }
    for starts in &mut starts {
        starts.sort_unstable();
    }
    starts
}

/// What a step is known by when it comes first: a transaction by its first statement.
fn enters(steps: &[Step], at: usize, kind: StatementKind) -> u64 {
    match steps.get(at + 1) {
        Some(next) if kind == StatementKind::Begin => next.query.0.rotate_left(1),
        _ => steps[at].query.0,
    }
}

/// What a step is known by when it comes last: a transaction by its last statement.
fn leaves(steps: &[Step], at: usize) -> u64 {
    if matches!(steps[at].kind, Some(StatementKind::Commit | StatementKind::Rollback)) && at > 0 {
        steps[at - 1].query.0.rotate_left(2)
    } else {
        steps[at].query.0
    }
}

/// `None` where the log has no times.
fn pause(before: &Step, after: &Step) -> Option<i64> {
    Some((after.start()? - before.end?).max(0))
}

fn magnitude(pause: i64) -> usize {
    let milliseconds = pause as f64 / 1000.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let magnitude = ((milliseconds + 1.0).log2() + 0.5) as usize;
    magnitude.min(MAGNITUDES - 1)
}

/// How likely a pause alone makes a boundary.
fn first_guess(pause: i64, coarse: bool, between_transactions: bool) -> f64 {
    let by_pause = match pause {
        _ if coarse => 0.02,
        1_000_001.. => 0.7,
        300_001.. => 0.2,
        100_001.. => 0.1,
        30_001.. => 0.05,
        _ => 0.02,
    };
    // A transaction that follows another is another request more often than not.
    if between_transactions { f64::max(by_pause, 0.6) } else { by_pause }
}

/// What was learnt of one sender.
struct Learnt {
    /// By number of a query: boundaries before it, joints before it; the same after it.
    begins: Vec<(f64, f64)>,
    ends: Vec<(f64, f64)>,
    /// Boundaries among all joints.
    rate: f64,
    /// By magnitude: log of how much likelier the pause is between units than inside one.
    pauses: [f64; MAGNITUDES],
}

fn judge(joints: &mut [Joint], queries: usize) {
    if joints.len() < LEAST {
        for joint in joints.iter_mut().filter(|joint| !joint.fixed) {
            joint.boundary = if joint.magnitude >= LONG_MAGNITUDE { 1.0 } else { joint.boundary };
        }
        return;
    }
    let sample = joints.len().min(LEARNT);
    for _ in 0..ROUNDS {
        let learnt = Learnt::from(&joints[..sample], queries);
        let mut change = 0.0;
        for joint in joints[..sample].iter_mut().filter(|joint| !joint.fixed) {
            let boundary = learnt.boundary(joint, joint.boundary, 1.0);
            change += (boundary - joint.boundary).abs();
            joint.boundary = boundary;
        }
        if change < 0.5 {
            break;
        }
    }
    if sample < joints.len() {
        let learnt = Learnt::from(&joints[..sample], queries);
        for joint in joints[sample..].iter_mut().filter(|joint| !joint.fixed) {
            joint.boundary = learnt.boundary(joint, 0.0, 0.0);
        }
    }
}

impl Learnt {
    fn from(joints: &[Joint], queries: usize) -> Learnt {
        let mut begins = vec![(0.0, 0.0); queries];
        let mut ends = vec![(0.0, 0.0); queries];
        let (mut inside, mut between) = ([0.0; MAGNITUDES], [0.0; MAGNITUDES]);
        let mut boundaries = 0.0;
        for joint in joints {
            for (counted, number) in [(&mut begins, joint.after), (&mut ends, joint.before)] {
                counted[number].0 += joint.boundary;
                counted[number].1 += 1.0;
            }
            inside[joint.magnitude] += 1.0 - joint.boundary;
            between[joint.magnitude] += joint.boundary;
            boundaries += joint.boundary;
        }
        let (inside, between) = (smooth(&inside), smooth(&between));
        let mut pauses = [0.0; MAGNITUDES];
        for (at, pause) in pauses.iter_mut().enumerate() {
            *pause = (between[at] / inside[at]).ln();
        }
        Learnt { begins, ends, rate: (boundaries / joints.len().max(1) as f64).clamp(0.002, 0.998), pauses }
    }

    /// How likely a unit begins at the joint; what the joint itself added is taken out before.
    fn boundary(&self, joint: &Joint, own: f64, counted: f64) -> f64 {
        let odds = |(boundaries, joints): (f64, f64)| {
            let share = (boundaries - own + PRIOR * self.rate) / (joints - counted + PRIOR);
            let share = share.clamp(0.002, 0.998);
            (share / (1.0 - share)).ln()
        };
        let usual = (self.rate / (1.0 - self.rate)).ln();
        let log_odds = odds(self.begins[joint.after])
            + ENDS * (odds(self.ends[joint.before]) - usual)
            + self.pauses[joint.magnitude];
        1.0 / (1.0 + (-log_odds.clamp(-30.0, 30.0)).exp())
    }
}

/// Counts as shares, each evened out with its neighbours.
fn smooth(counts: &[f64; MAGNITUDES]) -> [f64; MAGNITUDES] {
    let total: f64 = counts.iter().sum();
    let mut shares = [0.0; MAGNITUDES];
    for (at, share) in shares.iter_mut().enumerate() {
        let near: f64 = counts[at.saturating_sub(1)..(at + 2).min(MAGNITUDES)].iter().sum();
        *share = (near / 3.0 + 0.5) / (total + MAGNITUDES as f64 / 2.0);
    }
    shares
}
