//! Where one burst of a session ends and the next begins, learnt from the log itself.
//!
//! No pause is right for every application: templates render for longer than the pause between two
//! requests of a busy pool. But requests begin with the same few queries (a session, a user, the list of
//! a page), and end with the same few, and the pauses between them are longer on the whole. These three
//! (how likely a query begins a unit, how likely one ends it, and how pauses inside and between units
//! are distributed) explain each other, and are learnt together by expectation maximisation, beginning
//! from what the pauses alone say.
//!
//! What always runs one after the other (a query and its next repeat, or two queries that hardly ever stand
//! apart) is no boundary, however long a template renders in between, unless the rest speaks clearly for it.
//!
//! Certain are only: a session's start and end, another route in the statements' tags, a pause of more
//! than [`LONG`] (all boundaries), and an explicit transaction, which is never cut.

use rustc_hash::FxHashMap;

use super::Placed;
use crate::sql::StatementKind;

/// A pause that no request makes, in microseconds.
const LONG: i64 = 2_000_000;
/// Rounds of learning; it has settled before as a rule.
const ROUNDS: usize = 15;
/// Joints of one sender from which anything can be learnt; with fewer the pause alone decides.
const LEAST: usize = 30;
/// The pause that decides then, by its magnitude: 45 ms and more.
const LONG_MAGNITUDE: u8 = 6;
/// Joints of one sender that are learnt from; the rest is only judged.
const LEARNT: usize = 10_000;
/// How many joints the general rate of boundaries counts for, against what was seen of one query.
const PRIOR: f64 = 1.5;
/// How much the query before a joint counts: half of the one after it, since many requests end in their
/// loops, and few begin there. Odds to this power are their square root.
const ENDS: f64 = 0.5;
/// Pauses by their magnitude: powers of two in milliseconds.
const MAGNITUDES: u8 = 15;
type ByMagnitude = [f64; MAGNITUDES as usize];

/// How much at most is said against a boundary (in log odds) between a query and its next repeat, by how much
/// more often than by chance it follows itself.
const REPEATS: f64 = 4.0;
/// Share of both queries' runs (their geometric mean) that stand together from which a pair counts in the same
/// way; two that never stand apart count in full.
const TOGETHER: f64 = 0.5;

/// The joint between two steps (or whole transactions) of one session.
struct Joint {
    /// The step after it, in its session.
    at: u32,
    session: u32,
    /// The queries before and after, by their number among the sender's.
    before: u32,
    after: u32,
    /// What the queries' order makes of the odds of a boundary here: at most 1.
    order: f32,
    /// How likely a unit begins here, from 0 to 1.
    boundary: f32,
    magnitude: u8,
    fixed: bool,
    /// Between two transactions: one client may send the same one again and again.
    transactions: bool,
}

