//! Resources as rows of the file: all that the API takes of them, and what only the service writes.

use std::marker::PhantomData;

use chrono::{DateTime, SubsecRound, Utc};
use entity::rules::finding::FindingState;
use entity::{
    commitment, commitment_signatory, evaluation, evaluation_dimension, finding, programme, programme_region,
    programme_supporting_opd,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, TryIntoModel};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::import::Import;
use super::source::Source;
use super::{Defaults, ExportRow, Incoming, Kind, ParentOf, Row, history, id_in_lower_case, sense};
use crate::http::body::deserialize_or_field_error;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, FieldError};
use crate::http::schema;
use crate::resources::actions::Action;
use crate::resources::awards::{self, Award};
use crate::resources::commitments::Commitment;
use crate::resources::council_members::CouncilMember;
use crate::resources::crud::search_text;
use crate::resources::dimensions::Dimension;
use crate::resources::evaluations::findings::Finding;
use crate::resources::evaluations::follow_ups::FollowUp;
use crate::resources::evaluations::{Evaluation, ReportedCount};
use crate::resources::kpis::Kpi;
use crate::resources::masterplans::Masterplan;
use crate::resources::opds::Opd;
use crate::resources::programmes::Programme;
use crate::resources::quick_wins::QuickWin;
use crate::resources::references::{Target, codes_in};
use crate::resources::regions::Region;
use crate::resources::resource::{self, Key, NewRow, Resource, Stamp, column, key_of, show, text_of};
use crate::resources::schemas;
use crate::resources::surveys::Survey;
use crate::store::bulk;
use crate::store::transaction::WriteTransaction;

/// A resource that is transferred.
pub(super) trait Transferred: Resource<Entity: EntityTrait<ActiveModel: TryIntoModel<resource::Row<Self>>>> {
    /// What may refer to it.
    const TARGET: Option<Target> = None;
    /// Where it is a part of something: the list of that.
    const WHOLES: Option<&'static str> = None;

    /// The schemas of the members that only the service writes and that do not follow from others.
    fn kept_schema() -> Map<String, Value> {
        Map::new()
    }

    /// Those members.
    fn kept(_row: &resource::Row<Self>) -> Map<String, Value> {
        Map::new()
    }

    /// Sets them; those that are absent are as in a new row.
    fn keep(_kept: Map<String, Value>, _row: &mut NewRow<Self>) -> Result<(), FieldError> {
        Ok(())
    }

    /// What it refers to beside its references.
    fn more_references(_value: &Value) -> Vec<(String, Target, String)> {
        Vec::new()
    }

    /// What one stands below, where they form a tree.
    const ABOVE: Option<ParentOf<resource::Row<Self>>> = None;

    /// Looks at a later list before the first of these.
    fn prepare(_import: &mut Import<'_>, _source: &mut Source) {}

    /// Checks what rows have to agree on with what is there, and sets what follows from it.
    async fn completed(_import: &mut Import<'_>, _list: &'static str, _rows: &mut [Incoming<Thing<Self>>]) -> ApiResult<()> {
        Ok(())
    }

    /// Writes what stands beside some rows.
    async fn begun(_import: &mut Import<'_>, _rows: &[Incoming<Thing<Self>>]) -> ApiResult<()> {
        Ok(())
    }

    /// Writes the links of some rows.
    async fn linked(_change: &WriteTransaction, _rows: &[&resource::Row<Self>]) -> ApiResult<()> {
        Ok(())
    }
}

/// The rows of a resource.
pub(super) struct Thing<R>(PhantomData<R>);

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

impl<R: Transferred> Kind for Thing<R> {
    const ONE: &'static str = R::NAMES.one;
    const TARGET: Option<Target> = R::TARGET;
    const WHOLE: Option<(&'static str, &'static str)> = match (R::PARENT, R::WHOLES) {
        (Some(parent), Some(list)) => Some((parent.member, list)),
        _ => None,
    };
    const IS_CODED: bool = matches!(R::KEY, Key::Code);
    const SUBJECT: &'static [&'static str] = &[R::KEY.name()];
    const PARENT: Option<ParentOf<Row<Self>>> = R::ABOVE;
    type Entity = R::Entity;

