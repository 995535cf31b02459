//! Which events everybody may know of, and what of them: changes of what was public then and is public now, as the public
//! sees it. Whether a thing was public is decided when its event gets its place; whether it still is, and with it all that the
//! event names, when somebody reads it.

use entity::event;
use sea_orm::ConnectionTrait;
use serde_json::{Map, Value};

use crate::http::problem::ApiResult;
use crate::public::view;
use crate::store::visible::{Thing, Things, public_among};

/// What the public sees of a value that was reported for a KPI.
const MEASUREMENT: &[&str] = &["kpi", "period", "revision", "value", "known_on", "provenance"];
/// What the public sees of a target.
const TARGET: &[&str] = &["kpi", "period", "value", "kind", "provenance"];

/// Whether each of `events` is public: whether the thing was before or is afterwards, with what it hangs on. At most one statement.
pub async fn are_public(db: &impl ConnectionTrait, events: &[event::Model]) -> ApiResult<Vec<bool>> {
    let asked = events.iter().flat_map(|event| [above(event, &event.before), above(event, &event.after)]).flatten();
    let public = public_among(db, asked.collect()).await?;
    let was_public = |event: &event::Model, thing: &Option<Value>| {
        seen(event, thing).is_some() && above(event, thing).is_none_or(|above| public.contains(&above))
    };
    Ok(events.iter().map(|event| was_public(event, &event.before) || was_public(event, &event.after)).collect())
}

/// What a thing hangs on, as it was before or after an event.
fn above(event: &event::Model, thing: &Option<Value>) -> Option<(Thing, String)> {
    if let Some(kpi) = kpi_of(event) {
        return Some((Thing::Kpi, kpi.to_owned()));
    }
    let (member, above) = Thing::of(&event.resource)?.hangs_on()?;
    Some((above, thing.as_ref()?[member].as_str()?.to_owned()))
}

/// The KPI that an event of a part of a KPI is about.
fn kpi_of(event: &event::Model) -> Option<&str> {
    let is_part = matches!(event.resource.as_str(), "measurement" | "kpi_target");
    event.key.split('/').next().filter(|_| is_part)
}

/// The thing that the public must see to be told of an event: of a part of a KPI the KPI.
pub fn thing_of(event: &event::Model) -> Option<(Thing, String)> {
    match kpi_of(event) {
        Some(kpi) => Some((Thing::Kpi, kpi.to_owned())),
        None => Some((Thing::of(&event.resource)?, event.key.clone())),
    }
}

/// What events show of things, each `None` where the thing is not public any more; what these refer to and is not public is
/// null. At most one statement.
pub async fn still_public(db: &impl ConnectionTrait, events: &[&event::Model]) -> ApiResult<Vec<Option<Option<Value>>>> {
    let shown = events.iter().map(|event| seen(event, &event.after)).collect::<Vec<_>>();
    let mut named = events.iter().filter_map(|event| thing_of(event)).collect::<Things>();
    for (event, data) in events.iter().zip(&shown) {
        let references = view::references_of(&event.resource);
        named.extend(data.iter().flat_map(|data| view::named_by(references, data)));
    }
    let public = public_among(db, named.clone()).await?;
    let hidden = named.difference(&public).cloned().collect::<Things>();
    let forms = events.iter().zip(shown).map(|(event, mut data)| {
        thing_of(event).filter(|thing| public.contains(thing))?;
        if let Some(data) = &mut data {
            view::hide(view::references_of(&event.resource), data, &hidden);
        }
        Some(data)
    });
    Ok(forms.collect())
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
