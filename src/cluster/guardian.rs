//! The shell between us and the server: it does what we tell it through a pipe, and cleans up when the pipe closes,
//! which the system does for us however we end.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Binaries, folder::Folder};
use crate::error::Error;

/// `initdb` takes 1 to 4 s, a start 0.2 s; a machine may be busy.
const LIMIT: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(5);

/// `$0` is the folder, `$1` the binaries, the rest the server's options. It is told `initdb` with more options of it,
/// and `server`. What fails leaves `failed` behind, and the logs stay until the pipe closes, for the message.
///
/// A watcher reads the pipe meanwhile, which says nothing more until `initdb` has made its folder. It leaves `stop` behind,
/// so that what ended by itself can be told from what was stopped.
///
/// `initdb` has servers of its own, so the whole group is told to end (SIGTERM): the shells trap it, and what they start
/// does not. An immediate stop (SIGQUIT) is enough for the server, whose files are removed next. Both are told again
/// because a process that has only begun may still ignore them, as a shell's children in the background do SIGQUIT.
const SCRIPT: &str = r#"
umask 077
bin=$1; shift
exec 3<&0 </dev/null
trap : TERM
end() { cd / && { rm -rf "$0" || [ ! -e "$0/data" ] || { sleep 1; rm -rf "$0"; }; }; exit; }
failed() { : >failed; cat <&3 >/dev/null; end; }
while read -r word options <&3 && [ "$word" = initdb ]; do
    "$bin/initdb" -D data -U postgres -A trust --locale=C -E UTF8 --no-sync --wal-segsize=1 $options \
        >initdb.log 2>&1 3<&- &
    initdb=$!
    { trap : TERM; read -r word; : >stop; while kill -0 $initdb; do kill -TERM 0; sleep 1; done; } <&3 2>/dev/null &
    watcher=$!
    # The signal that the watcher sends ends the waiting too.
    while kill -0 $initdb 2>/dev/null; do wait $initdb; status=$?; done
    kill -KILL $watcher 2>/dev/null; wait $watcher
    [ -e stop ] && end
    [ $status = 0 ] || failed
    : >initialised
done
[ "$word" = server ] || end
"$bin/postgres" -D data -k "$0" "$@" >server.log 2>&1 3<&- &
server=$!
{ cat <&3 >/dev/null; : >stop; while kill -QUIT $server; do sleep 1; done; } 2>/dev/null &
watcher=$!
wait $server
kill $watcher 2>/dev/null
[ -e stop ] || failed
end
"#;

/// Dropping it ends the server and removes the folder.
#[derive(Debug)]
pub(super) struct Guardian {
    shell: Child,
}

impl Guardian {
    /// Starts the shell, which then waits.
    pub(super) fn start(
        folder: &Folder,
        binaries: &Binaries,
        settings: &[(String, String)],
    ) -> Result<Guardian, Error> {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(SCRIPT).arg(folder.path()).arg(&binaries.folder);
        for (name, value) in settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        // initdb tries every time zone there is for want of one.
        command.env("LC_ALL", "C").env("TZ", "UTC").current_dir(folder.path());
        // A group of its own, so that Ctrl-C reaches us and not the shell, which must outlive us shortly.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(account) = folder.runs_as() {
            // The standard library clears the groups of root when it is told a user.
            command.uid(account.uid).gid(account.gid);
        }
        let shell = command
            .spawn()
            .map_err(|err| Error::Cluster { why: format!("/bin/sh does not start: {err}"), hint: None })?;
        Ok(Guardian { shell })
    }

    /// Makes the data folder.
    pub(super) fn initialise(&mut self, folder: &Folder, options: &str) -> Result<(), Error> {
        let made = folder.path().join("initialised");
        self.tell(&format!("initdb {options}\n"));
        self.wait(folder, || made.exists())
    }

    /// Starts the server; it takes connections when this returns.
    pub(super) fn serve(&mut self, folder: &Folder) -> Result<(), Error> {
        let pid_file = folder.path().join("data/postmaster.pid");
        self.tell("server\n");
        // Line 8 of it says so.
        self.wait(folder, || {
            let state = fs::read_to_string(&pid_file).unwrap_or_default();
            state.lines().nth(7).is_some_and(|line| line.trim() == "ready")
        })
    }

    /// A shell that is gone is noticed by whoever waits for it.
    fn tell(&mut self, words: &str) {
        let _: Option<io::Result<()>> =
            self.shell.stdin.as_mut().map(|pipe| pipe.write_all(words.as_bytes()));
    }

    fn wait(&mut self, folder: &Folder, is_done: impl Fn() -> bool) -> Result<(), Error> {
        let deadline = Instant::now() + LIMIT;
        let failed = folder.path().join("failed");
        loop {
            if is_done() {
                return Ok(());
            }
            let ended = self.shell.try_wait().is_ok_and(|status| status.is_some());
            if ended || failed.exists() {
                let nothing = "its programs ended without a word".to_owned();
                return Err(Error::Cluster { why: last_words(folder).unwrap_or(nothing), hint: None });
            }
            if Instant::now() > deadline {
                let words = last_words(folder).unwrap_or_default();
                let why = format!("not ready after {} s\n{words}", LIMIT.as_secs());
                return Err(Error::Cluster { why, hint: None });
            }
            thread::sleep(POLL);
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // The shell has stopped the server when it ends; a shell that is gone has nothing to wait for.
        let _ = self.shell.wait();
    }
}

/// What `initdb` or the server said last is the reason.
fn last_words(folder: &Folder) -> Option<String> {
    ["server.log", "initdb.log"].into_iter().find_map(|name| {
        let text = fs::read_to_string(folder.path().join(name)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        (!lines.is_empty()).then(|| lines[lines.len().saturating_sub(4)..].join("\n"))
    })
}
