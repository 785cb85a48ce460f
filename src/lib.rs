//! Finds what makes a PostgreSQL workload slow, and proves what will make it fast.
//!
//! Data goes one way, and each arrow makes a new type:
//!
//! ```text
//! sources ─▶ Event ─▶ workload ─▶ Query ─▶ gather ─▶ Facts ─▶ detect ─▶ Finding ─┐
//! (sql files, logs)   (group by           (plan, catalog,    (pure, one file     ├▶ report
//!                      fingerprint)        bind values)       per detector)      │
//!                                                └─▶ advise ─▶ Advice ───────────┘
//! ```
//!
//! **Invariant:** only `sources`, `server`, `cluster`, `twin` and `cli` do I/O, and only `server` is async.
//! Detectors, advice and reports are plain functions from data to data.
//!
//! **Invariant:** nothing is dropped in silence. What could not be read, parsed, planned or judged is
//! counted ([`error::NotJudged`]) and shown.

pub mod digits;
pub mod error;
pub mod names;
pub mod threads;
pub mod yaml;

pub mod catalog;
pub mod finding;
pub mod plan;
pub mod sql;

pub mod config;
pub mod rules;
pub mod workload;

pub mod advise;
pub mod assume;
pub mod detect;
pub mod gate;
pub mod lint;

pub mod cluster;
pub mod server;
pub mod sources;
pub mod twin;

pub mod examples;

pub mod report;

pub mod cli;
