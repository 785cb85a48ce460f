//! How many connections an application's pool should hold: the formula, held against what the log and
//! the server's settings say.
//!
//! In: figures that the caller read or detected. Out: a size per application instance with its evidence
//! in words. Left alone: poolers between application and server, whose own limits we cannot see.

use super::{Advice, AdviceKind, pooler::Used, words::plural};
use crate::workload::Concurrency;

/// Above this part of the usable slots a deployment (two generations of instances at once), a cron job
/// or an administrator no longer gets in.
const FULL: f64 = 0.8;

/// What [`FULL`] leaves, as a divisor for whole connections: a fifth.
const FULL_FIFTH: u32 = 5;

/// PostgreSQL's own default of `superuser_reserved_connections`.
const SUPERUSER_RESERVED: u32 = 3;

/// Connections that keep a server busy without queueing inside it: cores × 2 + spindles, where an SSD
/// counts as one spindle (<https://wiki.postgresql.org/wiki/Number_Of_Database_Connections>).
pub fn formula(cores: u32, spindles: u32) -> u32 {
    cores.saturating_mul(2).saturating_add(spindles)
}

/// What is known; `None` where it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoolInput {
    /// Of the database server, not of the machine that runs this.
    pub cores: Option<u32>,
    /// Disks that seek at once; 1 (an SSD) where not given.
    pub spindles: Option<u32>,
    pub concurrency: Option<Concurrency>,
    /// What a pooler's log told.
    pub pooler: Option<Used>,
    pub max_connections: Option<u32>,
    pub superuser_reserved_connections: Option<u32>,
    /// Version 16 and later.
    pub reserved_connections: Option<u32>,
    /// Application processes with a pool of their own; 0 is taken for 1.
    pub instances: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PoolSuggestion {
    /// Connections of one instance's pool; `None` when neither cores nor a log are known.
    pub per_instance: Option<u32>,
    /// Of all instances together.
    pub total: Option<u32>,
    /// What the formula gives before the server's limit and the instances are looked at.
    pub formula: Option<u32>,
    /// Slots that an ordinary role can use.
    pub usable: Option<u32>,
    /// One sentence each: where the size comes from.
    pub evidence: Vec<String>,
    /// One sentence each: what will hurt.
    pub warnings: Vec<String>,
}

/// The pool size that the figures support.
pub fn suggest(input: &PoolInput) -> PoolSuggestion {
    let instances = input.instances.max(1);
    let mut evidence = Vec::new();
    let mut warnings = Vec::new();

    let formula = input.cores.map(|cores| {
        let spindles = input.spindles.unwrap_or(1);
        let size = formula(cores, spindles);
        evidence.push(format!(
            "{} × 2 + {} = {size}",
            plural(u64::from(cores), "core"),
            plural(u64::from(spindles), "spindle")
        ));
        size
    });
    if formula.is_none() {
        evidence.push(
            "the server's cores are not known (pass --cores): the size follows the log and the settings alone"
                .to_owned(),
        );
    }

    let busy = input.concurrency.inspect(|busy| {
        evidence.push(format!(
            "the log shows {:.1} sessions busy on average, {} at the 95th percentile, {} at most",
            busy.average, busy.p95, busy.peak
        ));
    });
    if let Some(used) = input.pooler {
        pooled(&used, formula, &mut evidence, &mut warnings);
    }
    if busy.is_none() && input.pooler.is_none() {
        evidence.push("no log with durations: how many sessions are busy at once is not known".to_owned());
    }

    let usable = input.max_connections.map(|max| {
        let superuser = input.superuser_reserved_connections.unwrap_or(SUPERUSER_RESERVED);
        let reserved = superuser.saturating_add(input.reserved_connections.unwrap_or(0));
        let usable = max.saturating_sub(reserved);
        evidence.push(format!("max_connections {max} less {reserved} reserved leaves {usable}"));
        usable
    });

    // Without cores, what was busy at the 95th percentile is the most that the log supports.
    let measured = busy.map(|busy| u32::try_from(busy.p95).unwrap_or(u32::MAX));
    let wanted =
        formula.or_else(|| Some(measured.or(input.pooler.map(|used| ceil(used.wanted_p95)))?.max(1)));
    let room = usable.map(|usable| (usable - usable.div_ceil(FULL_FIFTH)).max(1));
    let capped = match (wanted, room) {
        (Some(wanted), Some(room)) if wanted > room => {
            warnings.push(format!(
                "{wanted} connections would take more than 80 % of the {} usable slots: held to {room}",
                usable.unwrap_or(0)
            ));
            Some(room)
        }
        (wanted, _) => wanted,
    };
    let per_instance = capped.map(|total| (total / instances).max(1));
    let total = per_instance.map(|size| size.saturating_mul(instances));

    if let (Some(total), Some(capped)) = (total, capped)
        && total > capped
    {
        warnings.push(format!(
            "{instances} instances hold at least one connection each, more than the {capped} that are useful: \
             put a pooler in transaction mode between them and the server"
        ));
    }
    if let (Some(total), Some(usable)) = (total, usable)
        && f64::from(total) > f64::from(usable) * FULL
        && usable > 0
    {
        warnings.push(format!(
            "{total} connections are {:.0} % of the {usable} usable slots: deployments and administrators need the rest",
            f64::from(total) / f64::from(usable) * 100.0
        ));
    }
    if let (Some(busy), Some(usable)) = (busy, usable)
        && busy.peak as f64 > f64::from(usable) * FULL
    {
        warnings.push(format!(
            "the log's peak of {} busy sessions is above 80 % of the {usable} usable slots",
            busy.peak
        ));
    }
    if let (Some(busy), Some(formula)) = (busy, formula)
        && busy.p95 > u64::from(formula)
    {
        warnings.push(format!(
            "{} sessions were busy at the 95th percentile, more than the {formula} that the hardware serves at once: \
             make the most expensive queries faster before adding connections",
            busy.p95
        ));
    }

    PoolSuggestion { per_instance, total, formula, usable, evidence, warnings }
}

