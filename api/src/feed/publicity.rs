//! Which events everybody may know of, and what of them: changes of what was published before or is afterwards, as the public
//! sees it.

use std::collections::BTreeSet;

use entity::{event, kpi};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Map, Value};

use crate::http::problem::ApiResult;
use crate::public::view;

/// What the public sees of a value that was reported for a KPI.
const MEASUREMENT: &[&str] = &["kpi", "period", "revision", "value", "known_on", "provenance"];
/// What the public sees of a target.
const TARGET: &[&str] = &["kpi", "period", "value", "kind", "provenance"];

/// Whether each of `events` is public. At most one statement.
pub async fn are_public(db: &impl ConnectionTrait, events: &[event::Model]) -> ApiResult<Vec<bool>> {
    let of_kpis = events.iter().filter_map(kpi_of).map(str::to_owned).collect::<BTreeSet<_>>();
    let published = if of_kpis.is_empty() {
        BTreeSet::new()
    } else {
        let rows = kpi::Entity::find().filter(kpi::Column::Code.is_in(of_kpis)).filter(kpi::Column::Published.eq(true));
        rows.all(db).await?.into_iter().map(|kpi| kpi.code).collect()
    };
    let is_public = |event: &event::Model| match kpi_of(event) {
        Some(kpi) => published.contains(kpi) && (seen(event, &event.before).is_some() || seen(event, &event.after).is_some()),
        None => seen(event, &event.before).is_some() || seen(event, &event.after).is_some(),
    };
    Ok(events.iter().map(is_public).collect())
}

/// The KPI that an event of a part of a KPI is about.
fn kpi_of(event: &event::Model) -> Option<&str> {
    let is_part = matches!(event.resource.as_str(), "measurement" | "kpi_target");
    event.key.split('/').next().filter(|_| is_part)
}

/// What the public sees of a thing before or after an event; `None` where it sees nothing of it.
pub fn seen(event: &event::Model, thing: &Option<Value>) -> Option<Value> {
    let thing = thing.as_ref()?;
    let members = match event.resource.as_str() {
        "measurement" if thing["state"] == "verified" => MEASUREMENT,
        "measurement" => return None,
        "kpi_target" => TARGET,
        resource => return view::of_json(resource, thing),
    };
    let picked = members.iter().filter_map(|name| Some(((*name).to_owned(), thing.get(name)?.clone())));
    Some(Value::Object(picked.collect::<Map<_, _>>()))
}

/// What happened, as the public sees it: a thing that appears was created for it, one that it no longer sees is gone.
pub fn action(event: &event::Model) -> &str {
    match (seen(event, &event.before).is_some(), seen(event, &event.after).is_some()) {
        (false, true) => "published",
        (true, false) => "withdrawn",
        _ => &event.action,
    }
}
