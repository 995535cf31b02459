//! The state of an action on a day, with the reason.

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::EnumIter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ActionPlan, YEAR_END, is_reached, last_reported, progress, realised, shown, target};
use crate::{
    rules::{
        explanation::Explanation,
        reason::{Reason, ReasonCode},
    },
    value::{decimal::Percent, period::Period},
};

/// The version of the rule.
pub const VERSION: &str = "action-state-2";

/// The state of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    /// Nothing is realised, and nothing is due.
    NotStarted,
    /// What was due by now is realised.
    OnTrack,
    /// The due day has passed, or the action is behind the target of the last quarter that ended.
    Late,
    /// The year's target is reached and verified.
    Done,
}

crate::labels! { ActionState {
    NotStarted: "Not started", "Belum dimulai";
    OnTrack: "On track", "Sesuai rencana";
    Late: "Late", "Terlambat";
    Done: "Done", "Selesai";
} }

impl ActionState {
    /// Its words, in their order.
    pub const WORDS: &'static [&'static str] = &["not_started", "on_track", "late", "done"];

    /// The state, as answers show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::OnTrack => "on_track",
            Self::Late => "late",
            Self::Done => "done",
        }
    }
}

impl fmt::Display for ActionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The number of quarters of a year that have ended before a day: 0 up to 31 March, 4 after the year.
pub fn last_ended_quarter(year: i32, today: NaiveDate) -> u8 {
    (1..=YEAR_END).rev().find(|quarter| Period::Quarter(year, *quarter).end() < today).unwrap_or(0)
}

/// The state of an action on a day, by what is verified of it. It is the first of these that holds:
///
/// - `done`: a verified report reaches the year's target, which any does where that is 0;
/// - `late`: `due_on` has passed, or what is realised up to the last quarter that ended is below the target of that quarter;
/// - `not_started`: nothing is realised, and nothing is due, since it is not late;
/// - `on_track`.
pub fn state(plan: &ActionPlan, today: NaiveDate) -> ActionState {
    judge(plan, today).0
}

/// The state of an action and its progress by all that is verified, with the data by which they were judged.
#[derive(Clone, Debug, PartialEq)]
pub struct ExplainedAction {
    /// The state.
    pub state: ActionState,
    /// How much of the year's target is realised.
    pub progress: Percent,
    /// How both were computed.
    pub explanation: Explanation,
}

/// The state of an action on a day and its progress, with their explanation.
pub fn explain(plan: &ActionPlan, today: NaiveDate) -> ExplainedAction {
    let (state, reason) = judge(plan, today);
    let progress = progress(plan, YEAR_END);
    let (whole, gone) = (shown(target(&plan.targets, YEAR_END)), shown(realised(&plan.realisation, YEAR_END)));
    let share = if target(&plan.targets, YEAR_END).is_zero() {
        Reason::new(ReasonCode::ActionProgressOfZero).with("progress", progress)
    } else {
        Reason::new(ReasonCode::ActionProgress).with("progress", progress).with("realisation", gone).with("target", whole)
    };

    let mut explanation = Explanation::new("action_state", VERSION, vec![reason, share])
        .input("year", plan.year)
        .input("today", today)
        .optional_input("due_on", plan.due_on);
    for (quarter, due) in (1..).zip(plan.targets) {
        explanation = explanation.input(&format!("target_q{quarter}"), shown(due));
    }
    for (quarter, gone) in (1..).zip(plan.realisation) {
        explanation = explanation.optional_input(&format!("realisation_q{quarter}"), gone.map(shown));
    }
    ExplainedAction { state, progress, explanation }
}

