//! A line of progress on stderr, where a person watches; nothing elsewhere.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use crate::{report::text::bytes, sources::Progress};

/// A person cannot read faster.
const REDRAW: Duration = Duration::from_millis(100);

pub(super) struct ProgressLine {
    watched: bool,
    began: Instant,
    drawn: Option<Instant>,
}

impl ProgressLine {
    pub(super) fn new() -> ProgressLine {
        ProgressLine { watched: std::io::stderr().is_terminal(), began: Instant::now(), drawn: None }
    }

    pub(super) fn show(&mut self, far: Progress) {
        if !self.watched || self.drawn.is_some_and(|drawn| drawn.elapsed() < REDRAW) {
            return;
        }
        self.drawn = Some(Instant::now());
        let line = line(far, self.began.elapsed());
        let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
    }

    /// Takes the line away, for what comes next.
    pub(super) fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// `[=======>      ] 52 %  1.2 GB read, 940 MB/s, 3 s left`; without the bar and the time where nobody
/// knows how much there is.
fn line(far: Progress, since: Duration) -> String {
    const BAR: usize = 24;
    let seconds = since.as_secs_f64().max(0.001);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes a second")]
    let rate = bytes((far.bytes as f64 / seconds) as u64);
    let read = format!("{} read, {rate}/s", bytes(far.bytes));
    let Some(share) = far.share.filter(|share| *share > 0.0) else { return read };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to the bar's width")]
    let done = ((share * BAR as f64) as usize).min(BAR);
    let head = if done < BAR { ">" } else { "" };
    let bar = format!("{}{head}{}", "=".repeat(done), " ".repeat(BAR - done - head.len()));
    let left = (seconds / share - seconds).max(0.0).ceil();
    let left = if left < 120.0 { format!("{left} s") } else { format!("{:.0} min", left / 60.0) };
    format!("[{bar}] {:.0} %  {read}, {left} left", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        let far = |share| Progress { input: 0, bytes: 300 << 20, share };
        let after = Duration::from_secs(2);
        let half = line(far(Some(0.5)), after);
        assert_eq!(half, "[============>           ] 50 %  300\u{a0}MB read, 150\u{a0}MB/s, 2 s left");
        assert_eq!(line(far(None), after), "300\u{a0}MB read, 150\u{a0}MB/s");
        assert!(line(far(Some(1.0)), after).starts_with("[========================] 100 %"));
        assert!(line(far(Some(0.000_1)), after).ends_with("333 min left"));
    }
}
