//! Which rows the public sees, and which of their members: a list of what is shown, so that a new member stays hidden
//! until somebody adds it here.

use std::collections::BTreeSet;

use actix_web::HttpRequest;
use chrono::NaiveDate;
use entity::programme;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Map, Value, json};

use crate::http::problem::{ApiError, ApiResult};
use crate::resources::actions::Action;
use crate::resources::awards::Award;
use crate::resources::dimensions::Dimension;
use crate::resources::evaluations::Evaluation;
use crate::resources::evaluations::findings::Finding;
use crate::resources::kpis::Kpi;
use crate::resources::masterplans::Masterplan;
use crate::resources::opds::Opd;
use crate::resources::programmes::Programme;
use crate::resources::quick_wins::QuickWin;
use crate::resources::regions::Region;
use crate::resources::resource::{Resource, Row, show_all};
use crate::resources::surveys::Survey;
use crate::resources::wire;
use crate::store::scope::Scope;

/// A resource that the public sees something of.
pub trait Published: Resource {
    /// The members that are shown, beside key, parent and `updated_at`.
    const MEMBERS: &'static [&'static str];

    /// Of the entries of these members, which members are shown; of others all.
    const INNER: &'static [(&'static str, &'static [&'static str])] = &[];

    /// Which rows are shown.
    fn visible() -> SimpleExpr {
        // As the index spells it, which a parameter would keep from being used.
        Expr::cust("published")
    }

    /// Whether one is shown that looked like this.
    fn was_visible(shown: &Value) -> bool {
        shown["published"] == true
    }
}

/// The members that the public sees of a thing that looked like `shown`, if it saw it.
fn of_shown<R: Published>(shown: &Value) -> Option<Value> {
    let members = shown.as_object().filter(|_| R::was_visible(shown))?;
    let seen = members.iter().filter(|(name, _)| is_shown::<R>(name));
    Some(Value::Object(seen.map(|(name, member)| (name.clone(), member.clone())).collect()))
}

/// What the public sees of a thing of this kind that looked like `shown`, if it saw it.
pub fn of_json(resource: &str, shown: &Value) -> Option<Value> {
    match resource {
        "masterplan" => of_shown::<Masterplan>(shown),
        "dimension" => of_shown::<Dimension>(shown),
        "opd" => of_shown::<Opd>(shown),
        "region" => of_shown::<Region>(shown),
        "programme" => of_shown::<Programme>(shown),
        "quick_win" => of_shown::<QuickWin>(shown),
        "kpi" => of_shown::<Kpi>(shown),
        "award" => of_shown::<Award>(shown),
        "evaluation" => of_shown::<Evaluation>(shown),
        "survey" => of_shown::<Survey>(shown),
        // Whether an action or a finding is seen depends on another thing, whose events tell of it.
        _ => None,
    }
}

impl Published for Masterplan {
    const MEMBERS: &'static [&'static str] =
        &["title", "region", "legal_basis", "start_year", "end_year", "status", "description"];

    fn visible() -> SimpleExpr {
        Expr::col("status").ne("draft")
    }

    fn was_visible(shown: &Value) -> bool {
        shown["status"] != "draft"
    }
}

impl Published for Dimension {
    const MEMBERS: &'static [&'static str] = &["name", "name_en", "position", "description"];

    fn visible() -> SimpleExpr {
        Expr::value(true)
    }

    fn was_visible(_: &Value) -> bool {
        true
    }
}

impl Published for Opd {
    const MEMBERS: &'static [&'static str] = &["name", "short_name", "parent", "head_name", "head_title", "website", "active"];

    fn visible() -> SimpleExpr {
        Expr::value(true)
    }

    fn was_visible(_: &Value) -> bool {
        true
    }
}

impl Published for Region {
    const MEMBERS: &'static [&'static str] = &["name", "level", "parent"];

    fn visible() -> SimpleExpr {
        Expr::value(true)
    }

    fn was_visible(_: &Value) -> bool {
        true
    }
}

impl Published for Programme {
    const MEMBERS: &'static [&'static str] = &[
        "masterplan",
        "dimension",
        "name",
        "description",
        "lead_opd",
        "supporting_opds",
        "start_date",
        "end_date",
        "budget",
        "funding_source",
        "regions",
        "provenance",
        "status",
        "progress",
    ];
}

impl Published for QuickWin {
    const MEMBERS: &'static [&'static str] =
        &["dimension", "programme", "opd", "name", "description", "status", "started_on", "outcome", "provenance"];
}

impl Published for Kpi {
    const MEMBERS: &'static [&'static str] = &[
        "masterplan",
        "dimension",
        "programme",
        "opd",
        "name",
        "description",
        "unit",
        "direction",
        "frequency",
        "decimals",
        "minimum",
        "maximum",
        "baseline",
        "source",
        "method",
    ];
}

impl Published for Action {
    const MEMBERS: &'static [&'static str] = &[
        "programme",
        "opd",
        "title",
        "output_unit",
        "year",
        "weight",
        "due_on",
        "targets",
        "provenance",
        "realisation",
        "progress",
        "state",
    ];

    /// Of a programme that the public does not see it sees no action either.
    fn visible() -> SimpleExpr {
        let programmes = Query::select().column("code").from("programme").and_where(Programme::visible()).take();
        Expr::cust("published").and(Expr::col("programme").in_subquery(programmes))
    }
}

impl Published for Award {
    const MEMBERS: &'static [&'static str] = &["name", "issuer", "category", "year", "recipient", "provenance"];
}

impl Published for Evaluation {
    const MEMBERS: &'static [&'static str] = &[
        "masterplan",
        "held_on",
        "venue",
        "chair",
        "summary",
        "reported_counts",
        "provenance",
        "state",
        "closed_at",
        "public_record_sha256",
    ];
}