/// Where units begin: for each session the indices of their first steps, in order.
pub(super) fn units(sessions: &[&[Placed]]) -> Vec<Vec<u32>> {
    let mut starts: Vec<Vec<u32>> = vec![Vec::new(); sessions.len()];
    let mut senders: Vec<Vec<Joint>> = Vec::new();
    let mut known: FxHashMap<u32, usize> = FxHashMap::default();
    let mut numbers: FxHashMap<(u32, u64), u32> = FxHashMap::default();
    // The sender that was looked up last, and its place.
    let mut latest = (0, 0);
    let mut number = |sender: u32, query: u64| {
        let fresh = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry((sender, query)).or_insert(fresh)
    };
    for (session, steps) in (0..).zip(sessions) {
        let mut before: Option<Before> = None;
        for (place, at) in (0..).zip(0..steps.len()) {
            let step = &steps[at];
            let inside = step.transaction > 0 && step.kind != Some(StatementKind::Begin);
            let Some(kind) = step.kind else {
                before = None;
                continue;
            };
            if inside {
                before = Some(Before { at, query: leaves(steps, at), number: None });
                continue;
            }
            let entered = enters(steps, at, kind);
            let after = number(step.sender, entered);
            if let Some(Before { at: last, query, number: same }) = before {
                if latest.0 != step.sender || senders.is_empty() {
                    let position = *known.entry(step.sender).or_insert_with(|| {
                        senders.push(Vec::new());
                        senders.len() - 1
                    });
                    latest = (step.sender, position);
                }
                let position = latest.1;
                let same = same.filter(|_| steps[last].sender == step.sender);
                let pause = pause(&steps[last], step);
                let reroutes = steps[last].route != 0 && step.route != 0 && steps[last].route != step.route;
                let fixed = reroutes || pause.is_some_and(|pause| pause > LONG);
                let coarse = step.coarse() || steps[last].coarse();
                let transactions = steps[last].transaction > 0 && kind == StatementKind::Begin;
                senders[position].push(Joint {
                    at: place,
                    session,
                    before: same.unwrap_or_else(|| number(step.sender, query)),
                    after,
                    order: 1.0,
                    magnitude: if coarse { 0 } else { magnitude(pause.unwrap_or(0)) },
                    fixed,
                    transactions,
                    boundary: if fixed { 1.0 } else { first_guess(pause.unwrap_or(0), coarse, transactions) },
                });
            } else {
                starts[session as usize].push(place);
            }
            let query = leaves(steps, at);
            before = Some(Before { at, query, number: Some(after).filter(|_| query == entered) });
        }
    }
    for mut joints in senders {
        judge(&mut joints);
        for joint in joints.iter().filter(|joint| joint.boundary > 0.5) {
            starts[joint.session as usize].push(joint.at);
        }
    }
    for starts in &mut starts {
        starts.sort_unstable();
    }
    starts
}

/// The step before a joint.
struct Before {
    at: usize,
    /// What it is known by when it comes last, and the number of that where it is known.
    query: u64,
    number: Option<u32>,
}

/// What a step is known by when it comes first: a transaction by its first statement.
fn enters(steps: &[Placed], at: usize, kind: StatementKind) -> u64 {
    match steps.get(at + 1) {
        Some(next) if kind == StatementKind::Begin => next.query.0.rotate_left(1),
        _ => steps[at].query.0,
    }
}

/// What a step is known by when it comes last: a transaction by its last statement.
fn leaves(steps: &[Placed], at: usize) -> u64 {
    if matches!(steps[at].kind, Some(StatementKind::Commit | StatementKind::Rollback)) && at > 0 {
        steps[at - 1].query.0.rotate_left(2)
    } else {
        steps[at].query.0
    }
}

/// `None` where the log has no times.
fn pause(before: &Placed, after: &Placed) -> Option<i64> {
    Some((after.start()? - before.end()?).max(0))
}

fn magnitude(pause: i64) -> u8 {
    let milliseconds = pause as f64 / 1000.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let magnitude = ((milliseconds + 1.0).log2() + 0.5) as u8;
    magnitude.min(MAGNITUDES - 1)
}

/// How likely a pause alone makes a boundary.
fn first_guess(pause: i64, coarse: bool, between_transactions: bool) -> f32 {
    let by_pause = match pause {
        _ if coarse => 0.02,
        1_000_001.. => 0.7,
        300_001.. => 0.2,
        100_001.. => 0.1,
        30_001.. => 0.05,
        _ => 0.02,
    };
    // A transaction that follows another is another request more often than not.
    if between_transactions { f32::max(by_pause, 0.6) } else { by_pause }
}

/// What was learnt of one sender. Odds, not their logarithms: to multiply is what makes this quick.
struct Learnt {
    /// By number of a query: boundaries before it, joints before it; the same after it.
    begins: Vec<(f64, f64)>,
    ends: Vec<(f64, f64)>,
    /// Boundaries among all joints.
    rate: f64,
    /// By magnitude: how much likelier the pause is between units than inside one, over the usual odds of a
    /// boundary to the power of [`ENDS`].
    pauses: ByMagnitude,
}

