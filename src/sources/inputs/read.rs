//! Reads the inputs, each as what it is, and says of each what was found.

use std::collections::BTreeMap;

use super::{
    Recognised, Sorted,
    nothing::{Head, first_lines, nothing, nothing_as, nothing_in},
};
use crate::{
    error::{Error, NotJudged},
    sources::{
        Collector, Gathered, Options, Progress, SCRIPT_BYTES, applog,
        envelope::Layer,
        mixed,
        open::Source,
        pipeline::{self, Found, Log},
        scripts::Written,
    },
    workload::{InputSummary, Script, Statement},
};

impl Sorted {
    /// Reads what was sorted: logs in the order of their times, then those of applications, then what a person
    /// wrote.
    pub(in crate::sources) fn read<C: Collector>(
        mut self,
        options: &Options,
        make_tools: &(dyn Fn() -> C::Tools + Sync),
        progress: &mut dyn FnMut(Progress, &C),
    ) -> Result<Gathered<C>, Error> {
        // Rotated files in the order of the log, whatever order the shell gave them in.
        self.logs.sort_by_key(|log| log.first.time);
        self.drop_copies();
        let logs = self.logs.iter().map(|log| &log.source);
        let length: Option<u64> =
            logs.chain(self.applications.iter().map(|(source, _)| source)).map(Source::length).sum();
        let progress: &mut dyn FnMut(Progress, &C) = &mut |far, collected| {
            let share = length.map(|length| (far.bytes as f64 / length.max(1) as f64).min(1.0));
            progress(Progress { share, ..far }, collected);
        };
        let mut reading = Reading::default();
        let mut collected = reading.logs(std::mem::take(&mut self.logs), options, make_tools, progress);
        for (source, format) in std::mem::take(&mut self.applications) {
            reading.application(source, &format, options, make_tools, &mut collected, progress);
        }
        let no_event = reading.summarise(&mut self.damages, &mut self.not_judged);
        let Reading { mut inputs, events, silent, .. } = reading;
        let (statements, scripts, quiet) = self.written(options, &mut inputs);
        // A program without SQL is as good as any.
        let nothing_else = self.unread.is_none() && no_event.is_none() && silent.is_empty();
        if events == 0 && statements.is_empty() && self.digests.is_empty() && !(quiet && nothing_else) {
            let unread = self.unread.take();
            let silent = || nothing_as(&inputs, &silent);
            return Err(no_event
                .or(unread)
                .or_else(silent)
                .unwrap_or_else(|| nothing(&self.others, &self.unknown)));
        }
        self.damages.extend(no_event.map(|error| error.to_string()));
        inputs.extend(self.others);
        Ok(Gathered {
            collected,
            statements,
            digests: self.digests,
            inputs,
            not_judged: self.not_judged,
            damages: self.damages,
            scripts,
        })
    }

    /// The statements that a person wrote, the texts that they stand in as far as there is room for them, and
    /// whether some hold nothing to judge.
    fn written(
        &mut self,
        options: &Options,
        inputs: &mut Vec<InputSummary>,
    ) -> (Vec<Statement>, Vec<Script>, bool) {
        let mut statements = Vec::new();
        let (mut scripts, mut room) = (Vec::new(), SCRIPT_BYTES);
        let quiet = self.silent_programs > 0 || self.written.iter().any(|written| written.quiet);
        for written in std::mem::take(&mut self.written) {
            statements.extend(written.statements());
            let Written { summary, script, not_judged, damage, .. } = written;
            self.not_judged.merge(not_judged);
            if let Some(damage) = damage {
                self.damages.push(format!("{} cannot be read: {damage}", summary.name));
            } else if options.scripts && script.text.len() <= room {
                room -= script.text.len();
                scripts.push(script);
            } else if options.scripts {
                let why = "too much text to keep: no line of it is shown, no suppression in it is seen";
                self.not_judged.add(summary.name.clone(), why);
            }
            inputs.push(summary);
        }
        (statements, scripts, quiet)
    }
}

