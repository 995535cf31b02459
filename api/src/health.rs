//! `/health/live` and `/health/ready`, for those who operate the service.

use std::time::Duration;

use actix_web::web::Data;
use sea_orm::DbErr;
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::store::access::Anyone;
use crate::store::connection;

/// How long the database may take to answer.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The health of the service.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// The word `pass`: the service is healthy.
    #[schema(max_length = 8, example = "pass")]
    status: &'static str,
}

async fn get_live(_: NoParameters) -> ApiResult<Answer> {
    Ok(Answer::ok(&Health { status: "pass" })?.header("Cache-Control", "no-store"))
}

async fn get_ready(anyone: Anyone, stopping: Data<CancellationToken>, _: NoParameters) -> ApiResult<Answer> {
    let unavailable = |en: &str, id: &str| ApiError::new(codes::UNAVAILABLE).header("Retry-After", "2").detail(en, id);
    // A load balancer that asks now sends its requests elsewhere.
    if stopping.is_cancelled() {
        return Err(unavailable("The service is stopping.", "Layanan sedang berhenti."));
    }
    // A probe does not wait long, so the check does not either.
    let ready = timeout(LONGEST_WAIT, connection::is_ready(anyone.store.db())).await;
    match ready.unwrap_or(Err(DbErr::Custom("no answer in time".into()))) {
        Ok(true) => Ok(Answer::ok(&Health { status: "pass" })?.header("Cache-Control", "no-store")),
        Ok(false) => Err(unavailable("The database schema is not up to date.", "Skema basis data belum mutakhir.")),
        Err(error) => Err(ApiError::unavailable(error)),
    }
}

/// Adds the routes.
pub fn mount(table: &mut Table) {
    let example = json!({ "status": "pass" });
    let live = Operation::get(
        "/health/live",
        "get_live",
        "health",
        "Check that the process is alive",
        "Checks nothing but the process itself: if this fails, a restart helps.",
    );
    let ready = Operation::get(
        "/health/ready",
        "get_ready",
        "health",
        "Check that the service is ready",
        "Succeeds if the database answers, its schema is up to date, and the service is not stopping.",
    );
    table
        .on(live.public().without(429).answers::<Health>(200, "The process is alive.", Some(example.clone()), &[]), get_live)
        .on(
            ready.public().without(429).answers::<Health>(200, "The service is ready to answer requests.", Some(example), &[]),
            get_ready,
        );
}
