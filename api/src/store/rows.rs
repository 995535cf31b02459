//! What can be done with rows of any kind, without knowing their type.

use sea_orm::{DatabaseExecutor, Value as Parameter};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::kind::{Render, Row, Sink, Stamp};
use crate::http::precondition::{entity_tag, entity_tag_with};
use crate::http::problem::{ApiError, ApiResult};

/// A connection or a transaction: code that takes this exists once for both.
pub type Executor<'a> = DatabaseExecutor<'a>;

impl<T: Serialize + ?Sized> Render for T {
    fn json(&self, out: &mut Vec<u8>) {
        // Members of rows serialize, and memory takes all that is written to it.
        if serde_json::to_writer(&mut *out, self).is_err() {
            out.extend_from_slice(b"null");
        }
    }

    fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl dyn Row + '_ {
    /// Tells every member, in the order in which answers show them.
    pub fn members(&self, sink: &mut dyn Sink) {
        let (kind, stamp) = (self.kind(), self.stamp());
        sink.member(kind.key.name(), &self.key());
        if let Some(parent) = kind.parent {
            sink.member(parent.member, &self.text(parent.member));
        }
        self.written(sink);
        self.read_only(sink);
        self.computed(sink);
        sink.member("version", &stamp.version);
        sink.member("created_at", &stamp.created_at);
        sink.member("updated_at", &stamp.updated_at);
    }

    /// Every member, as the audit log tells it.
    pub fn shown(&self) -> Value {
        collect(|sink| self.members(sink))
    }

    /// The members that clients write.
    pub fn written_members(&self) -> Value {
        collect(|sink| self.written(sink))
    }

    /// What a text column holds; nothing where it is null.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.column(name) {
            Some(Parameter::String(text)) => text,
            _ => None,
        }
    }

    /// The entity tag of the representation: also of what was computed.
    pub fn etag(&self) -> String {
        let mut computed = Members::default();
        self.computed(&mut computed);
        self.stamp().etag_with(&computed.0)
    }
}

impl Stamp {
    /// Out of the columns of a row.
    pub fn read(column: impl Fn(&str) -> Option<Parameter>) -> ApiResult<Self> {
        let instant = |name| match column(name) {
            Some(Parameter::ChronoDateTimeUtc(Some(instant))) => Ok(instant),
            _ => Err(ApiError::unexpected(format!("column `{name}` holds no instant"))),
        };
        let version = match column("version") {
            Some(Parameter::Int(Some(version))) => version,
            _ => return Err(ApiError::unexpected("column `version` holds no number")),
        };
        Ok(Self { version, created_at: instant("created_at")?, updated_at: instant("updated_at")? })
    }

    /// The entity tag.
    pub fn etag(&self) -> String {
        entity_tag(self.version, self.created_at)
    }

    /// The entity tag of a representation that also holds what was computed.
    pub fn etag_with(&self, computed: &Map<String, Value>) -> String {
        if computed.is_empty() {
            return self.etag();
        }
        let digest = Sha256::digest(serde_json::to_string(computed).unwrap_or_default());
        entity_tag_with(self.version, self.created_at, &hex::encode(&digest[..6]))
    }
}

/// Members in memory.
#[derive(Default)]
pub struct Members(pub Map<String, Value>);

impl Sink for Members {
    fn member(&mut self, name: &'static str, value: &dyn Render) {
        self.0.insert(name.to_owned(), value.value());
    }
}

/// What `tell` tells, as a JSON object in memory.
pub fn collect(tell: impl FnOnce(&mut dyn Sink)) -> Value {
    let mut members = Members::default();
    tell(&mut members);
    Value::Object(members.0)
}