    fn order() -> Vec<super::Column<Self>> {
        column::<R>(R::KEY.name()).into_iter().collect()
    }

    fn schema() -> Value {
        let mut schema = schemas::replacement::<R>();
        let mut properties = Map::new();
        properties.insert(R::KEY.name().to_owned(), schemas::code_schema());
        if R::KEY == Key::Id {
            properties.insert("id".to_owned(), json!({ "type": "string", "format": "uuid", "maxLength": 36 }));
        }
        properties.extend(R::PARENT.map(|parent| (parent.member.to_owned(), schemas::code_schema())));
        properties.extend(schema["properties"].as_object().cloned().unwrap_or_default());
        properties.extend(R::kept_schema());
        properties.extend(stamp_schema());
        schema["properties"] = Value::Object(properties);
        let mut required = schema["required"].as_array().cloned().unwrap_or_default();
        required.extend((R::KEY == Key::Code).then(|| json!("code")));
        required.extend(R::PARENT.map(|parent| json!(parent.member)));
        schema["required"] = Value::Array(required);
        schema
    }

    fn show(row: &Row<Self>) -> ApiResult<Map<String, Value>> {
        let stamp = Stamp::of::<R>(row)?;
        let mut shown = Map::from_iter([(R::KEY.name().to_owned(), json!(key_of::<R>(row)?))]);
        if let Some(parent) = R::PARENT {
            shown.insert(parent.member.to_owned(), json!(text_of::<R>(row, parent.member)?));
        }
        if let Value::Object(members) = json!(R::of(row)) {
            shown.extend(members);
        }
        shown.extend(R::kept(row));
        shown.extend([
            ("version".to_owned(), json!(stamp.version)),
            ("created_at".to_owned(), json!(stamp.created_at)),
            ("updated_at".to_owned(), json!(stamp.updated_at)),
        ]);
        Ok(shown)
    }

    fn tidy(value: &mut Value) {
        if R::KEY == Key::Id {
            id_in_lower_case(value, R::KEY.name());
        }
    }

    fn read(mut value: Value, defaults: &Defaults) -> Result<Row<Self>, Vec<FieldError>> {
        let mut take = |name: &str| value.as_object_mut().and_then(|members| members.remove(name));
        let key = take(R::KEY.name()).and_then(|key| key.as_str().map(str::to_owned));
        let key = key.unwrap_or_else(|| Uuid::now_v7().to_string());
        let parent = R::PARENT.and_then(|parent| Some((parent.member, take(parent.member)?.as_str()?.to_owned())));
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
        let search = search_text(&key, &members);
        let mut row = members.into_row();
        R::before_insert(&mut row);
        R::keep(kept, &mut row).map_err(|field_error| vec![field_error])?;
        let created_at = carried.created_at.unwrap_or(defaults.now).trunc_subsecs(6);
        let columns = [
            (R::KEY.name(), key.into()),
            ("search", search.into()),
            ("version", carried.version.unwrap_or(1).into()),
            ("created_at", created_at.into()),
            ("updated_at", carried.updated_at.map_or(created_at, |instant| instant.trunc_subsecs(6)).into()),
        ];
        let columns: Vec<(&str, sea_orm::Value)> =
            columns.into_iter().chain(parent.map(|(name, code)| (name, code.into()))).collect();
        for (name, value) in columns {
            // A column that were missing would make the row incomplete, which is said below.
            if let Ok(column) = column::<R>(name) {
                row.set(column, value);
            }
        }
        row.try_into_model()
            .map_err(|error| vec![FieldError::at("", "incomplete", Text::new(error.to_string(), error.to_string()))])
    }

    fn references(value: &Value) -> Vec<(String, Target, String)> {
        let own = R::REFERENCES
            .iter()
            .flat_map(|reference| codes_in(reference, value).into_iter().map(|(pointer, code)| (pointer, reference.to, code)));
        own.chain(R::more_references(value)).collect()
    }

