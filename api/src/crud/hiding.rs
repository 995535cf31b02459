//! What of a resource the public sees: its public members, with null for what is hidden.

use serde_json::Value;

use crate::http::problem::ApiResult;
use crate::store::kind::{Kind, Member, Refers, Row};
use crate::store::rows::Executor;
use crate::store::visible::{Named, public_among};

/// What rows name and the public does not see. At most one statement.
pub async fn hidden(db: &Executor<'_>, kind: &Kind, rows: &[Box<dyn Row>]) -> ApiResult<Named> {
    // What one hangs on is seen with it.
    let hangs_on = kind.hangs_on().map(|(member, _)| member);
    let members = kind.written().iter().filter(|member| hangs_on != Some(member.name)).collect::<Vec<_>>();
    let named = rows.iter().flat_map(|row| {
        let shown = row.written_members();
        let named = members.iter().filter_map(move |member| Some(member.named(shown.get(member.name)?)));
        named.flatten().map(|(_, kind, key)| (kind, key)).collect::<Vec<_>>()
    });
    let named = named.filter(|(kind, _)| kind.can_be_hidden()).collect::<Named>();
    let public = public_among(db, named.clone()).await?;
    Ok(named.difference(&public).cloned().collect())
}

/// Leaves of a whole resource what the public sees, with null for what is hidden.
pub fn public_view(kind: &Kind, mut shown: Value, hidden: &Named) -> Value {
    let Some(members) = shown.as_object_mut() else { return shown };
    let known = kind.members();
    members.retain(|name, value| {
        let Some(member) = known.iter().find(|member| member.name == name && member.is_public) else { return false };
        keep_public(member, value);
        hide(member, value, hidden);
        true
    });
    shown
}

/// Leaves of the entries of a list what the public sees.
pub fn keep_public(member: &Member, value: &mut Value) {
    let Some(names) = member.public_entries else { return };
    for entry in value.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        entry.retain(|name, _| names.contains(&name.as_str()));
    }
}

/// Puts null where a member names what is hidden, and leaves it out of lists.
pub fn hide(member: &Member, value: &mut Value, hidden: &Named) {
    let is_hidden =
        |kind: &'static Kind, code: &Value| code.as_str().is_some_and(|code| hidden.contains(&(kind, code.to_owned())));
    match (member.refers, &mut *value) {
        (Refers::To(kind), Value::Array(codes)) => codes.retain(|code| !is_hidden(kind, code)),
        (Refers::To(kind), code) if is_hidden(kind, code) => *value = Value::Null,
        (Refers::Within(within), value)
            if within.named(value).into_iter().any(|(_, kind, code)| hidden.contains(&(kind, code))) =>
        {
            within.hide(value);
        }
        _ => {}
    }
}
