//! EVERY KIND, NAMED ONCE: the resources with their parts, in the order in which a file of all data has them: nothing refers to what comes
//! after it, but for parts of a tree. Routes, references, the audit log's event types, import and export go through this list.

use std::sync::LazyLock;

use crate::crud::{handlers, public};
use crate::http::operation::Operation;
use crate::http::table::Table;
use crate::resources::programmes::{coverage, transitions};
use crate::resources::{actions, clients, kpis, signing_keys, users, webhooks};
use crate::store::kind::{Audited, Kind, Stored};
use crate::tabular::columns::Tabular;

/// Calls a macro with every list of a file: `name: resource Type, of the public;` for a kind, or `name: part Type;` for what comes with one.
macro_rules! every_kind {
    ($with:ident) => {
        $with! {
            regions: resource crate::resources::regions::Region, public;
            masterplans: resource crate::resources::masterplans::Masterplan, public;
            dimensions: resource crate::resources::dimensions::Dimension, public;
            opds: resource crate::resources::opds::Opd, public;
            programmes: resource crate::resources::programmes::Programme, public;
            transitions: part Transition;
            coverage: part Coverage;
            quick_wins: resource crate::resources::quick_wins::QuickWin, public;
            kpis: resource crate::resources::kpis::Kpi, public;
            targets: part Target;
            measurements: part Measurement;
            actions: resource crate::resources::actions::Action, public;
            action_reports: part ActionReport;
            evaluations: resource crate::resources::evaluations::Evaluation, public;
            evaluation_records: part EvaluationRecord;
            findings: resource crate::resources::evaluations::findings::Finding, public;
            commitments: resource crate::resources::commitments::Commitment;
            council_members: resource crate::resources::council_members::CouncilMember;
            surveys: resource crate::resources::surveys::Survey, public;
            awards: resource crate::resources::awards::Award, public;
        }
    };
}
pub(crate) use every_kind;

macro_rules! registry {
    ($($list:ident: $sort:ident $type:path $(, $public:ident)?;)*) => {
        /// The kinds of resources.
        pub static KINDS: LazyLock<Vec<&'static Kind>> = LazyLock::new(|| {
            [$(registry!(@kind $sort $type)),*].into_iter().flatten().collect()
        });

        /// Mounts what people and systems with a token do with every kind.
        pub fn mount(table: &mut Table) {
            $(registry!(@mount $sort $type, table);)*
        }

        /// Mounts what the public reads of every kind that it sees.
        pub fn mount_public(table: &mut Table) {
            $($(registry!(@$public $type, table);)?)*
        }

        /// The list of every kind that the public sees, with its table.
        pub fn public_tables() -> Vec<(&'static Kind, Operation, Tabular)> {
            [$(registry!(@table $type $(, $public)?)),*].into_iter().flatten().collect()
        }
    };
    (@kind resource $type:path) => { Some(<$type as $crate::crud::resource::Resource>::KIND) };
    (@kind part $type:path) => { None::<&'static Kind> };
    (@mount resource $type:path, $table:ident) => { handlers::mount::<$type>($table, &STORED) };
    (@mount part $type:path, $table:ident) => {};
    (@public $type:path, $table:ident) => { public::mount::<$type>($table) };
    (@table $type:path) => { None };
    (@table $type:path, public) => { Some(public::table_of_all::<$type>()) };
}

every_kind!(registry);

/// What the audit log tells of: the kinds, their parts, and accounts.
pub static AUDITED: LazyLock<Vec<&'static Audited>> = LazyLock::new(|| {
    let parts = [
        &transitions::AUDITED,
        &coverage::AUDITED,
        &kpis::targets::AUDITED,
        &kpis::measurements::AUDITED,
        &actions::reports::AUDITED,
    ];
    let accounts = [&users::AUDITED, &clients::AUDITED, &webhooks::AUDITED, &signing_keys::AUDITED];
    KINDS.iter().map(|kind| &kind.audited).chain(parts).chain(accounts).collect()
});

