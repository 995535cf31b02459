//! Tells the addresses that asked for it of events, each message at least once.
//!
//! `dispatch` makes deliveries out of the feed, `queue` hands them out and notes what became of them, `courier` sends them;
//! `subscriptions` is what admins read and write.

pub mod addresses;
pub mod courier;
pub mod dispatch;
pub mod message;
pub mod queue;
pub mod retries;
pub mod subscriptions;
