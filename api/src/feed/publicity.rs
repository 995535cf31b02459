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

/// What an event says of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The kind of resource.
    pub resource: &'a str,
    /// The code or id of the resource.
    pub key: &'a str,
    /// The resource before.
    pub before: Option<&'a Value>,
    /// The resource after.
    pub after: Option<&'a Value>,
}

impl<'a> From<&'a event::Model> for Change<'a> {
    fn from(event: &'a event::Model) -> Self {
        Self { resource: &event.resource, key: &event.key, before: event.before.as_ref(), after: event.after.as_ref() }
    }
}

/// A condition in SQL that holds for every event `e` that may be public: only of those [`are_public`] must know what was before and
/// after.
pub fn may_be_public() -> String {
    let (mut whole, mut conditions) = (Vec::new(), Vec::new());
    for of in kinds::AUDITED.iter() {
        match of.public_part.map(|part| part.only) {
            Some(Some((member, word))) => conditions.push(format!(
                "(e.resource = '{}' AND (e.before ->> '{member}' = '{word}' OR e.after ->> '{member}' = '{word}'))",
                of.name
            )),
            Some(None) => whole.push(of.name),
            None if in_feed(of.name).is_some() => whole.push(of.name),
            None => {}
        }
    }
    conditions.push(format!("e.resource IN ('{}')", whole.join("', '")));
    conditions.join(" OR ")
}

/// The kinds of what batches hold that may be public, as a list in SQL.
pub fn batches_that_may_be_public() -> String {
    let names = kinds::AUDITED.iter().filter(|of| of.batched_by.is_some() && of.public_part.is_some());
    names.map(|of| format!("'{}'", of.name)).collect::<Vec<_>>().join(", ")
}

/// Whether what a batch shows of a `resource`, as this service wrote it, may be public.
pub fn may_show(resource: &str, text: &str) -> bool {
    match kinds::audited(resource).and_then(|of| of.public_part) {
        Some(PublicPart { only: Some((member, word)), .. }) => text.contains(&format!("\"{member}\":\"{word}\"")),
        part => part.is_some(),
    }
}

/// For each of `changes` whether it is public: whether the resource was public before the change or is afterwards, together with
/// what it belongs to. It takes at most one statement.
pub async fn are_public(db: &impl ConnectionTrait, changes: &[Change<'_>]) -> ApiResult<Vec<bool>> {
    let asked = changes.iter().flat_map(|change| [above(*change, change.before), above(*change, change.after)]).flatten();
    let public = public_among(db, asked.collect()).await?;
    let was_public = |change: Change<'_>, shown: Option<&Value>| {
        is_seen(change, shown) && above(change, shown).is_none_or(|above| public.contains(&above))
    };
    Ok(changes.iter().map(|change| was_public(*change, change.before) || was_public(*change, change.after)).collect())
}

/// The kind of resource, if the public feed tells what happens to it.
fn in_feed(resource: &str) -> Option<&'static Kind> {
    kinds::of(resource).filter(|kind| kind.publication.is_some_and(|publication| publication.is_in_feed))
}

/// What a resource hangs on, as it was before or after an event.
fn above(change: Change<'_>, shown: Option<&Value>) -> Option<(&'static Kind, String)> {
    if let Some(whole) = whole_of(change) {
        return Some(whole);
    }
    let (member, above) = kinds::of(change.resource)?.hangs_on()?;
    Some((above, shown?[member].as_str()?.to_owned()))
}

/// The resource that an event of a part is about.
fn whole_of(change: Change<'_>) -> Option<(&'static Kind, String)> {
    let part = part_of(change)?;
    Some((part.of, change.key.split('/').next()?.to_owned()))
}

fn part_of(change: Change<'_>) -> Option<PublicPart> {
    kinds::audited(change.resource)?.public_part
}

/// The resource that the public must see to be told of an event: of a part the whole.
pub fn thing_of(event: &event::Model) -> Option<(&'static Kind, String)> {
    match whole_of(event.into()) {
        Some(whole) => Some(whole),
        None => Some((kinds::of(&event.resource).filter(|kind| kind.publication.is_some())?, event.key.clone())),
    }
}

/// What events show of resources: `None` if the resource is no longer public, and null for its references to what is not public.
/// It takes at most one statement.
pub async fn still_public(db: &impl ConnectionTrait, events: &[&event::Model]) -> ApiResult<Vec<Option<Option<Value>>>> {
    let shown = events.iter().map(|event| seen((*event).into(), event.after.as_ref())).collect::<Vec<_>>();
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
fn is_seen(change: Change<'_>, shown: Option<&Value>) -> bool {
    let Some(shown) = shown else { return false };
    if let Some(PublicPart { only, .. }) = part_of(change) {
        return only.is_none_or(|(member, word)| shown[member] == word);
    }
    shown.is_object() && in_feed(change.resource).is_some_and(|kind| kind.looks_public(shown))
}

/// What the public sees of a resource before or after an event; `None` where it sees nothing of it.
pub fn seen(change: Change<'_>, shown: Option<&Value>) -> Option<Value> {
    if !is_seen(change, shown) {
        return None;
    }
    let shown = shown?;
    if let Some(PublicPart { members, .. }) = part_of(change) {
        let picked = members.iter().filter_map(|name| Some(((*name).to_owned(), shown.get(name)?.clone())));
        return Some(Value::Object(picked.collect::<Map<_, _>>()));
    }
    let (kind, members) = (kinds::of(change.resource)?, shown.as_object()?);
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
    match (is_seen(event.into(), event.before.as_ref()), is_seen(event.into(), event.after.as_ref())) {
        (false, true) => "published",
        (true, false) => "withdrawn",
        _ => &event.action,
    }
}
