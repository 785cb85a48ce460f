//! Logs that still grow.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{self, Receiver},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use sargable::sources::{self, Ingested, Options, Stop};

/// A reader of a growing log, and the executions that it has counted so far.
struct Following {
    stop: Stop,
    seen: Receiver<u64>,
    reader: JoinHandle<Ingested>,
}

fn follow(paths: Vec<PathBuf>) -> Following {
    let stop = Stop::default();
    let (sender, seen) = mpsc::channel();
    let options = Options { follow: Some(Arc::clone(&stop)), ..Options::default() };
    let reader = thread::spawn(move || {
        sources::watch(&paths, &options, &mut |_, workload| {
            let _ = sender.send(workload.totals().executions);
        })
        .expect("a log")
    });
    Following { stop, seen, reader }
}

impl Following {
    /// Waits until so many executions were counted: much longer than it takes, never forever.
    fn reaches(&self, executions: u64) {
        let mut last = 0;
        while last < executions {
            last = self
                .seen
                .recv_timeout(Duration::from_mins(1))
                .unwrap_or_else(|_| panic!("{last} of {executions} executions were seen"));
        }
        assert_eq!(last, executions);
    }

    fn end(self) -> Ingested {
        self.stop.store(true, Ordering::Relaxed);
        self.reader.join().expect("the reader ends")
    }
}

fn entry(n: u32) -> String {
    format!(
        "2026-11-23 10:00:{n:02}.000 UTC [7] app@shop LOG:  duration: 1.000 ms  statement: SELECT {n}\n\tFROM t\n"
    )
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("a log");
    file.write_all(text.as_bytes()).expect("a log");
}

#[test]
fn what_is_added_is_counted_when_it_comes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("a.log");
    append(&log, &(entry(1) + &entry(2)));
    let following = follow(vec![log.clone()]);
    following.reaches(2);
    // In the middle of a line, too.
    let three = entry(3);
    append(&log, &three[..40]);
    thread::sleep(Duration::from_millis(900));
    append(&log, &three[40..]);
    following.reaches(3);
    append(&log, &entry(4));
    let read = following.end();
    assert_eq!(read.workload.totals().executions, 4);
    assert_eq!(read.workload.ranked().len(), 1, "no entry was torn");
}

#[test]
fn a_log_is_followed_through_its_rotations() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("a.log");
    append(&log, &entry(1));
    let following = follow(vec![log.clone()]);
    following.reaches(1);
    // Renamed, with a last entry after that, and made anew.
    fs::rename(&log, folder.path().join("a.log.1")).expect("a rename");
    append(&folder.path().join("a.log.1"), &entry(2));
    append(&log, &entry(3));
    following.reaches(3);
    // Cut back to nothing, as copytruncate does.
    File::create(&log).expect("a cut");
    // Only a file that is seen to be shorter is known to have been cut.
    thread::sleep(Duration::from_millis(300));
    append(&log, &entry(4)[..30]);
    append(&log, &entry(4)[30..]);
    following.reaches(4);
    assert_eq!(following.end().workload.totals().executions, 4);
}

#[test]
fn a_folder_is_followed_into_its_next_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    append(&folder.path().join("postgresql-1.log"), &entry(1));
    let following = follow(vec![folder.path().to_owned()]);
    following.reaches(1);
    append(&folder.path().join("postgresql-2.log"), &entry(2));
    following.reaches(2);
    append(&folder.path().join("postgresql-2.log"), &entry(3));
    following.reaches(3);
    following.end();
}
