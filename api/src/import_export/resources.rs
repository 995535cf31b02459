//! Resources as rows of the file: all that the API takes of them, and what only the service writes.

use std::str::FromStr;

use chrono::{DateTime, SubsecRound, Utc};
use entity::rules::finding::FindingState;
use entity::{evaluation, finding};
use sea_orm::ActiveValue::Set;
use sea_orm::{EntityTrait, TryIntoModel};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::forms::ResourceRows;
use super::source::Source;
use super::state::Import;
use super::{Defaults, ExportRow, FileList, Incoming, ParentOf, Row, history, id_in_lower_case, sense};
use crate::crud::resource::{NewRow, Resource, RowOf};
use crate::crud::typed::writes_of;
use crate::crud::typed::{erased, new_row, show};
use crate::crud::{links, schemas};
use crate::http::body::deserialize_or_field_error;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, FieldError};
use crate::http::schema;
use crate::resources::actions::Action;
use crate::resources::awards::Award;
use crate::resources::commitments::Commitment;
use crate::resources::council_members::CouncilMember;
use crate::resources::dimensions::Dimension;
use crate::resources::evaluations::Evaluation;
use crate::resources::evaluations::findings::{Finding, FollowUp};
use crate::resources::kpis::Kpi;
use crate::resources::masterplans::Masterplan;
use crate::resources::opds::Opd;
use crate::resources::programmes::Programme;
use crate::resources::quick_wins::QuickWin;
use crate::resources::regions::Region;
use crate::resources::surveys::Survey;
use crate::store::kind::{Audited, Key, Kind, Sink, Stamp};
use crate::store::rows::Members;

/// A resource that is transferred.
pub(super) trait Transferred: Resource<Entity: EntityTrait<ActiveModel: TryIntoModel<RowOf<Self>>>> {
    /// Where it is a part of something: the member that names it, and the list of those.
    const WHOLES: Option<(&'static str, &'static str)> = None;

    /// The schemas of the members that only the service writes and that do not follow from others.
    fn kept_schema() -> Map<String, Value> {
        Map::new()
    }

    /// Those members.
    fn kept(_row: &RowOf<Self>) -> Map<String, Value> {
        Map::new()
    }

    /// Sets them; those that are absent are as in a new row.
    fn keep(_kept: Map<String, Value>, _row: &mut NewRow<Self>) -> Result<(), FieldError> {
        Ok(())
    }

    /// What one stands below, where they form a tree.
    const ABOVE: Option<ParentOf<RowOf<Self>>> = None;

    /// Looks at a later list before the first of these.
    fn prepare(_import: &mut Import<'_>, _source: &mut Source) {}

    /// Checks what rows have to agree on with what is there, and sets what follows from it.
    async fn completed(
        _import: &mut Import<'_>,
        _list: &'static str,
        _rows: &mut [Incoming<ResourceRows<Self>>],
    ) -> ApiResult<()> {
        Ok(())
    }

    /// Writes what stands beside some rows.
    async fn begun(_import: &mut Import<'_>, _rows: &[Incoming<ResourceRows<Self>>]) -> ApiResult<()> {
        Ok(())
    }
}

/// What every row carries.
#[derive(Deserialize)]
struct Carried {
    version: Option<i32>,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
}

/// The schemas of what every row carries; a file may leave it out.
pub(super) fn stamp_schema() -> Map<String, Value> {
    let mut schema = schemas::stamp_schema();
    for member in schema.values_mut().filter_map(Value::as_object_mut) {
        member.remove("readOnly");
        schema::nullable(member);
    }
    schema
}

impl<R: Transferred> FileList for ResourceRows<R> {
    const AUDITED: &'static Audited = &R::KIND.audited;
    const TARGET: Option<&'static Kind> = Some(R::KIND);
    const WHOLE: Option<(&'static str, &'static str)> = R::WHOLES;
    const IS_CODED: bool = matches!(R::KIND.key, Key::Code);
    const SUBJECT: &'static [&'static str] = &[R::KIND.key.name()];
    const PARENT: Option<ParentOf<Row<Self>>> = R::ABOVE;
    type Entity = R::Entity;

    fn order() -> Vec<super::Column<Self>> {
        super::Column::<Self>::from_str(R::KIND.key.name()).into_iter().collect()
    }

    fn schema() -> Value {
        let kind = R::KIND;
        let mut schema = writes_of::<R>().described().replacement();
        let mut properties = Map::new();
        properties.insert(kind.key.name().to_owned(), schemas::code_schema());
        if kind.key == Key::Id {
            properties.insert("id".to_owned(), json!({ "type": "string", "format": "uuid", "maxLength": 36 }));
        }
        properties.extend(kind.parent.map(|parent| (parent.member.to_owned(), schemas::code_schema())));
        properties.extend(schema["properties"].as_object().cloned().unwrap_or_default());
        properties.extend(R::kept_schema());
        properties.extend(stamp_schema());
        schema["properties"] = Value::Object(properties);
        let mut required = schema["required"].as_array().cloned().unwrap_or_default();
        required.extend((kind.key == Key::Code).then(|| json!("code")));
        required.extend(kind.parent.map(|parent| json!(parent.member)));
        schema["required"] = Value::Array(required);
        schema
    }

