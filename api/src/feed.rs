//! The event feed: all changes in one order, the streams that follow it, and the hash chain that proves that nothing of it was
//! altered.

pub mod events;
pub mod export;
pub mod limits;
pub mod publicity;
pub mod reading;
pub mod schemas;
pub mod seal;
pub mod stream;
pub mod tail;
pub mod tickets;
pub mod verify;
pub mod wire_types;