/// What is known of the inputs while their logs are read.
#[derive(Default)]
struct Reading {
    inputs: Vec<InputSummary>,
    found: BTreeMap<u32, Found>,
    /// Envelopes by input.
    layers: BTreeMap<u32, Vec<Layer>>,
    /// Of the PostgreSQL logs.
    heads: Vec<Head>,
    /// Logs of applications in which nothing was found: what was tried, the first lines, and notes.
    silent: Vec<(String, String, String)>,
    events: u64,
}

impl Reading {
    /// Reads the PostgreSQL logs; again, where a prefix changed on the way and that can be learnt.
    fn logs<C: Collector>(
        &mut self,
        recognised: Vec<Recognised>,
        options: &Options,
        make_tools: &(dyn Fn() -> C::Tools + Sync),
        progress: &mut dyn FnMut(Progress, &C),
    ) -> C {
        let mut logs: Vec<Log> = (0..).zip(recognised).map(|(input, log)| self.begin(input, log)).collect();
        let mut run = |logs: &mut [Log]| {
            pipeline::run(logs, options.threads, options.chunk_bytes, make_tools, &mut *progress)
        };
        let again = logs.iter().all(|log| log.source.can_be_read_again());
        let instead = match (&options.log_line_prefix, again) {
            (Some(_), _) => "leave out --log-line-prefix",
            (None, true) => "cut the log where its prefix changes",
            (None, false) => "read the log from a plain file, and not as it grows",
        };
        let (mut collected, mut found) = run(&mut logs);
        // A prefix that was given is the only one.
        if again && options.log_line_prefix.is_none() {
            for _ in 0..mixed::MOST_CHANGES {
                let changes = mixed::learn(&mut logs, &found);
                if changes.is_empty() {
                    break;
                }
                for change in changes {
                    if let Some(summary) = self.inputs.get_mut(change.input as usize) {
                        summary.notes.push(change.note());
                    }
                }
                (collected, found) = run(&mut logs);
            }
        }
        for log in &logs {
            if let Some(found) = found.get_mut(&log.input) {
                found.notes.extend(mixed::notes(&log.format, &found.tally, instead));
            }
        }
        self.found = found;
        collected
    }

    fn begin(&mut self, input: u32, log: Recognised) -> Log {
        self.heads.push(Head::of(&log));
        let mut notes = log.notes;
        if log.format.coarse() {
            notes.push("its clock shows whole seconds (%t): gaps and overlaps cannot be measured".to_owned());
        }
        self.inputs.push(InputSummary {
            name: log.source.name(),
            format: log.format.name().to_owned(),
            notes,
            ..InputSummary::default()
        });
        self.layers.insert(input, log.source.layers.clone());
        Log { source: log.source, format: log.format, input }
    }

    fn application<C: Collector>(
        &mut self,
        source: Source,
        format: &applog::Format,
        options: &Options,
        make_tools: &(dyn Fn() -> C::Tools + Sync),
        collected: &mut C,
        progress: &mut dyn FnMut(Progress, &C),
    ) {
        let input = u32::try_from(self.inputs.len()).unwrap_or(u32::MAX);
        self.inputs.push(InputSummary {
            name: source.name(),
            format: format.name().to_owned(),
            ..InputSummary::default()
        });
        self.layers.insert(input, source.layers.clone());
        let head = first_lines(&source.head);
        let read = application(source, format, input, options, make_tools, collected, progress);
        if read.events == 0 {
            self.silent.push((format!("the format `{}`", format.name()), head, read.notes.join("; ")));
        }
        self.found.insert(input, read);
    }

