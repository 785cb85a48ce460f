//! Where PostgreSQL's server binaries are.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::Error;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// Holds `initdb` and `postgres`.
    pub folder: PathBuf,
    /// 15 for 15.18.
    pub major: u32,
    /// What the server says of itself: `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    pub banner: String,
}

/// Folders whose children are versions, with what follows the version.
const VERSIONED: &[(&str, &str)] = &[
    ("/usr/lib/postgresql", "bin"), // Debian, Ubuntu
    ("/usr", "bin"),                // PGDG's RPMs: /usr/pgsql-17
    ("/opt/homebrew/opt", "bin"),   // Homebrew on Apple silicon: postgresql@17
    ("/usr/local/opt", "bin"),      // Homebrew on Intel
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
];

/// Looks in `given`, else `$PG_BIN`: what a person names is used or refused, never replaced. Then
/// where `pg_config` points, then the newest of the usual places.
///
/// # Errors
/// [`Error::Cluster`] that says how to get a server.
pub fn find(given: Option<&Path>) -> Result<Binaries, Error> {
    find_major(given, None)
}

/// As [`find`], of all that are there the one of the version that is `wanted`, else the next newer, else the
/// newest.
pub fn find_major(given: Option<&Path>, wanted: Option<u32>) -> Result<Binaries, Error> {
    let named = given.map(Path::to_path_buf).or_else(|| env::var_os("PG_BIN").map(PathBuf::from));
    if let Some(folder) = named {
        return inspect(&folder).ok_or_else(|| Error::Cluster {
            why: format!("{} holds no `initdb` and `postgres` that run", folder.display()),
            hint: Some(
                "name the folder in --pg-bin or $PG_BIN, such as /usr/lib/postgresql/15/bin".to_owned(),
            ),
        });
    }
    // Each look is a process: the first of the very version that is wanted ends them.
    let configured = pg_config_bindir().as_deref().and_then(inspect);
    let fits = |binaries: &Binaries| wanted == Some(binaries.major);
    if let Some(configured) = configured.as_ref().filter(|found| wanted.is_none() || fits(found)) {
        return Ok(configured.clone());
    }
    let mut found: Vec<Binaries> = configured.into_iter().collect();
    for folder in usual_places() {
        let Some(binaries) = inspect(&folder) else { continue };
        if fits(&binaries) {
            return Ok(binaries);
        }
        found.push(binaries);
    }
    // A stable sort: of equal versions the place listed first.
    found.sort_by_key(|binaries| match wanted {
        Some(wanted) if binaries.major >= wanted => (0, binaries.major),
        _ => (1, u32::MAX - binaries.major),
    });
    found.into_iter().next().ok_or_else(|| nothing_found(wanted))
}

/// We fetch nothing ourselves: the hint says what to install, and from where.
fn nothing_found(wanted: Option<u32>) -> Error {
    let version = |before: &str, otherwise: &str| {
        wanted.map_or_else(|| otherwise.to_owned(), |wanted| format!("{before}{wanted}"))
    };
    Error::Cluster {
        why: "no PostgreSQL server binaries (`initdb`, `postgres`) on this machine".to_owned(),
        hint: Some(format!(
            "`apt-get install {}` on Debian and Ubuntu, `dnf install postgresql-server` on Fedora, \
             `brew install {}` on a Mac, or name their folder in --pg-bin or $PG_BIN",
            version("postgresql-", "postgresql postgresql-15-hypopg"),
            version("postgresql@", "postgresql@17"),
        )),
    }
}

fn pg_config_bindir() -> Option<PathBuf> {
    let out = Command::new("pg_config").arg("--bindir").output().ok().filter(|out| out.status.success())?;
    let folder = String::from_utf8(out.stdout).ok()?;
    Some(PathBuf::from(folder.trim()))
}

fn usual_places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    for (root, tail) in VERSIONED {
        let mut versions: Vec<PathBuf> = fs::read_dir(root)
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .filter(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                name.starts_with("postgresql") || name.starts_with("pgsql") || name.parse::<u32>().is_ok()
            })
            .map(|entry| entry.path().join(tail))
            .collect();
        versions.sort();
        places.extend(versions);
    }
    places.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    let cached = cache().into_iter().flat_map(|cache| fs::read_dir(cache.join("pg")).into_iter().flatten());
    places.extend(cached.filter_map(Result::ok).map(|entry| entry.path().join("bin")));
    places
}

/// Our own folder for what can be made again: servers in `pg/<major>`, data folders in `initdb`.
pub(super) fn cache() -> Option<PathBuf> {
    let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("sargable"))
}

/// `None` unless the folder holds both programs and the server tells its version.
fn inspect(folder: &Path) -> Option<Binaries> {
    let server = folder.join("postgres");
    if !server.is_file() || !folder.join("initdb").is_file() {
        return None;
    }
    let out = Command::new(&server).arg("--version").output().ok().filter(|out| out.status.success())?;
    let banner = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    let major = major_version(&banner)?;
    let folder = std::path::absolute(folder).ok()?;
    Some(Binaries { folder, major, banner })
}

/// Of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`; betas read `19beta1`.
fn major_version(banner: &str) -> Option<u32> {
    let (_, version) = banner.split_once("(PostgreSQL) ")?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banners() {
        for (banner, major) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 19beta1\n", Some(19)),
            ("postgres (PostgreSQL) 18\n", Some(18)),
            ("mysqld  Ver 8.0\n", None),
            ("", None),
        ] {
            assert_eq!(major_version(banner), major, "{banner}");
        }
    }

    #[test]
    fn who_has_no_server_is_told_what_to_install() {
        let hint = nothing_found(Some(16)).hint().expect("a hint");
        for expect in
            ["apt-get install postgresql-16", "dnf install", "brew install postgresql@16", "--pg-bin"]
        {
            assert!(hint.contains(expect), "{expect}: {hint}");
        }
    }

    #[test]
    fn a_named_folder_without_a_server_is_refused_by_name() {
        let err = find(Some(Path::new("/nowhere/bin"))).expect_err("no such folder");
        assert_eq!(
            err.to_string(),
            "cannot start a private PostgreSQL: /nowhere/bin holds no `initdb` and `postgres` that run"
        );
        assert!(err.hint().is_some_and(|hint| hint.contains("--pg-bin")));
    }
}
