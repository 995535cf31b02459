//! `/v1/webhooks`: the addresses to which events are sent.

pub mod deliveries;
mod wire_types;

use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use entity::webhook::{self, DisabledReason};
use sea_orm::ActiveValue::Set;
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use self::wire_types::{NewWebhook, WebhookPatch};
use super::addresses::Addresses;
use crate::auth::permissions::ManageWebhooks;
use crate::feed::seal;
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::language::Text;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, FieldError};
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::import_export::compare::compare_accounts;
use crate::kinds;
use crate::resources::accounts::{self, Secret, apply, created, describe, insert, matching, shown, with_secret};
use crate::resources::webhooks::Webhook;
use crate::store::access::{Access, retry};
use crate::store::retry::Retry;
use crate::store::transaction::WriteTransaction;

fn search_text(url: &str, description: Option<&str>) -> String {
    format!("{url}\n{}", description.unwrap_or_default()).to_lowercase()
}

/// Checks what a schema cannot say about an address and about patterns.
fn must_be_sound(addresses: &Addresses, url: Option<&str>, patterns: Option<&[String]>) -> ApiResult<()> {
    let wrong_url =
        url.and_then(|url| addresses.field_error(url)).map(|text| FieldError::at("/url", "address_not_allowed", text));
    let patterns = patterns.unwrap_or_default().iter().enumerate();
    let unknown = patterns.filter_map(|(index, pattern)| {
        never_fires(pattern).map(|text| FieldError::at(format!("/event_types/{index}"), "unknown_event_type", text))
    });
    let field_errors = wrong_url.into_iter().chain(unknown).collect::<Vec<_>>();
    if field_errors.is_empty() { Ok(()) } else { Err(ApiError::invalid(field_errors)) }
}

/// Why a pattern matches no event that can ever occur.
fn never_fires(pattern: &str) -> Option<Text> {
    let (kind, action) = pattern.split_once('.').unwrap_or((pattern, "*"));
    let Some(of) = kinds::fed().find(|of| of.name == kind) else {
        let kinds = kinds::fed().map(|of| of.name).collect::<Vec<_>>().join(", ");
        let text = || {
            Text::new(
                format!("No events of the kind `{kind}` are sent. The kinds are: {kinds}."),
                format!("Kejadian jenis `{kind}` tidak dikirimkan. Jenis yang ada: {kinds}."),
            )
        };
        return (pattern != "*").then(text);
    };
    let known = of.actions.join(", ");
    (action != "*" && !of.actions.contains(&action)).then(|| {
        Text::new(
            format!("`{pattern}` never occurs. The actions of the kind {kind} are: {known}."),
            format!("`{pattern}` tidak pernah terjadi. Tindakan pada jenis {kind}: {known}."),
        )
    })
}

async fn create_webhook(
    access: Access<ManageWebhooks>,
    request: HttpRequest,
    addresses: Data<Addresses>,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let new: NewWebhook = body.read()?;
    must_be_sound(&addresses, Some(&new.url), Some(&new.event_types))?;
    let secret = Webhook::fresh();
    let answer = access
        .write(retry, async |transaction: &WriteTransaction| created::<Webhook>(&add(transaction, new, &secret).await?))
        .await?;
    with_secret::<Webhook>(answer, secret)
}

async fn add(transaction: &WriteTransaction, new: NewWebhook, secret: &str) -> ApiResult<webhook::Model> {
    let is_paused = !new.active;
    let row = webhook::ActiveModel {
        id: Set(Uuid::now_v7().to_string()),
        search: Set(search_text(&new.url, new.description.as_deref())),
        url: Set(new.url),
        description: Set(new.description),
        event_types: Set(json!(new.event_types)),
        active: Set(new.active),
        disabled_reason: Set(is_paused.then_some(DisabledReason::Paused)),
        disabled_at: Set(is_paused.then_some(transaction.now)),
        secret: Set(secret.to_owned()),
        previous_secret: Set(None),
        previous_secret_until: Set(None),
        after_position: Set(seal::head(&transaction.db).await?.position),
        failing_since: Set(None),
        ..Default::default()
    };
    insert::<Webhook>(transaction, row).await
}

async fn update_webhook(
    access: Access<ManageWebhooks>,
    addresses: Data<Addresses>,
    id: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
    body: JsonBody,
) -> ApiResult<Answer> {
    let clears_description = body.value.get("description").is_some_and(serde_json::Value::is_null);
    let patch: WebhookPatch = body.read()?;
    access
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = matching::<Webhook>(transaction, &id, &preconditions).await?;
            must_be_sound(&addresses, patch.url.as_deref(), patch.event_types.as_deref())?;
            let head = seal::head(&transaction.db).await?.position;
            let row = apply::<Webhook>(transaction, row, "updated", |row, before| {
                let url = patch.url.unwrap_or_else(|| before.url.clone());
                let description =
                    if clears_description { None } else { patch.description.or_else(|| before.description.clone()) };
                row.search = Set(search_text(&url, description.as_deref()));
                (row.url, row.description) = (Set(url), Set(description));
                row.event_types = Set(patch.event_types.map_or_else(|| before.event_types.clone(), |types| json!(types)));
                match patch.active {
                    Some(true) if !before.active => switch_on(row, head),
                    Some(false) if before.active => switch_off(row, DisabledReason::Paused, transaction),
                    _ => {}
                }
            });
            shown::<Webhook>(&row.await?)
        })
        .await
}

/// Only events from now on are sent, and not those that occurred in the meantime.
fn switch_on(row: &mut webhook::ActiveModel, head: i64) {
    (row.active, row.disabled_reason, row.disabled_at) = (Set(true), Set(None), Set(None));
    (row.after_position, row.failing_since) = (Set(head), Set(None));
}

fn switch_off(row: &mut webhook::ActiveModel, reason: DisabledReason, transaction: &WriteTransaction) {
    (row.active, row.disabled_reason, row.disabled_at) = (Set(false), Set(Some(reason)), Set(Some(transaction.now)));
}

/// Disables a webhook because of its receiver.
pub async fn disable(transaction: &WriteTransaction, row: webhook::Model, reason: DisabledReason) -> ApiResult<()> {
    apply::<Webhook>(transaction, row, "disabled", |row, _| switch_off(row, reason, transaction)).await.map(drop)
}

/// The first webhook that differs from what its last event says, in words.
pub async fn compare(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    compare_accounts::<Webhook>(db).await
}

/// Adds the routes of the webhooks and their deliveries.
pub fn mount(table: &mut Table) {
    table
        .on(describe::list::<Webhook>(), accounts::list::<Webhook>)
        .on(wire_types::create(), create_webhook)
        .on(describe::get::<Webhook>(), accounts::get::<Webhook>)
        .on(wire_types::update(), update_webhook)
        .on(wire_types::delete(), accounts::delete::<Webhook>)
        .on(wire_types::rotate(), accounts::replace_secret::<Webhook>)
        .on(
            describe::history::<Webhook>("Who changed the webhook and when, the oldest change first. It contains no secrets."),
            accounts::history::<Webhook>,
        );
    deliveries::mount(table);
}