/// The state, with the reason.
fn judge(plan: &ActionPlan, today: NaiveDate) -> (ActionState, Reason) {
    let year_target = shown(target(&plan.targets, YEAR_END));
    if is_reached(plan, YEAR_END) {
        let gone = shown(realised(&plan.realisation, YEAR_END));
        let reason = Reason::new(ReasonCode::ActionDone).with("realisation", gone).with("target", year_target);
        return (ActionState::Done, reason);
    }
    if let Some(due_on) = plan.due_on.filter(|due_on| *due_on < today) {
        let reason = Reason::new(ReasonCode::ActionOverdue).with("target", year_target).with("due_on", due_on);
        return (ActionState::Late, reason);
    }

    let ended = last_ended_quarter(plan.year, today);
    let (due, gone) = (target(&plan.targets, ended), realised(&plan.realisation, ended));
    let quarter = Period::Quarter(plan.year, ended);
    let held_against = |code| {
        let reason = Reason::new(code).with("realisation", shown(gone)).with("target", shown(due));
        reason.with("period", quarter)
    };
    if gone < due {
        return (ActionState::Late, held_against(ReasonCode::ActionBehind));
    }
    if last_reported(&plan.realisation, YEAR_END).is_none_or(|gone| gone <= Decimal::ZERO) {
        return (ActionState::NotStarted, Reason::new(ReasonCode::ActionNotStarted));
    }
    let reason = match ended {
        0 => Reason::new(ReasonCode::ActionBegunEarly).with("period", Period::Quarter(plan.year, 1)),
        _ => held_against(ReasonCode::ActionKeepsUp),
    };
    (ActionState::OnTrack, reason)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use sea_orm::Iterable;
    use serde_json::json;

    use super::super::tests::{any_plan, plan};
    use super::ActionState::{Done, Late, NotStarted, OnTrack};
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_quarter_has_ended_on_the_day_after() {
        for (today, ended) in [
            ("2021-12-31", 0),
            ("2022-03-31", 0),
            ("2022-04-01", 1),
            ("2022-06-30", 1),
            ("2022-07-01", 2),
            ("2022-10-01", 3),
            ("2022-12-31", 3),
            ("2023-01-01", 4),
            ("2030-01-01", 4),
        ] {
            assert_eq!(last_ended_quarter(2022, day(today)), ended, "{today}");
        }
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        let targets = [0, 4, 8, 12];
        for (realisation, today, expected) in [
            ("", "2021-06-01", NotStarted),
            ("", "2022-06-30", NotStarted),
            ("0", "2022-06-30", NotStarted),
            ("1", "2022-03-31", OnTrack),
            ("1", "2022-06-30", OnTrack),
            ("", "2022-07-01", Late),
            ("1", "2022-07-01", Late),
            ("- 4", "2022-07-01", OnTrack),
            ("- 4", "2022-10-01", Late),
            ("5 - 8", "2022-10-01", OnTrack),
            ("- - 8", "2023-01-01", Late),
            ("- - - 11.99", "2023-01-01", Late),
            ("- - - 12", "2023-01-01", Done),
            ("12", "2022-02-01", Done),
            ("12 11", "2022-05-01", OnTrack),
        ] {
            assert_eq!(state(&plan(targets, realisation), day(today)), expected, "{realisation:?} on {today}");
        }
    }

    #[test]
    fn what_comes_after_the_last_ended_quarter_does_not_make_up_for_it() {
        assert_eq!(state(&plan([4, 8, 12, 16], "3 7"), day("2022-04-01")), Late);
    }

    #[test]
    fn its_day_has_passed_on_the_day_after() {
        let plan = |realisation| ActionPlan { due_on: Some(day("2022-05-31")), ..plan([0, 0, 0, 12], realisation) };
        assert_eq!(state(&plan(""), day("2022-05-31")), NotStarted);
        assert_eq!(state(&plan("11"), day("2022-05-31")), OnTrack);
        assert_eq!(state(&plan(""), day("2022-06-01")), Late);
        assert_eq!(state(&plan("11"), day("2022-06-01")), Late);
        assert_eq!(state(&plan("12"), day("2022-06-01")), Done);
    }

    #[test]
    fn a_years_target_of_zero_is_done_by_a_verified_report() {
        assert_eq!(state(&plan([0; 4], ""), day("2023-01-01")), NotStarted);
        assert_eq!(state(&plan([0; 4], "0"), day("2022-04-20")), Done);
    }

    #[test]
    fn a_state_explains_itself() {
        let plan = ActionPlan { due_on: Some(day("2022-12-15")), ..plan([2, 4, 8, 12], "2 3") };
        let explained = explain(&plan, day("2022-07-11"));
        assert_eq!((explained.state, explained.progress.to_string().as_str()), (Late, "25.00"));
        assert_eq!(
            explained.explanation.as_json(),
            json!({
                "rule": "action_state",
                "rule_version": "action-state-2",
                "inputs": {
                    "year": "2022", "today": "2022-07-11", "due_on": "2022-12-15",
                    "target_q1": "2", "target_q2": "4", "target_q3": "8", "target_q4": "12",
                    "realisation_q1": "2", "realisation_q2": "3", "realisation_q3": null, "realisation_q4": null,
                },
                "reasons": [
                    "verified realisation 3 is below the target 4 of 2022-Q2",
                    "progress is 25.00: 3 / 12 x 100, from 0 to 100",
                ],
            })
        );
    }

    #[test]
    fn a_state_gives_its_reason() {
        let due = Some(day("2022-05-31"));
        for (plan, today, expected) in [
            (plan([2, 4, 8, 12], "2 12.5"), "2022-07-01", "verified realisation 12.5 is at least the year's target 12"),
            (
                ActionPlan { due_on: due, ..plan([0, 0, 0, 12], "2") },
                "2022-06-01",
                "the year's target 12 is not reached, and 2022-05-31 has passed",
            ),
            (plan([0, 4, 8, 12], ""), "2022-04-01", "nothing is realised, and nothing is due"),
            (plan([0, 4, 8, 12], "1"), "2022-03-01", "something is realised before 2022-Q1 has ended"),
            (plan([0, 4, 8, 12], "1 5"), "2022-07-01", "verified realisation 5 is at least the target 4 of 2022-Q2"),
        ] {
            assert_eq!(explain(&plan, day(today)).explanation.reasons[0].in_english(), expected);
        }
        assert_eq!(
            explain(&plan([0; 4], "0"), day("2022-05-01")).explanation.reasons[1].in_english(),
            "progress is 100.00: the year's target is 0, which counts as 100 when done, else 0"
        );
    }

    #[test]
    fn a_state_is_written_alike_everywhere() {
        for state in ActionState::iter() {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    proptest! {
        #[test]
        fn an_action_is_done_where_all_of_it_is_realised(plan in any_plan(), days in 0_i64..800) {
            let today = day("2021-11-01") + chrono::Duration::days(days);
            prop_assert_eq!(state(&plan, today) == Done, super::super::exact_progress(&plan, 4) == Decimal::ONE_HUNDRED);
        }

        #[test]
        fn who_keeps_to_the_plan_is_never_late(plan in any_plan(), days in 0_i64..800) {
            let today = day("2021-11-01") + chrono::Duration::days(days);
            let ended = usize::from(last_ended_quarter(plan.year, today));
            let kept = ActionPlan {
                realisation: std::array::from_fn(|index| (index < ended).then_some(plan.targets[index])),
                ..plan
            };
            prop_assert_ne!(state(&kept, today), Late);
        }

        #[test]
        fn time_alone_never_makes_it_better(plan in any_plan(), days in 0_i64..800, later in 0_i64..800) {
            let today = day("2021-11-01") + chrono::Duration::days(days);
            if state(&plan, today) == NotStarted {
                let after = state(&plan, today + chrono::Duration::days(later));
                prop_assert!(matches!(after, NotStarted | Late), "{after}");
            }
        }
    }
}
