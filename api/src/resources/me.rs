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

/// The account for which the access token was issued.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// The kind of account: `user` or `client`.
    #[schema(max_length = 16)]
    kind: &'static str,
    /// The subject of the token; for a token of an outside provider, its issuer and subject.
    #[schema(max_length = 2000)]
    id: String,
    /// The e-mail address of a person; null for a client.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// The role of a person; null for a client, which has scopes instead.
    role: Option<Role>,
    /// The scopes of a client; null for a person, who has a role instead.
    #[schema(max_items = 10)]
    scopes: Option<Vec<Scope>>,
    /// The OPD for which the account writes, together with the OPDs below it; null if it is bound to none.
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

/// Adds the route.
pub fn mount(table: &mut Table) {
    let example = json!({
        "kind": "user", "id": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11", "email": "operator.dinkes@demo.invalid", "role": "operator", "scopes": null, "opd": "DINKES",
    });
    let get = Operation::get(
        "/v1/me",
        "get_me",
        "identity",
        "Get your own account",
        "The account for which the access token was issued, in its present state. The answer is 401 once the account is disabled.",
    );
    table.on(
        get.roles(&KnowOneself::role_names()).answers::<Me>(200, "Your own account, in its present state.", Some(example), &[]),
        get_me,
    );
}
