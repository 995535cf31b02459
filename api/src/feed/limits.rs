//! Limits the number of open streams, so that nobody without a login can fill the memory or the connections of the service.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::http::places::{Full, Place, Places};
use crate::http::problem::{ApiError, ApiResult, codes};

/// The number of streams in one process for those who log in.
const MOST_PRIVATE: usize = 4_096;
/// The number of public streams that may read at the same time what their clients missed, since each read is held in memory.
const REPLAYS_AT_ONCE: usize = 4;

/// The streams of one process.
pub struct StreamLimits {
    private: Arc<Semaphore>,
    public: Places,
    replays: Semaphore,
}

/// An open stream; its place is free again when this is dropped.
pub struct OpenStream {
    _turn: Option<OwnedSemaphorePermit>,
    public: Option<Place>,
}

impl StreamLimits {
    /// Allows so many public streams in all, and so many for one address.
    pub fn new(most_public: usize, most_per_address: usize) -> Self {
        let private = Arc::new(Semaphore::new(MOST_PRIVATE));
        Self { private, public: Places::new(most_public, most_per_address), replays: Semaphore::new(REPLAYS_AT_ONCE) }
    }

    /// How many streams of those who log in are open.
    pub fn private_open(&self) -> usize {
        MOST_PRIVATE - self.private.available_permits()
    }

    /// How many streams of the public are open.
    pub fn public_open(&self) -> usize {
        self.public.taken()
    }

    /// Opens a stream for somebody who logged in: 503 if there are too many.
    pub fn open_private(&self) -> ApiResult<OpenStream> {
        let turn = Arc::clone(&self.private).try_acquire_owned().map_err(|_| ApiError::busy())?;
        Ok(OpenStream { _turn: Some(turn), public: None })
    }

    /// Opens a stream for anybody from `address`: 429 if that address has too many, 503 if there are too many in all.
    pub fn open_public(&self, address: &str) -> ApiResult<OpenStream> {
        let place = self.public.take(address).map_err(|full| match full {
            Full::Address(most) => ApiError::new(codes::TOO_MANY_REQUESTS).header("Retry-After", "30").detail(
                format!("At most {most} streams may be open from one address."),
                format!("Paling banyak {most} aliran boleh terbuka dari satu alamat."),
            ),
            Full::All => ApiError::busy(),
        })?;
        Ok(OpenStream { _turn: None, public: Some(place) })
    }

    /// The permission of a public stream to read what its client missed; streams of those who log in need none.
    pub async fn replay(&self, stream: &OpenStream) -> ApiResult<Option<SemaphorePermit<'_>>> {
        if stream.public.is_none() {
            return Ok(None);
        }
        self.replays.acquire().await.map(Some).map_err(ApiError::unexpected)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_has_its_share_and_a_closed_stream_gives_its_place_back() {
        let limits = StreamLimits::new(3, 2);
        let first = limits.open_public("203.0.113.1").unwrap();
        let _second = limits.open_public("203.0.113.1").unwrap();
        assert_eq!(limits.open_public("203.0.113.1").err().unwrap().code().status, 429);
        let _third = limits.open_public("203.0.113.2").unwrap();
        assert_eq!(limits.open_public("203.0.113.3").err().unwrap().code().status, 503);
        drop(first);
        assert!(limits.open_public("203.0.113.1").is_ok());
    }
}
