//! Compressed logs, whatever their names.
//!
//! `fixtures/compressed/shop.csv.*` hold `fixtures/logs/shop.csv` in two streams, one after the other, as the
//! tools of these names wrote them.

use std::{fs, io::Write};

use sargable::{
    error::Error,
    sources::{self, Gathered, Options},
};

use crate::events::{Lines, by_session};

const SUFFIXES: &[&str] = &["gz", "zst", "bz2", "xz", "lz4", "legacy.lz4"];

fn packed(suffix: &str) -> Vec<u8> {
    fs::read(format!("fixtures/compressed/shop.csv.{suffix}")).expect("a fixture")
}

/// The bytes as a file whose name says nothing.
fn read(bytes: &[u8]) -> Result<Gathered<Lines>, Error> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room in the temporary folder");
    sources::gather(&[file.path().to_owned()], &Options::default(), &|| (), &mut |_, _| ())
}

#[test]
fn two_streams_are_one_log() {
    let expect = fs::read_to_string("fixtures/logs/shop.events").expect("what the run says");
    for suffix in SUFFIXES {
        let gathered = read(&packed(suffix)).expect("a log");
        assert_eq!(gathered.damages, [""; 0], "{suffix}");
        assert_eq!(by_session(gathered.collected), expect, "{suffix}");
    }
}

#[test]
fn what_was_cut_off_is_said_and_the_rest_is_read() {
    let whole = read(&packed("gz")).expect("a log").collected.0.len();
    for suffix in SUFFIXES {
        let mut bytes = packed(suffix);
        bytes.truncate(bytes.len() - 400);
        let gathered = read(&bytes).expect("the first stream");
        let events = gathered.collected.0.len();
        assert!((8..whole).contains(&events), "{suffix}: {events} of {whole}");
        assert_eq!(gathered.damages.len(), 1, "{suffix}");
        assert!(gathered.damages[0].contains(" ends early: "), "{suffix}: {:?}", gathered.damages);
    }
}

#[test]
fn damage_anywhere_is_survived() {
    for suffix in SUFFIXES {
        let bytes = packed(suffix);
        for at in (0..bytes.len()).step_by(211) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x5a;
            let _ = read(&damaged);
            let _ = read(&bytes[..at]);
        }
    }
}

#[test]
fn utf_16_is_read_by_its_mark() {
    let text = fs::read_to_string("fixtures/logs/shop.log").expect("a fixture");
    let expect = fs::read_to_string("fixtures/logs/shop.events").expect("what the run says");
    let units = |bytes_of: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes_of).collect()
    };
    for bytes in [units(u16::to_le_bytes), units(u16::to_be_bytes)] {
        assert_eq!(by_session(read(&bytes).expect("a log").collected), expect);
        let cut = &bytes[..bytes.len() - 1];
        assert!(!read(cut).expect("a log").collected.0.is_empty(), "half a character at the end");
    }
    let marked = format!("\u{feff}{text}");
    assert_eq!(by_session(read(marked.as_bytes()).expect("a log").collected), expect);
}
