//! A data folder as `initdb` makes it, kept in our cache: packed into one file, since unpacking it takes a tenth of the
//! time that `initdb` takes.
//!
//! It is a cache: whatever is wrong with it (not there, cut short, damaged, of other programs, not ours, no place to
//! write to) is an [`io::Error`] that the caller answers with `initdb`. The file is written beside its place and moved
//! there when it is whole, and its checksum is that of Zstandard.
//!
//! Inside of the frame: a line with what made it; for each folder `d PATH`, for each file `f LENGTH PATH` and its bytes;
//! `end`.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown, fchown},
    path::{Component, Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::{
    account::Account,
    binaries::{self, Binaries},
    folder,
};

/// Changes with the format, and with the options that `initdb` is always given.
const FORMAT: &str = "sargable data folder 2";
const LEVEL: i32 = 1;
/// Of a name in the data folder.
const LONGEST_LINE: u64 = 4096;

#[derive(Debug)]
pub(super) struct Template {
    path: PathBuf,
    /// What the packed folder depends on.
    maker: String,
    our_uid: u32,
}

impl Template {
    /// Where that of these programs is or would be; `None` without a folder for caches.
    pub(super) fn of(binaries: &Binaries, options: &str, our_uid: u32) -> Option<Template> {
        let server = fs::metadata(binaries.folder.join("postgres")).ok()?;
        let changed = server.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        let folder = binaries.folder.to_string_lossy();
        let maker =
            format!("{FORMAT}\t{}\t{folder}\t{}\t{changed}\t{options}", binaries.banner, server.len());
        let maker = maker.replace('\n', " ");
        // The name only keeps installations apart; what is inside decides.
        let name: String = folder
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "._".contains(c) { c } else { '-' })
            .collect();
        let name = format!("{}{}.zst", binaries.major, &name[name.len().saturating_sub(150)..]);
        Some(Template { path: binaries::cache()?.join("initdb").join(name), maker, our_uid })
    }

    /// Unpacks it as the new folder `data`, for `owner` where that is not us.
    pub(super) fn unpack(&self, data: &Path, owner: Option<&Account>) -> io::Result<()> {
        let unpacked = self.open().and_then(|file| unpack(file, &self.maker, data, owner));
        if unpacked.is_err() {
            let _ = fs::remove_dir_all(data);
        }
        unpacked
    }

    /// Nobody but us can have written what we open.
    fn open(&self) -> io::Result<File> {
        let file = File::open(&self.path)?;
        let metadata = file.metadata()?;
        if metadata.is_file() && metadata.uid() == self.our_uid && metadata.mode() & 0o022 == 0 {
            Ok(file)
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    /// Packs `data`, of which no server runs. One of several first runs does that; it replaces what is no use.
    pub(super) fn pack(&self, data: &Path) -> io::Result<()> {
        let folder = self.path.parent().ok_or(io::ErrorKind::NotFound)?;
        self.make(folder)?;
        let beside = self.path.with_extension("new");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&beside)?;
        file.try_lock()?;
        let metadata = file.metadata()?;
        if metadata.uid() != self.our_uid || metadata.nlink() != 1 || !folder::is_named(&file, &beside) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        file.set_len(0)?;
        let packed = pack(&file, &self.maker, data).and_then(|()| fs::rename(&beside, &self.path));
        if packed.is_err() {
            let _ = fs::remove_file(&beside);
        }
        packed
    }

    /// In a place of our own only: root leaves nothing in the home of whom `sudo` serves.
    fn make(&self, folder: &Path) -> io::Result<()> {
        let there = folder.ancestors().find(|folder| folder.exists()).ok_or(io::ErrorKind::NotFound)?;
        let ours = |metadata: fs::Metadata| metadata.uid() == self.our_uid && metadata.mode() & 0o022 == 0;
        if !ours(fs::metadata(there)?) || fs::symlink_metadata(there)?.uid() != self.our_uid {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }

    /// For one from which no server starts.
    pub(super) fn forget(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn pack(file: &File, maker: &str, data: &Path) -> io::Result<()> {
    let mut out = zstd::Encoder::new(file, LEVEL)?;
    out.include_checksum(true)?;
    writeln!(out, "{maker}")?;
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(data.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let name = path.to_str().filter(|name| !name.contains('\n')).ok_or(io::ErrorKind::InvalidData)?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                writeln!(out, "d {name}")?;
                open.push(path);
            } else if kind.is_file() && is_a_fork(name) {
                // The server makes the maps of free and of visible space anew: a quarter of all files.
            } else if kind.is_file() {
                let mut from = File::open(entry.path())?;
                let length = from.metadata()?.len();
                writeln!(out, "f {length} {name}")?;
                if io::copy(&mut from, &mut out)? != length {
                    return Err(io::ErrorKind::InvalidData.into());
                }
            } else {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }
    writeln!(out, "end")?;
    out.finish().map(drop)
}

/// `base/1/1259_fsm`, `global/1262_vm`.
fn is_a_fork(name: &str) -> bool {
    let forked = name.strip_suffix("_fsm").or_else(|| name.strip_suffix("_vm"));
    forked
        .and_then(|main| main.rsplit_once('/'))
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unpack(file: File, maker: &str, data: &Path, owner: Option<&Account>) -> io::Result<()> {
    let mut from = BufReader::with_capacity(1 << 17, zstd::Decoder::new(file)?);
    if line(&mut from)? != maker {
        return Err(io::ErrorKind::InvalidData.into());
    }
    make_folder(data, owner)?;
    loop {
        let entry = line(&mut from)?;
        let (kind, rest) = entry.split_once(' ').unwrap_or((entry.as_str(), ""));
        match kind {
            "d" => make_folder(&below(data, rest)?, owner)?,
            "f" => {
                let (length, name) = rest.split_once(' ').ok_or(io::ErrorKind::InvalidData)?;
                let length: u64 = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
                let path = below(data, name)?;
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
                if let Some(account) = owner {
                    fchown(&file, Some(account.uid), Some(account.gid))?;
                }
                copy(&mut from, &mut file, length)?;
            }
            "end" => break,
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
    // The checksum comes last.
    if from.read(&mut [0])? == 0 { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// Straight out of the reader's buffer.
fn copy(from: &mut impl BufRead, to: &mut File, length: u64) -> io::Result<()> {
    let mut left = length;
    while left > 0 {
        let held = from.fill_buf()?;
        let some = held.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if some == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to.write_all(&held[..some])?;
        from.consume(some);
        left -= some as u64;
    }
    Ok(())
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.take(LONGEST_LINE).read_line(&mut line)?;
    let whole = line.strip_suffix('\n').ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(whole.to_owned())
}

fn below(data: &Path, name: &str) -> io::Result<PathBuf> {
    let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if plain && !name.is_empty() { Ok(data.join(name)) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// It is the owner's before there is anything in it: should we be killed, the owner can remove it.
fn make_folder(path: &Path, owner: Option<&Account>) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    owner.map_or(Ok(()), |account| chown(path, Some(account.uid), Some(account.gid)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache with the template of a small folder, and where to unpack it.
    fn packed() -> (tempfile::TempDir, Template, PathBuf) {
        let parent = tempfile::tempdir().expect("a folder");
        let data = parent.path().join("data");
        fs::create_dir_all(data.join("base/1")).expect("folders");
        fs::create_dir(data.join("pg_twophase")).expect("a folder");
        fs::write(data.join("PG_VERSION"), "15\n").expect("a file");
        fs::write(data.join("base/1/1259"), vec![7; 300_000]).expect("a file");
        fs::write(data.join("base/1/empty"), "").expect("a file");
        fs::write(data.join("base/1/1259_vm"), vec![1; 8192]).expect("a file");
        let template = Template {
            path: parent.path().join("cache/initdb/15.zst"),
            maker: "these programs".to_owned(),
            our_uid: fs::metadata(parent.path()).expect("a folder").uid(),
        };
        template.pack(&data).expect("a template");
        let to = parent.path().join("copy");
        (parent, template, to)
    }

    #[test]
    fn what_is_packed_comes_out() {
        let (_parent, template, to) = packed();
        template.unpack(&to, None).expect("a whole template");
        assert_eq!(fs::read(to.join("base/1/1259")).expect("a file"), vec![7; 300_000]);
        assert_eq!(fs::read(to.join("base/1/empty")).expect("a file"), b"");
        assert!(to.join("pg_twophase").is_dir());
        assert!(!to.join("base/1/1259_vm").exists());
        assert_eq!(fs::metadata(to.join("PG_VERSION")).expect("a file").mode() & 0o777, 0o600);
        assert!(!template.path.with_extension("new").exists());
    }

    #[test]
    fn whatever_is_wrong_with_it_nothing_of_it_is_left() {
        let (_parent, template, to) = packed();
        let whole = fs::read(&template.path).expect("the template");
        let mut garbled = whole.clone();
        garbled[whole.len() / 2] ^= 1;
        let mut wrong_sum = whole.clone();
        wrong_sum[whole.len() - 1] ^= 1;
        for bytes in [&garbled[..], &wrong_sum, &whole[..whole.len() - 1], &whole[..20], b"", b"anything"] {
            fs::write(&template.path, bytes).expect("a file");
            template.unpack(&to, None).expect_err("damaged");
            assert!(!to.exists());
        }
        fs::write(&template.path, &whole).expect("a file");
        let other = Template {
            maker: "other programs".to_owned(),
            path: template.path.clone(),
            our_uid: template.our_uid,
        };
        other.unpack(&to, None).expect_err("of others");
        let stranger = Template {
            our_uid: template.our_uid + 1,
            maker: template.maker.clone(),
            path: template.path.clone(),
        };
        stranger.unpack(&to, None).expect_err("a stranger's file");
        fs::set_permissions(&template.path, std::os::unix::fs::PermissionsExt::from_mode(0o666))
            .expect("a mode");
        template.unpack(&to, None).expect_err("anybody may have written it");
    }

    #[test]
    fn names_stay_in_the_folder() {
        let data = Path::new("/data");
        for name in ["../x", "/etc/x", "a/../../x", ""] {
            below(data, name).expect_err(name);
        }
        assert_eq!(below(data, "base/1").expect("a name"), Path::new("/data/base/1"));
    }

    #[test]
    fn a_half_made_one_is_finished_by_the_next_and_a_busy_one_left() {
        let (parent, template, to) = packed();
        let beside = template.path.with_extension("new");
        let busy = File::create(&beside).expect("a file");
        busy.lock().expect("its lock");
        template.pack(&parent.path().join("data")).expect_err("another makes it");
        drop(busy);
        fs::write(&beside, "half").expect("a file");
        template.pack(&parent.path().join("data")).expect("a template");
        template.unpack(&to, None).expect("a whole template");
    }
}