    /// Says of each log what was found; an error where there are PostgreSQL logs, and nothing in any log.
    fn summarise(&mut self, damages: &mut Vec<String>, not_judged: &mut NotJudged) -> Option<Error> {
        let (mut entries, mut translated) = (0, 0);
        for (input, mut found) in std::mem::take(&mut self.found) {
            unwrapped(self.layers.get(&input).map_or(&[][..], Vec::as_slice), &mut found);
            self.events += found.events;
            entries += found.tally.entries;
            translated += found.translated;
            if let Some(summary) = self.inputs.get_mut(input as usize) {
                if let Some(damage) = &found.damage {
                    damages.push(format!("{} ends early: {damage}", summary.name));
                }
                summarise(summary, found, not_judged);
            }
        }
        let nothing = !self.heads.is_empty() && self.events == 0;
        nothing.then(|| nothing_in(&self.heads, entries, translated, damages))
    }
}

/// Events of a piece of an application's log; then it is joined to what came before.
const PIECE: usize = 20_000;

fn application<C: Collector>(
    mut source: Source,
    format: &applog::Format,
    input: u32,
    options: &Options,
    make_tools: &(dyn Fn() -> C::Tools + Sync),
    collected: &mut C,
    progress: &mut dyn FnMut(Progress, &C),
) -> Found {
    let lines = source.lines();
    let reader = match source.reader() {
        Ok(reader) => reader,
        Err(error) => return Found { damage: Some(error.to_string()), ..Found::default() },
    };
    if let applog::Format::Configured(configured) = format
        && options.threads > 1
        && options.follow.is_none()
    {
        let manner =
            applog::parallel::Manner { input, threads: options.threads, batch_bytes: options.chunk_bytes };
        return applog::parallel::read(
            configured,
            reader,
            lines.as_ref(),
            &manner,
            make_tools,
            &mut |piece, bytes| {
                collected.append(piece);
                progress(Progress { input: input as usize, bytes, share: None }, collected);
            },
        );
    }
    let mut tools = make_tools();
    let (mut piece, mut events) = (C::default(), 0);
    let found = applog::read(format, reader, lines.as_ref(), input, &mut |read| match read {
        applog::Read::Event(event) => {
            piece.event(event, &mut tools);
            events += 1;
            if events % PIECE == 0 {
                collected.append(std::mem::take(&mut piece));
            }
        }
        applog::Read::Quiet { bytes } => {
            collected.append(std::mem::take(&mut piece));
            progress(Progress { input: input as usize, bytes, share: None }, collected);
        }
    });
    collected.append(piece);
    found
}

/// Adds what the envelopes' readers have to say.
fn unwrapped(layers: &[Layer], found: &mut Found) {
    for layer in layers {
        let mut tally = layer.unknown();
        tally.merge(std::mem::take(&mut found.tally));
        found.tally = tally;
        found.notes.extend(layer.notes());
    }
}

fn summarise(summary: &mut InputSummary, found: Found, not_judged: &mut NotJudged) {
    summary.bytes = found.bytes;
    summary.entries = found.tally.entries;
    summary.skipped = found.tally.skipped;
    summary.skipped_samples = found.tally.shown().collect();
    summary.notes.extend(found.notes);
    match found.tally.foreign {
        0 => {}
        1 => summary.notes.push("1 line holds no statement".to_owned()),
        lines => summary.notes.push(format!("{lines} lines hold no statement")),
    }
    not_judged.add_many("log", "lines that belong to no log entry", found.tally.skipped);
    for zone in found.tally.zones {
        summary.notes.push(format!("time zone `{zone}` is not known and was read as UTC"));
    }
    not_judged.add_many(
        "log",
        "durations without a statement (parse and bind steps, or statements that log_statement leaves out)",
        found.lone_durations,
    );
    not_judged.add_many(
        "log",
        "statements and durations in another language than English (set lc_messages = 'C')",
        found.translated,
    );
    if let Some(damage) = found.damage {
        let why = format!("ends early: {damage}");
        not_judged.add(&summary.name, why.clone());
        summary.notes.push(why);
    }
}
