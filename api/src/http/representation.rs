//! Which members of a resource an answer shows: `fields=`.

/// The members a client picked.
#[derive(Clone, Debug, Default)]
pub struct Selection(Option<Vec<String>>);

impl Selection {
    /// The picked members.
    pub fn of(members: Vec<String>) -> Self {
        Self(Some(members))
    }

    /// Whether a member is among them; all are where the client picked none.
    pub fn has(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|members| members.iter().any(|member| member == name))
    }
}
