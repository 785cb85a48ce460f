//! How fast logs are read: megabytes per CPU-second, next to `wc -l` and `grep -c` on the same file.
//!
//! `cargo bench --bench logs` makes a log of its own; `LOG=/path/to/postgresql.log` names another.
//! CPU time is that of all threads together, as Linux counts it.
#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]

use std::{
    env,
    error::Error,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use sargable::{
    sources::{self, Collector, Options},
    workload::Event,
};

/// Counts events and forgets them: what the reading itself costs.
#[derive(Default)]
struct Counter(u64);

impl Collector for Counter {
    type Tools = ();

    fn event(&mut self, _: &Event<'_>, (): &mut ()) {
        self.0 += 1;
    }

    fn append(&mut self, later: Counter) {
        self.0 += later.0;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let made = tempfile::Builder::new().suffix(".log").tempfile()?;
    let path = if let Some(path) = env::var_os("LOG") {
        PathBuf::from(path)
    } else {
        make(made.path())?;
        made.path().to_owned()
    };
    let megabytes = fs::metadata(&path)?.len() as f64 / 1e6;
    println!("{}: {megabytes:.0} MB", path.display());
    let report = |what: &str, cpu: f64, wall: f64| {
        println!(
            "{what:<28} {:>8.0} MB per CPU-second  {cpu:.2} s CPU  {wall:.2} s wall",
            megabytes / cpu.max(0.01)
        );
    };
    let paths = [path.clone()];
    let options = Options::default();
    for _ in 0..3 {
        let (begin, wall) = (cpu_seconds()?, Instant::now());
        let events = sources::gather::<Counter>(&paths, &options, &mut |_| ())?.collected.0;
        report(&format!("events ({events})"), cpu_seconds()? - begin, wall.elapsed().as_secs_f64());
        let (begin, wall) = (cpu_seconds()?, Instant::now());
        let ingested = sources::ingest(&paths, &options, &mut |_| ())?;
        let executions = ingested.workload.totals().executions;
        report(&format!("workload ({executions})"), cpu_seconds()? - begin, wall.elapsed().as_secs_f64());
    }
    for (program, arguments) in [("wc", ["-l", "--"]), ("grep", ["-c", "duration"])] {
        let (begin, wall) = (cpu_seconds()?, Instant::now());
        // Not /dev/null: there grep stops at its first match.
        Command::new(program).args(arguments).arg(&path).output()?;
        report(&format!("{program} {}", arguments[0]), cpu_seconds()? - begin, wall.elapsed().as_secs_f64());
    }
    Ok(())
}

/// The fixture again and again, about 100 MB.
fn make(path: &Path) -> Result<(), Box<dyn Error>> {
    let piece = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs/shop.log"))?;
    let mut file = fs::File::create(path)?;
    for _ in 0..100_000_000 / piece.len() {
        file.write_all(&piece)?;
    }
    Ok(())
}

/// Of this process, its threads and the programs that it waited for.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/self/stat has a name in parentheses")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let mut ticks = 0.0;
    for field in fields.get(11..15).ok_or("/proc/self/stat has the four times")? {
        ticks += field.parse::<f64>()?;
    }
    // Linux counts these in hundredths of a second on every platform (USER_HZ).
    Ok(ticks / 100.0)
}