    fn show(row: &Row<Self>) -> ApiResult<Map<String, Value>> {
        let (kind, stamp) = (R::KIND, R::stamp(row));
        let mut members = Members::default();
        members.member(kind.key.name(), &R::key(row));
        if let Some(parent) = kind.parent {
            members.member(parent.member, &erased::<R>(row.clone()).text(parent.member));
        }
        R::tell(row, &mut members);
        let mut shown = members.0;
        shown.extend(R::kept(row));
        shown.extend([
            ("version".to_owned(), json!(stamp.version)),
            ("created_at".to_owned(), json!(stamp.created_at)),
            ("updated_at".to_owned(), json!(stamp.updated_at)),
        ]);
        Ok(shown)
    }

    fn tidy(value: &mut Value) {
        if R::KIND.key == Key::Id {
            id_in_lower_case(value, R::KIND.key.name());
        }
    }

    fn read(mut value: Value, defaults: &Defaults) -> Result<Row<Self>, Vec<FieldError>> {
        let mut take = |name: &str| value.as_object_mut().and_then(|members| members.remove(name));
        let key = take(R::KIND.key.name()).and_then(|key| key.as_str().map(str::to_owned));
        let key = key.unwrap_or_else(|| Uuid::now_v7().to_string());
        let parent = R::KIND.parent.and_then(|parent| Some((parent.member, take(parent.member)?.as_str()?.to_owned())));
        let kept = R::kept_schema().into_iter().filter_map(|(name, _)| take(&name).map(|value| (name, value)));
        let kept = kept.collect::<Map<_, _>>();
        let carried = ["version", "created_at", "updated_at"].into_iter().filter_map(|name| Some((name.to_owned(), take(name)?)));
        let carried: Carried =
            deserialize_or_field_error(Value::Object(carried.collect())).map_err(|field_error| vec![field_error])?;
        // An export says all there is; what it leaves empty is null.
        if carried.created_at.is_none() {
            R::complete(&mut value);
        }
        let members: R = deserialize_or_field_error(value).map_err(|field_error| vec![field_error])?;
        let field_errors = members.field_errors();
        if !field_errors.is_empty() {
            return Err(field_errors);
        }
        let incomplete = |error: &dyn std::fmt::Display| {
            vec![FieldError::at("", "invalid_value", Text::new(error.to_string(), error.to_string()))]
        };
        let parent = parent.map(|(_, code)| code);
        let mut row = new_row(&members, &key, parent.as_deref()).map_err(|error| incomplete(&error.sentence()))?;
        R::keep(kept, &mut row).map_err(|field_error| vec![field_error])?;
        let created_at = carried.created_at.unwrap_or(defaults.now).trunc_subsecs(6);
        let updated_at = carried.updated_at.map_or(created_at, |instant| instant.trunc_subsecs(6));
        R::set_created(&mut row, created_at);
        R::set_stamp(&mut row, carried.version.unwrap_or(1), updated_at);
        row.try_into_model().map_err(|error| incomplete(&error))
    }

    fn references(value: &Value) -> Vec<(String, &'static Kind, String)> {
        R::KIND.named_by(value)
    }

    fn recorded(row: &Row<Self>) -> ApiResult<Option<ExportRow>> {
        let Stamp { version, created_at, .. } = R::stamp(row);
        Ok(Some(ExportRow { key: R::key(row).to_owned(), version, created_at, after: show::<R>(row) }))
    }

    fn prepare(import: &mut Import<'_>, source: &mut Source) {
        R::prepare(import, source);
    }

    async fn complete(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Self>]) -> ApiResult<()> {
        R::completed(import, list, rows).await
    }

    async fn after_write(import: &mut Import<'_>, rows: &[Incoming<Self>]) -> ApiResult<()> {
        R::begun(import, rows).await?;
        if R::KIND.links().next().is_none() {
            return Ok(());
        }
        let members = rows.iter().map(|incoming| (R::key(&incoming.row), erased::<R>(incoming.row.clone()).written_members()));
        links::write(import.transaction, R::KIND, &members.collect::<Vec<_>>(), &[]).await
    }
}

impl Transferred for Region {
    const ABOVE: Option<ParentOf<RowOf<Self>>> = Some(|row| row.parent.as_deref());

    async fn completed(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<ResourceRows<Self>>]) -> ApiResult<()> {
        history::regions(import, list, rows).await
    }
}