/// Where references stand: in the rows of kinds, of their parts, and of accounts.
static STORED: LazyLock<Vec<Stored>> = LazyLock::new(|| {
    let kinds = KINDS.iter().flat_map(|kind| kind.stored());
    let parts = [coverage::STORED, kpis::targets::STORED, kpis::measurements::STORED, actions::reports::STORED];
    kinds.chain(parts).chain([users::STORED, clients::STORED]).collect()
});

/// What the feed and webhooks tell of to others than those who manage accounts.
pub fn fed() -> impl Iterator<Item = &'static Audited> {
    AUDITED.iter().copied().filter(|audited| !audited.is_about_accounts)
}

/// The kind that the audit log calls so.
pub fn of(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.names.one == name).copied()
}

/// What the audit log calls so.
pub fn audited(name: &str) -> Option<&'static Audited> {
    AUDITED.iter().find(|audited| audited.name == name).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use sea_orm::DbBackend;
    use serde_json::{Value, json};

    use super::*;
    use crate::auth::actor::ActorKind;
    use crate::crud::recorded;
    use crate::resources::{awards, evaluations};
    use crate::store::effect::{Effect, Seen};
    use crate::store::snapshots::AsOf;

    #[test]
    fn names_are_unique_and_every_reference_is_to_a_kind_of_the_list() {
        let names = AUDITED.iter().map(|audited| audited.name).collect::<BTreeSet<_>>();
        assert_eq!(names.len(), AUDITED.len());
        for stored in STORED.iter() {
            assert!(of(stored.to.names.one).is_some() && audited(stored.resource).is_some(), "{stored:?}");
        }
        for kind in KINDS.iter() {
            let members = kind.members();
            assert_eq!(members.iter().map(|member| member.name).collect::<BTreeSet<_>>().len(), members.len(), "{kind:?}");
            for member in (kind.groups)().into_iter().flatten() {
                let label = member.label;
                assert!(
                    !member.about_id.is_empty() && label.en != member.name && !label.id.is_empty(),
                    "{kind:?} {}",
                    member.name
                );
            }
        }
    }

    #[test]
    fn everything_that_events_record_has_members_an_example_and_labels() {
        for of in AUDITED.iter() {
            let recorded = (of.recorded)();
            assert!(!recorded.name.is_empty() && !recorded.members.is_empty(), "{}", of.name);
            let example = recorded.example.as_object().cloned().unwrap_or_default();
            assert!(
                !example.is_empty() && example.keys().all(|name| recorded.members.contains_key(name)),
                "{}: {example:?}",
                of.name
            );
            assert_ne!(recorded::example(of)["key"], "", "{}", of.name);
            assert!(!of.actions.is_empty());
            for action in of.actions {
                assert_ne!(recorded::action_label(action), (*action, *action), "no label of {}.{action}", of.name);
            }
        }
    }

    #[test]
    fn members_that_name_people_are_nullable_at_any_depth() {
        let finding = audited("finding").unwrap();
        let schema = recorded::recorded_schema(finding, &(finding.recorded)());
        assert_eq!(schema["properties"]["follow_ups"]["items"]["properties"]["by"]["type"], json!(["string", "null"]));
    }

    /// The columns that no member stands for.
    const BESIDE_MEMBERS: &[(&str, &str)] = &[("evaluation", "closed_by")];

    macro_rules! columns {
        ($($list:ident: $sort:ident $type:path $(, $public:ident)?;)*) => {
            #[test]
            fn every_column_is_that_of_a_member() {
                $(columns!(@$sort $type);)*
            }
        };
        (@resource $type:path) => {{
            let kind = <$type as crate::crud::resource::Resource>::KIND;
            let mut known = vec![kind.key.name(), "search", "version", "created_at", "updated_at"];
            known.extend(kind.parent.map(|parent| parent.member));
            for member in kind.written().iter().chain(kind.read_only()) {
                match member.columns {
                    [] => known.push(member.name),
                    columns => known.extend(columns.iter().map(|column| column.name)),
                }
            }
            type Columns = <<$type as crate::crud::members::Written>::Entity as sea_orm::EntityTrait>::Column;
            for column in <Columns as sea_orm::Iterable>::iter() {
                let name = sea_orm::IdenStatic::as_str(&column);
                let is_known = known.contains(&name) || BESIDE_MEMBERS.contains(&(kind.names.one, name));
                assert!(is_known, "{kind:?} has no member for the column {name}");
            }
        }};
        (@part $type:path) => {};
    }

    every_kind!(columns);

    #[test]
    fn what_hangs_on_something_is_public_with_it_only() {
        assert_eq!(
            evaluations::findings::KIND.is_public("finding"),
            "TRUE AND EXISTS (SELECT 1 FROM evaluation finding_evaluation WHERE finding_evaluation.code = finding.evaluation AND \
             finding_evaluation.published AND EXISTS (SELECT 1 FROM masterplan finding_evaluation_masterplan \
             WHERE finding_evaluation_masterplan.code = finding_evaluation.masterplan AND finding_evaluation_masterplan.status <> 'draft'))"
        );
    }

    #[test]
    fn a_past_day_asks_of_then_and_of_now_at_every_step() {
        let (day, today) = ("2022-10-04".parse().unwrap(), "2022-10-05".parse().unwrap());
        for kind in KINDS.iter().filter(|kind| kind.hangs_on().is_some()) {
            let depth = std::iter::successors(kind.hangs_on(), |(_, above)| above.hangs_on()).count() + 1;
            let past = kind.was_public("x", AsOf::new(day, today, DbBackend::Sqlite));
            assert_eq!(past.matches("_now WHERE ").count(), depth, "{past}");
            let now = kind.was_public("x", AsOf::new(today, today, DbBackend::Sqlite));
            assert_eq!((now.matches("_now").count(), now.matches("FROM past").count()), (0, 0), "{now}");
        }
    }

    #[test]
    fn what_has_no_publication_of_its_own_is_never_hidden() {
        let never = KINDS.iter().filter(|kind| !kind.can_be_hidden()).map(|kind| kind.names.one).collect::<Vec<_>>();
        assert_eq!(never, ["region", "dimension", "opd", "commitment"]);
    }

    #[test]
    fn what_the_public_never_sees_has_no_public_member_and_names_nothing() {
        for kind in KINDS.iter().filter(|kind| kind.publication.is_none()) {
            assert!((kind.groups)().into_iter().flatten().all(|member| !member.is_public), "{kind:?}");
        }
        let recipient = json!({ "recipient": { "kind": "programme", "ref": "SG-01", "name": "A" } });
        assert_eq!(awards::KIND.named_by(&recipient).len(), 1);
    }

    fn effect(name: &str, action: &str, before: Option<Value>, after: Option<Value>) -> Effect {
        let seen = Seen { actor: ActorKind::User, of: audited(name).unwrap(), is_verified: action == "verified" };
        seen.effect_of(before.as_ref(), after.as_ref(), "2022-10-04".parse().unwrap())
    }

    #[test]
    fn a_draft_leaves_the_past_alone_and_so_does_a_value_that_counts_from_today() {
        assert_eq!(effect("measurement", "created", None, Some(json!({ "state": "draft" }))), Effect::Reported);
        assert_eq!(effect("action_report", "submitted", None, Some(json!({ "state": "submitted" }))), Effect::Present);
        assert_eq!(effect("measurement", "verified", None, Some(json!({ "known_on": "2022-10-04" }))), Effect::Present);
        assert_eq!(effect("measurement", "verified", None, Some(json!({ "known_on": "2022-01-10" }))), Effect::Past);
    }

    #[test]
    fn what_changes_who_is_visible_changes_answers_about_the_past() {
        let resource = |published: bool, name: &str| Some(json!({ "published": published, "name": name }));
        assert_eq!(effect("programme", "updated", resource(true, "A"), resource(true, "B")), Effect::Present);
        assert_eq!(effect("programme", "updated", resource(true, "A"), resource(false, "A")), Effect::Past);
        assert_eq!(effect("programme", "created", None, resource(true, "A")), Effect::Past);
        assert_eq!(effect("programme", "deleted", resource(true, "A"), None), Effect::Past);
        let moved = |masterplan: &str| Some(json!({ "published": true, "masterplan": masterplan }));
        assert_eq!(effect("programme", "updated", moved("A"), moved("B")), Effect::Past);
        assert_eq!(effect("user", "updated", Some(json!({})), Some(json!({}))), Effect::Nothing);
    }
}
