//! The rows of one kind with their type: what generic code reaches by `Rows`, `Row`, `Writes` and `Draft`. This is what exists once for
//! each kind in the binary, so there is little of it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::{Arc, LazyLock, RwLock};

use chrono::NaiveDate;
use futures_util::future::LocalBoxFuture;
use sea_orm::sea_query::SelectStatement;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait, QuerySelect, Value as Parameter};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::members::{FromRow, ReadMembers};
use super::resource::{NewRow, Resource, RowOf};
use super::writes::{Attached, Described, Draft, StandIns, Writes, recorded};
use super::{links, partial, schemas};
use crate::http::body;
use crate::http::problem::{ApiError, ApiResult, FieldError};
use crate::http::schema;
use crate::store::kind::{ETAG, Kind, Member, Names, Row, Rows, Scope, Sink, Stamp};
use crate::store::rows::{Executor, collect};
use crate::store::transaction::WriteTransaction;

/// Stands for the rows of a kind.
pub(super) struct Of<R>(PhantomData<fn() -> R>);

impl<R> Of<R> {
    /// The only value.
    pub(super) const NEW: Self = Self(PhantomData);
}

/// The kind of a resource, to be refined: identified by a code, not public, without snapshots.
pub const fn kind_of<R: Resource>(names: Names) -> Kind {
    Kind::new(names, groups_of::<R>, const { &Of::<R>::NEW })
        .read_whole(R::HOOKS.whole)
        .recorded(|| Of::<R>::NEW.described().recorded())
}

fn groups_of<R: Resource>() -> [&'static [Member]; 3] {
    [R::MEMBERS, R::ReadOnly::MEMBERS, R::Computed::MEMBERS]
}

/// How the rows of a resource are written.
pub const fn writes_of<R: Resource>() -> &'static dyn Writes {
    const { &Of::<R>::NEW }
}

/// A row with what is computed of it, if it was.
struct Typed<R: Resource> {
    row: RowOf<R>,
    computed: Option<R::Computed>,
}

/// A row whose type is not known any more, without what is computed.
pub fn erased<R: Resource>(row: RowOf<R>) -> Box<dyn Row> {
    Box::new(Typed::<R> { row, computed: None })
}

/// A row with what is computed of it and its entity tag, as JSON.
pub fn shown_with<R: Resource>(row: RowOf<R>, computed: R::Computed) -> Value {
    let row = Typed::<R> { row, computed: Some(computed) };
    let mut shown = (&row as &dyn Row).shown();
    shown[ETAG.name] = Value::String((&row as &dyn Row).etag());
    shown
}

fn of<R: Resource>(row: &dyn Row) -> ApiResult<&RowOf<R>> {
    row.as_any().downcast_ref().ok_or_else(|| ApiError::unexpected("a row of another kind"))
}

impl<R: Resource> Row for Typed<R> {
    fn kind(&self) -> &'static Kind {
        R::KIND
    }

    fn key(&self) -> &str {
        R::key(&self.row)
    }

    fn stamp(&self) -> Stamp {
        R::stamp(&self.row)
    }

    fn column(&self, name: &str) -> Option<Parameter> {
        <R::Entity as EntityTrait>::Column::from_str(name).ok().map(|column| self.row.get(column))
    }

    fn written(&self, sink: &mut dyn Sink) {
        R::tell(&self.row, sink);
    }

    fn read_only(&self, sink: &mut dyn Sink) {
        R::ReadOnly::from_row(&self.row).tell(sink);
    }

    fn computed(&self, sink: &mut dyn Sink) {
        if let Some(computed) = &self.computed {
            computed.tell(sink);
        }
    }

    fn as_any(&self) -> &dyn Any {
        &self.row
    }
}

/// Rows with what is computed of them.
async fn with_computed<R: Resource>(
    db: &Executor<'_>,
    rows: Vec<RowOf<R>>,
    scope: Scope,
    today: NaiveDate,
) -> ApiResult<Vec<Box<dyn Row>>> {
    let Some(compute) = R::HOOKS.compute else { return Ok(rows.into_iter().map(erased::<R>).collect()) };
    let computed = compute(db, &rows, scope, today).await?;
    let both = rows.into_iter().zip(computed);
    Ok(both.map(|(row, computed)| Box::new(Typed::<R> { row, computed: Some(computed) }) as Box<dyn Row>).collect())
}

impl<R: Resource> Rows for Of<R> {
    fn all<'a>(
        &'a self,
        db: &'a Executor<'a>,
        narrow: Box<dyn FnOnce(&mut SelectStatement) + 'a>,
        scope: Scope,
        today: NaiveDate,
    ) -> LocalBoxFuture<'a, ApiResult<Vec<Box<dyn Row>>>> {
        Box::pin(async move {
            let mut select = R::Entity::find();
            narrow(QuerySelect::query(&mut select));
            with_computed::<R>(db, select.all(db).await?, scope, today).await
        })
    }
}