impl Published for Finding {
    const MEMBERS: &'static [&'static str] = &["programme", "opd", "text", "recommendation", "due_on", "state", "follow_ups"];
    const INNER: &'static [(&'static str, &'static [&'static str])] = &[("follow_ups", &["at", "text", "state"])];

    fn visible() -> SimpleExpr {
        Expr::cust("EXISTS (SELECT 1 FROM evaluation e WHERE e.code = finding.evaluation AND e.published)")
    }
}

impl Published for Survey {
    const MEMBERS: &'static [&'static str] =
        &["opd", "service", "period", "respondents", "scores", "sums", "ikm", "grade", "explanation"];
}

fn is_shown<R: Published>(name: &str) -> bool {
    let is_place = name == R::KEY.name() || R::PARENT.is_some_and(|parent| parent.member == name);
    is_place || name == "updated_at" || R::MEMBERS.contains(&name)
}

/// Rows as the public sees them.
pub async fn view_all<R: Published>(db: &impl ConnectionTrait, rows: &[Row<R>], today: NaiveDate) -> ApiResult<Vec<Value>> {
    let mut shown =
        show_all::<R>(db, rows, Scope::Published, today).await?.into_iter().map(|(thing, _)| thing).collect::<Vec<_>>();
    shown.iter_mut().for_each(keep_shown::<R>);
    Ok(shown)
}

/// Leaves of a thing what the public sees.
fn keep_shown<R: Published>(thing: &mut Value) {
    let Some(members) = thing.as_object_mut() else { return };
    members.retain(|name, _| is_shown::<R>(name));
    for (member, inner) in R::INNER {
        let entries = members.get_mut(*member).and_then(Value::as_array_mut);
        for entry in entries.into_iter().flatten().filter_map(Value::as_object_mut) {
            entry.retain(|name, _| inner.contains(&name.as_str()));
        }
    }
}

/// 404 unless the public sees the thing that the path says `R` is a part of.
pub async fn must_have_visible_parent<R: Published>(db: &impl ConnectionTrait, request: &HttpRequest) -> ApiResult<()> {
    let (Some(parent), Some(code)) = (R::PARENT, request.match_info().get("code")) else { return Ok(()) };
    let of_code = Query::select().column("code").from(parent.member).and_where(Expr::col("code").eq(code)).take();
    let select = of_code.clone().and_where(Expr::cust("published")).take();
    if db.query_one(&select).await?.is_none() {
        return Err(ApiError::not_found(parent.member, code));
    }
    Ok(())
}

/// Leaves out the codes of programmes that the public does not see, wherever something that it sees refers to them. At
/// most one statement.
pub async fn hide_unpublished(db: &impl ConnectionTrait, things: &mut [Value]) -> ApiResult<()> {
    let codes =
        things.iter_mut().filter_map(programme_of).filter_map(|code| code.as_str().map(str::to_owned)).collect::<BTreeSet<_>>();
    if codes.is_empty() {
        return Ok(());
    }
    let published = programme::Entity::find().filter(programme::Column::Code.is_in(codes)).filter(Programme::visible());
    let published = published.all(db).await?.into_iter().map(|row| row.code).collect::<BTreeSet<_>>();
    for code in things.iter_mut().filter_map(programme_of) {
        if code.as_str().is_some_and(|code| !published.contains(code)) {
            *code = Value::Null;
        }
    }
    Ok(())
}

/// Where a thing names a programme: a KPI or Quick Win its own, an award its recipient.
fn programme_of(thing: &mut Value) -> Option<&mut Value> {
    let is_recipient = thing["recipient"]["kind"] == "programme";
    thing.pointer_mut(if is_recipient { "/recipient/ref" } else { "/programme" })
}

/// An example of it.
pub fn example<R: Published>() -> Value {
    let mut shown = crate::resources::resource::show_example::<R>();
    keep_shown::<R>(&mut shown);
    shown
}

/// The name of its schema.
pub fn name<R: Published>() -> String {
    format!("Public{}", R::name())
}

/// Its schema, and those it refers to.
pub fn schemas<R: Published>() -> Map<String, Value> {
    let names = wire::names::<R>();
    let mut schemas = wire::shown::<R>();
    let mut own = schemas.remove(&names.shown).unwrap_or_default();
    schemas.remove(&names.selection);
    if let Some(properties) = own["properties"].as_object_mut() {
        properties.retain(|name, _| is_shown::<R>(name));
        for (member, inner) in R::INNER {
            let entry = &mut properties[*member]["items"];
            if let Some(properties) = entry["properties"].as_object_mut() {
                properties.retain(|name, _| inner.contains(&name.as_str()));
            }
            entry["required"] = json!(inner);
        }
        for reference in R::REFERENCES {
            if let Some(property) = properties.get_mut(reference.member) {
                unexpand(if reference.many { &mut property["items"] } else { property });
            }
        }
        let required = properties.keys().cloned().collect::<Vec<_>>();
        own["required"] = json!(required);
    }
    own["description"] = json!(format!("What the public sees of it. {}", own["description"].as_str().unwrap_or_default()));
    schemas.insert(name::<R>(), own);
    schemas
}

/// The public gets codes, never the thing in their place.
fn unexpand(property: &mut Value) {
    let options = property["anyOf"].as_array().cloned().unwrap_or_default();
    let nullable = options.iter().any(|option| option["type"] == "null");
    let Some(mut code) = options.into_iter().next() else { return };
    if let Some(object) = code.as_object_mut() {
        object.extend(property.get("description").map(|description| ("description".into(), description.clone())));
        if nullable {
            crate::http::schema::nullable(object);
        }
    }
    *property = code;
}
