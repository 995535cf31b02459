//! Which rows the public sees, and which of their members: a list of what is shown, so that a new member stays hidden
//! until somebody adds it here.

use actix_web::HttpRequest;
use chrono::NaiveDate;
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use serde_json::{Map, Value, json};

use crate::http::problem::{ApiError, ApiResult};
use crate::resources::actions::Action;
use crate::resources::awards::{self, Award};
use crate::resources::dimensions::Dimension;
use crate::resources::evaluations::Evaluation;
use crate::resources::evaluations::findings::Finding;
use crate::resources::kpis::Kpi;
use crate::resources::masterplans::Masterplan;
use crate::resources::opds::Opd;
use crate::resources::programmes::Programme;
use crate::resources::quick_wins::QuickWin;
use crate::resources::references::{Target, codes_in};
use crate::resources::regions::Region;
use crate::resources::resource::{Reference, Resource, Row, show_all};
use crate::resources::schemas;
use crate::resources::surveys::Survey;
use crate::store::listing;
use crate::store::scope::Scope;
use crate::store::visible::{Thing, Things, public_among};

/// A resource that the public sees something of.
pub trait Published: Resource {
    /// The members that are shown, beside key, parent and `updated_at`.
    const MEMBERS: &'static [&'static str];

    /// Of the entries of these members, which members are shown; of others all.
    const INNER: &'static [(&'static str, &'static [&'static str])] = &[];

    /// Which kind of thing it is: that says which of them are shown.
    const THING: Thing;

    /// Of the rows that `q=` finds, those that it finds in what is shown; all where nothing that it looks through is ever left
    /// out. `q` is what is searched for, in lower case.
    fn found_in_shown(_q: &str) -> Option<SimpleExpr> {
        None
    }
}

/// The members that the public sees of a thing that looked like `shown`, if it saw it.
fn of_shown<R: Published>(shown: &Value) -> Option<Value> {
    let members = shown.as_object().filter(|_| R::THING.looks_public(shown))?;
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
    const THING: Thing = Thing::Masterplan;
    const MEMBERS: &'static [&'static str] =
        &["title", "region", "legal_basis", "start_year", "end_year", "status", "description"];
}

impl Published for Dimension {
    const THING: Thing = Thing::Dimension;
    const MEMBERS: &'static [&'static str] = &["name", "name_en", "position", "description"];
}

impl Published for Opd {
    const THING: Thing = Thing::Opd;
    const MEMBERS: &'static [&'static str] = &["name", "short_name", "parent", "head_name", "head_title", "website", "active"];
}

impl Published for Region {
    const THING: Thing = Thing::Region;
    const MEMBERS: &'static [&'static str] = &["name", "level", "parent"];
}

impl Published for Programme {
    const THING: Thing = Thing::Programme;
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
    const THING: Thing = Thing::QuickWin;
    const MEMBERS: &'static [&'static str] =
        &["dimension", "programme", "opd", "name", "description", "status", "started_on", "outcome", "provenance"];
}

impl Published for Kpi {
    const THING: Thing = Thing::Kpi;
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
    const THING: Thing = Thing::Action;
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
}

impl Published for Award {
    const THING: Thing = Thing::Award;
    const MEMBERS: &'static [&'static str] = &["name", "issuer", "category", "year", "recipient", "provenance"];

    /// A recipient that is hidden is not named, so nobody finds it by its name: the last of what `q=` looks through.
    fn found_in_shown(q: &str) -> Option<SimpleExpr> {
        let is_hidden = [Thing::Programme, Thing::QuickWin].map(|thing| {
            let (name, is_public) = (thing.name(), thing.is_public("r"));
            format!("(award.recipient_kind = '{name}' AND NOT EXISTS (SELECT 1 FROM {name} r WHERE r.code = award.recipient_ref AND {is_public}))")
        });
        let shown = "SUBSTR(search, 1, LENGTH(search) - LENGTH(COALESCE(recipient_name, '')))";
        let found = Expr::cust(shown).like(listing::contains(q));
        Some(Expr::cust(format!("NOT ({})", is_hidden.join(" OR "))).or(found))
    }
}