impl<R: Resource> Writes for Of<R> {
    fn kind(&self) -> &'static Kind {
        R::KIND
    }

    fn described(&self) -> Described {
        let components = |mut components: Map<String, Value>, own: &str| {
            components.remove(own);
            components
        };
        let read_only = components(schema::components::<R::ReadOnly>(), &R::ReadOnly::name());
        let computed = components(schema::components::<R::Computed>(), &R::Computed::name());
        let mut described = Described {
            kind: R::KIND,
            components: schema::components::<R>(),
            name: R::name().into_owned(),
            input: schema::input::<R>(),
            read_only: schemas::properties::<R::ReadOnly>(),
            computed: schemas::properties::<R::Computed>(),
            more: read_only.into_iter().chain(computed).collect(),
            example: R::example(),
            example_written: Value::Null,
            of_new: self.read_only_of_new(),
            computed_of_new: R::computed_of_new(),
        };
        let mut given = described.given();
        given.as_object_mut().map(|members| members.remove("code"));
        // An example that is no `R` shows as it is; a test holds examples to their schemas.
        described.example_written =
            serde_json::from_value::<R>(given).ok().and_then(|members| serde_json::to_value(members).ok()).unwrap_or_default();
        described
    }

    fn errors_of_new(&self, value: &Value) -> Vec<FieldError> {
        body::field_errors_of(value, &body::cached(TypeId::of::<(R, &str)>(), || self.described().creation()))
    }

    fn errors_of_replacement(&self, value: &Value) -> Vec<FieldError> {
        body::field_errors_of(value, &body::cached(TypeId::of::<(R, ())>(), || self.described().replacement()))
    }

    fn complete(&self, whole: &mut Value) {
        R::complete(whole);
    }

    fn stand_ins(&self) -> Arc<StandIns> {
        static KNOWN: LazyLock<RwLock<HashMap<TypeId, Arc<StandIns>>>> = LazyLock::new(RwLock::default);
        let key = TypeId::of::<R>();
        if let Some(known) = KNOWN.read().ok().and_then(|known| known.get(&key).cloned()) {
            return known;
        }
        let described = self.described();
        let made = Arc::new(partial::stand_ins(&described.input, &described.given()));
        if let Ok(mut known) = KNOWN.write() {
            known.insert(key, Arc::clone(&made));
        }
        made
    }

    fn read_only_of_new(&self) -> Value {
        collect(|sink| R::ReadOnly::default().tell(sink))
    }

    fn parse(&self, value: Value) -> Result<Box<dyn Draft>, FieldError> {
        Ok(Box::new(Drafted(body::deserialize_or_field_error::<R>(value)?)))
    }

    fn draft_of(&self, row: &dyn Row) -> ApiResult<Box<dyn Draft>> {
        Ok(Box::new(Drafted(R::load(of::<R>(row)?))))
    }

    fn must_be_open(&self, row: &dyn Row) -> ApiResult<()> {
        R::HOOKS.must_be_open.map_or(Ok(()), |must_be_open| must_be_open(of::<R>(row)?))
    }

    fn lock<'a>(&'a self, transaction: &'a WriteTransaction, key: String) -> LocalBoxFuture<'a, ApiResult<Option<Box<dyn Row>>>> {
        Box::pin(async move { Ok(transaction.locked::<R::Entity>(key).await?.map(erased::<R>)) })
    }

    fn present<'a>(&'a self, transaction: &'a WriteTransaction, row: &'a dyn Row) -> LocalBoxFuture<'a, ApiResult<Box<dyn Row>>> {
        Box::pin(async move { present::<R>(transaction, of::<R>(row)?.clone()).await })
    }

    fn delete<'a>(&'a self, transaction: &'a WriteTransaction, row: &'a dyn Row) -> LocalBoxFuture<'a, ApiResult<()>> {
        Box::pin(async move {
            if let Some(before_delete) = R::HOOKS.before_delete {
                before_delete(transaction, row.key()).await?;
            }
            of::<R>(row)?.clone().delete(&transaction.db).await?;
            Ok(())
        })
    }
}

/// Members that are to be written.
struct Drafted<R>(R);