impl Transferred for Masterplan {}

impl Transferred for Dimension {}

impl Transferred for Opd {
    const ABOVE: Option<ParentOf<RowOf<Self>>> = Some(|row| row.parent.as_deref());
}

/// The status follows from the transitions.
impl Transferred for Programme {
    fn prepare(import: &mut Import<'_>, source: &mut Source) {
        history::read_statuses(import, source);
    }

    async fn completed(import: &mut Import<'_>, _: &'static str, rows: &mut [Incoming<ResourceRows<Self>>]) -> ApiResult<()> {
        history::statuses(import, rows);
        Ok(())
    }

    async fn begun(import: &mut Import<'_>, rows: &[Incoming<ResourceRows<Self>>]) -> ApiResult<()> {
        history::begin(import, rows).await
    }
}

impl Transferred for QuickWin {}

impl Transferred for Kpi {}

impl Transferred for Award {}

impl Transferred for Action {
    async fn completed(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<ResourceRows<Self>>]) -> ApiResult<()> {
        sense::actions(import, list, rows);
        Ok(())
    }
}

impl Transferred for Evaluation {
    fn prepare(import: &mut Import<'_>, source: &mut Source) {
        history::read_records(import, source);
    }

    async fn completed(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<ResourceRows<Self>>]) -> ApiResult<()> {
        history::records(import, list, rows);
        Ok(())
    }

    fn kept_schema() -> Map<String, Value> {
        let instant = json!({ "type": ["string", "null"], "format": "date-time", "maxLength": 35 });
        let hash = json!({ "type": ["string", "null"], "maxLength": 64, "pattern": "^[0-9a-f]{64}$" });
        let person = json!({ "type": ["string", "null"], "minLength": 1, "maxLength": 254, "pattern": schema::ANY_TEXT });
        let members =
            [("closed_at", instant), ("closed_by", person), ("record_sha256", hash.clone()), ("public_record_sha256", hash)];
        members.map(|(name, schema)| (name.to_owned(), schema)).into_iter().collect()
    }

    fn kept(row: &evaluation::Model) -> Map<String, Value> {
        let members = [
            ("closed_at", json!(row.closed_at)),
            ("closed_by", json!(row.closed_by)),
            ("record_sha256", json!(row.record_sha256)),
            ("public_record_sha256", json!(row.public_record_sha256)),
        ];
        members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
    }

    fn keep(kept: Map<String, Value>, row: &mut evaluation::ActiveModel) -> Result<(), FieldError> {
        #[derive(Deserialize)]
        struct Kept {
            closed_at: Option<DateTime<Utc>>,
            closed_by: Option<String>,
            record_sha256: Option<String>,
            public_record_sha256: Option<String>,
        }
        let kept: Kept = deserialize_or_field_error(Value::Object(kept))?;
        row.closed_at = Set(kept.closed_at.map(|instant| instant.trunc_subsecs(6)));
        row.closed_by = Set(kept.closed_by);
        row.record_sha256 = Set(kept.record_sha256);
        row.public_record_sha256 = Set(kept.public_record_sha256);
        Ok(())
    }
}

impl Transferred for Finding {
    const WHOLES: Option<(&'static str, &'static str)> = Some(("evaluation", "evaluations"));

    fn kept_schema() -> Map<String, Value> {
        let mut schema = schema::input::<Self::ReadOnly>()["properties"].as_object().cloned().unwrap_or_default();
        schema.values_mut().filter_map(Value::as_object_mut).for_each(schema::nullable);
        if let Some(required) = schema.get_mut("follow_ups").and_then(|schema| schema.pointer_mut("/items/required")) {
            *required = json!(["by", "at", "text"]);
        }
        schema
    }

    fn kept(row: &finding::Model) -> Map<String, Value> {
        // Through its type, since PostgreSQL keeps members in an order of its own.
        let follow_ups = FollowUp::all_of(row);
        Map::from_iter([("state".to_owned(), json!(row.state)), ("follow_ups".to_owned(), json!(follow_ups))])
    }

    fn keep(kept: Map<String, Value>, row: &mut finding::ActiveModel) -> Result<(), FieldError> {
        #[derive(Deserialize)]
        struct Kept {
            state: Option<FindingState>,
            follow_ups: Option<Vec<FollowUp>>,
        }
        let kept: Kept = deserialize_or_field_error(Value::Object(kept))?;
        row.state = Set(kept.state.unwrap_or(FindingState::Open));
        row.follow_ups = Set(json!(kept.follow_ups.unwrap_or_default()));
        Ok(())
    }
}

impl Transferred for Commitment {}

impl Transferred for CouncilMember {}

impl Transferred for Survey {
    async fn completed(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<ResourceRows<Self>>]) -> ApiResult<()> {
        sense::surveys(import, list, rows).await
    }
}
