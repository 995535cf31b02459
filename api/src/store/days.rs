//! The days that figures can be asked about: from the first of which anything is recorded to today.

use chrono::NaiveDate;
use sea_orm::{ConnectionTrait, Statement};

use super::dependencies::{self, Counted};
use super::snapshots::AsOf;
use super::transaction::Store;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{Parameters, parse_date};

/// The parameter `as_of`: a day up to today. A later one becomes a field error, since nothing is recorded of it.
pub fn read_as_of(parameters: &mut Parameters, today: NaiveDate) -> Option<NaiveDate> {
    let (en, id) = (
        format!("a date such as 2022-10-04, at the latest today ({today})"),
        format!("tanggal seperti 2022-10-04, paling lambat hari ini ({today})"),
    );
    parameters.read("as_of", (&en, &id), |text| parse_date(text).filter(|day| *day <= today))
}

impl Store {
    /// The end of a day that was read with [`read_as_of`], or of today if none was named.
    pub async fn as_of(&self, day: Option<NaiveDate>, today: NaiveDate) -> ApiResult<AsOf> {
        let day = match day {
            Some(day) if day < today => self.day_that_answers(day).await?,
            _ => today,
        };
        Ok(AsOf::new(day, today, self.db().get_database_backend()))
    }

    /// The day that answers for `day`: all days before the first record look alike, and are the day before it.
    pub async fn day_that_answers(&self, day: NaiveDate) -> ApiResult<NaiveDate> {
        let first = self.first_day().await?;
        Ok(day.max(first.pred_opt().unwrap_or(first)))
    }

    /// The first day of which anything is recorded; today where nothing is.
    pub async fn first_day(&self) -> ApiResult<NaiveDate> {
        let known = *self.known_first_day().lock().map_err(ApiError::unexpected)?;
        if let Some((made_of, day)) = known.filter(|(made_of, _)| self.generation().holds(made_of)) {
            dependencies::add(&made_of);
            return Ok(day);
        }
        let (day, made_of) =
            dependencies::recorded(self.generation().now(), Counted::InForceThen, self.look_up_first_day()).await;
        dependencies::add(&made_of);
        let day = day?;
        *self.known_first_day().lock().map_err(ApiError::unexpected)? = Some((made_of, day));
        Ok(day)
    }

    async fn look_up_first_day(&self) -> ApiResult<NaiveDate> {
        let backend = self.db().get_database_backend();
        // Each is the first entry of an index. What was written before days were kept counts from the first day of all.
        let sql = "SELECT CAST(MIN(day) AS TEXT) AS day FROM (\
                   SELECT MIN(effective_on) AS day FROM status_change \
                   UNION ALL SELECT MIN(effective_on) FROM coverage \
                   UNION ALL SELECT MIN(known_on) FROM measurement WHERE known_on IS NOT NULL \
                   UNION ALL SELECT MIN(known_on) FROM action_report WHERE known_on IS NOT NULL \
                   UNION ALL SELECT MIN(signed_on) FROM commitment \
                   UNION ALL SELECT MIN(since) FROM past WHERE since > '0001-01-01') AS days";
        let row = self.db().query_one_raw(Statement::from_string(backend, sql)).await?;
        let text: Option<String> = row.map_or(Ok(None), |row| row.try_get("", "day"))?;
        let today = self.calendar().today();
        Ok(text.and_then(|text| text.parse().ok()).map_or(today, |day: NaiveDate| day.min(today)))
    }
}
