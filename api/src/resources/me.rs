//! `/v1/me`

use entity::user::Role;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::auth::permissions::{Permission, ReadAll};
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::problem::ApiResult;
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::store::access::Access;

/// Who the access token speaks for.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// `user` or `client`.
    #[schema(max_length = 16)]
    kind: &'static str,
    /// The subject of the token.
    #[schema(max_length = 64)]
    id: String,
    /// E-mail address.
    #[schema(max_length = 254)]
    email: String,
    /// What this account may do.
    role: Role,
    /// The OPD it writes for, with those below.
    #[schema(max_length = 64)]
    opd: Option<String>,
}

async fn get_me(access: Access<ReadAll>, _: NoParameters) -> ApiResult<Answer> {
    let actor = access.actor();
    Answer::ok(&Me {
        kind: actor.kind.name(),
        id: actor.id.clone(),
        email: actor.name.clone(),
        role: actor.role,
        opd: actor.opd.clone(),
    })
}

/// Mounts it.
pub fn mount(table: &mut Table) {
    let example = json!({
        "kind": "user", "id": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11", "email": "operator.dinkes@demo.invalid", "role": "operator", "opd": "DINKES",
    });
    let get = Operation::get(
        "/v1/me",
        "get_me",
        "identity",
        "Who am I",
        "The account that the access token speaks for, as the token says it.",
    );
    table.on(get.roles(&ReadAll::role_names()).answers::<Me>(200, "It.", Some(example), &[]), get_me);
}
