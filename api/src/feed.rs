//! What happened, in one order for everybody: the feed, its stream, and the chain that proves that nothing of it was altered.

pub mod events;
pub mod export;
pub mod limits;
pub mod publicity;
pub mod seal;
pub mod stream;
pub mod tail;
pub mod verify;
