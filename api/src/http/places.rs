//! Limits for what is held for long, such as an open stream: one for the whole process, and one for each address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of one process.
pub struct Places {
    all: Arc<Semaphore>,
    addresses: Arc<Mutex<HashMap<String, usize>>>,
    most_per_address: usize,
}

/// A place, free again when this is dropped.
pub struct Place {
    _turn: OwnedSemaphorePermit,
    address: String,
    addresses: Arc<Mutex<HashMap<String, usize>>>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The address has so many, and may have no more.
    Address(usize),
    /// All are taken.
    All,
}

impl Places {
    /// So many places in all, and so many for one address.
    pub fn new(most: usize, most_per_address: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(most)), addresses: Arc::default(), most_per_address }
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.values().sum()
    }

    /// Takes a place for an address.
    pub fn take(&self, address: &str) -> Result<Place, Full> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let held = addresses.get(address).copied().unwrap_or(0);
        if held >= self.most_per_address {
            return Err(Full::Address(self.most_per_address));
        }
        let turn = Arc::clone(&self.all).try_acquire_owned().map_err(|_| Full::All)?;
        addresses.insert(address.to_owned(), held + 1);
        Ok(Place { _turn: turn, address: address.to_owned(), addresses: Arc::clone(&self.addresses) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = addresses.get_mut(&self.address) {
            *held -= 1;
            if *held == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_has_its_share_and_what_is_given_back_is_free() {
        let places = Places::new(3, 2);
        let first = places.take("203.0.113.1").unwrap();
        let _second = places.take("203.0.113.1").unwrap();
        assert_eq!(places.take("203.0.113.1").err(), Some(Full::Address(2)));
        let _third = places.take("203.0.113.2").unwrap();
        assert_eq!(places.take("203.0.113.3").err(), Some(Full::All));
        assert_eq!(places.taken(), 3);
        drop(first);
        assert_eq!(places.taken(), 2);
        assert!(places.take("203.0.113.1").is_ok());
        assert_eq!(places.addresses.lock().unwrap().len(), 2);
    }
}
