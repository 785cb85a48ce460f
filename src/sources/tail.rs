//! A log that still grows, as a reader that waits for more.
//!
//! A file may be replaced while it is read (`logrotate` renames it, or cuts it back to nothing), and a
//! server's collector begins files of new names in the same folder: the reader goes on where the log does,
//! once it has read the old file to its end.

use std::{
    collections::BTreeSet,
    fs::{self, File, Metadata},
    io::{self, Read, Seek as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

/// How often a file is looked at.
const POLL: Duration = Duration::from_millis(100);
/// Without anything new for so long, the reader says so, so that what is complete can be shown.
const QUIET: Duration = Duration::from_millis(400);

/// Raised by who wants the reading to end; what was read until then counts.
pub type Stop = Arc<AtomicBool>;

/// Whether an error only means that nothing new has come for a while.
pub(super) fn is_quiet(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Reads a file and what is added to it. Gives [`io::ErrorKind::WouldBlock`] when it has been quiet, and
/// the end of the file only once it is told to stop.
pub(super) struct Tail {
    path: PathBuf,
    file: File,
    position: u64,
    /// The end of a file that was left behind.
    rest: io::Cursor<Vec<u8>>,
    /// Files of the folder that were there before: what comes later is the log's next file.
    known: Option<BTreeSet<PathBuf>>,
    stop: Stop,
    since: Instant,
}

impl Tail {
    /// `whole_folder`: the log goes on in files that appear beside this one.
    pub(super) fn open(path: &Path, whole_folder: bool, stop: Stop) -> io::Result<Tail> {
        let known = whole_folder.then(|| siblings(path)).transpose()?;
        let file = File::open(path)?;
        Ok(Tail {
            path: path.to_owned(),
            file,
            position: 0,
            rest: io::Cursor::default(),
            known,
            stop,
            since: Instant::now(),
        })
    }

    /// The file in which the log goes on, when this one was left behind.
    fn next(&mut self) -> io::Result<Option<File>> {
        let open = self.file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(named) if !same(&open, &named) => return File::open(&self.path).map(Some),
            // Cut back to nothing, perhaps written to again since.
            Ok(named) if named.len() < self.position => {
                self.file.rewind()?;
                self.position = 0;
                return Ok(None);
            }
            // Renamed away, and not yet made anew.
            Ok(_) | Err(_) => {}
        }
        let Some(known) = &mut self.known else { return Ok(None) };
        let Some(path) = siblings(&self.path)?.into_iter().find(|path| !known.contains(path)) else {
            return Ok(None);
        };
        known.insert(path.clone());
        self.path = path;
        File::open(&self.path).map(Some)
    }
}

impl Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut read = self.rest.read(buffer)?;
            if read == 0 {
                read = self.file.read(buffer)?;
                self.position += read as u64;
            }
            if read > 0 {
                self.since = Instant::now();
                return Ok(read);
            }
            if self.stop.load(Ordering::Relaxed) {
                return Ok(0);
            }
            if let Some(next) = self.next()? {
                // A line may have been added between the last reading and the rotation.
                let mut rest = Vec::new();
                self.file.read_to_end(&mut rest)?;
                self.rest = io::Cursor::new(rest);
                self.file = next;
                self.position = 0;
                continue;
            }
            if self.since.elapsed() >= QUIET {
                self.since = Instant::now();
                return Err(io::ErrorKind::WouldBlock.into());
            }
            thread::sleep(POLL);
        }
    }
}

/// Files with the same suffix in the same folder.
fn siblings(path: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.path();
        if name.extension() == path.extension() && name.is_file() {
            found.insert(name);
        }
    }
    Ok(found)
}

#[cfg(unix)]
fn same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same(a: &Metadata, b: &Metadata) -> bool {
    a.created().ok() == b.created().ok()
}

/// The same for a pipe, which nobody can ask whether there is more: a thread waits for it.
pub(super) struct Piped {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
    stop: Stop,
    since: Instant,
}

impl Piped {
    pub(super) fn new(mut from: Box<dyn Read + Send>, stop: Stop) -> Piped {
        // Few pieces, so that a fast writer does not fill the memory.
        let (sender, pieces) = mpsc::sync_channel(4);
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 20];
            loop {
                let read = match from.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(read) => Ok(buffer[..read].to_vec()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if sender.send(read).is_err() || failed {
                    return;
                }
            }
        });
        Piped { pieces, piece: io::Cursor::default(), stop, since: Instant::now() }
    }
}

impl Read for Piped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 {
                self.since = Instant::now();
                return Ok(read);
            }
            match self.pieces.recv_timeout(POLL) {
                Ok(piece) => self.piece = io::Cursor::new(piece?),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
                Err(RecvTimeoutError::Timeout) if self.stop.load(Ordering::Relaxed) => return Ok(0),
                Err(RecvTimeoutError::Timeout) if self.since.elapsed() >= QUIET => {
                    self.since = Instant::now();
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}
