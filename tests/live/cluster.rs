//! A private cluster answers, and is gone with whoever started it.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use sargable::{
    cluster::{self, Cluster, Settings},
    server::raw::{Session, Target},
};

/// Set for a child of ours that must hold its cluster until it is killed.
const HOLD: &str = "SARGABLE_TEST_HOLD";

fn connect(cluster: &Cluster) -> Session {
    Session::connect(&Target {
        socket_dir: cluster.socket_dir(),
        port: cluster::PORT,
        user: cluster::USER,
        database: "postgres",
        application_name: "live test",
    })
    .expect("a connection")
}

fn one(session: &Session, sql: &str) -> String {
    let rows = session.query(sql, &[]).expect("an answer");
    rows[0][0].clone().expect("a value")
}

fn server_pid(folder: &Path) -> String {
    let text = fs::read_to_string(folder.join("data/postmaster.pid")).expect("a running server");
    text.lines().next().expect("its process number").to_owned()
}

fn lives(pid: &str) -> bool {
    Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().expect("kill runs").success()
}

#[track_caller]
fn comes_true(what: &str, check: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !check() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Also what the test below runs in a child of its own.
#[test]
fn it_answers_and_leaves_nothing() {
    let cluster = Cluster::start(&Settings::default()).expect("a cluster");
    let folder = cluster.socket_dir().to_path_buf();
    let server = server_pid(&folder);
    if env::var_os(HOLD).is_some() {
        // Past the test harness, which would keep it to itself.
        writeln!(io::stdout(), "\nholding {} {server}", folder.display()).expect("a reader");
        io::stdin().lines().for_each(drop);
    }

    let session = connect(&cluster);
    assert_eq!(one(&session, "SHOW listen_addresses"), "");
    assert_eq!(one(&session, "SHOW timezone"), "UTC");
    assert_eq!(
        one(
            &session,
            "SELECT current_setting('server_version_num')::int / 10000 = $1::int"
                .replace("$1", &cluster.binaries().major.to_string())
                .as_str()
        ),
        "t"
    );

    drop(cluster);
    assert!(!lives(&server), "server {server} outlived its cluster");
    assert!(!folder.exists(), "{} is still there", folder.display());
}

/// A child with a cluster, the folder of that, and the number of the server's process.
fn holder() -> (Child, PathBuf, String) {
    let mut child = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "cluster::it_answers_and_leaves_nothing"])
        .env(HOLD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a second test process");
    let out = BufReader::new(child.stdout.take().expect("its output"));
    let line = out
        .lines()
        .map(|line| line.expect("text"))
        .find_map(|line| line.strip_prefix("holding ").map(str::to_owned))
        .expect("a cluster in the child");
    let (folder, server) = line.split_once(' ').expect("folder and process");
    assert!(lives(server));
    (child, folder.into(), server.to_owned())
}

#[test]
fn it_dies_with_a_process_that_is_killed() {
    let (mut child, folder, server) = holder();
    child.kill().expect("SIGKILL");
    child.wait().expect("its end");
    comes_true("the server outlives a killed process", || !lives(&server));
    comes_true("the folder outlives a killed process", || !folder.exists());
}

#[test]
fn it_dies_though_its_guardian_was_killed_first() {
    let (mut child, folder, server) = holder();
    let parent = Command::new("ps").args(["-o", "ppid=", "-p", &server]).output().expect("ps runs");
    let guardian = String::from_utf8_lossy(&parent.stdout).trim().to_owned();
    let killed = Command::new("kill").args(["-s", "KILL", &guardian]).status().expect("kill runs");
    assert!(killed.success());
    child.kill().expect("SIGKILL");
    child.wait().expect("its end");
    comes_true("the server outlives its guardian and us", || !lives(&server));
    let next = Cluster::start(&Settings::default()).expect("a cluster");
    assert!(!folder.exists() && next.socket_dir().exists(), "the next start sweeps {}", folder.display());
}