/// `joints` are those of one sender.
fn judge(joints: &mut [Joint]) {
    if joints.len() < LEAST {
        for joint in joints.iter_mut().filter(|joint| !joint.fixed) {
            joint.boundary = if joint.magnitude >= LONG_MAGNITUDE { 1.0 } else { joint.boundary };
        }
        return;
    }
    renumber(joints);
    weigh_order(joints);
    let sample = joints.len().min(LEARNT);
    for _ in 0..ROUNDS {
        let learnt = Learnt::from(joints, sample);
        let mut change = 0.0;
        for joint in joints[..sample].iter_mut().filter(|joint| !joint.fixed) {
            let boundary = learnt.boundary(joint);
            change += (boundary - joint.boundary).abs();
            joint.boundary = boundary;
        }
        if change < 0.5 {
            break;
        }
    }
    if sample < joints.len() {
        Learnt::from(joints, sample).tell(&mut joints[sample..]);
    }
}

/// Numbers the queries of these joints from 0, so that what is learnt of one sender is as small as it is.
fn renumber(joints: &mut [Joint]) {
    const NONE: u32 = u32::MAX;
    let mut numbers = vec![NONE; queries(joints)];
    let mut next = 0;
    for joint in joints {
        for query in [&mut joint.before, &mut joint.after] {
            let number = &mut numbers[*query as usize];
            if *number == NONE {
                *number = next;
                next += 1;
            }
            *query = *number;
        }
    }
}

/// How many queries there are, by their numbers.
fn queries(joints: &[Joint]) -> usize {
    joints.iter().map(|joint| joint.before.max(joint.after) as usize + 1).max().unwrap_or(0)
}

/// Says of each joint what the order of its queries tells by itself.
fn weigh_order(joints: &mut [Joint]) {
    let mut left = vec![0_u32; queries(joints)];
    let mut entered = left.clone();
    let mut pairs = Pairs::of(joints);
    for joint in joints.iter() {
        left[joint.before as usize] += 1;
        entered[joint.after as usize] += 1;
    }
    let all = joints.len() as f64;
    for joint in joints.iter_mut().filter(|joint| !joint.transactions) {
        // Without this joint itself.
        let others = f64::from(pairs.count(joint).saturating_sub(1));
        let (left, entered) =
            (f64::from(left[joint.before as usize]), f64::from(entered[joint.after as usize]));
        let order = if joint.before == joint.after {
            let chance = entered / all;
            1.0 / ((others + chance) / left / chance).clamp(1.0, REPEATS.exp())
        } else {
            let together = (others / (entered + 1.0) * others / (left + 1.0)).sqrt();
            let paired = ((together - TOGETHER) / (1.0 - TOGETHER)).max(0.0);
            if paired > 0.0 { (-REPEATS * paired).exp() } else { 1.0 }
        };
        #[expect(clippy::cast_possible_truncation, reason = "from 0 to 1")]
        let order = order as f32;
        joint.order = order;
    }
}

/// How often one query follows another.
enum Pairs {
    /// All of them, for the few queries that most senders have.
    Table(usize, Vec<u32>),
    Map(FxHashMap<(u32, u32), u32>),
}

impl Pairs {
    /// A table of so many queries takes 256 KB.
    const FEW: usize = 256;

    fn of(joints: &[Joint]) -> Pairs {
        let queries = queries(joints);
        let mut pairs = if queries <= Pairs::FEW {
            Pairs::Table(queries, vec![0; queries * queries])
        } else {
            Pairs::Map(FxHashMap::default())
        };
        for joint in joints {
            *pairs.of_joint(joint) += 1;
        }
        pairs
    }

