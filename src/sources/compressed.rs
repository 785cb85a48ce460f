//! Compressed and UTF-16 bytes → plain bytes, known by how they begin.
//!
//! Files of several streams, one after the other (what `cat a.gz b.gz` makes), are read to the end. Where a
//! stream is cut short, what was readable comes first and then the error.

use std::io::{self, BufReader, Read};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lz4_flex::{block::decompress, frame::FrameDecoder};
use lzma_rust2::XzReader;

type Bytes = Box<dyn Read + Send>;

/// The most memory that an `.xz` may ask for; `xz -9` needs a quarter of it.
const XZ_KB: u32 = 256 * 1024;

/// The bytes as they were before they were compressed, in UTF-8 where a mark says that they are UTF-16.
pub(super) fn plain(from: Bytes) -> io::Result<Bytes> {
    let (magic, from) = peek::<6>(from)?;
    let buffered = |from| BufReader::with_capacity(1 << 16, from);
    let plain: Bytes = match magic.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(buffered(from))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::new(from)?),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Box::new(MultiBzDecoder::new(buffered(from))),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Box::new(XzReader::new_mem_limit(buffered(from), true, XZ_KB)),
        [0x04, 0x22, 0x4d, 0x18, ..] => Box::new(Lz4 { frames: FrameDecoder::new(buffered(from)) }),
        [0x02, 0x21, 0x4c, 0x18, ..] => Box::new(LegacyLz4 { from: buffered(from), text: Vec::new(), at: 0 }),
        _ => from,
    };
    text(plain)
}

/// Takes away a byte order mark, and what follows one of UTF-16 becomes UTF-8 (where its first character is ASCII:
/// binary files may begin so too).
fn text(from: Bytes) -> io::Result<Bytes> {
    let (mark, mut from) = match peek::<4>(from) {
        Ok(peeked) => peeked,
        // Told when it is read, as any damage further on is.
        Err(error) => return Ok(Box::new(Broken(Some(error)))),
    };
    Ok(match mark.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => {
            skip(&mut from, 3)?;
            from
        }
        [0xff, 0xfe, _, 0] | [0xfe, 0xff, 0, _] => {
            skip(&mut from, 2)?;
            Box::new(Utf16 { from, big: mark[0] == 0xfe, rest: Vec::new(), text: Vec::new(), at: 0 })
        }
        _ => from,
    })
}

/// The first bytes, and a reader that gives them again.
fn peek<const N: u64>(mut from: Bytes) -> io::Result<(Vec<u8>, Bytes)> {
    let mut first = Vec::new();
    from.by_ref().take(N).read_to_end(&mut first)?;
    Ok((first.clone(), Box::new(io::Cursor::new(first).chain(from))))
}

fn skip(from: &mut Bytes, bytes: u64) -> io::Result<u64> {
    io::copy(&mut from.by_ref().take(bytes), &mut io::sink())
}

/// A stream that is damaged from its beginning.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The decoder says that it is at the end after each frame; only after the last one it says so again.
struct Lz4<R: Read> {
    frames: FrameDecoder<R>,
}

/// Empty frames in a row that are not yet the end.
const EMPTY_FRAMES: usize = 4;

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        for _ in 0..EMPTY_FRAMES {
            match self.frames.read(to)? {
                0 => {}
                read => return Ok(read),
            }
        }
        Ok(0)
    }
}

/// `lz4 -l`: nothing but blocks, each with its length. The library does not read two such streams in a row.
struct LegacyLz4<R> {
    from: R,
    text: Vec<u8>,
    at: usize,
}

const LEGACY: &[u8] = &[0x02, 0x21, 0x4c, 0x18];
/// What a block of the legacy form may hold, unpacked.
const LEGACY_BLOCK: usize = 8 << 20;

impl<R: Read> Read for LegacyLz4<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            let mut word = Vec::with_capacity(4);
            self.from.by_ref().take(4).read_to_end(&mut word)?;
            let Ok(bytes) = <[u8; 4]>::try_from(word.as_slice()) else {
                return if word.is_empty() { Ok(0) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            };
            if word == LEGACY {
                continue;
            }
            let len = u64::from(u32::from_le_bytes(bytes));
            // A block that does not shrink takes a little more than it holds.
            if len > LEGACY_BLOCK as u64 + (1 << 16) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a block of lz4 is too long"));
            }
            let mut block = Vec::new();
            self.from.by_ref().take(len).read_to_end(&mut block)?;
            if block.len() as u64 != len {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.at = 0;
            self.text = decompress(&block, LEGACY_BLOCK)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        }
        let some = to.len().min(self.text.len() - self.at);
        to[..some].copy_from_slice(&self.text[self.at..self.at + some]);
        self.at += some;
        Ok(some)
    }
}

/// What Windows tools write. Halves of a character that have no other half are replaced.
struct Utf16 {
    from: Bytes,
    big: bool,
    /// Bytes that are no whole character yet.
    rest: Vec<u8>,
    text: Vec<u8>,
    at: usize,
}

impl Read for Utf16 {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            let read = self.from.by_ref().take(1 << 15).read_to_end(&mut self.rest)?;
            if read == 0 && self.rest.is_empty() {
                return Ok(0);
            }
            self.decode(read == 0);
        }
        let some = to.len().min(self.text.len() - self.at);
        to[..some].copy_from_slice(&self.text[self.at..self.at + some]);
        self.at += some;
        Ok(some)
    }
}

impl Utf16 {
    fn decode(&mut self, last: bool) {
        self.text.clear();
        self.at = 0;
        let unit = |two: &[u8]| {
            let two = [two[0], two[1]];
            if self.big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
        };
        let mut units: Vec<u16> = self.rest.chunks_exact(2).map(unit).collect();
        let mut used = units.len() * 2;
        // The first half of a pair waits for the second.
        if !last && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            units.pop();
            used -= 2;
        }
        for character in char::decode_utf16(units) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.rest.drain(..used);
        if last && !self.rest.is_empty() {
            // An odd byte at the end.
            self.rest.clear();
            self.text.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}