/// Where no data folder is kept from an earlier run.
#[test]
fn initdb_ends_with_a_process_that_is_killed() {
    let parent = tempfile::tempdir().expect("a folder");
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o1777)).expect("a mode");
    let mut child = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "cluster::it_answers_and_leaves_nothing"])
        .env(HOLD, "1")
        .env("TMPDIR", parent.path())
        .env("XDG_CACHE_HOME", parent.path().join("cache"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a second test process");
    let folders = || fs::read_dir(parent.path()).expect("the folder").filter_map(Result::ok);
    let log = || folders().map(|entry| entry.path().join("initdb.log")).find(|log| log.exists());
    let begun = |log: PathBuf| fs::read_to_string(log).is_ok_and(|text| text.contains("data"));
    comes_true("initdb does not begin", || log().is_some_and(begun));
    let log = log().expect("its log");
    let mut words = fs::File::open(&log).expect("its log");
    child.kill().expect("SIGKILL");
    child.wait().expect("its end");
    comes_true("the folder outlives a killed process", || !log.exists());
    let mut said = String::new();
    words.read_to_string(&mut said).expect("text");
    assert!(!said.contains("Success"), "initdb went on to its end:\n{said}");
}

#[test]
fn two_run_side_by_side() {
    let first = Cluster::start(&Settings::default()).expect("a cluster");
    let second = Cluster::start(&Settings::default()).expect("another");
    connect(&first).batch("CREATE TABLE only_here ()").expect("DDL");
    assert_eq!(one(&connect(&second), "SELECT to_regclass('only_here') IS NULL"), "t");
    assert_ne!(first.socket_dir(), second.socket_dir());
}

#[test]
fn folders_of_dead_runs_are_swept() {
    let left = env::temp_dir().join("sargable-0-0");
    fs::create_dir_all(left.join("data")).expect("a folder");
    fs::write(left.join("lock"), "").expect("a lock that nobody holds");
    let cluster = Cluster::start(&Settings::default()).expect("a cluster");
    assert!(cluster.socket_dir().exists());
    assert!(!left.exists(), "a dead folder was left");
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let settings =
        Settings { set: vec![("work_mem".to_owned(), "plenty".to_owned())], ..Settings::default() };
    let err = Cluster::start(&settings).expect_err("no such amount");
    assert!(err.to_string().contains("invalid value for parameter \"work_mem\": \"plenty\""), "{err}");
}

#[test]
fn the_log_has_statements_with_their_values() {
    let cluster = Cluster::start(&Settings { log: true, ..Settings::default() }).expect("a cluster");
    let session = connect(&cluster);
    session.batch("SET log_min_duration_statement = 0").expect("a superuser");
    let prepared = session.prepare("SELECT relname FROM pg_class WHERE oid = $1").expect("a statement");
    let rows = session.rows(&prepared, &["1259"]).expect("rows");
    assert_eq!(rows, [[Some("pg_class".to_owned())]]);
    let logged = || fs::read_to_string(cluster.log_file()).unwrap_or_default();
    comes_true("no execution in the log", || {
        logged().contains("SELECT relname FROM pg_class WHERE oid = $1") && logged().contains("$1 = '1259'")
    });
}

#[test]
fn received_bytes_are_counted() {
    let cluster = Cluster::start(&Settings::default()).expect("a cluster");
    let session = connect(&cluster);
    let prepared =
        session.prepare("SELECT repeat('x', $1), NULL::int FROM generate_series(1, 3)").expect("parsed");
    let received = session.execute(&prepared, &["100"]).expect("rows");
    // Per row: 7 for the message, 4 for each column's length, and the text.
    assert_eq!((received.rows, received.bytes), (3, 3 * (7 + 8 + 100)));
}

#[test]
fn an_error_has_the_servers_words() {
    let cluster = Cluster::start(&Settings::default()).expect("a cluster");
    let err = connect(&cluster).batch("SELECT nothing").expect_err("no such column");
    assert_eq!(err.to_string(), "the server failed while SELECT nothing: column \"nothing\" does not exist");
}

#[test]
fn the_url_names_the_socket() {
    let cluster = Cluster::start(&Settings::default()).expect("a cluster");
    let folder: PathBuf = cluster.socket_dir().into();
    assert_eq!(
        cluster.url("shop"),
        format!("postgresql:///shop?host={}&port=5432&user=postgres", folder.display())
    );
}
