//! How far a long command has come: a line that is written over on a terminal, lines in a log.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// On a terminal it is shown again after so long.
const EACH: Duration = Duration::from_millis(200);
/// In a log after so many rows.
const ROWS: usize = 50_000;
/// In a log after so many percent.
const PERCENT: u64 = 10;

/// Tells on standard error how far a command has come.
pub struct Progress {
    /// What is done, if anybody is to be told.
    what: Option<&'static str>,
    is_terminal: bool,
    shown: Option<Instant>,
    rows: usize,
    percent: u64,
}

impl Progress {
    /// Tells of a command.
    pub fn of(what: &'static str) -> Self {
        Self { what: Some(what), is_terminal: std::io::stderr().is_terminal(), shown: None, rows: 0, percent: 0 }
    }

    /// Tells nobody.
    pub fn silent() -> Self {
        Self { what: None, is_terminal: false, shown: None, rows: 0, percent: 0 }
    }

    /// So many rows of a list more are done, and `total` of it altogether.
    pub fn add(&mut self, list: &str, more: usize, total: usize) {
        let Some(what) = self.what else { return };
        let before = self.rows / ROWS;
        self.rows += more;
        if !self.is_terminal && self.rows / ROWS > before {
            eprintln!("{what}: {list}: {total} rows; {} in all", self.rows);
        }
        self.show(&format!("{what}: {list}: {total} rows"));
    }

    /// A step that is not counted in rows begins.
    pub fn step(&mut self, step: &str) {
        let Some(what) = self.what else { return };
        self.percent = 0;
        if self.is_terminal {
            self.shown = None;
            self.show(&format!("{what}: {step}"));
        } else {
            eprintln!("{what}: {step}");
        }
    }

    /// So much of a step is done, of about so much.
    pub fn part(&mut self, step: &str, done: u64, of: u64) {
        let Some(what) = self.what else { return };
        let percent = (done.saturating_mul(100) / of.max(1)).min(100);
        if !self.is_terminal && percent / PERCENT > self.percent / PERCENT {
            eprintln!("{what}: {step}: {percent} %");
        }
        self.percent = self.percent.max(percent);
        self.show(&format!("{what}: {step}: {percent} %"));
    }

    /// Writes over the line on a terminal, now and then.
    fn show(&mut self, line: &str) {
        if self.is_terminal && self.shown.is_none_or(|shown| shown.elapsed() >= EACH) {
            self.shown = Some(Instant::now());
            eprint!("\r\u{1b}[2K{line}");
            // It is only shown: where nobody sees it, nothing is lost.
            let _ = std::io::stderr().flush();
        }
    }
}

/// What is written next begins on a line of its own.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            eprint!("\r\u{1b}[2K");
            let _ = std::io::stderr().flush();
        }
    }
}
