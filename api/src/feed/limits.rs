//! Limits the number of open streams, so that nobody without a login can fill the memory or the connections of the service.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::http::problem::{ApiError, ApiResult, codes};

/// The number of streams in one process for those who log in.
const MOST_PRIVATE: usize = 4_096;
/// The number of public streams that may read at the same time what their clients missed, since each read is held in memory.
const REPLAYS_AT_ONCE: usize = 4;

/// The streams of one process.
pub struct StreamLimits {
    private: Arc<Semaphore>,
    public: Arc<Semaphore>,
    replays: Semaphore,
    addresses: Arc<Mutex<HashMap<String, usize>>>,
    most_public: usize,
    most_per_address: usize,
}

/// An open stream; its place is free again when this is dropped.
pub struct OpenStream {
    _turn: OwnedSemaphorePermit,
    of_address: Option<OfAddress>,
}

/// A stream of an address.
struct OfAddress {
    address: String,
    addresses: Arc<Mutex<HashMap<String, usize>>>,
}

impl Drop for OfAddress {
    fn drop(&mut self) {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = addresses.get_mut(&self.address) {
            *open -= 1;
            if *open == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

impl StreamLimits {
    /// Allows so many public streams in all, and so many for one address.
    pub fn new(most_public: usize, most_per_address: usize) -> Self {
        Self {
            private: Arc::new(Semaphore::new(MOST_PRIVATE)),
            public: Arc::new(Semaphore::new(most_public)),
            replays: Semaphore::new(REPLAYS_AT_ONCE),
            addresses: Arc::default(),
            most_public,
            most_per_address,
        }
    }

    /// How many streams of those who log in are open.
    pub fn private_open(&self) -> usize {
        MOST_PRIVATE - self.private.available_permits()
    }

    /// How many streams of the public are open.
    pub fn public_open(&self) -> usize {
        self.most_public - self.public.available_permits()
    }

    /// Opens a stream for somebody who logged in: 503 if there are too many.
    pub fn open_private(&self) -> ApiResult<OpenStream> {
        let turn = Arc::clone(&self.private).try_acquire_owned().map_err(|_| ApiError::busy())?;
        Ok(OpenStream { _turn: turn, of_address: None })
    }

    /// Opens a stream for anybody from `address`: 429 if that address has too many, 503 if there are too many in all.
    pub fn open_public(&self, address: &str) -> ApiResult<OpenStream> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let open = addresses.get(address).copied().unwrap_or(0);
        if open >= self.most_per_address {
            let most = self.most_per_address;
            return Err(ApiError::new(codes::TOO_MANY_REQUESTS).header("Retry-After", "30").detail(
                format!("At most {most} streams may be open from one address."),
                format!("Paling banyak {most} aliran boleh terbuka dari satu alamat."),
            ));
        }
        let turn = Arc::clone(&self.public).try_acquire_owned().map_err(|_| ApiError::busy())?;
        addresses.insert(address.to_owned(), open + 1);
        let of_address = OfAddress { address: address.to_owned(), addresses: Arc::clone(&self.addresses) };
        Ok(OpenStream { _turn: turn, of_address: Some(of_address) })
    }

    /// The permission of a public stream to read what its client missed; streams of those who log in need none.
    pub async fn replay(&self, stream: &OpenStream) -> ApiResult<Option<SemaphorePermit<'_>>> {
        if stream.of_address.is_none() {
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
        assert_eq!(limits.addresses.lock().unwrap().len(), 2);
    }
}
