//! The time of the service: instants that both databases keep exactly, and the regency's calendar day.

use chrono::{DateTime, FixedOffset, NaiveDate, SubsecRound, Utc};

/// Now, in whole microseconds: PostgreSQL keeps no more.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// The regency's time zone, which decides when a day begins. WITA (UTC+8) in North Lombok.
#[derive(Clone, Copy, Debug)]
pub struct Calendar(pub FixedOffset);

impl Calendar {
    /// Today in the regency.
    pub fn today(self) -> NaiveDate {
        self.day_of(Utc::now())
    }

    /// The regency's day at an instant.
    pub fn day_of(self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.0).date_naive()
    }
}
