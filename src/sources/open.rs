//! Files → readers of plain bytes: what is compressed is undone.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use super::{
    compressed::plain,
    envelope::{Layer, Lines, Unwrap},
    tail::{Piped, Stop, Tail},
};

/// How much of an input is looked at to recognise it.
pub(super) const HEAD: usize = 64 * 1024;

/// A file (or stdin) whose beginning was read.
pub(super) struct Source {
    /// As the user named it; below a folder, with the folder's name.
    pub path: PathBuf,
    /// The first bytes, decompressed.
    pub head: Vec<u8>,
    /// Why `head` ends early.
    pub damage: Option<io::Error>,
    /// Found in a folder, not named.
    pub found: bool,
    /// When it was last written to, or now: microseconds since 1970.
    pub newest: i64,
    /// The envelopes around the log, the outermost first.
    pub layers: Vec<Layer>,
    /// What follows `head`, where it cannot be read twice (stdin, a pipe): files are opened again when it is
    /// their turn.
    rest: Option<Box<dyn Read + Send>>,
    /// Wait for more at the end.
    follow: Option<Stop>,
}

impl Source {
    /// A file that is only in memory.
    pub(super) fn of_text(path: &Path, text: String) -> Source {
        let mut bytes = io::Cursor::new(text.into_bytes());
        let mut head = Vec::new();
        let damage = (&mut bytes).take(HEAD as u64).read_to_end(&mut head).err();
        Source {
            path: path.to_owned(),
            head,
            damage,
            found: false,
            newest: 0,
            layers: Vec::new(),
            rest: Some(Box::new(bytes)),
            follow: None,
        }
    }

    pub(super) fn name(&self) -> String {
        name(&self.path)
    }

    /// The bytes from the beginning, without what other programs put around them. Call once
    /// unless [`Source::can_be_read_again`].
    pub(super) fn reader(&mut self) -> io::Result<Box<dyn Read + Send>> {
        let mut reader: Box<dyn Read + Send> = match (self.rest.take(), &self.follow) {
            (Some(rest), Some(stop)) => {
                let rest = Piped::new(rest, Arc::clone(stop));
                Box::new(io::Cursor::new(self.head.clone()).chain(rest))
            }
            (Some(rest), None) => Box::new(io::Cursor::new(self.head.clone()).chain(rest)),
            (None, Some(stop)) => Box::new(Tail::open(&self.path, self.found, Arc::clone(stop))?),
            (None, None) => open(&self.path)?,
        };
        let mut around: Option<Lines> = None;
        for layer in &self.layers {
            reader = Box::new(Unwrap::new(reader, layer, around));
            around = Some(layer.lines.clone());
        }
        Ok(reader)
    }

    /// Whether [`Source::reader`] gives the same bytes another time.
    pub(super) fn can_be_read_again(&self) -> bool {
        self.rest.is_none() && self.follow.is_none() && self.layers.is_empty() && self.path.is_file()
    }

    /// Which line of the file each line that is read came from, where that is another one.
    pub(super) fn lines(&self) -> Option<Lines> {
        self.layers.last().map(|layer| layer.lines.clone())
    }

    /// Whether the file begins with the bytes that are read from it: it is not compressed.
    fn is_plain(&self) -> bool {
        let mut first = Vec::new();
        let read = File::open(&self.path).and_then(|file| file.take(8).read_to_end(&mut first));
        read.is_ok() && self.head.starts_with(&first)
    }

    /// How many bytes there are to read, where that is known before.
    pub(super) fn length(&self) -> Option<u64> {
        let known = self.rest.is_none() && self.follow.is_none() && self.layers.is_empty() && self.is_plain();
        fs::metadata(&self.path).ok().filter(|_| known).map(|file| file.len())
    }

    /// Reading will not end before `stop` says so. False where that cannot be: what is compressed or in an
    /// envelope is read to its end.
    pub(super) fn follow(&mut self, stop: &Stop) -> bool {
        let same = self.rest.is_some() || self.is_plain();
        let can = same && self.layers.is_empty();
        self.follow = can.then(|| Arc::clone(stop));
        can
    }
}

/// As reports call a file: `./a.sql` of the folder `.` is `a.sql` to everybody.
pub(super) fn name(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// Opens a file and reads its beginning. `found`: in a folder. `stdin`: the path is but the name of that.
pub(super) fn source(path: PathBuf, found: bool, stdin: bool) -> Source {
    let opened = if stdin { plain(Box::new(io::stdin())) } else { open(&path) };
    match opened {
        Ok(mut reader) => {
            let (head, damage) = read_head(&mut reader);
            let again = !stdin && path.is_file();
            let rest = (!again).then_some(reader);
            let newest = newest(&path);
            Source { path, head, damage, found, newest, layers: Vec::new(), rest, follow: None }
        }
        Err(error) => unreadable(path, error),
    }
}

/// Counted as if it were named, since a person should hear of it.
pub(super) fn unreadable(path: PathBuf, error: io::Error) -> Source {
    Source {
        path,
        head: Vec::new(),
        damage: Some(error),
        found: false,
        newest: 0,
        layers: Vec::new(),
        rest: None,
        follow: None,
    }
}

/// When a file was last written to; now for what is no file.
fn newest(path: &Path) -> i64 {
    let written = fs::metadata(path).ok().filter(fs::Metadata::is_file).and_then(|file| file.modified().ok());
    let written = written.unwrap_or_else(SystemTime::now);
    let since = written.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    plain(Box::new(File::open(path)?))
}

fn read_head(reader: &mut impl Read) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::new();
    let damage = reader.take(HEAD as u64).read_to_end(&mut head).err();
    // Thousands of small files are looked at.
    head.shrink_to_fit();
    (head, damage)
}