/// What a pooler's log adds.
fn pooled(used: &Used, formula: Option<u32>, evidence: &mut Vec<String>, warnings: &mut Vec<String>) {
    let waiting = match used.waiting_peak {
        Some(waiting) => format!("; {waiting:.1} waited for a connection in the worst period"),
        None => "; its version does not tell waits".to_owned(),
    };
    evidence.push(format!(
        "the pooler's log shows {:.1} transactions under way at the 95th percentile of its periods, {:.1} at most{waiting}",
        used.wanted_p95, used.wanted_peak
    ));
    match used.servers {
        Some(open) => {
            evidence.push(format!("up to {} to the server were open", plural(open, "pooled connection")));
            if let Some(formula) = formula.filter(|formula| open > u64::from(*formula)) {
                warnings.push(format!(
                    "the pooler held {open} connections, more than the {formula} that the hardware serves at once"
                ));
            }
        }
        None => evidence.push(
            "how large the pooler's pools are is not known (log_connections and log_disconnections tell)"
                .to_owned(),
        ),
    }
    if let Some(formula) = formula.filter(|formula| used.wanted_peak > f64::from(*formula)) {
        warnings.push(format!(
            "{:.1} transactions were under way at once, more than the {formula} that the hardware serves: shorten them \
             before adding connections",
            used.wanted_peak
        ));
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of connections")]
fn ceil(number: f64) -> u32 {
    number.max(0.0).ceil() as u32
}

impl PoolSuggestion {
    /// The suggestion as an advice; `None` when no size could be given.
    pub fn advice(&self) -> Option<Advice> {
        let (size, total) = (self.per_instance?, self.total?);
        let because: Vec<&str> = self.evidence.iter().chain(&self.warnings).map(String::as_str).collect();
        let sql = if size == total {
            format!("pool size {size}")
        } else {
            format!("pool size {size} per instance, {total} connections in all")
        };
        Some(Advice::of(AdviceKind::Pool, sql, because.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: Concurrency = Concurrency { average: 1.5, p95: 6, peak: 11 };

    #[track_caller]
    fn check(input: PoolInput, per_instance: Option<u32>, total: Option<u32>, warnings: &[&str]) {
        let got = suggest(&input);
        assert_eq!((got.per_instance, got.total), (per_instance, total));
        assert_eq!(got.warnings.len(), warnings.len(), "{:?}", got.warnings);
        for (warning, part) in got.warnings.iter().zip(warnings) {
            assert!(warning.contains(part), "{warning}");
        }
    }

    #[test]
    fn the_guide_s_two_servers() {
        assert_eq!(formula(4, 1), 9);
        assert_eq!(formula(8, 4), 20);
        assert_eq!(formula(u32::MAX, 1), u32::MAX);
    }

    #[test]
    fn one_instance_without_a_log() {
        check(PoolInput { cores: Some(4), instances: 1, ..PoolInput::default() }, Some(9), Some(9), &[]);
    }

    #[test]
    fn many_instances_share_and_never_get_none() {
        let input = PoolInput { cores: Some(8), spindles: Some(4), ..PoolInput::default() };
        check(PoolInput { instances: 3, ..input }, Some(6), Some(18), &[]);
        check(PoolInput { instances: 50, ..input }, Some(1), Some(50), &["transaction mode"]);
    }

    #[test]
    fn a_server_with_few_slots_holds_the_pool_back() {
        let input = PoolInput {
            cores: Some(16),
            max_connections: Some(20),
            superuser_reserved_connections: Some(3),
            reserved_connections: Some(2),
            instances: 1,
            ..PoolInput::default()
        };
        // 15 usable slots: 12 is 80 % and not above it.
        check(input, Some(12), Some(12), &["held to 12"]);
        check(PoolInput { cores: Some(5), spindles: Some(2), ..input }, Some(12), Some(12), &[]);
    }

    #[test]
    fn saturation_is_said() {
        let input = PoolInput {
            cores: Some(2),
            concurrency: Some(Concurrency { average: 8.0, p95: 40, peak: 90 }),
            max_connections: Some(100),
            instances: 1,
            ..PoolInput::default()
        };
        check(input, Some(5), Some(5), &["peak of 90", "make the most expensive queries faster"]);
    }

    #[test]
    fn without_cores_the_log_decides_and_without_both_nothing_is_said() {
        check(
            PoolInput { concurrency: Some(BUSY), instances: 2, ..PoolInput::default() },
            Some(3),
            Some(6),
            &[],
        );
        let nothing = suggest(&PoolInput { max_connections: Some(100), ..PoolInput::default() });
        assert_eq!((nothing.per_instance, nothing.usable), (None, Some(97)));
        assert!(nothing.advice().is_none());
        assert!(nothing.evidence[0].contains("--cores"), "{:?}", nothing.evidence);
    }

    #[test]
    fn the_advice_tells_size_and_evidence() {
        let advice = suggest(&PoolInput {
            cores: Some(4),
            concurrency: Some(BUSY),
            max_connections: Some(100),
            instances: 3,
            ..PoolInput::default()
        })
        .advice()
        .expect("cores are known");
        assert_eq!(advice.sql, "pool size 3 per instance, 9 connections in all");
        assert_eq!(
            advice.because,
            "4 cores × 2 + 1 spindle = 9; the log shows 1.5 sessions busy on average, 6 at the 95th percentile, \
             11 at most; max_connections 100 less 3 reserved leaves 97"
        );
    }
}
