//! Decides which events the public may know of and what they show: changes of what was public then and is public now, as the
//! public sees it. Whether a resource was public is decided when its event gets its position. Whether it still is, and with it
//! everything that the event names, is decided when somebody reads it.

use entity::event;
use sea_orm::ConnectionTrait;
use serde_json::{Map, Value};

use crate::crud::hiding::{hide, keep_public};
use crate::http::problem::ApiResult;
use crate::kinds;
use crate::store::kind::{Kind, PublicPart};
use crate::store::visible::{Named, public_among};

/// For each of `events` whether it is public: whether the resource was public before the change or is afterwards, together with
/// what it belongs to. It takes at most one statement.
pub async fn are_public(db: &impl ConnectionTrait, events: &[event::Model]) -> ApiResult<Vec<bool>> {
    let asked = events.iter().flat_map(|event| [above(event, &event.before), above(event, &event.after)]).flatten();
    let public = public_among(db, asked.collect()).await?;
    let was_public = |event: &event::Model, thing: &Option<Value>| {
        is_seen(event, thing) && above(event, thing).is_none_or(|above| public.contains(&above))
    };
    Ok(events.iter().map(|event| was_public(event, &event.before) || was_public(event, &event.after)).collect())
}

/// What a resource hangs on, as it was before or after an event.
fn above(event: &event::Model, shown: &Option<Value>) -> Option<(&'static Kind, String)> {
    if let Some(whole) = whole_of(event) {
        return Some(whole);
    }
    let (member, above) = kinds::of(&event.resource)?.hangs_on()?;
    Some((above, shown.as_ref()?[member].as_str()?.to_owned()))
}

/// The resource that an event of a part is about.
fn whole_of(event: &event::Model) -> Option<(&'static Kind, String)> {
    let part = part_of(event)?;
    Some((part.of, event.key.split('/').next()?.to_owned()))
}

fn part_of(event: &event::Model) -> Option<PublicPart> {
    kinds::audited(&event.resource)?.public_part
}

/// The resource that the public must see to be told of an event: of a part the whole.
pub fn thing_of(event: &event::Model) -> Option<(&'static Kind, String)> {
    match whole_of(event) {
        Some(whole) => Some(whole),
        None => Some((kinds::of(&event.resource).filter(|kind| kind.publication.is_some())?, event.key.clone())),
    }
}

/// What events show of resources: `None` if the resource is no longer public, and null for its references to what is not public.
/// It takes at most one statement.
pub async fn still_public(db: &impl ConnectionTrait, events: &[&event::Model]) -> ApiResult<Vec<Option<Option<Value>>>> {
    let shown = events.iter().map(|event| seen(event, &event.after)).collect::<Vec<_>>();
    let mut named = events.iter().filter_map(|event| thing_of(event)).collect::<Named>();
    for (event, data) in events.iter().zip(&shown) {
        if let (Some(kind), Some(data)) = (kinds::of(&event.resource), data) {
            named.extend(kind.named_by(data).into_iter().map(|(_, kind, key)| (kind, key)));
        }
    }
    let public = public_among(db, named.clone()).await?;
    let hidden = named.difference(&public).cloned().collect::<Named>();
    let forms = events.iter().zip(shown).map(|(event, mut data)| {
        thing_of(event).filter(|thing| public.contains(thing))?;
        if let (Some(kind), Some(data)) = (kinds::of(&event.resource), &mut data) {
            for member in kind.written() {
                if let Some(value) = data.get_mut(member.name) {
                    hide(member, value, &hidden);
                }
            }
        }
        Some(data)
    });
    Ok(forms.collect())
}

/// Whether the public sees something of a resource before or after an event.
fn is_seen(event: &event::Model, shown: &Option<Value>) -> bool {
    let Some(shown) = shown else { return false };
    if let Some(PublicPart { only, .. }) = part_of(event) {
        return only.is_none_or(|(member, word)| shown[member] == word);
    }
    let kind = kinds::of(&event.resource).filter(|kind| kind.publication.is_some_and(|publication| publication.is_in_feed));
    shown.is_object() && kind.is_some_and(|kind| kind.looks_public(shown))
}

/// What the public sees of a resource before or after an event; `None` where it sees nothing of it.
pub fn seen(event: &event::Model, shown: &Option<Value>) -> Option<Value> {
    if !is_seen(event, shown) {
        return None;
    }
    let shown = shown.as_ref()?;
    if let Some(PublicPart { members, .. }) = part_of(event) {
        let picked = members.iter().filter_map(|name| Some(((*name).to_owned(), shown.get(name)?.clone())));
        return Some(Value::Object(picked.collect::<Map<_, _>>()));
    }
    let (kind, members) = (kinds::of(&event.resource)?, shown.as_object()?);
    let seen = members.iter().filter_map(|(name, value)| {
        let (member, mut value) = (kind.member(name).filter(|member| member.is_public)?, value.clone());
        keep_public(&member, &mut value);
        Some((name.clone(), value))
    });
    Some(Value::Object(seen.collect::<Map<_, _>>()))
}

/// What happened, as the public sees it: a resource that becomes visible was created for the public, and one that it no longer
/// sees is gone.
pub fn action(event: &event::Model) -> &str {
    match (is_seen(event, &event.before), is_seen(event, &event.after)) {
        (false, true) => "published",
        (true, false) => "withdrawn",
        _ => &event.action,
    }
}
