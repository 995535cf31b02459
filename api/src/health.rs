//! `/health/live` and `/health/ready`, for whoever runs the service.

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

/// How long the database may take to say that it is there.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How the service is.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `pass`.
    #[schema(max_length = 8, example = "pass")]
    status: &'static str,
}

async fn get_live(_: NoParameters) -> ApiResult<Answer> {
    Ok(Answer::ok(&Health { status: "pass" })?.header("Cache-Control", "no-store"))
}

async fn get_ready(anyone: Anyone, stopping: Data<CancellationToken>, _: NoParameters) -> ApiResult<Answer> {
    let unavailable = |en: &str, id: &str| ApiError::new(codes::UNAVAILABLE).header("Retry-After", "2").detail(en, id);
    // A balancer that asks now sends its requests elsewhere.
    if stopping.is_cancelled() {
        return Err(unavailable("The service is stopping.", "Layanan sedang berhenti."));
    }
    // A probe does not wait long, so neither does the answer.
    let ready = timeout(LONGEST_WAIT, connection::is_ready(anyone.store.db())).await;
    match ready.unwrap_or(Err(DbErr::Custom("no answer in time".into()))) {
        Ok(true) => Ok(Answer::ok(&Health { status: "pass" })?.header("Cache-Control", "no-store")),
        Ok(false) => Err(unavailable("The schema is not up to date.", "Skema belum mutakhir.")),
        Err(error) => Err(ApiError::unavailable(error)),
    }
}

/// Mounts them.
pub fn mount(table: &mut Table) {
    let example = json!({ "status": "pass" });
    let live = Operation::get(
        "/health/live",
        "get_live",
        "health",
        "Is the process alive",
        "It asks nothing else: a restart helps where this fails.",
    );
    let ready = Operation::get(
        "/health/ready",
        "get_ready",
        "health",
        "Can it serve",
        "The database answers, its schema is up to date, and the service is not stopping.",
    );
    table
        .on(live.public().answers::<Health>(200, "It is.", Some(example.clone()), &[]), get_live)
        .on(ready.public().answers::<Health>(200, "It can.", Some(example), &[]), get_ready);
}