    fn of_joint(&mut self, joint: &Joint) -> &mut u32 {
        match self {
            Pairs::Table(queries, counts) => {
                &mut counts[joint.before as usize * *queries + joint.after as usize]
            }
            Pairs::Map(counts) => counts.entry((joint.before, joint.after)).or_default(),
        }
    }

    fn count(&mut self, joint: &Joint) -> u32 {
        *self.of_joint(joint)
    }
}

impl Learnt {
    fn from(joints: &[Joint], sample: usize) -> Learnt {
        let mut begins = vec![(0.0, 0.0); queries(joints)];
        let mut ends = begins.clone();
        let (mut inside, mut between) = (ByMagnitude::default(), ByMagnitude::default());
        let mut boundaries = 0.0;
        for joint in &joints[..sample] {
            let boundary = f64::from(joint.boundary);
            for (counted, number) in [(&mut begins, joint.after), (&mut ends, joint.before)] {
                let counted: &mut (f64, f64) = &mut counted[number as usize];
                counted.0 += boundary;
                counted.1 += 1.0;
            }
            inside[usize::from(joint.magnitude)] += 1.0 - boundary;
            between[usize::from(joint.magnitude)] += boundary;
            boundaries += boundary;
        }
        let (inside, between) = (smooth(&inside), smooth(&between));
        let rate: f64 = (boundaries / sample.max(1) as f64).clamp(0.002, 0.998);
        let usual = (rate / (1.0 - rate)).powf(ENDS);
        let mut pauses = ByMagnitude::default();
        for (at, pause) in pauses.iter_mut().enumerate() {
            *pause = between[at] / inside[at] / usual;
        }
        Learnt { begins, ends, rate, pauses }
    }

    /// How likely a unit begins at a joint that was learnt from: what it added itself is taken out before.
    fn boundary(&self, joint: &Joint) -> f32 {
        let odds = |(boundaries, joints): (f64, f64)| {
            self.odds(boundaries - f64::from(joint.boundary), joints - 1.0)
        };
        let (begins, ends) = (self.begins[joint.after as usize], self.ends[joint.before as usize]);
        let odds = self.product(joint, odds(begins), weakened(odds(ends)));
        #[expect(clippy::cast_possible_truncation, reason = "from 0 to 1")]
        let boundary = (odds / (1.0 + odds)) as f32;
        boundary
    }

    /// Whether a unit begins at joints that were not learnt from.
    fn tell(&self, joints: &mut [Joint]) {
        let odds = |&(boundaries, joints): &(f64, f64)| self.odds(boundaries, joints);
        let begins: Vec<f64> = self.begins.iter().map(odds).collect();
        let ends: Vec<f64> = self.ends.iter().map(odds).map(weakened).collect();
        for joint in joints.iter_mut().filter(|joint| !joint.fixed) {
            let odds = self.product(joint, begins[joint.after as usize], ends[joint.before as usize]);
            joint.boundary = f32::from(u8::from(odds > 1.0));
        }
    }

    fn odds(&self, boundaries: f64, joints: f64) -> f64 {
        let share = ((boundaries + PRIOR * self.rate) / (joints + PRIOR)).clamp(0.002, 0.998);
        share / (1.0 - share)
    }

    fn product(&self, joint: &Joint, begins: f64, ends: f64) -> f64 {
        begins * ends * self.pauses[usize::from(joint.magnitude)] * f64::from(joint.order)
    }
}

/// To the power of [`ENDS`].
fn weakened(odds: f64) -> f64 {
    odds.sqrt()
}

/// Counts as shares, each evened out with its neighbours.
fn smooth(counts: &ByMagnitude) -> ByMagnitude {
    let total: f64 = counts.iter().sum();
    let mut shares = ByMagnitude::default();
    for (at, share) in shares.iter_mut().enumerate() {
        let near: f64 = counts[at.saturating_sub(1)..(at + 2).min(counts.len())].iter().sum();
        *share = (near / 3.0 + 0.5) / (total + f64::from(MAGNITUDES) / 2.0);
    }
    shares
}
