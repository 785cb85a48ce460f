//! A run that is ended at a random moment, however rudely, leaves nothing: no process, and no folder that the next
//! run does not sweep. `SARGABLE_KILLS=100 cargo test --test live killed::` ends more of them, `SARGABLE_SEED=2`
//! at other moments; as an ordinary user it is the same test.

use std::{
    env, fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::harness;

fn start(folder: &Path, cache: &Path, snapshot: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sargable"));
    command.args(["explain", "--snapshot"]).arg(snapshot).arg("SELECT * FROM orders WHERE owner = 42");
    command.env_clear().env("TMPDIR", folder).env("XDG_CACHE_HOME", cache);
    for name in ["PG_BIN", "PATH"] {
        command.envs(env::var_os(name).map(|value| (name, value)));
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("sargable starts")
}

/// The processes that name `folder`, the guardian and the server among them.
fn processes(folder: &Path) -> Vec<String> {
    let out = Command::new("ps").args(["-A", "-o", "pid=,args="]).output().expect("ps runs");
    let named = folder.display().to_string();
    let mut all: Vec<String> = String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter(|line| line.contains(&named))
        .map(str::to_owned)
        .collect();
    // The server's own processes have other titles; where the system tells, their folder gives them away.
    for entry in fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok) {
        let working = fs::read_link(entry.path().join("cwd"));
        if working.is_ok_and(|at| at.starts_with(folder)) {
            all.push(entry.path().display().to_string());
        }
    }
    all
}

/// A number below `limit`; the same ones for the same seed.
fn random(seed: &mut u64, limit: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % limit.max(1)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn nothing_is_left_of_a_run_that_is_ended_at_any_moment() {
    let parent = tempfile::tempdir().expect("a folder");
    let (folder, cache) = (parent.path().join("t"), parent.path().join("c"));
    // The account that the server runs as passes through, and may remove its own folder, as in /tmp.
    for (path, mode) in [(parent.path(), 0o755), (&folder, 0o1777), (&cache, 0o700)] {
        fs::create_dir_all(path).expect("a folder");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }
    let shop = harness::database();
    shop.sql(
        "CREATE TABLE orders AS SELECT n AS id, n % 700 AS owner FROM generate_series(1, 20000) n;
         CREATE INDEX ON orders (owner); ANALYZE orders",
    );
    let snapshot = parent.path().join("shop.snap");
    let taken = Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(["snapshot", &shop.url(), "-o"])
        .arg(&snapshot)
        .status()
        .expect("sargable runs");
    assert!(taken.success());

    let nowhere = parent.path().join("shop.snap/no-folder");
    let whole = |cache: &Path| {
        let begun = Instant::now();
        assert!(start(&folder, cache, &snapshot).wait().expect("its end").success());
        u64::try_from(begun.elapsed().as_micros()).expect("a moment")
    };
    // Without a place for the data folder each run makes one; with it the first run makes it for all.
    let cold = whole(&nowhere);
    whole(&cache);
    assert_eq!(fs::read_dir(cache.join("sargable/initdb")).expect("the cache").count(), 1);
    let warm = whole(&cache);

    let mut seed = number("SARGABLE_SEED").unwrap_or(1);
    let (mut ended, mut left, mut longest) = (0, 0, Duration::ZERO);
    let kills = number("SARGABLE_KILLS").unwrap_or(8);
    let signals = ["KILL", "KILL", "KILL", "INT", "KILL", "TERM", "KILL", "HUP"];
    for (kill, signal) in (0..kills).zip(signals.into_iter().cycle()) {
        let (cache, length) = if kill % 2 == 0 { (&cache, warm) } else { (&nowhere, cold) };
        let moment = Duration::from_micros(random(&mut seed, length));
        // Two at once: what one leaves is not the other's, and the other lives.
        let beside = (kill % 4 == 3).then(|| start(&folder, cache, &snapshot));
        let mut run = start(&folder, cache, &snapshot);
        thread::sleep(moment);
        let living = run.try_wait().expect("its state").is_none();
        let pid = run.id().to_string();
        Command::new("kill").args(["-s", signal, &pid]).stderr(Stdio::null()).status().expect("kill runs");
        run.wait().expect("its end");
        let at = Instant::now();
        if let Some(mut beside) = beside {
            assert!(
                beside.wait().expect("its end").success(),
                "SIG{signal} after {moment:?} ended another run"
            );
        }
        let deadline = at + Duration::from_mins(1);
        loop {
            let there = processes(&folder);
            if there.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "SIG{signal} after {moment:?} leaves {there:#?}");
            thread::sleep(Duration::from_millis(20));
        }
        longest = longest.max(at.elapsed());
        ended += u64::from(living);
        left += u64::from(fs::read_dir(&folder).expect("the folder").count() > 0);
    }
    whole(&cache);
    let there: Vec<_> = fs::read_dir(&folder).expect("the folder").filter_map(Result::ok).collect();
    assert!(there.is_empty(), "the next run leaves {there:?}");
    writeln!(
        io::stdout(),
        "\n{ended} of {kills} runs ended (a whole one takes {warm} µs, without a cache {cold} µs): \
         all processes gone after {longest:?} at most, {left} folders left for the next run to sweep, none after it"
    )
    .expect("a reader");
    assert!(ended > 0, "every run was over before its end");
}
