//! Logs as rsyslog and journald wrote them say what the server's own csvlog of the same run says.
//!
//! `fixtures/captured/` holds two runs of a PostgreSQL 15 with `log_destination = 'syslog,csvlog'` and a prefix that is
//! no one's default: statements of several lines, with TABs, umlauts and a thousand bytes, an error, connections.

use std::{collections::BTreeMap, path::PathBuf};

use sargable::{
    sources::{self, Ingested, Options},
    workload::Dimension,
};

fn read(name: &str) -> Ingested {
    let path = PathBuf::from("fixtures/captured").join(name);
    sources::ingest(&[path], &Options::default(), &mut |_| ()).expect("a log")
}

/// Calls, microseconds and errors of each query; executions of each sender, by user, database and application.
type Told = (BTreeMap<String, (u64, u64, u64)>, Vec<BTreeMap<String, u64>>);

fn told(name: &str) -> Told {
    let read = read(name);
    assert_eq!(read.inputs[0].skipped, 0, "{name}: {:?}", read.inputs);
    let queries = read.workload.ranked().into_iter();
    let queries =
        queries.map(|query| (query.text.clone(), (query.calls, query.total_us, query.errors))).collect();
    let senders = [Dimension::User, Dimension::Database, Dimension::Application].map(|dimension| {
        let parts = read.workload.by(dimension).into_iter();
        parts.map(|(name, part)| (name, part.tally.calls)).collect()
    });
    (queries, senders.into())
}

#[test]
fn rsyslog_carries_a_run_unharmed() {
    let wanted = told("syslog.csv");
    assert_eq!(wanted.0.values().map(|(calls, ..)| calls).sum::<u64>(), 18);
    for name in ["syslog-traditional.log", "syslog-precise.log", "syslog-5424.log"] {
        assert_eq!(told(name), wanted, "{name}");
    }
}

#[test]
fn journald_carries_a_run_unharmed() {
    let wanted = told("journal.csv");
    assert_eq!(wanted.0.values().map(|(calls, ..)| calls).sum::<u64>(), 18);
    for name in ["journal.export", "journal.json", "journal-short-iso.log"] {
        assert_eq!(told(name), wanted, "{name}");
    }
}
