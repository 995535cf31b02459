//! Since when the answers to public questions are as they are, for `Last-Modified` and `If-Modified-Since` (RFC 9110 §8.8.2 and
//! §13.1.3).
//!
//! The date is the second in which this process first gave the answer as it is, which its entity tag tells: what changed of it changed
//! before that. The times of rows and events would say more than the answer does, namely when something was changed that nobody sees.
//! A process that starts dates anew, so a client that sends a date and no entity tag may be sent once more what it has; it never keeps
//! what has changed, because the date only stands for the tag.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::http::header::{DATE, HeaderMap, HeaderName, HeaderValue, HttpDate, IF_MODIFIED_SINCE, LAST_MODIFIED};
use moka::sync::Cache;

/// The most bytes that are remembered.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Since when answers are as they are, by question.
pub(super) struct Dates(Cache<String, Dated>);

/// An answer, and the second since which it is given.
#[derive(Clone)]
struct Dated {
    tag: Arc<str>,
    since: u64,
}

/// The date of an answer.
#[derive(Clone, Debug)]
pub(super) struct Modified {
    since: u64,
    header: HeaderValue,
}

impl Modified {
    /// The headers that tell it, once it has come. While it is new, `Date` comes along: the server writes that one from a clock which
    /// lags by up to half a second, and no answer may be dated after it was given.
    pub(super) fn told(&self, now: SystemTime) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let second = seconds(now);
        let modified = (self.since <= second).then(|| (LAST_MODIFIED, self.header.clone()));
        let date = (self.since..self.since + 2).contains(&second).then(|| Some((DATE, header(second)?))).flatten();
        [modified, date].into_iter().flatten()
    }
}

/// A second as a header has it.
fn header(second: u64) -> Option<HeaderValue> {
    HeaderValue::from_str(&HttpDate::from(UNIX_EPOCH + Duration::from_secs(second)).to_string()).ok()
}

impl Dates {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        let weight = |question: &String, dated: &Dated| u32::try_from(question.len() + dated.tag.len() + 128).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(MOST_BYTES).weigher(weight).build())
    }

    /// Notes that a question is answered with a tag now; says since when.
    pub(super) fn note(&self, question: &str, tag: &str, now: SystemTime) -> Option<Modified> {
        let now = seconds(now);
        let since = match self.0.get(question) {
            Some(known) if *known.tag == *tag => known.since,
            known => {
                // Whoever was given another answer within this second must not take its date for that of this one.
                let since = known.map_or(now, |known| known.since.max(now + 1));
                self.0.insert(question.to_owned(), Dated { tag: tag.into(), since });
                since
            }
        };
        Some(Modified { since, header: header(since)? })
    }

    /// The tag of the answer that a question had at a date, if it had the same ever since, as far as is known.
    pub(super) fn tag_since(&self, question: &str, date: SystemTime) -> Option<Arc<str>> {
        self.0.get(question).filter(|known| known.since <= seconds(date)).map(|known| known.tag)
    }
}

/// The date of `If-Modified-Since`. What is no date, or more than one, is ignored.
pub(super) fn asked(headers: &HeaderMap) -> Option<SystemTime> {
    let mut values = headers.get_all(IF_MODIFIED_SINCE);
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()?.parse::<HttpDate>().ok().map(SystemTime::from)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    #[test]
    fn an_answer_keeps_its_date_until_it_is_another() {
        let dates = Dates::new();
        let note = |tag: &str, second| dates.note("p /", tag, at(second)).unwrap().since;
        assert_eq!((note("\"a\"", 100), note("\"a\"", 250)), (100, 100));
        // Dated after everything that was given in the second of the change.
        assert_eq!((note("\"b\"", 300), note("\"c\"", 300), note("\"c\"", 302)), (301, 301, 301));
        // What was there before is no older for it.
        assert_eq!(note("\"a\"", 400), 401);
        let tag = |second| dates.tag_since("p /", at(second));
        assert_eq!((tag(400), tag(401).as_deref(), tag(402).as_deref()), (None, Some("\"a\""), Some("\"a\"")));
        assert_eq!(dates.tag_since("p /other", at(400)), None);
    }

    #[test]
    fn a_date_is_told_once_it_has_come_and_never_after_that_of_the_answer() {
        let dates = Dates::new();
        dates.note("p /", "\"a\"", at(399)).unwrap();
        let modified = dates.note("p /", "\"b\"", at(399)).unwrap();
        let told = |second| modified.told(at(second)).map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let told = |second| told(second).collect::<Vec<_>>();
        assert!(told(399).is_empty());
        let line = |name: &str, second: u32| format!("{name}: Thu, 01 Jan 1970 00:06:{second} GMT");
        assert_eq!(told(400), [line("last-modified", 40), line("date", 40)]);
        assert_eq!(told(401), [line("last-modified", 40), line("date", 41)]);
        assert_eq!(told(402), [line("last-modified", 40)]);
    }

    #[test]
    fn what_is_no_single_date_is_ignored() {
        let asked_with = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| headers.append(IF_MODIFIED_SINCE, value.parse().unwrap()));
            asked(&headers)
        };
        let date = "Tue, 04 Oct 2022 02:30:00 GMT";
        assert_eq!(asked_with(&[date]), Some(at(1_664_850_600)));
        // The other forms that HTTP has had.
        assert_eq!(asked_with(&["Tuesday, 04-Oct-22 02:30:00 GMT"]), Some(at(1_664_850_600)));
        for wrong in [&["yesterday"][..], &["2022-10-04T02:30:00Z"], &[""], &[date, date], &[]] {
            assert_eq!(asked_with(wrong), None, "{wrong:?}");
        }
    }
}
