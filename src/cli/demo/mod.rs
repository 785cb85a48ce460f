//! `sargable demo`: the guide's claims, measured here on a private PostgreSQL.
//!
//! A shop database with planted problems is made, an application works on it while the server logs,
//! the analysis reads log and server as it would a user's, its indexes are created, and everything is
//! measured against a copy of the database from before. What the analysis is, the caller says: this module hands it the log and the URL.

mod guide;
pub mod measure;
pub mod planted;
pub mod shop;
pub mod statements;
mod tables;
pub mod traffic;

use std::{
    io::{self, Write},
    path::PathBuf,
    time::Instant,
};

use crate::{
    advise::{Advice, AdviceKind},
    cluster::{self, Cluster, Settings},
    error::Error,
    server::raw::Session,
};

#[derive(Clone, Debug, PartialEq)]
pub struct DemoOptions {
    /// Keep the server running at the end until Enter is pressed (or stdin ends).
    pub keep: bool,
    /// Times the guide's row counts: 1,000,000 users and orders, 3,000,000 order items.
    pub rows_scale: f64,
    /// Folder of `initdb` and `postgres`; `None` looks in the usual places.
    pub pg_bin: Option<PathBuf>,
}

impl Default for DemoOptions {
    fn default() -> DemoOptions {
        DemoOptions { keep: false, rows_scale: 1.0, pg_bin: None }
    }
}

/// Runs the demo. `analyze` gets the log files and the database's URL, prints what it finds, and
/// returns its advice; `out` gets the results, `progress` a line for each step.
///
/// # Errors
/// Those of the private server, of `analyze`, and of writing to `out`.
pub fn run(
    options: &DemoOptions,
    analyze: impl FnOnce(&[PathBuf], &str) -> Result<Vec<Advice>, Error>,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    let sizes = shop::Sizes::scaled(options.rows_scale);
    let cluster = start(options, progress)?;
    let mut step = Steps { progress };

    step.timed("loading the shop", || shop::load(&cluster, &sizes))?;
    if !shop::add_hypopg(&cluster)? {
        (step.progress)("this PostgreSQL has no HypoPG: indexes are proposed without the planner's word");
    }
    step.timed("running the application, every statement logged", || traffic::run(&cluster, &sizes))?;

    let old = step.timed("setting a copy of the database aside", || {
        shop::connect(&cluster, cluster::USER, "sargable demo")?.batch("VACUUM ANALYZE")?;
        shop::copy(&cluster)
    })?;

    let advice = step
        .timed("analysing log and server", || analyze(&[cluster.log_file()], &cluster.url(shop::DATABASE)))?;
    let new = shop::connect(&cluster, cluster::USER, "sargable demo")?;
    let applied = step.timed("creating the advised indexes", || apply(&new, &advice))?;
    // New statistics and new sessions on both sides: only the indexes may make a difference, not what a
    // backend's memory looks like after it has sorted millions of rows.
    old.batch("ANALYZE")?;
    new.batch("ANALYZE")?;
    drop((old, new));
    let (old, new) = shop::both(&cluster)?;
    let statements = step.timed("measuring every statement, without and with them", || {
        measure::statements(&old, &new, &sizes)
    })?;
    let rows =
        step.timed("measuring the guide's claims", || guide::measure(&cluster, &sizes, &statements))?;

    tables::applied(out, &applied)
        .and_then(|()| tables::statements(out, &statements))
        .and_then(|()| tables::guide(out, &rows))
        .map_err(|source| Error::Write { path: PathBuf::from("-"), source })?;
    if options.keep {
        (step.progress)(&format!("the server runs until you press Enter: {}", cluster.url(shop::DATABASE)));
        (step.progress)(&format!("its log: {}", cluster.log_file().display()));
        let _ = io::stdin().read_line(&mut String::new());
    }
    Ok(())
}

fn start(options: &DemoOptions, progress: &mut dyn FnMut(&str)) -> Result<Cluster, Error> {
    let set = [
        ("shared_buffers", "512MB"),
        ("maintenance_work_mem", "256MB"),
        // Compiling takes longer than most of these statements, and not the same on two machines.
        ("jit", "off"),
    ];
    let cluster = Cluster::start(&Settings {
        bin: options.pg_bin.clone(),
        log: true,
        set: set.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Settings::default()
    })?;
    let binaries = cluster.binaries();
    progress(&format!("PostgreSQL {} from {}", binaries.major, binaries.folder.display()));
    Ok(cluster)
}

/// An index that was created.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    pub sql: String,
    pub seconds: f64,
}

/// Creates the advised indexes, one at a time as CONCURRENTLY demands. Indexes that the advice would drop stay: it takes more than a minute of traffic to condemn one.
fn apply(session: &Session, advice: &[Advice]) -> Result<Vec<Applied>, Error> {
    let mut applied = Vec::new();
    for advice in advice.iter().filter(|advice| advice.kind == AdviceKind::CreateIndex) {
        let begun = Instant::now();
        session.batch(&advice.sql)?;
        applied.push(Applied { sql: advice.sql.clone(), seconds: begun.elapsed().as_secs_f64() });
    }
    Ok(applied)
}

/// Tells each step when it begins, and how long it took.
struct Steps<'a> {
    progress: &'a mut dyn FnMut(&str),
}

impl Steps<'_> {
    fn timed<T>(&mut self, what: &str, step: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        (self.progress)(&format!("{what} …"));
        let begun = Instant::now();
        let done = step()?;
        (self.progress)(&format!("{what}: {:.1} s", begun.elapsed().as_secs_f64()));
        Ok(done)
    }
}
