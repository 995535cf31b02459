//! Sends events to the addresses that subscribed to them, each message at least once.
//!
//! `dispatch` creates deliveries from the feed, `queue` hands them out and records their results, and `courier` sends them.
//! `subscriptions` is what admins read and write.

pub mod addresses;
pub mod courier;
pub mod dispatch;
pub mod message;
pub mod queue;
pub mod retries;
pub mod subscriptions;
