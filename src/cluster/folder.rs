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
/// Names that may be taken, by runs of another container that shares the folder, or swept from under us.
const TRIES: u32 = 20;

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
        let parents = parents();
        for parent in &parents {
            for _ in 0..TRIES {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let path = parent.join(format!("{PREFIX}{}-{number}", process::id()));
                if path.as_os_str().len() + 1 + SOCKET_NAME.len() > LONGEST_SOCKET_PATH {
                    break;
                }
                match Folder::make(&path) {
                    Ok(folder) => {
                        for parent in &parents {
                            sweep(parent, &folder);
                        }
                        return Ok(folder);
                    }
                    Err(err) => {
                        let again = matches!(
                            err.kind(),
                            io::ErrorKind::AlreadyExists
                                | io::ErrorKind::NotFound
                                | io::ErrorKind::WouldBlock
                        );
                        refused = Some((path, err));
                        if !again {
                            break;
                        }
                    }
                }
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

    /// Our own account, whoever the server runs as.
    pub(super) fn our_uid(&self) -> io::Result<u32> {
        Ok(self.lock.metadata()?.uid())
    }

    /// From the first step on a sweep of another run may take the folder for a dead one's, until we hold the lock:
    /// then there is an error, and the next name is tried.
    fn make(path: &Path) -> io::Result<Folder> {
        DirBuilder::new().mode(0o700).create(path)?;
        let runs_as = account::for_server(fs::metadata(path)?.uid()).map_err(io::Error::other)?;
        let named = path.join("lock");
        let lock = File::create(&named)?;
        lock.try_lock()?;
        if !is_named(&lock, &named) {
            return Err(io::ErrorKind::NotFound.into());
        }
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

/// Where folders are made, the first that will do. A catalog of thousands of small files is made several times
/// faster in memory than on most disks, so that comes first where nobody names a place and there is room.
fn parents() -> Vec<PathBuf> {
    /// Bytes: ten times what a large schema takes. Containers give 64 MB by default.
    const ROOM: u64 = 2 << 30;
    let memory = Path::new("/dev/shm");
    let has_room =
        || rustix::fs::statvfs(memory).is_ok_and(|room| room.f_bavail.saturating_mul(room.f_frsize) >= ROOM);
    let first = match env::var_os("TMPDIR") {
        None if has_room() => memory.to_path_buf(),
        _ => env::temp_dir(),
    };
    vec![first, PathBuf::from("/tmp")]
}

impl Drop for Folder {
    /// The guardian removes the folder; this is for one that was killed, or never came.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Whether an open file still has its name: who waited for the lock of a file may hold that of one that is gone.
pub(super) fn is_named(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
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
    let (Ok(servers), Ok(our_uid)) = (fs::metadata(&ours.path), ours.our_uid()) else { return };
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let is_ours = fs::symlink_metadata(&path)
            .is_ok_and(|other| other.is_dir() && [servers.uid(), our_uid].contains(&other.uid()));
        if is_ours && is_a_runs(&entry.file_name().to_string_lossy()) {
            remove_if_dead(&path);
        }
    }
}

/// `sargable-` and two numbers.
fn is_a_runs(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(process, count)| number(process) && number(count))
}

/// Its lock is ours until it is gone, so that a run that is about to take it sees that it came too late.
fn remove_if_dead(path: &Path) {
    match File::open(path.join("lock")) {
        Ok(lock) => {
            if lock.try_lock().is_ok() {
                let _ = fs::remove_dir_all(path);
            }
        }
        // Its run died between its first two steps; of a folder that holds anything nothing is removed.
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            let _ = fs::remove_dir(path);
        }
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_runs_are_swept() {
        for (name, expect) in [
            ("sargable-12-0", true),
            ("sargable-0-0", true),
            ("sargable-live-12", false),
            ("sargable-12", false),
            ("sargable--1", false),
            ("sargable-12-1x", false),
            ("mine-12-1", false),
        ] {
            assert_eq!(is_a_runs(name), expect, "{name}");
        }
    }

    #[test]
    fn a_dead_runs_folder_goes_and_a_living_ones_stays() {
        let parent = tempfile::tempdir().expect("a folder");
        let [living, dead, begun, foreign] = ["living", "dead", "begun", "foreign"].map(|name| {
            let path = parent.path().join(name);
            fs::create_dir(&path).expect("a folder");
            path
        });
        let lock = File::create(living.join("lock")).expect("a file");
        lock.lock().expect("its lock");
        for file in [dead.join("lock"), foreign.join("anything")] {
            File::create(file).expect("a file");
        }
        for path in [&living, &dead, &begun, &foreign] {
            remove_if_dead(path);
        }
        assert_eq!([&living, &dead, &begun, &foreign].map(|path| path.exists()), [true, false, false, true]);
    }
}
