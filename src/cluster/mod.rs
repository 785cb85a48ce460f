//! A private, throw-away PostgreSQL: [`Settings`] go in, a server that only we can reach comes out.
//!
//! The server listens on a socket in a folder of its own, which nobody else may enter, and on no
//! network. Any number of them run side by side.
//!
//! **Invariant:** it never outlives us. The server is the child of a shell that reads a pipe of which
//! only we hold the other end: when we drop the [`Cluster`], are interrupted or are killed, the pipe
//! closes, and the shell stops the server and removes the folder. Should the shell be killed too, the
//! next start sweeps the folder away, and a server whose `postmaster.pid` is gone stops by itself
//! within a minute.
//!
//! Nothing in here is meant to survive a crash (`fsync` is off), and nothing connects to the server:
//! that is `server`'s work.

mod account;
mod binaries;
mod folder;

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::error::Error;

pub use binaries::{Binaries, find, find_major};

/// What to start.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Folder of `initdb` and `postgres`; `None` looks in `$PG_BIN` and the usual places.
    pub bin: Option<PathBuf>,
    /// The version wanted, of those that are found; `None` takes the one that `pg_config` names, or the newest.
    pub major: Option<u32>,
    /// Collect the server's log in [`Cluster::log_file`], with Debian's `log_line_prefix`.
    pub log: bool,
    /// More settings, as `postgresql.conf` has them: name and value.
    pub set: Vec<(String, String)>,
}

/// A running server. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub struct Cluster {
    shell: Child,
    binaries: Binaries,
    folder: folder::Folder,
}

/// The superuser that `initdb` makes; connections need no password.
pub const USER: &str = "postgres";
/// Only names the socket file: nothing listens on the network.
pub const PORT: u16 = 5432;
/// What Debian's packages set, and so the most usual prefix there is.
pub const LOG_LINE_PREFIX: &str = "%m [%p] %q%u@%d ";

/// `initdb` takes 1 to 4 s, a start 0.2 s; a machine may be busy.
const START_LIMIT: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(10);

/// `$0` is the folder, `$1` the binaries, `$2` an option of `initdb` or nothing, the rest the server's.
/// The watcher reads the pipe. It leaves `stop` behind so that a server that ended by itself can be
/// told from one that was stopped: then the logs stay, for the message. An immediate stop (SIGQUIT)
/// is enough for files that are removed next.
const GUARDIAN: &str = r#"
umask 077
bin=$1 option=$2; shift 2
"$bin/initdb" -D data -U postgres -A trust --locale=C -E UTF8 --no-sync --wal-segsize=1 $option >initdb.log 2>&1 </dev/null || exit 1
exec 3<&0 </dev/null
"$bin/postgres" -D data -k "$0" "$@" >server.log 2>&1 3<&- &
server=$!
{ cat <&3 >/dev/null; : >stop; kill -QUIT $server; } 2>/dev/null &
watcher=$!
wait $server
[ -e stop ] || { kill $watcher 2>/dev/null; exit 1; }
cd / && rm -rf "$0"
"#;

impl Cluster {
    /// Makes a new cluster and starts it; returns when it takes connections. Sweeps away what dead
    /// runs have left.
    ///
    /// # Errors
    /// [`Error::Cluster`] where there are no binaries or the server does not start: its own words are in it.
    pub fn start(settings: &Settings) -> Result<Cluster, Error> {
        let binaries = binaries::find_major(settings.bin.as_deref(), settings.major)?;
        let folder = folder::Folder::create()?;
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(GUARDIAN).arg(folder.path()).arg(&binaries.folder);
        command.arg(if binaries.major >= 18 { "--no-data-checksums" } else { "" });
        for (name, value) in server_settings(settings, folder.path()) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").current_dir(folder.path());
        // A group of its own, so that Ctrl-C reaches us and not the shell, which must outlive us shortly.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(account) = folder.runs_as() {
            // The standard library clears the groups of root when it is told a user.
            command.uid(account.uid).gid(account.gid);
        }
        let shell = command
            .spawn()
            .map_err(|err| Error::Cluster { why: format!("/bin/sh does not start: {err}"), hint: None })?;
        let mut cluster = Cluster { shell, binaries, folder };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// The folder of the socket, as libpq's `host` takes it.
    pub fn socket_dir(&self) -> &Path {
        self.folder.path()
    }

    /// A connection URL for the superuser, without a password: there is none.
    pub fn url(&self, database: &str) -> String {
        self.url_as(database, USER)
    }

    /// A connection URL for another role, which needs no password either.
    pub fn url_as(&self, database: &str, user: &str) -> String {
        let host: String = self.socket_dir().to_string_lossy().bytes().map(percent_encoded).collect();
        format!("postgresql:///{database}?host={host}&port={PORT}&user={user}")
    }

    /// The server's log, from the start on; written only when [`Settings::log`] asked for it.
    pub fn log_file(&self) -> PathBuf {
        self.folder.path().join("postgresql.log")
    }

    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// `data_directory`.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The account that the server's files must belong to, where it is not ours: user and group.
    pub fn owner(&self) -> Option<(u32, u32)> {
        self.folder.runs_as().map(|account| (account.uid, account.gid))
    }

    /// Line 8 of `postmaster.pid` says `ready` once the server takes connections.
    fn wait_until_ready(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + START_LIMIT;
        let pid_file = self.folder.path().join("data/postmaster.pid");
        loop {
            let state = fs::read_to_string(&pid_file).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return Ok(());
            }
            let ended = self.shell.try_wait().is_ok_and(|status| status.is_some());
            if ended || Instant::now() > deadline {
                return Err(self.did_not_start(ended));
            }
            thread::sleep(POLL);
        }
    }

    /// What `initdb` or the server said last is the reason.
    fn did_not_start(&self, ended: bool) -> Error {
        let last_words = |name: &str| {
            let text = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            lines[lines.len().saturating_sub(4)..].join("\n")
        };
        let words = ["server.log", "initdb.log"].map(last_words).into_iter().find(|words| !words.is_empty());
        let why = match (ended, words) {
            (true, Some(words)) => words,
            (true, None) => format!("{} ended at once", self.binaries.folder.display()),
            (false, words) => {
                format!("not ready after {} s\n{}", START_LIMIT.as_secs(), words.unwrap_or_default())
            }
        };
        Error::Cluster { why, hint: None }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // The shell has stopped the server when it ends; a shell that is gone has nothing to wait for.
        let _ = self.shell.wait();
    }
}

/// Fast and private, at the price of durability.
fn server_settings(settings: &Settings, folder: &Path) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = [
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("autovacuum", "off"),
        ("wal_level", "minimal"),
        ("max_wal_senders", "0"),
        // initdb makes it 64 segments, which are small here.
        ("max_wal_size", "1GB"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    all.push(("port".to_owned(), PORT.to_string()));
    if settings.log {
        // The collector writes whole messages, however many sessions write at once.
        all.extend(
            [
                ("logging_collector", "on"),
                ("log_destination", "stderr"),
                ("log_filename", "postgresql.log"),
                ("log_rotation_age", "0"),
                ("log_rotation_size", "0"),
                ("log_line_prefix", LOG_LINE_PREFIX),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        all.push(("log_directory".to_owned(), folder.to_string_lossy().into_owned()));
    }
    all.extend(settings.set.iter().cloned());
    all
}

/// For a query string: everything but the bytes that are safe anywhere in a URL.
fn percent_encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}
