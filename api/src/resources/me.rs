//! `/v1/me`: the own account.

mod password;
mod totp;

use std::borrow::Cow;

use entity::client::{self, Scope};
use entity::opd;
use entity::user::{self, Role};
use sea_orm::{EntityTrait, QuerySelect};
use serde::Serialize;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::auth::actor::{Actor, ActorKind};
use crate::auth::permissions::{KnowOneself, ManageOwnAccount, Permission, PermissionName};
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::NoParameters;
use crate::http::schema::{Word, words};
use crate::http::table::Table;
use crate::store::access::Access;
use crate::store::transaction::Store;

/// The kind of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum AccountKind {
    User,
    Client,
}

impl PartialSchema for AccountKind {
    fn schema() -> RefOr<Schema> {
        let word = |word: &str, en, id, about| Word { word: word.to_owned(), en, id, about };
        let all = [
            word("user", "Person", "Orang", "a person who logs in."),
            word("client", "System", "Sistem", "a system that reports for an OPD."),
        ];
        words("The kind of an account.", &all)
    }
}

impl ToSchema for AccountKind {
    fn name() -> Cow<'static, str> {
        "AccountKind".into()
    }
}

/// The account for which the access token was issued.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// The kind of account.
    kind: AccountKind,
    /// The id of the account; for a token of an outside provider, its issuer and subject.
    #[schema(max_length = 2000)]
    id: String,
    /// The stable identity of the account: its kind and its id. It never changes, whatever the name or the address is later, and
    /// nobody verifies what the same subject reported.
    #[schema(max_length = 2010, example = "user:01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11")]
    subject: String,
    /// The name to show.
    #[schema(max_length = 2000)]
    name: String,
    /// The e-mail address of a person; null for a client.
    #[schema(max_length = 254, required)]
    email: Option<String>,
    /// The role of a person; null for a client, which has scopes instead.
    #[schema(required)]
    role: Option<Role>,
    /// The scopes of a client; null for a person, who has a role instead.
    #[schema(max_items = 10, required)]
    scopes: Option<Vec<Scope>>,
    /// The OPD for which the account writes, together with the OPDs below it; null if it is bound to none.
    #[schema(required)]
    opd: Option<OwnOpd>,
    /// What the account may do at present: the permissions that operations name in this document.
    #[schema(max_items = 100)]
    permissions: Vec<PermissionName>,
    /// Whether a login with the password needs a one-time code (TOTP).
    totp: bool,
    /// Whether one-time codes have to be set up before anything but the own account can be reached. Then `permissions` has only those
    /// for the own account.
    totp_required: bool,
}

/// The OPD of an account.
#[derive(Serialize, ToSchema)]
pub struct OwnOpd {
    /// The code of the OPD.
    #[schema(max_length = 64)]
    code: String,
    /// The name of the OPD.
    #[schema(max_length = 500)]
    name: String,
}

async fn get_me(access: Access<KnowOneself>, _: NoParameters) -> ApiResult<Answer> {
    let actor = access.now().await?;
    let is_person = actor.kind != ActorKind::Client;
    let (name, totp) = name_of(&access.store, &actor).await?;
    Answer::ok(&Me {
        kind: if is_person { AccountKind::User } else { AccountKind::Client },
        id: actor.id.clone(),
        subject: actor.subject(),
        name,
        email: is_person.then(|| actor.name.clone()),
        role: is_person.then_some(actor.role),
        scopes: actor.scopes.clone(),
        opd: opd_of(&access.store, &actor).await?,
        permissions: PermissionName::held_by(&actor),
        totp,
        totp_required: actor.login.must_set_up_totp,
    })
}

/// The name to show, and whether a login needs a one-time code. An outside provider tells only the name in its token.
async fn name_of(store: &Store, actor: &Actor) -> ApiResult<(String, bool)> {
    let found = match (actor.has_account(), actor.kind) {
        (false, _) => None,
        (true, ActorKind::Client) => {
            let name = client::Entity::find_by_id(&actor.id).select_only().column(client::Column::Name);
            name.into_tuple::<String>().one(store.db()).await?.map(|name| (name, false))
        }
        (true, _) => {
            let row = user::Entity::find_by_id(id_of(actor)?).one(store.db()).await?;
            row.map(|row| (row.name, row.totp_since.is_some()))
        }
    };
    Ok(found.unwrap_or_else(|| (actor.name.clone(), false)))
}

async fn opd_of(store: &Store, actor: &Actor) -> ApiResult<Option<OwnOpd>> {
    let Some(code) = actor.opd.clone() else { return Ok(None) };
    let name = opd::Entity::find_by_id(&code).select_only().column(opd::Column::Name).into_tuple::<String>();
    // An outside provider may name an OPD that does not exist here.
    let name = name.one(store.db()).await?.unwrap_or_else(|| code.clone());
    Ok(Some(OwnOpd { code, name }))
}

fn id_of(actor: &Actor) -> ApiResult<Uuid> {
    Uuid::parse_str(&actor.id).map_err(ApiError::unexpected)
}

/// Who asks, with the row of the account: 403 for the account of an outside provider, which has neither a password nor one-time codes
/// here.
async fn own_account(access: &Access<ManageOwnAccount>) -> ApiResult<(Actor, user::Model)> {
    let actor = access.now().await?;
    if !actor.has_account() {
        return Err(ApiError::new(codes::FORBIDDEN).detail(
            "This account belongs to the identity provider. Manage its password and its one-time codes there.",
            "Akun ini milik penyedia identitas. Kelola kata sandi dan kode sekali pakainya di sana.",
        ));
    }
    let row = user::Entity::find_by_id(id_of(&actor)?).one(access.store.db()).await?;
    let row = row.ok_or_else(|| ApiError::invalid_token("This account does not exist.", "Akun ini tidak ada."))?;
    Ok((actor, row))
}

/// Adds the routes.
pub fn mount(table: &mut Table) {
    let example = json!({
        "kind": "user", "id": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11", "subject": "user:01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11",
        "name": "Operator DINKES", "email": "operator.dinkes@demo.invalid", "role": "operator", "scopes": null,
        "opd": { "code": "DINKES", "name": "Dinas Kesehatan" },
        "permissions": ["know_oneself", "manage_own_account", "read_all", "edit_programmes", "report", "edit_actions", "report_actions", "follow_up", "edit_surveys"],
        "totp": false, "totp_required": false,
    });
    let get = Operation::get(
        "/v1/me",
        "get_me",
        "identity",
        "Get your own account",
        "The account for which the access token was issued, in its present state, with what it may do. The answer is 401 once the account \
         is disabled.",
    );
    table.on(
        get.roles(&KnowOneself::role_names()).answers::<Me>(200, "Your own account, in its present state.", Some(example), &[]),
        get_me,
    );
    password::mount(table);
    totp::mount(table);
}
