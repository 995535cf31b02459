//! THE RENDERER: which members of a row an answer shows, and how. Rows go straight to JSON text; only a member in whose place
//! something else is shown passes through memory.

use serde_json::Value;

use super::references::{Expansion, Found, put};
use crate::http::representation::Selection;
use crate::store::kind::{Kind, Member, Refers, Render, Row, Sink};
use crate::store::visible::Named;

/// What is shown of rows of a kind.
pub struct View<'a> {
    members: Vec<Member>,
    selection: &'a Selection,
    expansion: &'a Expansion,
    found: Found,
    /// For the public: what it may not see named. `None` for those who log in.
    hidden: Option<Named>,
}

impl<'a> View<'a> {
    /// What those see who log in.
    pub fn whole(kind: &Kind, selection: &'a Selection, expansion: &'a Expansion, found: Found) -> Self {
        Self { members: kind.members(), selection, expansion, found, hidden: None }
    }

    /// What the public sees: no members but public ones, and nothing that names what is hidden.
    pub fn public(kind: &Kind, selection: &'a Selection, expansion: &'a Expansion, hidden: Named) -> Self {
        Self { members: kind.members(), selection, expansion, found: Found::new(), hidden: Some(hidden) }
    }

    /// A row as JSON text.
    pub fn json(&self, row: &dyn Row) -> Vec<u8> {
        let mut sink = JsonText { view: self, out: Vec::with_capacity(512) };
        sink.out.push(b'{');
        row.members(&mut sink);
        sink.out.push(b'}');
        sink.out
    }

    /// A member as it is shown, if it is shown and not as it is.
    fn instead(&self, member: &Member, value: &dyn Render) -> Option<Value> {
        if self.expansion.has(member.name) {
            let mut value = value.value();
            if let Some(found) = member.target().and_then(|kind| self.found.get(kind)) {
                put(&mut value, found);
            }
            return Some(value);
        }
        let hidden = self.hidden.as_ref()?;
        let may_hide = !hidden.is_empty() && !matches!(member.refers, Refers::Nothing);
        (may_hide || member.public_entries.is_some()).then(|| {
            let mut value = value.value();
            keep_public(member, &mut value);
            hide(member, &mut value, hidden);
            value
        })
    }
}

/// Writes members as JSON text.
struct JsonText<'v> {
    view: &'v View<'v>,
    out: Vec<u8>,
}

impl Sink for JsonText<'_> {
    fn member(&mut self, name: &'static str, value: &dyn Render) {
        let Some(member) = self.view.members.iter().find(|member| member.name == name) else { return };
        if (self.view.hidden.is_some() && !member.is_public) || !self.view.selection.has(name) {
            return;
        }
        if self.out.len() > 1 {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        match self.view.instead(member, value) {
            Some(other) => other.json(&mut self.out),
            None => value.json(&mut self.out),
        }
    }
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
