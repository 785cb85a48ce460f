//! One run in every envelope gives the same events as the bare log.
//!
//! `fixtures/envelopes/*` hold `fixtures/logs/shop.log` (the log of a real server) as each program would have
//! carried it; that of `CloudNativePG` was made from `shop.csv`.

use std::{fs, io::Write, path::PathBuf};

use sargable::{
    error::Error,
    sources::{self, Gathered, Options},
};

use crate::events::{Lines, by_session};

/// Each file, with the envelope that it is in.
const CARRIED: &[(&str, &str)] = &[
    ("azure-records.json", "azure"),
    ("azure.jsonl", "azure"),
    ("cloudnativepg.jsonl", "cloudnativepg"),
    ("cloudwatch-tail.log", "timestamps"),
    ("cloudwatch.csv", "csv-table"),
    ("cloudwatch.json", "cloudwatch"),
    ("compose.log", "compose"),
    ("cri-syslog.log", "cri"),
    ("cri.log", "cri"),
    ("docker.json", "docker"),
    ("gcp-newest-first.json", "gcp"),
    ("gcp.jsonl", "gcp"),
    ("heroku.log", "syslog"),
    ("journal-short-iso.log", "syslog"),
    ("journal-short.log", "syslog"),
    ("journal.export", "journald"),
    ("journal.json", "journald"),
    ("json-lines.jsonl", "json-lines"),
    ("kubectl.log", "compose"),
    ("syslog-3164.log", "syslog"),
    ("syslog-5424-no-time.log", "syslog"),
    ("syslog-5424.log", "syslog"),
    ("syslog-no-prefix.log", "syslog"),
    ("syslog-unnumbered.log", "syslog"),
    ("syslog-unsplit.log", "syslog"),
];

fn fixture(name: &str) -> PathBuf {
    PathBuf::from("fixtures/envelopes").join(name)
}

fn gather(path: PathBuf, options: &Options) -> Result<Gathered<Lines>, Error> {
    sources::gather(&[path], options, &|| (), &mut |_, _| ())
}

fn read(bytes: &[u8], options: &Options) -> Result<Gathered<Lines>, Error> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room in the temporary folder");
    gather(file.path().to_owned(), options)
}

fn bare() -> String {
    fs::read_to_string("fixtures/logs/shop.events").expect("what the run says")
}

