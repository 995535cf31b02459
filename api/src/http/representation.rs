//! Which members of a resource an answer shows: `fields=`.

use super::query::Parameters;

/// The members a client picked.
#[derive(Clone, Debug, Default)]
pub struct Selection(Option<Vec<String>>);

impl Selection {
    /// Reads `fields=`, which may name `known` members and no others.
    pub fn read(parameters: &mut Parameters, known: &[impl AsRef<str>]) -> Self {
        let Some(picked) = parameters.list("fields") else { return Self::default() };
        if picked.iter().any(|name| known.iter().all(|known| known.as_ref() != name)) {
            let names = known.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
            parameters.refuse("fields", format!("Expected names out of {names}."), format!("Seharusnya nama dari {names}."));
        }
        Self(Some(picked))
    }

    /// Whether a member is among them; all are where the client picked none.
    pub fn has(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|members| members.iter().any(|member| member == name))
    }
}
