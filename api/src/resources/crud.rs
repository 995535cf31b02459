//! The seven operations of a coded resource: list, create, get, replace, update, delete, history.

use actix_web::HttpRequest;
use actix_web::web::Path;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::describe::Describe;
use super::references::{self, Expansion};
use super::resource::{NewRow, Resource, Row, Stamp, code_of, column, show};
use super::{history, wire};
use crate::auth::permissions::ReadAll;
use crate::http::answer::Answer;
use crate::http::body::{self, JsonBody};
use crate::http::idempotency::IdempotencyKey;
use crate::http::language::Text;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, Fault};
use crate::http::query::{NoParameters, Parameters};
use crate::http::representation::Selection;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::change::{Change, Happening, Retry};
use crate::store::listing::{Field, Kind, Listing};

const CODE: Field = Field::sort("code", Kind::Code);
/// What every list can be filtered and sorted by.
pub const COMMON: &[Field] = &[CODE, Field::sort("created_at", Kind::Instant), Field::sort("updated_at", Kind::Instant)];

async fn list<R: Resource>(access: Access<ReadAll>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let listing = Listing::read(&mut parameters, R::NAMES.many, &[R::FIELDS, COMMON].concat(), R::DEFAULT_SORT, CODE, true);
    let (selection, expansion) = (selection::<R>(&mut parameters), Expansion::read::<R>(&mut parameters));
    parameters.finish()?;
    let mut page = listing.page(access.store.db(), R::Entity::find(), show::<R>).await?;
    expansion.apply(access.store.db(), &mut page.data).await?;
    page.data.iter_mut().for_each(|thing| selection.apply(thing));
    page.answer(request.path(), request.query_string())
}

async fn create<R: Resource>(
    access: Access<R::Write>,
    request: HttpRequest,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    access
        .change(retry, async |change: &Change| {
            let mut value = body.value;
            let faults = [strip_read_only::<R>(&mut value, None), wire::faults_of_new::<R>(&value)].concat();
            let (code, members) = read::<R>(change, value, faults).await?;
            insert(change, &code, members).await
        })
        .await
}

async fn get<R: Resource>(
    access: Access<ReadAll>,
    code: Path<String>,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let (selection, expansion) = (selection::<R>(&mut parameters), Expansion::read::<R>(&mut parameters));
    parameters.finish()?;
    let row = R::Entity::find_by_id(code.clone()).one(access.store.db()).await?.ok_or_else(|| missing::<R>(&code))?;
    let mut etag = Stamp::of::<R>(&row)?.etag();
    let mut things = [show::<R>(&row)?];
    if !expansion.is_empty() {
        expansion.apply(access.store.db(), &mut things).await?;
        // What is shown changes with what is referred to, so the version alone does not tell.
        etag = format!("W/\"{}\"", &body::hex(&Sha256::digest(things[0].to_string()))[..32]);
    }
    selection.apply(&mut things[0]);
    Ok(Answer::ok(&things[0])?.etag(&etag).unless_known(&preconditions))
}

async fn replace<R: Resource>(
    access: Access<R::Write>,
    request: HttpRequest,
    code: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let code = code.into_inner();
    access
        .change(retry, async |change: &Change| {
            let row = change.locked::<R::Entity>(code.clone()).await?;
            if let Some(row) = &row {
                must_own::<R>(change, &R::of(row)).await?;
                preconditions.must_match(&Stamp::of::<R>(row)?.etag())?;
            } else {
                preconditions.must_allow_creation()?;
            }
            let mut value = body.value;
            let mut faults = strip_read_only::<R>(&mut value, row.as_ref());
            faults.extend(take_code(&mut value, &code));
            faults.extend(wire::faults_of_replacement::<R>(&value));
            let (_, members) = read::<R>(change, value, faults).await?;
            match row {
                Some(row) => update_row(change, row, members).await,
                None => insert(change, &code, members).await,
            }
        })
        .await
}

async fn update<R: Resource>(
    access: Access<R::Write>,
    code: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
    body: JsonBody,
) -> ApiResult<Answer> {
    let code = code.into_inner();
    access
        .change(Retry::default(), async |change: &Change| {
            let row = change.locked::<R::Entity>(code.clone()).await?.ok_or_else(|| missing::<R>(&code))?;
            let current = R::of(&row);
            must_own::<R>(change, &current).await?;
            preconditions.must_match(&Stamp::of::<R>(&row)?.etag())?;
            let Value::Object(_) = body.value else {
                return Err(ApiError::fault("", "wrong_type", "A merge patch is an object.", "Merge patch harus berupa objek."));
            };
            let mut patch = body.value;
            let mut faults = strip_read_only::<R>(&mut patch, Some(&row));
            faults.extend(take_code(&mut patch, &code));
            let mut value = serde_json::to_value(current).map_err(ApiError::unexpected)?;
            merge(&mut value, patch);
            faults.extend(wire::faults_of_replacement::<R>(&value));
            let (_, members) = read::<R>(change, value, faults).await?;
            update_row(change, row, members).await
        })
        .await
}

