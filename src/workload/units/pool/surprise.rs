//! Bursts of one query that its usual rate does not explain.

use rustc_hash::FxHashSet;

use super::{LEAST, Run, SESSIONS, TICK, clusters};

/// Pauses inside a burst that are tried out, in microseconds.
const PAUSES: [i64; 5] = [5_000, 10_000, 20_000, 50_000, 100_000];
/// The chance, at most, that independent requests come so close together: one in 10,000.
const CHANCE: f64 = 1e-4;
/// Microseconds from a burst's start to its end, at most: in more time the traffic's own waves look the same.
const LONGEST: i64 = 1_000_000;
/// Microseconds before and after a burst in which the rate is looked at, too: traffic comes in waves.
const AROUND: i64 = 1_000_000;

/// Bursts over several sessions, of all pauses the least probable ones. `span` is how long the sender was
/// seen, in microseconds.
pub(super) fn bursts(child: &[Run], span: i64) -> Vec<&[Run]> {
    if child.len() < LEAST {
        return Vec::new();
    }
    let usual = child.len() as f64 / span as f64;
    let mut found: Vec<(f64, usize, &[Run])> = Vec::new();
    for pause in PAUSES {
        let mut from = 0;
        for cluster in clusters(child, pause) {
            let at = from;
            from += cluster.len();
            let sessions: FxHashSet<u32> = cluster.iter().map(|run| run.session).collect();
            let (Some(first), Some(last)) = (cluster.first(), cluster.last()) else { continue };
            if cluster.len() < LEAST || sessions.len() < SESSIONS || last.end() - first.start > LONGEST {
                continue;
            }
            let before = child.partition_point(|run| run.start < first.start - AROUND);
            let after = child.partition_point(|run| run.start <= last.start + AROUND);
            let near = (after - before - cluster.len()) as f64 / (2 * AROUND) as f64;
            let expected = usual.max(near) * (last.end() - first.start).max(TICK) as f64;
            let chance = log_chance(cluster.len() - 1, expected);
            if chance < CHANCE.ln() {
                found.push((chance, at, cluster));
            }
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    let mut taken = vec![false; child.len()];
    let mut bursts: Vec<(usize, &[Run])> = Vec::new();
    for (_, at, cluster) in found {
        let places = &mut taken[at..at + cluster.len()];
        if places.iter().all(|taken| !taken) {
            places.fill(true);
            bursts.push((at, cluster));
        }
    }
    bursts.sort_unstable_by_key(|&(at, _)| at);
    bursts.into_iter().map(|(_, cluster)| cluster).collect()
}

/// Logarithm of how likely at least `count` independent events are where `expected` are usual (the Chernoff
/// bound of a Poisson distribution's tail).
fn log_chance(count: usize, expected: f64) -> f64 {
    let count = count as f64;
    if expected >= count { 0.0 } else { count * (expected / count).ln() + count - expected }
}
