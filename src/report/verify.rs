//! What `--verify` measured: the advised indexes built on a scratch server a set at a time, and the queries
//! without and with them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::rounded;
use crate::advise::{Advice, AdviceKind, Proof};

/// A query takes this many times as long with the indexes, and not by chance: it got slower.
const SLOWER: f64 = 1.2;

/// Differences below this, in milliseconds, are noise.
const NOISE_MS: f64 = 0.1;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// `user@host:port/database`.
    pub server: String,
    /// Indexes of an earlier verification that was killed, dropped now.
    pub swept: Vec<String>,
    /// A signal ended it before everything was measured.
    pub stopped: bool,
    pub sets: Vec<Set>,
    /// Queries of these tables that were not run.
    pub not_run: Vec<NotRun>,
    /// What could not be dropped, with the reason.
    pub left: Vec<Left>,
}

/// Indexes that serve the same queries, built together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Set {
    pub indexes: Vec<Index>,
    /// Queries that the indexes serve or that read their tables; the most expensive first.
    pub queries: Vec<Query>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// The advice's statement; the index itself stood under another name.
    pub sql: String,
    /// As the advice told it.
    pub told_bytes: Option<u64>,
    /// `None` where it could not be built, as the next one.
    pub bytes: Option<u64>,
    pub build_ms: Option<f64>,
    /// Why it could not be built.
    pub why: Option<String>,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a key of the report")]
#[expect(clippy::struct_field_names, reason = "`query` is what the report calls a fingerprint everywhere")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Fingerprint, in hex.
    pub query: String,
    /// The advice says that an index of the set serves it.
    pub served: bool,
    /// Its plan takes one of them.
    pub used: bool,
    /// The median of three runs.
    pub ms_before: f64,
    pub ms_after: f64,
    /// It was ended by the statement timeout, so that it takes longer than this.
    pub stopped_before: bool,
    pub stopped_after: bool,
    pub slower: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotRun {
    pub query: String,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    pub name: String,
    pub why: String,
}

/// The time of one query: the median of its runs, or the limit that ended it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time {
    pub ms: f64,
    pub stopped: bool,
}

impl Time {
    /// `None` where nothing ran.
    pub fn median(mut runs: Vec<f64>) -> Option<Time> {
        runs.sort_by(f64::total_cmp);
        Some(Time { ms: *runs.get(runs.len() / 2)?, stopped: false })
    }

    pub fn is_slower_than(self, before: Time) -> bool {
        !before.stopped && self.ms >= before.ms * SLOWER && self.ms - before.ms >= NOISE_MS
    }
}

impl Query {
    pub fn new(query: &str, before: Time, after: Time) -> Query {
        Query {
            query: query.to_owned(),
            served: false,
            used: false,
            ms_before: rounded(before.ms),
            ms_after: rounded(after.ms),
            stopped_before: before.stopped,
            stopped_after: after.stopped,
            slower: after.is_slower_than(before),
        }
    }

    /// How much of its time is left; of what was stopped before, at most that.
    fn left(&self) -> f64 {
        if self.ms_before > 0.0 { self.ms_after / self.ms_before } else { 1.0 }
    }
}

/// The advised indexes by their positions, those together that serve a common query.
pub fn sets(advice: &[Advice]) -> Vec<Vec<usize>> {
    let mut sets: Vec<(Vec<usize>, BTreeSet<&str>)> = Vec::new();
    for (at, one) in advice.iter().enumerate() {
        if one.kind != AdviceKind::CreateIndex {
            continue;
        }
        let mut set: (Vec<usize>, BTreeSet<&str>) =
            (vec![at], one.serves.iter().map(String::as_str).collect());
        let (joined, others) = sets.into_iter().partition(|(_, serves)| !serves.is_disjoint(&set.1));
        sets = others;
        for (indexes, serves) in joined {
            set.0.extend(indexes);
            set.1.extend(serves);
        }
        set.0.sort_unstable();
        sets.push(set);
    }
    sets.sort();
    sets.into_iter().map(|(indexes, _)| indexes).collect()
}