async fn delete<R: Resource>(
    access: Access<R::Write>,
    code: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let code = code.into_inner();
    access
        .change(Retry::default(), async |change: &Change| {
            let row = change.locked::<R::Entity>(code.clone()).await?.ok_or_else(|| missing::<R>(&code))?;
            must_own::<R>(change, &R::of(&row)).await?;
            let stamp = Stamp::of::<R>(&row)?;
            preconditions.must_match(&stamp.etag())?;
            references::must_be_free::<R>(&change.db, &code).await?;
            let before = show::<R>(&row)?;
            R::deleting(change, &code).await?;
            row.delete(&change.db).await?;
            let happening = Happening {
                resource: R::NAMES.one,
                key: &code,
                action: "deleted",
                version: stamp.version + 1,
                before: Some(before),
                after: None,
            };
            change.record(happening).await?;
            Ok(Answer::nothing())
        })
        .await
}

async fn history<R: Resource>(
    access: Access<ReadAll>,
    request: HttpRequest,
    code: Path<String>,
    parameters: Parameters,
) -> ApiResult<Answer> {
    history::answer(access.store.db(), &request, parameters, R::NAMES.one, &code).await
}

/// Inserts a new row, with its event.
pub async fn insert<R: Resource>(change: &Change, code: &str, members: R) -> ApiResult<Answer> {
    let shown = insert_row(change, code, members).await?;
    Answer::created(&format!("{}/{code}", R::NAMES.path()), &shown.0).map(|answer| answer.etag(&shown.1))
}

/// Inserts a new row, with its event; gives it as shown, and its entity tag.
pub async fn insert_row<R: Resource>(change: &Change, code: &str, members: R) -> ApiResult<(Value, String)> {
    must_own::<R>(change, &members).await?;
    members.check(change, code, None).await?;
    let search = search_text(code, &members);
    let later = serde_json::to_value(&members).map_err(ApiError::unexpected)?;
    let mut row = members.into_row();
    R::born(&mut row);
    row.set(column::<R>("code")?, code.into());
    row.set(column::<R>("created_at")?, change.now.into());
    stamp::<R>(&mut row, change, search, 1)?;
    let row = row.insert(&change.db).await?;
    let members: R = body::deserialize(later)?;
    members.written(change, code, true).await?;
    recorded::<R>(change, &row, "created", None).await
}

async fn update_row<R: Resource>(change: &Change, row: Row<R>, members: R) -> ApiResult<Answer> {
    must_own::<R>(change, &members).await?;
    let (code, before, old) = (code_of::<R>(&row)?, show::<R>(&row)?, Stamp::of::<R>(&row)?);
    let value = json!(members);
    if value == json!(R::of(&row)) {
        // Nothing changes, so there is nothing to record.
        return Ok(Answer::ok(&before)?.etag(&old.etag()));
    }
    members.check(change, &code, Some(&row)).await?;
    let search = search_text(&code, &members);
    let mut new = members.into_row();
    new.set(column::<R>("code")?, code.clone().into());
    stamp::<R>(&mut new, change, search, old.version + 1)?;
    let row = new.update(&change.db).await?;
    let members: R = body::deserialize(value)?;
    members.written(change, &code, false).await?;
    let (shown, etag) = recorded::<R>(change, &row, "updated", Some(before)).await?;
    Ok(Answer::ok(&shown)?.etag(&etag))
}

/// Writes a row that something beside its members changed, such as its status, with its event.
pub async fn touch<R: Resource>(
    change: &Change,
    row: Row<R>,
    action: &str,
    set: impl FnOnce(&mut NewRow<R>),
) -> ApiResult<(Value, String)> {
    let (before, old) = (show::<R>(&row)?, Stamp::of::<R>(&row)?);
    let mut new = row.into_active_model();
    set(&mut new);
    new.set(column::<R>("version")?, (old.version + 1).into());
    new.set(column::<R>("updated_at")?, change.now.into());
    let row = new.update(&change.db).await?;
    recorded::<R>(change, &row, action, Some(before)).await
}

