//! A private, throw-away PostgreSQL: [`Settings`] go in, a server that only we can reach comes out.
//!
//! The server listens on a socket in a folder of its own, which nobody else may enter, and on no
//! network. Any number of them run side by side.
//!
//! Its data folder is a copy of the one that `initdb` made for the first run of these programs.
//!
//! **Invariant:** it never outlives us. The server is the child of a shell that reads a pipe of which
//! only we hold the other end: when we drop the [`Cluster`], are interrupted or are killed, at whatever moment, the pipe
//! closes, and the shell stops the server and removes the folder. Should the shell be killed too, or we before it is
//! there, the next start sweeps the folder away, and a server whose `postmaster.pid` is gone stops by itself
//! within a minute.
//!
//! Nothing in here is meant to survive a crash (`fsync` is off), and nothing connects to the server:
//! that is `server`'s work.

mod account;
mod binaries;
mod folder;
mod guardian;
mod template;

use std::path::{Path, PathBuf};

use crate::error::Error;
use folder::Folder;
use guardian::Guardian;
use template::Template;

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
    guardian: Guardian,
    binaries: Binaries,
    folder: Folder,
}

/// The superuser that `initdb` makes; connections need no password.
pub const USER: &str = "postgres";
/// Only names the socket file: nothing listens on the network.
pub const PORT: u16 = 5432;
/// What Debian's packages set, and so the most usual prefix there is.
pub const LOG_LINE_PREFIX: &str = "%m [%p] %q%u@%d ";

impl Cluster {
    /// Makes a new cluster and starts it; returns when it takes connections. Sweeps away what dead
    /// runs have left.
    ///
    /// # Errors
    /// [`Error::Cluster`] where there are no binaries or the server does not start: its own words are in it.
    pub fn start(settings: &Settings) -> Result<Cluster, Error> {
        let binaries = binaries::find_major(settings.bin.as_deref(), settings.major)?;
        // Pages that we make ourselves have no checksums.
        let options = if binaries.major >= 18 { "--no-data-checksums" } else { "" };
        let mut cluster = Cluster::prepare(settings, binaries)?;
        let uid = cluster.folder.our_uid().ok();
        let template = uid.and_then(|uid| Template::of(&cluster.binaries, options, uid));
        let Some(template) = template else {
            cluster.guardian.initialise(&cluster.folder, options)?;
            cluster.guardian.serve(&cluster.folder)?;
            return Ok(cluster);
        };
        if template.unpack(&cluster.data_folder(), cluster.folder.runs_as()).is_err() {
            cluster.guardian.initialise(&cluster.folder, options)?;
            // Without it the next run does the same again.
            let _ = template.pack(&cluster.data_folder());
            cluster.guardian.serve(&cluster.folder)?;
            return Ok(cluster);
        }
        if cluster.guardian.serve(&cluster.folder).is_ok() {
            return Ok(cluster);
        }
        // It may be the template's fault: it is when a data folder that is made now does it.
        let mut again = Cluster::prepare(settings, cluster.binaries.clone())?;
        again.guardian.initialise(&again.folder, options)?;
        again.guardian.serve(&again.folder)?;
        template.forget();
        Ok(again)
    }

    /// All but a data folder.
    fn prepare(settings: &Settings, binaries: Binaries) -> Result<Cluster, Error> {
        let folder = Folder::create()?;
        let guardian =
            Guardian::start(&folder, &binaries, &server_settings(settings, binaries.major, folder.path()))?;
        Ok(Cluster { guardian, binaries, folder })
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
}

/// Fast and private, at the price of durability.
fn server_settings(settings: &Settings, major: u32, folder: &Path) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = [
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("autovacuum", "off"),
        ("wal_level", "minimal"),
        ("max_wal_senders", "0"),
        ("max_logical_replication_workers", "0"),
        // In the data folder, where nothing of a server that is killed stays behind.
        ("dynamic_shared_memory_type", "mmap"),
        // initdb makes it 64 segments, which are small here.
        ("max_wal_size", "1GB"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    all.push(("port".to_owned(), PORT.to_string()));
    if major >= 18 {
        // Its workers are processes to start, for tables that are in memory.
        all.push(("io_method".to_owned(), "sync".to_owned()));
    }
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