impl Published for Evaluation {
    const THING: Thing = Thing::Evaluation;
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
    const THING: Thing = Thing::Finding;
    const MEMBERS: &'static [&'static str] = &["programme", "opd", "text", "recommendation", "due_on", "state", "follow_ups"];
    const INNER: &'static [(&'static str, &'static [&'static str])] = &[("follow_ups", &["at", "text", "state"])];
}

impl Published for Survey {
    const THING: Thing = Thing::Survey;
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
    let asked = Things::from([(Thing::from(parent.to), code.to_owned())]);
    if public_among(db, asked).await?.is_empty() {
        return Err(ApiError::not_found(parent.member, code));
    }
    Ok(())
}

impl From<Target> for Thing {
    fn from(target: Target) -> Self {
        match target {
            Target::Masterplan => Self::Masterplan,
            Target::Dimension => Self::Dimension,
            Target::Opd => Self::Opd,
            Target::Region => Self::Region,
            Target::Programme => Self::Programme,
            Target::QuickWin => Self::QuickWin,
            Target::Kpi => Self::Kpi,
            Target::Evaluation => Self::Evaluation,
            Target::Action => Self::Action,
        }
    }
}

/// What things of a kind refer to and may not be public though they are: what they hang on is.
pub fn may_be_hidden<R: Published>() -> impl Iterator<Item = (&'static Reference, Thing)> {
    let hangs_on = R::THING.hangs_on().map(|(member, _)| member);
    let references = R::REFERENCES.iter().map(|reference| (reference, Thing::from(reference.to)));
    references.filter(move |(reference, to)| to.can_be_hidden() && hangs_on != Some(reference.member))
}

/// Leaves out what rows refer to and the public does not see. At most one statement.
pub async fn hide_hidden<R: Published>(db: &impl ConnectionTrait, things: &mut [Value]) -> ApiResult<()> {
    let references = may_be_hidden::<R>().map(|(reference, _)| *reference).collect::<Vec<_>>();
    let named =
        things.iter().flat_map(|thing| named_by(&references, thing)).filter(|(to, _)| to.can_be_hidden()).collect::<Things>();
    let public = public_among(db, named.clone()).await?;
    let hidden = named.difference(&public).cloned().collect();
    things.iter_mut().for_each(|thing| hide(&references, thing, &hidden));
    Ok(())
}

/// What a thing in the audit log refers to.
pub fn references_of(resource: &str) -> &'static [Reference] {
    match resource {
        "masterplan" => Masterplan::REFERENCES,
        "opd" => Opd::REFERENCES,
        "region" => Region::REFERENCES,
        "programme" => Programme::REFERENCES,
        "quick_win" => QuickWin::REFERENCES,
        "kpi" => Kpi::REFERENCES,
        "evaluation" => Evaluation::REFERENCES,
        "survey" => Survey::REFERENCES,
        _ => &[],
    }
}

/// Everything that a thing names: by its references, and an award by its recipient.
pub fn named_by(references: &[Reference], thing: &Value) -> Things {
    let codes = references.iter().flat_map(|reference| {
        let codes = codes_in(reference, thing).into_iter();
        codes.map(|(_, code)| (Thing::from(reference.to), code))
    });
    codes.chain(recipient_of(thing)).collect()
}

/// The thing that received an award.
fn recipient_of(thing: &Value) -> Option<(Thing, String)> {
    let recipient = thing.get("recipient")?;
    let kind = serde_json::from_value(recipient["kind"].clone()).ok()?;
    Some((awards::target(kind)?.into(), recipient["ref"].as_str()?.to_owned()))
}

/// Puts null where a thing names what is `hidden`, and leaves it out of lists.
pub fn hide(references: &[Reference], thing: &mut Value, hidden: &Things) {
    let is_hidden = |to: Thing, code: &Value| code.as_str().is_some_and(|code| hidden.contains(&(to, code.to_owned())));
    if recipient_of(thing).is_some_and(|recipient| hidden.contains(&recipient)) {
        (thing["recipient"]["ref"], thing["recipient"]["name"]) = (Value::Null, Value::Null);
    }
    for reference in references {
        let to = Thing::from(reference.to);
        match thing.get_mut(reference.member) {
            Some(Value::Array(codes)) => codes.retain(|code| !is_hidden(to, code)),
            Some(code) if is_hidden(to, code) => *code = Value::Null,
            _ => {}
        }
    }
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
    let names = schemas::names::<R>();
    let mut schemas = schemas::shown::<R>();
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
