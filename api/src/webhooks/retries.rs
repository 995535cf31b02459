//! Decides when a message is sent again: after growing pauses, for three days.

use chrono::{DateTime, TimeDelta, Utc};

/// The pauses after each attempt; the last one repeats.
const PAUSES: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(30),
    TimeDelta::minutes(2),
    TimeDelta::minutes(10),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(6),
    TimeDelta::hours(12),
    TimeDelta::hours(24),
];
/// How long attempts continue.
const PATIENCE: TimeDelta = TimeDelta::days(3);
/// By how much a pause may be longer, so that messages which failed together are not retried together.
const JITTER: f64 = 0.2;

/// The longest pause that a receiver can ask for with `Retry-After`.
const LONGEST_ASKED: TimeDelta = TimeDelta::hours(24);

/// The attempts that were made to deliver a message.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    /// The number of attempts.
    pub count: i32,
    /// When the first attempt was made.
    pub first: DateTime<Utc>,
    /// When the last attempt was made.
    pub tried: DateTime<Utc>,
    /// The pause that the receiver asked for.
    pub asked: Option<TimeDelta>,
}

/// The pause that a `Retry-After` header asks for (RFC 9110 §10.2.3): seconds, or a date.
pub fn asked_pause(retry_after: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = retry_after.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Longer pauses than anybody waits for are shortened later.
        let most = LONGEST_ASKED.num_seconds();
        return Some(TimeDelta::seconds(text.parse::<i64>().unwrap_or(most).min(most)));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc);
    Some((until - now).max(TimeDelta::zero()))
}

/// The schedule of attempts. A factor shortens all of it, for rehearsals.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The factor by which all pauses and the three days are multiplied.
    pub scale: f64,
}

impl Plan {
    /// When the next attempt is made after the last one failed; `None` if there is no further attempt. `chance` is in 0..1.
    pub fn next(self, tries: Tries, now: DateTime<Utc>, chance: f64) -> Option<DateTime<Utc>> {
        let Tries { count, first, tried, asked } = tries;
        let end = first + self.patience();
        let index = usize::try_from(count - 1).unwrap_or_default().min(PAUSES.len() - 1);
        // A receiver may ask for a longer pause, but not for a shorter one, nor for one that nobody would wait for.
        let asked = asked.unwrap_or_default().min(self.scaled(LONGEST_ASKED, 1.0));
        let pause = self.scaled(PAUSES[index], 1.0 + JITTER * chance).max(asked);
        // When the time is over, there is one more attempt.
        (!self.is_over(first, tried)).then(|| (now + pause).min(end.max(now)))
    }

    /// Whether an attempt was the last one. Messages and webhooks are given up by the same rule, so that no message waits for a webhook
    /// that was given up.
    pub fn is_over(self, first: DateTime<Utc>, tried: DateTime<Utc>) -> bool {
        first + self.patience() <= tried
    }

    /// How long attempts continue.
    pub fn patience(self) -> TimeDelta {
        self.scaled(PATIENCE, 1.0)
    }

    fn scaled(self, length: TimeDelta, by: f64) -> TimeDelta {
        TimeDelta::microseconds((length.as_seconds_f64() * 1e6 * self.scale * by) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All attempts for a message whose receiver never answers, in seconds since the first.
    fn attempts(scale: f64, chance: f64) -> Vec<f64> {
        let (plan, first) = (Plan { scale }, DateTime::UNIX_EPOCH);
        let mut times = vec![first];
        loop {
            let tried = times[times.len() - 1];
            let tries = Tries { count: times.len() as i32, first, tried, asked: None };
            let Some(next) = plan.next(tries, tried, chance) else { break };
            times.push(next);
        }
        times.iter().map(|time| (*time - first).as_seconds_f64()).collect()
    }

    #[test]
    fn pauses_grow_and_end_after_three_days() {
        let days = 3.0 * 86_400.0;
        assert_eq!(
            attempts(1.0, 0.0),
            [0.0, 5.0, 35.0, 155.0, 755.0, 2_555.0, 9_755.0, 31_355.0, 74_555.0, 160_955.0, 247_355.0, days]
        );
        assert_eq!(attempts(0.001, 0.0).last(), Some(&(days / 1000.0)));
    }

    #[test]
    fn a_receiver_is_given_the_pause_that_it_asks_for() {
        let now = DateTime::parse_from_rfc3339("2022-10-04T01:00:00Z").unwrap_or_default().with_timezone(&Utc);
        let seconds = |text: &str| asked_pause(text, now).map(|pause| pause.num_seconds());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("99999999999999999999999"), Some(86_400));
        assert_eq!(seconds("Tue, 04 Oct 2022 01:02:00 GMT"), Some(120));
        assert_eq!(seconds("Tue, 04 Oct 2022 00:00:00 GMT"), Some(0));
        for nonsense in ["", "-5", "1.5", "soon", "\u{0}"] {
            assert_eq!(seconds(nonsense), None, "{nonsense}");
        }
        let plan = Plan { scale: 1.0 };
        let wait = |asked: i64| {
            let tries = Tries { count: 1, first: now, tried: now, asked: Some(TimeDelta::seconds(asked)) };
            plan.next(tries, now, 0.0).map(|next| (next - now).num_seconds())
        };
        assert_eq!((wait(0), wait(120), wait(i64::from(u32::MAX))), (Some(5), Some(120), Some(86_400)));
    }

    proptest! {
        #[test]
        fn it_ends_whatever_the_jitter(chance in 0.0..1.0, scale in 0.0001..1.0) {
            let times = attempts(scale, chance);
            prop_assert!((11..=12).contains(&times.len()), "{times:?}");
            prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!((times[times.len() - 1] - 3.0 * 86_400.0 * scale).abs() < 0.001);
        }
    }
}
