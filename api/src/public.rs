//! What everybody may read, without a login: `/v1/public`. Answers come from memory as long as nothing was written.

pub mod coverage;
pub mod measurements;
pub mod metadata;
pub mod parts;
pub mod targets;
pub mod transitions;
