//! Everything that can happen to things, by kind: the event types that the feed tells and that webhooks can ask for.
//!
//! A change that records anything else is a mistake of ours, which a debug build stops at.

/// What happens to every resource.
const USUAL: &[&str] = &["created", "updated", "deleted", "imported"];
/// What happens to every report.
const REPORTED: &[&str] = &["created", "updated", "submitted", "returned", "verified", "revised", "deleted", "imported"];

/// What can happen to each kind of thing, but for accounts: those who manage them find that in the audit log.
pub const HAPPENINGS: &[(&str, &[&str])] = &[
    ("masterplan", USUAL),
    ("dimension", USUAL),
    ("opd", USUAL),
    ("region", USUAL),
    ("programme", &["created", "updated", "transitioned", "deleted", "imported"]),
    ("transition", &["created", "deleted", "imported"]),
    ("coverage", &["created", "updated", "imported"]),
    ("quick_win", USUAL),
    ("kpi", USUAL),
    ("kpi_target", USUAL),
    ("measurement", REPORTED),
    ("action", USUAL),
    ("action_report", REPORTED),
    ("evaluation", &["created", "updated", "closed", "deleted", "imported"]),
    ("finding", &["created", "updated", "followed_up", "deleted", "imported"]),
    ("commitment", USUAL),
    ("council_member", USUAL),
    ("survey", USUAL),
    ("award", USUAL),
];

/// What can happen to things of a kind, if the kind is among them.
pub fn of(kind: &str) -> Option<&'static [&'static str]> {
    HAPPENINGS.iter().find(|(known, _)| *known == kind).map(|(_, actions)| *actions)
}

/// Whether this can happen. What happens to accounts is not told here.
pub fn can_be(kind: &str, action: &str) -> bool {
    of(kind).is_none_or(|actions| actions.contains(&action))
}
