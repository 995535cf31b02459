//! What the audit log tells of webhooks.

use crate::http::language::Noun;
use crate::store::kind::{Audited, Changes};

/// Only administrators see what happens to webhooks, and no answer changes with them.
pub static AUDITED: Audited = Audited::new("webhook", Noun::new("webhook", "webhook")).actions(&[]).changes(Changes::Nothing);
