//! One throw-away PostgreSQL for this test binary; one database for each test.
//!
//! ```ignore
//! let shop = harness::database();          // new and empty, dropped with the server
//! shop.sql("CREATE TABLE orders (id bigint PRIMARY KEY)");
//! let mut server = shop.connect();         // a `sargable::server::Server` on it
//! let url = shop.url();                    // for the command line
//! let log = harness::log_file();           // every statement, with its duration (stderr format)
//! ```
//!
//! The server is the child of a shell that reads its stdin. However the tests end, that pipe closes,
//! and the shell stops the server and removes its files. No port is opened; roles: `postgres`
//! (superuser, trusted) and `locked` (needs the password `opensesame`).
//!
//! Binaries: `$PG_BIN`, then `pg_config --bindir`, then the newest `/usr/lib/postgresql/*/bin`. A server that `$PG_BIN` names
//! may lack psql, then that of `$PATH` serves. `make test-matrix` names servers without HypoPG as well, for tests that do
//! without; it says so by `SARGABLE_NO_HYPOPG`.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use sargable::server::{Environment, Server, Target};

const INSTALL: &str =
    "run `apt-get install postgresql postgresql-15-hypopg`, or set PG_BIN to a server's bin folder";

/// PostgreSQL refuses to run as root, so root becomes `postgres`.
const SCRIPT: &str = r#"
    as=; [ "$(id -u)" = 0 ] && { chown postgres "$0"; as='setpriv --reuid=postgres --regid=postgres --init-groups'; }
    cd "$0"
    $as "$1/initdb" -D data -U postgres -A trust -E UTF8 --no-locale --no-sync >initdb.log 2>&1 || exit 1
    printf 'local all locked scram-sha-256\nlocal all all trust\n' >data/pg_hba.conf
    preload=; [ -e "$1/../lib/pg_stat_statements.so" ] && preload='-c shared_preload_libraries=pg_stat_statements'
    $as "$1/postgres" -D data -k "$0" -F -c listen_addresses= -c max_connections=60 -c max_locks_per_transaction=512 $preload \
        -c log_min_duration_statement=0 -c log_line_prefix='%m [%p] %q%u@%d ' >server.log 2>&1 </dev/null &
    server=$!
    cat >/dev/null
    kill -INT $server; wait $server; cd /; rm -r "$0"
"#;

struct Cluster {
    folder: PathBuf,
    bin: PathBuf,
    _shell: Child,
}

static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
    let bin = bin();
    let folder = std::env::temp_dir().join(format!("sargable-live-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a fresh folder");
    let mut shell = Command::new("sh")
        .args(["-c", SCRIPT])
        .args([&folder, &bin])
        .stdin(Stdio::piped())
        .spawn()
        .expect("sh starts");
    let deadline = Instant::now() + Duration::from_mins(2);
    while !answers(&bin, &folder) {
        let ended = shell.try_wait().expect("the shell's state").is_some();
        assert!(
            !ended && Instant::now() < deadline,
            "PostgreSQL of {} did not start: see {}/*.log",
            bin.display(),
            folder.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let cluster = Cluster { folder, bin, _shell: shell };
    if std::env::var_os("SARGABLE_NO_HYPOPG").is_none() {
        let hypopg =
            psql(&cluster, "postgres", "SELECT 1 FROM pg_available_extensions WHERE name = 'hypopg'");
        assert_eq!(hypopg, "1", "the server of {} has no HypoPG: {INSTALL}", cluster.bin.display());
    }
    psql(&cluster, "postgres", "CREATE ROLE locked LOGIN PASSWORD 'opensesame'");
    cluster
});

fn bin() -> PathBuf {
    let complete = |folder: &Path| ["initdb", "postgres"].iter().all(|file| folder.join(file).exists());
    if let Some(folder) = std::env::var_os("PG_BIN").map(PathBuf::from) {
        assert!(complete(&folder), "PG_BIN={} lacks initdb or postgres", folder.display());
        return folder;
    }
    let config = Command::new("pg_config").arg("--bindir").output().ok();
    let named = config.map(|out| PathBuf::from(String::from_utf8_lossy(&out.stdout).trim()));
    let mut debian: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin")))
        })
        .collect();
    debian.sort();
    named
        .into_iter()
        .chain(debian.into_iter().rev().map(|(_, folder)| folder))
        .find(|folder| complete(folder))
        .unwrap_or_else(|| panic!("no PostgreSQL server found: {INSTALL}"))
}

/// psql: the server's own, else any.
fn client(bin: &Path) -> PathBuf {
    let own = bin.join("psql");
    if own.exists() { own } else { PathBuf::from("psql") }
}

fn answers(bin: &Path, folder: &Path) -> bool {
    Command::new(client(bin))
        .args(["-XAtqc", "SELECT 1", "-U", "postgres", "-d", "postgres", "-h"])
        .arg(folder)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[track_caller]
fn psql(cluster: &Cluster, database: &str, sql: &str) -> String {
    let out = Command::new(client(&cluster.bin))
        .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", sql, "-h"])
        .arg(&cluster.folder)
        .output()
        .expect("psql starts");
    assert!(out.status.success(), "{sql}\n{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim_end().to_owned()
}

/// One test's own database.
pub(crate) struct Database {
    pub(crate) name: String,
}

/// A new, empty database.
pub(crate) fn database() -> Database {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
    psql(&CLUSTER, "postgres", &format!("CREATE DATABASE {name}"));
    Database { name }
}

/// The server's log so far, in stderr format with `%m [%p] %q%u@%d `.
pub(crate) fn log_file() -> PathBuf {
    CLUSTER.folder.join("server.log")
}

/// The folder of the server's socket: what `PGHOST` takes.
pub(crate) fn socket() -> String {
    CLUSTER.folder.display().to_string()
}

impl Database {
    /// Runs statements as superuser, through psql; gives the rows, columns apart by `|`.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &str) -> String {
        psql(&CLUSTER, &self.name, sql)
    }

    /// A connection string for the superuser.
    pub(crate) fn url(&self) -> String {
        self.url_as("postgres")
    }

    pub(crate) fn url_as(&self, role: &str) -> String {
        format!("postgres://{role}@{}/{}", socket().replace('/', "%2F"), self.name)
    }

    #[track_caller]
    pub(crate) fn connect(&self) -> Server {
        self.connect_as("postgres")
    }

    #[track_caller]
    pub(crate) fn connect_as(&self, role: &str) -> Server {
        let target = Target::resolve(Some(&self.url_as(role)), &Environment::default()).expect("a target");
        Server::connect(&target).expect("a connection")
    }
}

/// Another session that has run a statement in a transaction of its own and keeps that open (with
/// its locks) until it is dropped.
pub(crate) struct Holder {
    shell: Child,
}

/// Opens a [`Holder`].
#[track_caller]
pub(crate) fn hold(database: &Database, sql: &str) -> Holder {
    use std::io::{BufRead, BufReader, Write};
    let mut shell = Command::new(client(&CLUSTER.bin))
        .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", &database.name, "-h"])
        .arg(&CLUSTER.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("psql starts");
    let stdin = shell.stdin.as_mut().expect("a pipe");
    writeln!(stdin, "BEGIN;\n{sql};\n\\echo held").expect("psql reads");
    let stdout = shell.stdout.as_mut().expect("a pipe");
    let held = BufReader::new(stdout).lines().map_while(Result::ok).any(|line| line == "held");
    assert!(held, "{sql} failed");
    Holder { shell }
}

/// The pipe closes, psql leaves, and the server rolls back.
impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().expect("psql ends");
    }
}
