//! The time of the service: instants that both databases keep exactly, and the regency's calendar day.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
pub use entity::value::instant::now;

/// The regency's calendar.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// The time zone, which decides when a day begins. WITA (UTC+8) in North Lombok.
    offset: FixedOffset,
    rehearsal: Option<Arc<Rehearsal>>,
}

/// A day that whoever rehearses writes to a file, such as `2023-01-31`: a year of meetings is played in an hour, and a test
/// replays it in a minute, on a service that runs on.
#[derive(Debug)]
struct Rehearsal {
    file: PathBuf,
    /// The last day that was read: it holds while the file is being written, and time does not go back.
    last: Mutex<NaiveDate>,
}

impl Calendar {
    /// The calendar of a time zone.
    pub fn new(offset: FixedOffset) -> Self {
        Self { offset, rehearsal: None }
    }

    /// The same with its day read from `file` at each use; `None` where the file holds no day.
    pub fn rehearsed(self, file: PathBuf) -> Option<Self> {
        let last = Mutex::new(day_in(&file)?);
        Some(Self { rehearsal: Some(Arc::new(Rehearsal { file, last })), ..self })
    }

    /// Today in the regency.
    pub fn today(&self) -> NaiveDate {
        match &self.rehearsal {
            Some(rehearsal) => rehearsal.today(),
            None => self.day_of(Utc::now()),
        }
    }

    /// The regency's day at an instant.
    pub fn day_of(&self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.offset).date_naive()
    }
}

impl Rehearsal {
    fn today(&self) -> NaiveDate {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = day_in(&self.file).map_or(*last, |day| day.max(*last));
        *last
    }
}

fn day_in(file: &Path) -> Option<NaiveDate> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}
