//! How many long answers may be under way, since each of them holds a connection to the database until its client has it all.

use actix_web::HttpRequest;
use actix_web::web::Data;
use tokio::time::{Duration, Instant};

use crate::http::client_address::network_of;
use crate::http::places::{Full, Place, Places};
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::rate_limit::count_figure;

/// Long answers of one process: the connections of the public are those that figures and short answers need, and these.
pub const MOST: usize = 3;
/// Long answers for one address.
const MOST_PER_ADDRESS: usize = 2;
/// How long a client may take for the beginning.
const GRACE: Duration = Duration::from_secs(60);
/// The bytes that it has to take in each second after that, on average.
const SLOWEST: u64 = 16 * 1024;
/// The longest that any may take.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// The long answers of one process.
pub struct Exports(Places);

impl Default for Exports {
    fn default() -> Self {
        Self(Places::new(MOST, MOST_PER_ADDRESS))
    }
}

impl Exports {
    /// A place for a long answer to this request: 429 if its address has too many, 503 if there are too many in all. It counts as a
    /// figure that must be computed.
    pub fn begin(request: &HttpRequest) -> ApiResult<Place> {
        let exports = request.app_data::<Data<Self>>().ok_or_else(|| ApiError::unexpected("no exports"))?;
        count_figure()?;
        exports.0.take(&network_of(request)).map_err(|full| match full {
            Full::Address(most) => ApiError::new(codes::TOO_MANY_REQUESTS).header("Retry-After", "10").detail(
                format!("At most {most} large downloads may be under way from one address."),
                format!("Paling banyak {most} unduhan besar boleh berjalan dari satu alamat."),
            ),
            Full::All => ApiError::new(codes::BUSY).header("Retry-After", "10").detail(
                "As many large downloads as possible are under way.",
                "Jumlah unduhan besar yang berjalan sudah mencapai batas.",
            ),
        })
    }
}

/// Until when a client must have taken what it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    begun: Instant,
    sent: u64,
}

impl Pace {
    /// The pace of an answer that begins now.
    pub fn begin() -> Self {
        Self { begun: Instant::now(), sent: 0 }
    }

    /// Notes that so many bytes more were sent.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// The instant at which a client that does not take more is too slow.
    pub fn ends(&self) -> Instant {
        let earned = Duration::from_secs(self.sent / SLOWEST);
        self.begun + (GRACE + earned).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_more_has_longer_up_to_a_limit() {
        let mut pace = Pace::begin();
        assert_eq!(pace.ends() - pace.begun, GRACE);
        pace.sent(10 * 16 * 1024);
        assert_eq!(pace.ends() - pace.begun, GRACE + Duration::from_secs(10));
        pace.sent(1 << 30);
        assert_eq!(pace.ends() - pace.begun, LONGEST);
    }
}
