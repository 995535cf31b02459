//! What a refresh token is worth when it is presented.
//!
//! A token is exchanged once for the next one. Two tabs of a browser may present the same token at the same time, and a client whose
//! answer was lost presents it again: for a short while both are given another pair of the same family. Whoever presents it later
//! may be a thief with a copy.

use chrono::{DateTime, Duration, Utc};

/// How long after its first use a token still yields another pair.
pub const GRACE: Duration = Duration::seconds(30);

/// What a refresh token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// The next pair: it was not used before.
    First,
    /// Another pair: it was used just now, by another tab or with an answer that was lost.
    Again,
    /// Nothing, and all tokens of the same login end: somebody else may have a copy of it.
    Copied,
    /// Nothing: it was revoked or has expired.
    Nothing,
}

/// What a token is worth at the instant `now`, from when it was first used, revoked, and when it expires.
pub fn worth(
    used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Worth {
    match used_at {
        _ if revoked_at.is_some() => Worth::Nothing,
        Some(used_at) if now - used_at > GRACE => Worth::Copied,
        _ if expires_at <= now => Worth::Nothing,
        Some(_) => Worth::Again,
        None => Worth::First,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::seconds(second)
    }

    #[test]
    fn a_token_is_used_once_and_shortly_after() {
        assert_eq!(worth(None, None, at(100), at(0)), Worth::First);
        assert_eq!(worth(Some(at(0)), None, at(100), at(30)), Worth::Again);
        assert_eq!(worth(Some(at(0)), None, at(100), at(31)), Worth::Copied);
        // The clocks of two replicas differ a little.
        assert_eq!(worth(Some(at(2)), None, at(100), at(0)), Worth::Again);
    }

    #[test]
    fn what_ended_is_worth_nothing() {
        assert_eq!(worth(None, None, at(100), at(100)), Worth::Nothing);
        assert_eq!(worth(Some(at(90)), None, at(100), at(101)), Worth::Nothing);
        assert_eq!(worth(None, Some(at(1)), at(100), at(2)), Worth::Nothing);
        assert_eq!(worth(Some(at(0)), Some(at(40)), at(100), at(50)), Worth::Nothing);
        // A copy tells of a thief also after its time.
        assert_eq!(worth(Some(at(0)), None, at(100), at(200)), Worth::Copied);
    }
}
