//! Outermost middleware: counts the requests of each address, and refuses those that go beyond its quota before anything is done
//! for them.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};

use crate::auth::identify::known_actor;
use crate::http::client_address::address_of;
use crate::http::rate_limit::{RateLimits, Refused, tell};

/// What answers for the service itself, and not for what it shows.
const NOT_COUNTED: [&str; 2] = ["/health/", "/metrics"];

/// Counts a request, unless its token was verified before: whoever only claims to have one is counted too.
pub async fn limited<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let limits = request.app_data::<Data<RateLimits>>().map(|limits| limits.clone().into_inner());
    let counted = is_counted(&request).then(|| address_of(request.request())).flatten();
    let Some((limits, address)) = limits.zip(counted) else { return next.call(request).await };
    let left = match limits.count_request(address) {
        Ok(left) => left,
        Err((error, left)) => {
            request.extensions_mut().insert(Refused(error));
            Some(left)
        }
    };
    let (response, figures) = limits.asking(address, next.call(request)).await;
    let mut response = response?;
    tell(response.headers_mut(), left.into_iter().chain(figures));
    Ok(response)
}

fn is_counted(request: &ServiceRequest) -> bool {
    request.method() != Method::OPTIONS
        && !NOT_COUNTED.iter().any(|start| request.path().starts_with(start))
        && known_actor(request).is_none()
}