impl Verification {
    /// Puts what was measured into the advice. What saves nothing stays planned, and says so.
    pub fn tell(&self, advice: &mut [Advice]) {
        for one in advice.iter_mut().filter(|one| one.kind == AdviceKind::CreateIndex) {
            let found = self
                .sets
                .iter()
                .find_map(|set| Some((set, set.indexes.iter().find(|index| index.sql == one.sql)?)));
            let Some((set, index)) = found else { continue };
            if let Some(why) = &index.why {
                one.because.push_str(&format!("; not built on {}: {why}", self.server));
                continue;
            }
            one.built_bytes = index.bytes;
            let served: Vec<&Query> =
                set.queries.iter().filter(|query| one.serves.contains(&query.query)).collect();
            if served.is_empty() || index.bytes.is_none() {
                continue;
            }
            for gain in &mut one.gains {
                if let Some(query) = served.iter().find(|query| query.query == gain.query) {
                    (gain.ms_before, gain.ms_after) = (Some(query.ms_before), Some(query.ms_after));
                }
            }
            let before: f64 = served.iter().map(|query| query.ms_before).sum();
            let after: f64 = served.iter().map(|query| query.ms_after).sum();
            if served.iter().any(|query| query.used) && after < before {
                one.proof = Proof::Verified;
            } else {
                one.because.push_str(&format!("; measured on {}, it saves nothing", self.server));
            }
        }
    }

    /// Milliseconds of the served queries in the workload, as measured: `total` says what each took in all.
    pub fn workload_ms(&self, advice: &Advice, total: &dyn Fn(&str) -> f64) -> Option<f64> {
        let measured = |id: &str| {
            self.sets.iter().flat_map(|set| &set.queries).find(|query| query.query == id && query.served)
        };
        advice.serves.iter().map(|id| Some(total(id) * measured(id)?.left())).sum()
    }

    pub fn slower(&self) -> impl Iterator<Item = &Query> {
        self.sets.iter().flat_map(|set| &set.queries).filter(|query| query.slower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(sql: &str, serves: &[&str]) -> Advice {
        Advice {
            serves: serves.iter().map(|id| (*id).to_owned()).collect(),
            ..Advice::of(AdviceKind::CreateIndex, sql.to_owned(), String::new())
        }
    }

    fn time(ms: f64) -> Time {
        Time { ms, stopped: false }
    }

    #[test]
    fn indexes_that_share_a_query_stand_together() {
        let all = [
            advice("a", &["1"]),
            advice("b", &["2", "3"]),
            Advice::of(AdviceKind::DropIndex, "x".to_owned(), String::new()),
            advice("c", &["3", "1"]),
            advice("d", &["4"]),
        ];
        assert_eq!(sets(&all), [vec![0, 1, 3], vec![4]]);
    }

    #[test]
    fn slower_is_told_from_noise() {
        assert!(time(12.0).is_slower_than(time(10.0)));
        assert!(!time(11.9).is_slower_than(time(10.0)), "less than 1.2 times");
        assert!(!time(0.05).is_slower_than(time(0.01)), "nobody measures that");
        assert!(!time(5000.0).is_slower_than(Time { ms: 5.0, stopped: true }));
        assert_eq!(Time::median(vec![9.0, 1.0, 2.0]), Some(time(2.0)));
        assert_eq!(Time::median(Vec::new()), None);
    }

    #[test]
    fn only_what_helped_is_verified() {
        let index = |sql: &str| Index { sql: sql.to_owned(), bytes: Some(8192), ..Index::default() };
        let query = |id: &str, before: f64, after: f64| Query {
            served: true,
            used: true,
            ..Query::new(id, time(before), time(after))
        };
        let verification = Verification {
            server: "me@h:1/d".to_owned(),
            sets: vec![Set {
                indexes: vec![index("a"), index("b"), Index { why: Some("no".into()), ..index("c") }],
                queries: vec![query("1", 100.0, 1.0), query("2", 5.0, 7.0)],
            }],
            ..Verification::default()
        };
        let mut all = [advice("a", &["1"]), advice("b", &["2"]), advice("c", &["1"])];
        verification.tell(&mut all);
        assert_eq!(
            all.each_ref().map(|one| one.proof),
            [Proof::Verified, Proof::Unverified, Proof::Unverified]
        );
        assert!(all[1].because.contains("saves nothing") && all[2].because.contains("not built"));
        assert_eq!(verification.workload_ms(&all[0], &|_| 1000.0), Some(10.0));
        assert_eq!(verification.slower().map(|query| query.query.as_str()).collect::<Vec<_>>(), ["2"]);
    }
}
