//! Which members of a thing an answer shows: `fields=`.

use serde_json::Value;

/// The members a client picked.
#[derive(Clone, Debug, Default)]
pub struct Selection(Option<Vec<String>>);

impl Selection {
    /// The picked members.
    pub fn of(members: Vec<String>) -> Self {
        Self(Some(members))
    }

    /// Leaves only the picked members of `thing`.
    pub fn apply(&self, thing: &mut Value) {
        if let (Some(members), Value::Object(object)) = (&self.0, thing) {
            object.retain(|name, _| members.iter().any(|member| member == name));
        }
    }
}