    fn told(row: &Row<Self>) -> ApiResult<Option<ExportRow>> {
        let Stamp { version, created_at, .. } = Stamp::of::<R>(row)?;
        Ok(Some(ExportRow { key: key_of::<R>(row)?, version, created_at, after: show::<R>(row)? }))
    }

    fn prepare(import: &mut Import<'_>, source: &mut Source) {
        R::prepare(import, source);
    }

    async fn complete(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Self>]) -> ApiResult<()> {
        R::completed(import, list, rows).await
    }

    async fn after_write(import: &mut Import<'_>, rows: &[Incoming<Self>]) -> ApiResult<()> {
        R::begun(import, rows).await?;
        R::linked(import.transaction, &rows.iter().map(|incoming| &incoming.row).collect::<Vec<_>>()).await
    }
}

impl Transferred for Region {
    const TARGET: Option<Target> = Some(Target::Region);
    const ABOVE: Option<ParentOf<resource::Row<Self>>> = Some(|row| row.parent.as_deref());

    async fn completed(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Thing<Self>>]) -> ApiResult<()> {
        history::regions(import, list, rows).await
    }
}

impl Transferred for Masterplan {
    const TARGET: Option<Target> = Some(Target::Masterplan);
}

impl Transferred for Dimension {
    const TARGET: Option<Target> = Some(Target::Dimension);
}

impl Transferred for Opd {
    const TARGET: Option<Target> = Some(Target::Opd);
    const ABOVE: Option<ParentOf<resource::Row<Self>>> = Some(|row| row.parent.as_deref());
}

/// The status follows from the transitions.
impl Transferred for Programme {
    const TARGET: Option<Target> = Some(Target::Programme);

    fn prepare(import: &mut Import<'_>, source: &mut Source) {
        history::read_statuses(import, source);
    }

    async fn completed(import: &mut Import<'_>, _: &'static str, rows: &mut [Incoming<Thing<Self>>]) -> ApiResult<()> {
        history::statuses(import, rows);
        Ok(())
    }

    async fn begun(import: &mut Import<'_>, rows: &[Incoming<Thing<Self>>]) -> ApiResult<()> {
        history::begin(import, rows).await
    }

    async fn linked(transaction: &WriteTransaction, rows: &[&programme::Model]) -> ApiResult<()> {
        use programme_region::Column as Region;
        use programme_supporting_opd::Column as Supporting;
        let supporting = links(rows, |row| (&row.code, &row.supporting_opds));
        let columns = [Supporting::Programme, Supporting::Opd];
        bulk::append::<programme_supporting_opd::Entity>(&transaction.db, &columns, supporting).await?;
        let regions = links(rows, |row| (&row.code, &row.regions));
        bulk::append::<programme_region::Entity>(&transaction.db, &[Region::Programme, Region::Region], regions).await
    }
}

/// The rows of a link table: a key, with each code of a list that stands in its row as JSON.
fn links<'a, M>(rows: &'a [&M], of: fn(&M) -> (&String, &Value)) -> impl Iterator<Item = ApiResult<Vec<sea_orm::Value>>> + 'a {
    rows.iter().flat_map(move |row| {
        let (key, codes) = of(row);
        let codes = codes.as_array().into_iter().flatten().filter_map(Value::as_str);
        codes.map(|code| Ok(vec![key.as_str().into(), code.into()])).collect::<Vec<_>>()
    })
}

impl Transferred for QuickWin {
    const TARGET: Option<Target> = Some(Target::QuickWin);
}

impl Transferred for Kpi {
    const TARGET: Option<Target> = Some(Target::Kpi);
}

impl Transferred for Award {
    fn more_references(value: &Value) -> Vec<(String, Target, String)> {
        let recipient = &value["recipient"];
        let kind = serde_json::from_value(recipient["kind"].clone()).ok().and_then(awards::target);
        let code = recipient["ref"].as_str().map(str::to_owned);
        kind.zip(code).map(|(kind, code)| ("/recipient/ref".to_owned(), kind, code)).into_iter().collect()
    }
}

