//! `/v1/me`

use entity::client::Scope;
use entity::user::Role;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::auth::actor::ActorKind;
use crate::auth::permissions::{KnowOneself, Permission};
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
    /// The subject of the token; of an outside provider its issuer and subject.
    #[schema(max_length = 2000)]
    id: String,
    /// E-mail address; a client has none.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// What this person may do; a client has scopes instead.
    role: Option<Role>,
    /// What this client may do; a person has a role instead.
    #[schema(max_items = 10)]
    scopes: Option<Vec<Scope>>,
    /// The OPD it writes for, with those below.
    #[schema(max_length = 64)]
    opd: Option<String>,
}

async fn get_me(access: Access<KnowOneself>, _: NoParameters) -> ApiResult<Answer> {
    let actor = access.now().await?;
    let is_person = actor.kind != ActorKind::Client;
    Answer::ok(&Me {
        kind: actor.kind.name(),
        id: actor.id.clone(),
        email: is_person.then(|| actor.name.clone()),
        role: is_person.then_some(actor.role),
        scopes: actor.scopes.clone(),
        opd: actor.opd.clone(),
    })
}

/// Mounts it.
pub fn mount(table: &mut Table) {
    let example = json!({
        "kind": "user", "id": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11", "email": "operator.dinkes@demo.invalid", "role": "operator", "scopes": null, "opd": "DINKES",
    });
    let get = Operation::get(
        "/v1/me",
        "get_me",
        "identity",
        "Who am I",
        "The account that the access token speaks for, as it stands now: 401 once it is disabled.",
    );
    table.on(get.roles(&KnowOneself::role_names()).answers::<Me>(200, "It.", Some(example), &[]), get_me);
}
