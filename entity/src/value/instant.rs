//! Instants that both databases keep exactly.

use chrono::{DateTime, SubsecRound, Utc};

/// Now, in whole microseconds: PostgreSQL keeps no more.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}