impl<R: Resource> Draft for Drafted<R> {
    fn kind(&self) -> &'static Kind {
        R::KIND
    }

    fn value(&self) -> ApiResult<Value> {
        serde_json::to_value(&self.0).map_err(ApiError::unexpected)
    }

    fn owner(&self) -> Option<&str> {
        self.0.owner()
    }

    fn attached(&self) -> Option<Attached> {
        R::HOOKS.attachment.map(|(attachment, to)| Attached { attachment, to })
    }

    fn field_errors(&self, before: Option<&dyn Row>, today: NaiveDate) -> ApiResult<Vec<FieldError>> {
        let before = before.map(of::<R>).transpose()?;
        let mut field_errors = self.0.field_errors();
        field_errors.extend(self.0.field_errors_beside(before, today));
        Ok(field_errors)
    }

    fn check<'a>(
        &'a self,
        transaction: &'a WriteTransaction,
        key: &'a str,
        before: Option<&'a dyn Row>,
    ) -> LocalBoxFuture<'a, ApiResult<()>> {
        Box::pin(async move {
            match R::HOOKS.check {
                Some(check) => check(&self.0, transaction, key, before.map(of::<R>).transpose()?).await,
                None => Ok(()),
            }
        })
    }

    fn insert<'a>(
        &'a self,
        transaction: &'a WriteTransaction,
        parent: Option<&'a str>,
        key: &'a str,
    ) -> LocalBoxFuture<'a, ApiResult<Box<dyn Row>>> {
        Box::pin(async move {
            let mut row = new_row(&self.0, key, parent)?;
            R::set_created(&mut row, transaction.now);
            R::set_stamp(&mut row, 1, transaction.now);
            let row = row.insert(&transaction.db).await?;
            links::write(transaction, R::KIND, &[(key, self.value()?)], &[]).await?;
            if let Some(after_write) = R::HOOKS.after_write {
                after_write(&self.0, transaction, key, true).await?;
            }
            Ok(erased::<R>(row))
        })
    }

    fn update<'a>(
        &'a self,
        transaction: &'a WriteTransaction,
        before: &'a dyn Row,
    ) -> LocalBoxFuture<'a, ApiResult<Box<dyn Row>>> {
        Box::pin(async move {
            let key = before.key();
            let mut row = self.0.clone().store();
            R::set_key(&mut row, key);
            R::set_search(&mut row, search_text(key, &self.0));
            R::set_stamp(&mut row, before.stamp().version + 1, transaction.now);
            let row = row.update(&transaction.db).await?;
            links::write(transaction, R::KIND, &[(key, self.value()?)], &[key]).await?;
            if let Some(after_write) = R::HOOKS.after_write {
                after_write(&self.0, transaction, key, false).await?;
            }
            Ok(erased::<R>(row))
        })
    }
}

/// A new row of these members, but for its stamp.
pub fn new_row<R: Resource>(members: &R, key: &str, parent: Option<&str>) -> ApiResult<NewRow<R>> {
    let mut row = members.clone().store();
    if let Some(before_insert) = R::HOOKS.before_insert {
        before_insert(&mut row);
    }
    R::set_key(&mut row, key);
    R::set_search(&mut row, search_text(key, members));
    if let (Some(place), Some(code)) = (R::KIND.parent, parent) {
        let column = <R::Entity as EntityTrait>::Column::from_str(place.member);
        row.set(column.map_err(|_| ApiError::unexpected(format!("no column `{}`", place.member)))?, code.into());
    }
    Ok(row)
}

/// What `q=` looks through.
pub fn search_text<R: Resource>(key: &str, members: &R) -> String {
    [vec![key], members.search()].concat().join("\n").to_lowercase()
}

/// A row as the audit log tells it: without what is computed.
pub fn show<R: Resource>(row: &RowOf<R>) -> Value {
    erased::<R>(row.clone()).shown()
}

/// A row as the answer to a write shows it.
pub async fn present<R: Resource>(transaction: &WriteTransaction, row: RowOf<R>) -> ApiResult<Box<dyn Row>> {
    let db = transaction.executor();
    let rows = with_computed::<R>(&db, vec![row], Scope::All, transaction.today).await?;
    rows.into_iter().next().ok_or_else(|| ApiError::unexpected("a row is shown"))
}

/// Writes a row that something beside its members changed, such as its status, with its event.
pub async fn touch<R: Resource>(
    transaction: &WriteTransaction,
    row: RowOf<R>,
    action: &str,
    set: impl FnOnce(&mut NewRow<R>),
) -> ApiResult<RowOf<R>> {
    let (before, old) = (show::<R>(&row), R::stamp(&row));
    let mut new = row.into_active_model();
    set(&mut new);
    R::set_stamp(&mut new, old.version + 1, transaction.now);
    let row = new.update(&transaction.db).await?;
    recorded(transaction, &*erased::<R>(row.clone()), action, Some(before)).await?;
    Ok(row)
}

/// The name of the schema of a resource.
pub fn schema_name<R: ToSchema>() -> String {
    R::name().into_owned()
}
