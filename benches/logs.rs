//! How fast logs are read: megabytes per CPU-second, next to `wc -l` and `grep -c` on the same file.
//!
//! `cargo bench --bench logs` makes a log in each of the three formats; `LOG=/path/to/postgresql.log` names
//! another.
//! CPU time is that of all threads together, as Linux counts it.
#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]

use std::{env, error::Error, fs, io::Write, path::Path, process::Command, time::Instant};

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
    if let Some(path) = env::var_os("LOG") {
        return compare(Path::new(&path));
    }
    for format in ["log", "csv", "json"] {
        let made = tempfile::Builder::new().suffix(&format!(".{format}")).tempfile()?;
        make(&format!("shop.{format}"), made.path())?;
        compare(made.path())?;
    }
    Ok(())
}

/// Reads one log in four ways, in one run: the machine is the same for all of them.
fn compare(path: &Path) -> Result<(), Box<dyn Error>> {
    let megabytes = fs::metadata(path)?.len() as f64 / 1e6;
    println!("{}: {megabytes:.0} MB", path.display());
    let paths = [path.to_owned()];
    let options = Options::default();
    let (_, events) = measure(megabytes, "events", || {
        Ok(sources::gather::<Counter>(&paths, &options, &|| (), &mut |_, _| ())?.collected.0)
    })?;
    let (executions, workload) = measure(megabytes, "workload", || {
        Ok(sources::ingest(&paths, &options, &mut |_| ())?.workload.totals().executions)
    })?;
    let program = |name: &str, arguments: [&str; 2]| {
        let run = || {
            // Not /dev/null: there grep stops at its first match.
            Ok(Command::new(name).args(arguments).arg(path).env("LC_ALL", "C").output()?.status)
        };
        Ok::<f64, Box<dyn Error>>(measure(megabytes, &format!("{name} {}", arguments[0]), run)?.1)
    };
    program("wc", ["-l", "--"])?;
    let grep = program("grep", ["-c", "duration"])?.max(0.001);
    println!(
        "{executions} executions: events {:.1} times grep's CPU time, the workload {:.1} times\n",
        events / grep,
        workload / grep
    );
    Ok(())
}

/// Means of so many runs, since CPU time is counted in hundredths of a second.
const RUNS: u32 = 10;

fn measure<T>(
    megabytes: f64,
    what: &str,
    mut run: impl FnMut() -> Result<T, Box<dyn Error>>,
) -> Result<(T, f64), Box<dyn Error>> {
    // Brings the file into memory.
    let mut found = run()?;
    let (begin, wall) = (cpu_seconds()?, Instant::now());
    for _ in 0..RUNS {
        found = run()?;
    }
    let cpu = (cpu_seconds()? - begin) / f64::from(RUNS);
    let wall = wall.elapsed().as_secs_f64() / f64::from(RUNS);
    println!(
        "{what:<28} {:>8.0} MB per CPU-second  {cpu:.3} s CPU  {wall:.3} s wall",
        megabytes / cpu.max(0.001)
    );
    Ok((found, cpu))
}

/// The fixture again and again, about 100 MB.
fn make(fixture: &str, path: &Path) -> Result<(), Box<dyn Error>> {
    let piece = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs").join(fixture))?;
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
