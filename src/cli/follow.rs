//! `logs --follow`: the report of a log that still grows.
//!
//! On a terminal the page is drawn again as the log grows, cut to the screen; everywhere else nothing is
//! written before the end. Ctrl-C (or the end of standard input) ends it with the whole report.

use std::{
    io::{self, IsTerminal as _},
    sync::Arc,
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use super::{
    Outcome,
    analyze::{self, Done, Wanted},
    args::{Format, LogsArgs},
    configure, output, tell, user_rules,
};
use crate::{
    config::Config,
    error::Error,
    report::text::{self, Subject},
    rules::Rule,
    sources::{self, Ingested, Progress, Stop},
    workload::{InputSummary, Workload},
};

/// Between two pages.
const REDRAW: Duration = Duration::from_secs(2);
/// Drawing may take this share of the time at most: a large workload is drawn less often.
const SHARE: u32 = 10;

pub(super) fn run(args: &LogsArgs, config: &Config) -> Result<Outcome, Error> {
    analyze::demand_inputs(&args.input)?;
    let known = user_rules::all()?;
    let stop = Stop::default();
    on_signal(&stop).map_err(|source| Error::Usage {
        what: format!("signals cannot be handled here: {source}"),
        hint: None,
    })?;
    let readers = configure::readers(&args.input, config)?;
    let options = analyze::options(&args.input, readers, Some(&args.save), None);
    let options = sources::Options { follow: Some(stop), ..options };
    let to_screen =
        io::stdout().is_terminal() && args.output.output.is_none() && args.output.format == Format::Text;
    let mut screen = Screen { next: Instant::now() };
    if !to_screen {
        tell("following; the report comes at the end (Ctrl-C)");
    }
    let read = sources::watch(&args.input.paths, &options, &mut |far, workload| {
        if to_screen {
            screen.draw(&known, args, far, workload);
        }
    })?;
    if to_screen {
        output::print(CLEAR)?;
    }
    let read = analyze::told(read)?;
    analyze::saved(&read, &args.save)?;
    let whole = read.damages.is_empty();
    let mut done = analyze::judge_inputs(&args.input, read, &Wanted::of(&known), None);
    done.complete &= whole;
    output::judge(&mut done.report, &args.figures);
    let outcome = output::write(&done.report, Subject::Workload, &args.output, args.fail_on)?;
    Ok(done.ended(outcome))
}

/// The first signal ends the reading, a second one the program.
fn on_signal(stop: &Stop) -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 130, Arc::clone(stop))?;
        flag::register(signal, Arc::clone(stop))?;
    }
    Ok(())
}

/// To the upper left corner, and everything below is gone.
const CLEAR: &str = "\x1b[H\x1b[2J";

struct Screen {
    next: Instant,
}

impl Screen {
    fn draw(&mut self, known: &[Rule], args: &LogsArgs, far: Progress, workload: &Workload) {
        let began = Instant::now();
        if began < self.next {
            return;
        }
        let mut seen = workload.clone();
        seen.close();
        let name = args.input.paths[0].display().to_string();
        let input =
            InputSummary { name, format: "log".to_owned(), bytes: far.bytes, ..InputSummary::default() };
        let Done { report, .. } = analyze::judge(
            Ingested { workload: seen, inputs: vec![input], ..Ingested::default() },
            &Wanted::of(known),
            None,
        );
        let page = text::render(&report, Subject::Workload, &output::style(true, args.output.color));
        let rows = terminal_size::terminal_size_of(io::stdout()).map_or(24, |(_, rows)| usize::from(rows.0));
        let head = format!(
            "following {}: {} read; Ctrl-C ends it\n",
            args.input.paths[0].display(),
            text::bytes(far.bytes)
        );
        let body: String = page.split_inclusive('\n').take(rows.saturating_sub(2)).collect();
        // A terminal that went away shows in the last page, which is an error then.
        let _ = output::print(&format!("{CLEAR}{head}{body}"));
        self.next = Instant::now() + REDRAW.max(began.elapsed() * SHARE);
    }
}
