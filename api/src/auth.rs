//! Who makes a request: identification, roles, and what each role may do.

pub mod actor;
pub mod identify;
pub mod keys;
pub mod oidc;
pub mod password;
pub mod permissions;
pub mod secret;
pub mod tickets;
pub mod totp;
pub mod verified_tokens;
