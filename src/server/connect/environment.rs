//! What libpq takes from the process: variables, the home folder, the user.

use std::{collections::BTreeMap, fmt, fs, os::unix::fs::MetadataExt, path::PathBuf};

/// Environment variables, the home folder and the operating system's user: passed in, so that
/// a test has its own.
#[derive(Clone, Default)]
pub struct Environment {
    pub variables: BTreeMap<String, String>,
    pub home: Option<PathBuf>,
    pub os_user: Option<String>,
}

impl Environment {
    pub fn of_process() -> Environment {
        // Undecodable variables are none of ours, and `vars` would panic on them.
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let home = variables.get("HOME").map(PathBuf::from);
        let os_user = os_user().or_else(|| variables.get("USER").cloned());
        Environment { variables, home, os_user }
    }

    /// Whether it names a server at all, so that a run without `--database-url` should connect.
    pub fn names_a_server(&self) -> bool {
        ["DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE"]
            .iter()
            .any(|name| self.variable(name).is_some())
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Variables may hold passwords.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("home", &self.home).finish_non_exhaustive()
    }
}

/// The name of the effective user: the owner of our own `/proc` entry, looked up in `/etc/passwd`.
fn os_user() -> Option<String> {
    let uid = fs::metadata("/proc/self").ok()?.uid().to_string();
    fs::read_to_string("/etc/passwd").ok()?.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}