#[test]
fn every_envelope_gives_the_events_of_the_bare_log() {
    let on_disk: Vec<String> = {
        let mut names: Vec<String> = fs::read_dir("fixtures/envelopes")
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(on_disk, CARRIED.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let mut wrong = String::new();
    for (name, envelope) in CARRIED.iter().filter(|(name, _)| *name != "syslog-no-prefix.log") {
        let gathered = match gather(fixture(name), &Options::default()) {
            Ok(gathered) => gathered,
            Err(error) => {
                wrong.push_str(&format!("{name}: {error}\n"));
                continue;
            }
        };
        let notes = gathered.inputs[0].notes.clone();
        if !notes.contains(&format!("unwrapped from {envelope}")) {
            wrong.push_str(&format!("{name}: {notes:?}\n"));
        }
        let found = by_session(gathered.collected);
        if found != bare() {
            let differs = found.lines().zip(bare().lines().map(str::to_owned)).find(|(a, b)| a != b);
            wrong.push_str(&format!("{name}: {} lines, {differs:?}\n{notes:?}\n", found.lines().count()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// With `log_line_prefix = ''` the header's time and process are all there is.
#[test]
fn an_empty_prefix_takes_time_and_process_from_syslog() {
    let gathered = gather(fixture("syslog-no-prefix.log"), &Options::default()).expect("a log");
    let notes = gathered.inputs[0].notes.join("; ");
    assert!(notes.contains("time and process are those of syslog"), "{notes}");
    assert!(notes.contains("name neither year nor time zone"), "{notes}");
    let what = |text: String| -> Vec<String> {
        let of_line = |line: &str| {
            let (session, what) = (line.split_once('['), line.split_once(" executes "));
            Some(format!("{} {}", session?.1.split_once(']')?.0, what?.1))
        };
        text.lines().filter_map(of_line).collect()
    };
    let found = by_session(gathered.collected);
    assert!(found.starts_with("1795416494000000 "), "{found}");
    assert_eq!(what(found), what(bare()));
}

#[test]
fn positions_are_those_of_the_users_file() {
    for (name, _) in CARRIED.iter().filter(|(name, _)| !name.starts_with("journal.")) {
        let text = fs::read_to_string(fixture(name)).expect("a fixture is UTF-8");
        let lines: Vec<&str> = text.split('\n').collect();
        for chunk_bytes in [300, 4 << 20] {
            let options = Options { chunk_bytes, threads: 2, ..Options::default() };
            let found = gather(fixture(name), &options).expect("a log").collected;
            assert!(found.0.len() > 30, "{name}");
            for event in &found.0 {
                let at = usize::try_from(event.number).expect("small");
                // The text of a pretty-printed record, and the later parts of a message, stand further on.
                let near = lines[at - 1..lines.len().min(at + 16)].join("\n");
                let begins = lines[at - 1].trim() == "{" || lines[at - 1].contains("LOG:  ");
                let begins =
                    begins || lines[at - 1].contains("ERROR:  ") || lines[at - 1].contains("\"LOG\"");
                assert!(
                    begins || name.starts_with('c') || name.starts_with("docker"),
                    "{name}:{at} {}",
                    event.text
                );
                let what = event.text.rsplit(" executes ").next().unwrap_or_default();
                let word: String = what.chars().take_while(char::is_ascii_alphabetic).collect();
                if event.text.contains(" executes ") && word.len() > 3 {
                    assert!(near.contains(&word), "{name}:{at} {}: {near}", event.text);
                }
            }
        }
    }
}

#[test]
fn other_programs_are_counted() {
    for (name, others) in [("syslog-3164.log", true), ("compose.log", true), ("cloudnativepg.jsonl", true)] {
        let gathered = gather(fixture(name), &Options::default()).expect("a log");
        let notes = gathered.inputs[0].notes.join("; ");
        assert_eq!(
            notes.contains("of another program") || notes.contains("of other programs"),
            others,
            "{notes}"
        );
        assert_eq!(gathered.inputs[0].skipped, 0, "{name}: {:?}", gathered.inputs[0]);
    }
}

#[test]
fn a_json_log_in_an_envelope() {
    let json = fs::read_to_string("fixtures/logs/shop.json").expect("a fixture");
    let docker: String = json
        .lines()
        .map(|line| {
            serde_json::json!({"log": format!("{line}\n"), "stream": "stderr", "time": "2026-11-23T06:48:15Z"})
                .to_string()
                + "\n"
        })
        .collect();
    let gathered = read(docker.as_bytes(), &Options::default()).expect("a log");
    assert_eq!(gathered.inputs[0].format, "pg-json");
    assert_eq!(by_session(gathered.collected), bare());
    let cri: String =
        json.lines().map(|line| format!("2026-11-23T06:48:15.000000001Z stdout F {line}\n")).collect();
    assert_eq!(by_session(read(cri.as_bytes(), &Options::default()).expect("a log").collected), bare());
}

#[test]
fn a_line_that_is_no_record_is_shown() {
    let mut text = fs::read("fixtures/envelopes/kubectl.log").expect("a fixture");
    text.extend_from_slice(b"what is this\n");
    let gathered = read(&text, &Options::default()).expect("a log");
    let input = &gathered.inputs[0];
    let line = String::from_utf8_lossy(&text).lines().count();
    assert!(input.skipped_samples.contains(&format!("line {line}: what is this")), "{input:?}");
    assert_eq!(by_session(gathered.collected), bare());
}

#[test]
fn cut_and_garbled_envelopes_are_survived() {
    for (index, (name, _)) in CARRIED.iter().enumerate() {
        let bytes = fs::read(fixture(name)).expect("a fixture");
        for at in (index..bytes.len()).step_by(bytes.len() / 7) {
            let options = Options { chunk_bytes: 700, threads: 1, ..Options::default() };
            let _ = read(&bytes[..at], &options);
            let _ = read(&bytes[at..], &options);
            let mut garbled = bytes.clone();
            for byte in garbled.iter_mut().skip(at).step_by(97) {
                *byte ^= 0x15;
            }
            let _ = read(&garbled, &options);
        }
    }
}

#[test]
fn the_format_of_the_flag_is_used() {
    let with = |name: &str, format: &str| {
        let options = Options { input_format: Some(format.to_owned()), ..Options::default() };
        gather(fixture(name), &options).map(|gathered| by_session(gathered.collected))
    };
    assert_eq!(with("docker.json", "docker").expect("a log"), bare());
    assert_eq!(with("syslog-3164.log", "syslog").expect("a log"), bare());
    for format in ["journald", "gcp", "pg-json"] {
        let Err(Error::NothingUnderstood { .. }) = with("syslog-3164.log", format) else {
            panic!("syslog is no {format}");
        };
    }
    for name in ["docker", "pg-csv", "sql", "syslog"] {
        assert!(sources::input_formats().contains(&name), "{name}");
    }
}
