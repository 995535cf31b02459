//! How far a long command has come: a line that is written over on a terminal, lines in a log.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// On a terminal it is shown again after so long.
const EACH: Duration = Duration::from_millis(200);
/// In a log after so many rows.
const ROWS: usize = 50_000;

/// Tells on standard error how far a command has come.
pub struct Progress {
    /// What is done, if anybody is to be told.
    what: Option<&'static str>,
    is_terminal: bool,
    shown: Option<Instant>,
    rows: usize,
}

impl Progress {
    /// Tells of a command.
    pub fn of(what: &'static str) -> Self {
        Self { what: Some(what), is_terminal: std::io::stderr().is_terminal(), shown: None, rows: 0 }
    }

    /// Tells nobody.
    pub fn silent() -> Self {
        Self { what: None, is_terminal: false, shown: None, rows: 0 }
    }

    /// So many rows of a list more are done, and `total` of it altogether.
    pub fn add(&mut self, list: &str, more: usize, total: usize) {
        let Some(what) = self.what else { return };
        let before = self.rows / ROWS;
        self.rows += more;
        if !self.is_terminal && self.rows / ROWS > before {
            eprintln!("{what}: {list}: {total} rows; {} in all", self.rows);
        }
        if self.is_terminal && self.shown.is_none_or(|shown| shown.elapsed() >= EACH) {
            self.shown = Some(Instant::now());
            eprint!("\r\u{1b}[2K{what}: {list}: {total} rows");
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
