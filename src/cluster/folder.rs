//! The folder of one run, and the sweeping of folders whose run is dead.
//!
//! We hold an advisory lock on the file `lock` in it as long as we live: a folder whose lock can be
//! had belongs to nobody. That needs no process number, which the system gives to others again.

use std::{
    env,
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use super::account::{self, Account};
use crate::error::Error;

const PREFIX: &str = "sargable-";
/// `sun_path` has 108 bytes on Linux and 104 on a Mac, the final NUL included.
const LONGEST_SOCKET_PATH: usize = 103;
const SOCKET_NAME: &str = ".s.PGSQL.5432";

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    runs_as: Option<Account>,
    /// Locked until we end, however that happens.
    lock: File,
}

impl Folder {
    /// A new folder that only the server's account (and root) may enter.
    pub(super) fn create() -> Result<Folder, Error> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut refused = None;
        for parent in [env::temp_dir(), PathBuf::from("/tmp")] {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("{PREFIX}{}-{number}", process::id()));
            if path.as_os_str().len() + 1 + SOCKET_NAME.len() > LONGEST_SOCKET_PATH {
                continue;
            }
            match Folder::make(&path) {
                Ok(folder) => {
                    sweep(&parent, &folder);
                    return Ok(folder);
                }
                Err(err) => refused = Some((path, err)),
            }
        }
        let why = match refused {
            Some((path, err)) => format!("cannot make the folder {}: {err}", path.display()),
            None => "the path of the folder for temporary files is too long for a socket".to_owned(),
        };
        Err(Error::Cluster { why, hint: Some("set TMPDIR to a short path that you may write to".to_owned()) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// `None`: under our own account.
    pub(super) fn runs_as(&self) -> Option<&Account> {
        self.runs_as.as_ref()
    }

    fn make(path: &Path) -> io::Result<Folder> {
        // A folder of this name can only be left from a dead process with our number.
        if owner_is_dead(path) {
            let _ = fs::remove_dir_all(path);
        }
        DirBuilder::new().mode(0o700).create(path)?;
        let runs_as = account::for_server(fs::metadata(path)?.uid()).map_err(io::Error::other)?;
        // The lock is taken before the file has its name: a sweep never finds it free.
        let unnamed = path.join("lock.new");
        let lock = File::create(&unnamed)?;
        lock.try_lock()?;
        fs::rename(&unnamed, path.join("lock"))?;
        if let Some(account) = runs_as {
            if !others_may_pass(path.parent().unwrap_or(path)) {
                let _ = fs::remove_dir_all(path);
                return Err(io::Error::other("the account that runs PostgreSQL may not enter it"));
            }
            chown(path, Some(account.uid), Some(account.gid))?;
        }
        Ok(Folder { path: path.to_path_buf(), runs_as, lock })
    }
}

impl Drop for Folder {
    /// The guardian removes the folder; this is for a server that did not come up.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Whether an account that owns nothing on the way can reach `path`.
fn others_may_pass(path: &Path) -> bool {
    let Ok(path) = std::path::absolute(path) else { return false };
    path.ancestors()
        .all(|folder| fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0))
}

/// Removes the folders of dead runs beside ours that belong to us or to our server's account. What
/// cannot be removed is left: it is not this run's.
fn sweep(parent: &Path, ours: &Folder) {
    let (Ok(servers), Ok(lock)) = (fs::metadata(&ours.path), ours.lock.metadata()) else { return };
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let named_so = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let is_ours = fs::symlink_metadata(&path)
            .is_ok_and(|other| other.is_dir() && [servers.uid(), lock.uid()].contains(&other.uid()));
        if named_so && is_ours && owner_is_dead(&path) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Whether the folder has a lock that nobody holds. A folder without one is not ours, or so new that
/// its lock is still being made.
fn owner_is_dead(path: &Path) -> bool {
    File::open(path.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok())
}