async fn recorded<R: Resource>(change: &Change, row: &Row<R>, action: &str, before: Option<Value>) -> ApiResult<(Value, String)> {
    let (shown, stamp) = (show::<R>(row)?, Stamp::of::<R>(row)?);
    let key = code_of::<R>(row)?;
    let happening =
        Happening { resource: R::NAMES.one, key: &key, action, version: stamp.version, before, after: Some(shown.clone()) };
    change.record(happening).await?;
    Ok((shown, stamp.etag()))
}

/// Sets what every row carries.
pub fn stamp<R: Resource>(row: &mut NewRow<R>, change: &Change, search: String, version: i32) -> ApiResult<()> {
    row.set(column::<R>("search")?, search.into());
    row.set(column::<R>("version")?, version.into());
    row.set(column::<R>("updated_at")?, change.now.into());
    Ok(())
}

/// What `q=` looks through.
pub fn search_text<R: Resource>(code: &str, members: &R) -> String {
    [vec![code], members.search()].concat().join("\n").to_lowercase()
}

/// 403 where the actor is bound to an OPD that this does not belong to.
async fn must_own<R: Resource>(change: &Change, members: &R) -> ApiResult<()> {
    match members.owner() {
        Some(opd) => change.must_cover(opd).await,
        None => Ok(()),
    }
}

/// The code and the members of a body whose shape has these faults; every fault is said at once.
async fn read<R: Resource>(change: &Change, mut value: Value, mut faults: Vec<Fault>) -> ApiResult<(String, R)> {
    let has_shape = faults.is_empty();
    faults.extend(references::faults::<R>(&change.db, &value).await?);
    let code = value.as_object_mut().and_then(|object| object.remove("code"));
    let members = if has_shape { Some(body::deserialize::<R>(value)?) } else { None };
    faults.extend(members.iter().flat_map(R::faults));
    match members {
        Some(members) if faults.is_empty() => {
            Ok((code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default(), members))
        }
        _ => Err(ApiError::invalid(faults)),
    }
}

/// Members that only the service writes may come back as they were read; a different value is a fault.
fn strip_read_only<R: Resource>(value: &mut Value, row: Option<&Row<R>>) -> Vec<Fault> {
    let Value::Object(body) = value else { return Vec::new() };
    let mut current = R::read_only(row);
    let stamp = row.and_then(|row| Stamp::of::<R>(row).ok());
    current.insert("version".into(), json!(stamp.map(|stamp| stamp.version)));
    current.insert("created_at".into(), json!(stamp.map(|stamp| stamp.created_at)));
    current.insert("updated_at".into(), json!(stamp.map(|stamp| stamp.updated_at)));
    let differs = |name: &str, given: Value| (current[name] != given).then(|| read_only(name));
    let given = current.keys().filter_map(|name| Some((name.clone(), body.remove(name)?))).collect::<Vec<_>>();
    given.into_iter().filter_map(|(name, given)| differs(&name, given)).collect()
}

fn read_only(name: &str) -> Fault {
    let text = Text::new("Only the service writes this member.", "Anggota ini hanya ditulis oleh layanan.");
    Fault::at(format!("/{name}"), "read_only", text)
}

/// The code in a body must be the one in the path.
fn take_code(value: &mut Value, code: &str) -> Option<Fault> {
    let given = value.as_object_mut()?.remove("code")?;
    let text = || {
        Text::new(
            format!("The path says `{code}`. A code never changes."),
            format!("Alamat menyebut `{code}`. Kode tidak pernah berubah."),
        )
    };
    (given != code).then(|| Fault::at("/code", "read_only", text()))
}

/// RFC 7396.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(&name);
            } else {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

fn selection<R: Resource>(parameters: &mut Parameters) -> Selection {
    let Some(picked) = parameters.list("fields") else { return Selection::default() };
    let names = member_names::<R>();
    if picked.iter().any(|name| !names.contains(name)) {
        let names = names.join(", ");
        parameters.refuse("fields", format!("Expected names out of {names}."), format!("Seharusnya nama dari {names}."));
    }
    Selection::of(picked)
}

fn member_names<R: Resource>() -> Vec<String> {
    let schemas = wire::shown::<R>();
    let properties = &schemas[&wire::names::<R>().shown]["properties"];
    properties.as_object().map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

fn missing<R: Resource>(code: &str) -> ApiError {
    ApiError::not_found(R::NAMES.one, code)
}

/// Mounts the seven operations of `R` and describes them.
pub fn mount<R: Resource>(table: &mut Table) {
    let describe = Describe::<R>::resource();
    table
        .on(describe.list(), list::<R>)
        .on(describe.create(), create::<R>)
        .on(describe.get(), get::<R>)
        .on(describe.replace(), replace::<R>)
        .on(describe.update(), update::<R>)
        .on(describe.delete(), delete::<R>)
        .on(describe.history(), history::<R>);
}
