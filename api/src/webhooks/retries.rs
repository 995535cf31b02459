//! When a message is sent again: after growing pauses, for three days.

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
/// How long attempts go on.
const PATIENCE: TimeDelta = TimeDelta::days(3);
/// By how much a pause may be longer, so that what failed together is not tried together.
const JITTER: f64 = 0.2;

/// The plan of attempts; by a factor all of it is shorter, for rehearsals.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What all pauses and the three days are multiplied with.
    pub scale: f64,
}

impl Plan {
    /// When the next attempt is, after the `attempts`th failed; `None` where that was the last one. `chance` is in 0..1.
    pub fn next(
        self,
        attempts: i32,
        first: DateTime<Utc>,
        tried: DateTime<Utc>,
        now: DateTime<Utc>,
        chance: f64,
    ) -> Option<DateTime<Utc>> {
        let end = first + self.patience();
        let index = usize::try_from(attempts - 1).unwrap_or_default().min(PAUSES.len() - 1);
        let pause = self.scaled(PAUSES[index], 1.0 + JITTER * chance);
        // One attempt more when the time is over.
        (tried < end).then(|| (now + pause).min(end.max(now)))
    }

    /// How long attempts go on.
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

    /// All attempts of a message whose receiver never answers, as seconds since the first.
    fn attempts(scale: f64, chance: f64) -> Vec<f64> {
        let (plan, first) = (Plan { scale }, DateTime::UNIX_EPOCH);
        let mut times = vec![first];
        while let Some(next) = plan.next(times.len() as i32, first, times[times.len() - 1], times[times.len() - 1], chance) {
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