impl Transferred for Action {
    const TARGET: Option<Target> = Some(Target::Action);

    async fn completed(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Thing<Self>>]) -> ApiResult<()> {
        sense::actions(import, list, rows);
        Ok(())
    }
}

impl Transferred for Evaluation {
    const TARGET: Option<Target> = Some(Target::Evaluation);

    fn prepare(import: &mut Import<'_>, source: &mut Source) {
        history::read_records(import, source);
    }

    async fn completed(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Thing<Self>>]) -> ApiResult<()> {
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
        struct ResponseCache {
            closed_at: Option<DateTime<Utc>>,
            closed_by: Option<String>,
            record_sha256: Option<String>,
            public_record_sha256: Option<String>,
        }
        let kept: ResponseCache = deserialize_or_field_error(Value::Object(kept))?;
        row.closed_at = Set(kept.closed_at.map(|instant| instant.trunc_subsecs(6)));
        row.closed_by = Set(kept.closed_by);
        row.record_sha256 = Set(kept.record_sha256);
        row.public_record_sha256 = Set(kept.public_record_sha256);
        Ok(())
    }

    fn more_references(value: &Value) -> Vec<(String, Target, String)> {
        let counts = value["reported_counts"].as_array().into_iter().flatten().enumerate();
        let dimensions = counts.filter_map(|(index, count)| Some((index, count["dimension"].as_str()?.to_owned())));
        dimensions.map(|(index, code)| (format!("/reported_counts/{index}/dimension"), Target::Dimension, code)).collect()
    }

    async fn linked(transaction: &WriteTransaction, rows: &[&evaluation::Model]) -> ApiResult<()> {
        use evaluation_dimension::Column;
        let links = rows.iter().flat_map(|row| {
            let told = ReportedCount::all_of(row).into_iter();
            told.map(|told| Ok(vec![row.code.as_str().into(), told.dimension.as_str().into()])).collect::<Vec<_>>()
        });
        bulk::append::<evaluation_dimension::Entity>(&transaction.db, &[Column::Evaluation, Column::Dimension], links).await
    }
}

impl Transferred for Finding {
    const WHOLES: Option<&'static str> = Some("evaluations");

    fn kept_schema() -> Map<String, Value> {
        let mut schema = Self::read_only_schema();
        schema.values_mut().filter_map(Value::as_object_mut).for_each(schema::nullable);
        if let Some(required) = schema.get_mut("follow_ups").and_then(|schema| schema.pointer_mut("/items/required")) {
            *required = json!(["by", "at", "text"]);
        }
        schema
    }

    fn kept(row: &finding::Model) -> Map<String, Value> {
        // Through its type, since PostgreSQL keeps members in an order of its own.
        let follow_ups = FollowUp::all_of(row).unwrap_or_default();
        Map::from_iter([("state".to_owned(), json!(row.state)), ("follow_ups".to_owned(), json!(follow_ups))])
    }

    fn keep(kept: Map<String, Value>, row: &mut finding::ActiveModel) -> Result<(), FieldError> {
        #[derive(Deserialize)]
        struct ResponseCache {
            state: Option<FindingState>,
            follow_ups: Option<Vec<FollowUp>>,
        }
        let kept: ResponseCache = deserialize_or_field_error(Value::Object(kept))?;
        row.state = Set(kept.state.unwrap_or(FindingState::Open));
        row.follow_ups = Set(json!(kept.follow_ups.unwrap_or_default()));
        Ok(())
    }
}

impl Transferred for Commitment {
    async fn linked(transaction: &WriteTransaction, rows: &[&commitment::Model]) -> ApiResult<()> {
        use commitment_signatory::Column;
        let signatories = links(rows, |row| (&row.id, &row.signatories));
        bulk::append::<commitment_signatory::Entity>(&transaction.db, &[Column::Commitment, Column::Opd], signatories).await
    }
}

impl Transferred for CouncilMember {}

impl Transferred for Survey {
    async fn completed(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Thing<Self>>]) -> ApiResult<()> {
        sense::surveys(import, list, rows).await
    }
}
