//! How far a long command has come: a line that moves on a terminal, lines in a log.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// On a terminal it is drawn again after so long.
const EACH: Duration = Duration::from_millis(200);
/// In a log after so many rows.
const ROWS: usize = 50_000;
/// In a log after so many percent.
const PERCENT: u64 = 10;

/// Tells on standard error how far a command has come.
pub struct Progress {
    /// What is done, if it is to be reported.
    what: Option<&'static str>,
    /// What is drawn on a terminal.
    bar: Option<ProgressBar>,
    rows: usize,
    percent: u64,
}

impl Progress {
    /// Tells of a command.
    pub fn of(what: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_prefix(what);
        bar.set_style(style("{prefix}: {msg} {spinner} {elapsed_precise}"));
        // Where standard error is no terminal, nothing is drawn.
        let bar = (!bar.is_hidden()).then_some(bar);
        if let Some(bar) = &bar {
            bar.enable_steady_tick(EACH);
        }
        Self { what: Some(what), bar, rows: 0, percent: 0 }
    }

    /// Tells nobody.
    pub fn silent() -> Self {
        Self { what: None, bar: None, rows: 0, percent: 0 }
    }

    /// So many rows of a list more are done, and `total` of it altogether.
    pub fn add(&mut self, list: &str, more: usize, total: usize) {
        let before = self.rows / ROWS;
        self.rows += more;
        match (&self.bar, self.what) {
            (Some(bar), _) => bar.set_message(format!("{list}: {total} rows")),
            (None, Some(what)) if self.rows / ROWS > before => eprintln!("{what}: {list}: {total} rows; {} in all", self.rows),
            _ => {}
        }
    }

    /// A step that is not counted in rows begins.
    pub fn step(&mut self, step: &str) {
        self.percent = 0;
        match (&self.bar, self.what) {
            (Some(bar), _) => {
                bar.set_style(style("{prefix}: {msg} {spinner} {elapsed_precise}"));
                bar.set_message(step.to_owned());
            }
            (None, Some(what)) => eprintln!("{what}: {step}"),
            _ => {}
        }
    }

    /// So much of a step is done, of about so much.
    pub fn part(&mut self, step: &str, done: u64, of: u64) {
        let percent = (done.saturating_mul(100) / of.max(1)).min(100);
        match (&self.bar, self.what) {
            (Some(bar), _) => {
                bar.set_style(style("{prefix}: {msg} [{bar:30}] {percent} %, {elapsed_precise}, {eta} left"));
                bar.set_length(of.max(1));
                bar.set_message(step.to_owned());
                bar.set_position(done);
            }
            (None, Some(what)) if percent / PERCENT > self.percent / PERCENT => eprintln!("{what}: {step}: {percent} %"),
            _ => {}
        }
        self.percent = self.percent.max(percent);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// What is written next begins on a line of its own.
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
