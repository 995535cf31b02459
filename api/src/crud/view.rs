//! THE RENDERER: which members of a row an answer shows, and how. Rows go straight to JSON text; only a member in whose place
//! something else is shown passes through memory.

use serde_json::Value;

use super::hiding::{hide, keep_public};
use super::references::{Expansion, Found, put};
use crate::http::language::{Language, speak};
use crate::http::representation::Selection;
use crate::store::kind::{ETAG, Kind, Member, Refers, Render, Row, Sink};
use crate::store::visible::Named;

/// What is shown of rows of a kind.
pub struct View<'a> {
    members: Vec<Member>,
    selection: &'a Selection,
    expansion: &'a Expansion,
    found: Found,
    language: Language,
    /// For the public: what it may not see named. `None` for those who log in.
    hidden: Option<Named>,
}

impl<'a> View<'a> {
    /// What those see who log in.
    pub fn whole(kind: &Kind, selection: &'a Selection, expansion: &'a Expansion, found: Found, language: Language) -> Self {
        Self { members: kind.members(), selection, expansion, found, language, hidden: None }
    }

    /// What the public sees: no members but public ones, and nothing that names what is hidden.
    pub fn public(
        kind: &Kind,
        selection: &'a Selection,
        expansion: &'a Expansion,
        found: Found,
        hidden: Named,
        language: Language,
    ) -> Self {
        Self { members: kind.members(), selection, expansion, found, language, hidden: Some(hidden) }
    }

    /// A row as JSON text.
    pub fn json(&self, row: &dyn Row) -> Vec<u8> {
        let mut sink = JsonText { view: self, out: Vec::with_capacity(512) };
        sink.out.push(b'{');
        row.members(&mut sink);
        if self.hidden.is_none() && self.selection.has(ETAG.name) {
            sink.member(ETAG.name, &row.etag());
        }
        sink.out.push(b'}');
        sink.out
    }

    /// A member as it is shown, if it is shown and not as it is.
    fn instead(&self, member: &Member, value: &dyn Render) -> Option<Value> {
        let is_expanded = self.expansion.has(member.name);
        let may_hide =
            |hidden: &&Named| member.public_entries.is_some() || !(hidden.is_empty() || matches!(member.refers, Refers::Nothing));
        let hidden = self.hidden.as_ref().filter(may_hide);
        if !is_expanded && !member.is_in_language && hidden.is_none() {
            return None;
        }
        let mut value = value.value();
        if member.is_in_language {
            speak(&mut value, self.language);
        }
        if let Some(hidden) = hidden {
            keep_public(member, &mut value);
            hide(member, &mut value, hidden);
        }
        if let Some(found) = member.target().filter(|_| is_expanded).and_then(|kind| self.found.get(kind)) {
            put(&mut value, found);
        }
        Some(value)
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
