//! What an OPD still owes: periods without a value, drafts, and reports that were returned.

use renaksi_tests::resource::ACTIONS;
use renaksi_tests::{Actor, on_both_databases};
use serde_json::{Value, json};

const OBLIGATIONS: &str = "/v1/me/obligations";
const STUNTING: &str = "/v1/kpis/STUNTING";

on_both_databases! {
    async fn an_operator_sees_what_is_missing(app) {
        let operator = app.operator_dinkes().await;
        let owed = owed(&operator, OBLIGATIONS).await;
        assert!(!owed.is_empty(), "each year after 2022 is owed once it has ended");
        // No clock of its own: the service says what day it is, in UTC, and the regency is less than a day ahead.
        let today = operator.put(format!("{STUNTING}/measurements/2019"), json!({ "value": "25" })).await.is(201);
        let today = today.text_at("created_at")[..10].to_owned();
        let first = year(&owed[0]);
        assert!(first >= 2023, "2021 and 2022 are verified: {owed:?}");
        for (number, row) in (first..).zip(&owed) {
            let due_on = format!("{}-01-10", number + 1);
            for (member, value) in [
                ("kind", json!("missing")), ("kpi", json!("STUNTING")), ("kpi_name", json!("Prevalensi stunting")),
                ("opd", json!("DINKES")), ("period", json!(number.to_string())), ("due_on", json!(due_on)),
                ("reason", Value::Null), ("version", Value::Null),
            ] {
                assert_eq!(row[member], value, "`{member}` of {row}");
            }
            assert!(format!("{number}-12-31") <= today, "{row} has not ended on {today}");
            assert!(row["overdue"] == json!(due_on < today) || due_on == today, "{row} on {today}");
        }
        let next = first + i32::try_from(owed.len()).unwrap();
        assert!(format!("{next}-12-31") >= today, "{next} is owed too on {today}");
    }

    async fn a_report_is_owed_until_it_is_handed_in(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        let before = owed(&operator, OBLIGATIONS).await;
        let period = before[0]["period"].as_str().unwrap();
        let path = format!("{STUNTING}/measurements/{period}");
        let at = |rows: &[Value]| rows.iter().filter(|row| row["period"] == period).cloned().collect::<Vec<_>>();

        let draft = operator.put(&path, json!({ "value": "19.1" })).await.is(201);
        let rows = owed(&operator, OBLIGATIONS).await;
        assert_eq!(rows.len(), before.len(), "it is owed once: {rows:?}");
        assert_eq!((&rows[0]["kind"], &rows[0]["version"]), (&json!("draft"), &draft.at("version")));
        assert_eq!((&rows[0]["due_on"], &rows[0]["reason"]), (&before[0]["due_on"], &Value::Null));

        operator.post(format!("{path}/submit"), json!({})).await.is(200);
        assert_eq!(owed(&operator, OBLIGATIONS).await, before[1..]);
        let returned = verifier.post(format!("{path}/return"), json!({ "reason": "Bukti belum ada" })).await.is(200);
        let found = at(&owed(&operator, OBLIGATIONS).await);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((&found[0]["kind"], &found[0]["reason"]), (&json!("returned"), &json!("Bukti belum ada")));
        assert_eq!(found[0]["version"], returned.at("version"));
        operator.post(format!("{path}/submit"), json!({})).await.is(200);
        verifier.post(format!("{path}/verify"), json!({})).await.is(200);
        assert_eq!(owed(&operator, OBLIGATIONS).await, before[1..]);
    }

    async fn each_quarter_of_an_action_is_owed_once_it_has_ended(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        let before = owed(&operator, OBLIGATIONS).await;
        // Years that are surely over, and one that is surely to come.
        let today = operator.put(format!("{STUNTING}/measurements/2019"), json!({ "value": "25" })).await.is(201);
        let year = today.text_at("created_at")[..4].parse::<i32>().unwrap() - 1;
        let action = new_action(&operator, year).await;
        for other in [year - 9, year + 90] {
            new_action(&operator, other).await;
        }
        let of_actions = async || {
            let rows = owed(&operator, OBLIGATIONS).await;
            rows.into_iter().filter(|row| row["report"] == "action_report").collect::<Vec<_>>()
        };
        let rows = of_actions().await;
        let due = [format!("{year}-04-10"), format!("{year}-07-10"), format!("{year}-10-10"), format!("{}-01-10", year + 1)];
        assert_eq!(rows.len(), 4, "{rows:?}");
        for (quarter, (row, due_on)) in (1..).zip(rows.iter().zip(due)) {
            for (member, value) in [
                ("kind", json!("missing")), ("action", json!(action)), ("action_title", json!("Renaksi uji")), ("kpi", Value::Null),
                ("opd", json!("DINKES")), ("period", json!(format!("{year}-Q{quarter}"))), ("due_on", json!(due_on)),
            ] {
                assert_eq!(row[member], value, "`{member}` of {row}");
            }
        }
        assert!(owed(&app.operator_dlh().await, OBLIGATIONS).await.iter().all(|row| row["action"] != json!(action)));
        assert_eq!(owed(&operator, OBLIGATIONS).await.len(), before.len() + 5, "the draft of 2019 as well");
        assert_eq!(owed(&operator, &format!("{OBLIGATIONS}?limit=1")).await, owed(&operator, OBLIGATIONS).await);

        let path = format!("{}/reports/2", ACTIONS.one(&action));
        let draft = operator.put(&path, json!({ "realisation": "1" })).await.is(201);
        let rows = of_actions().await;
        assert_eq!((&rows[1]["kind"], &rows[1]["version"]), (&json!("draft"), &draft.at("version")));
        operator.post(format!("{path}/submit"), json!({})).await.is(200);
        assert_eq!(of_actions().await.len(), 3);
        verifier.post(format!("{path}/return"), json!({ "reason": "Bukti belum ada" })).await.is(200);
        let rows = of_actions().await;
        assert_eq!((&rows[1]["kind"], &rows[1]["reason"]), (&json!("returned"), &json!("Bukti belum ada")));
    }

    async fn a_client_sees_the_same(app) {
        let (operator, client) = (app.operator_dinkes().await, app.client_dinkes().await);
        operator.put(format!("{STUNTING}/measurements/2019"), json!({ "value": "25" })).await.is(201);
        let seen = owed(&client, OBLIGATIONS).await;
        assert_eq!(seen, owed(&operator, OBLIGATIONS).await);
        // A draft is owed however old it is.
        assert_eq!((&seen[0]["kind"], &seen[0]["period"]), (&json!("draft"), &json!("2019")));
        assert!(owed(&app.client_dlh().await, OBLIGATIONS).await.iter().all(|row| row["opd"] == "DLH"));
        app.anyone().get(OBLIGATIONS).await.is(401);
    }

    async fn each_asks_for_its_own(app) {
        let (admin, operator) = (app.admin().await, app.operator_dinkes().await);
        operator.get(format!("{OBLIGATIONS}?opd=DLH")).await.is(403).has_problem("outside_own_opd");
        app.client_dinkes().await.get(format!("{OBLIGATIONS}?opd=DLH")).await.is(403).has_problem("outside_own_opd");
        let own = owed(&operator, OBLIGATIONS).await;
        assert_eq!(owed(&operator, &format!("{OBLIGATIONS}?opd=DINKES")).await, own);
        assert!(owed(&operator, &format!("{OBLIGATIONS}?opd=PKM-KAYANGAN")).await.is_empty(), "it has no KPI");

        let all = owed(&admin, OBLIGATIONS).await;
        for opd in ["DLH", "DINKES"] {
            let some = owed(&admin, &format!("{OBLIGATIONS}?opd={opd}")).await;
            assert!(!some.is_empty(), "{opd}");
            assert_eq!(some, all.iter().filter(|row| row["opd"] == opd).cloned().collect::<Vec<_>>());
        }
        assert_eq!(owed(&app.verifier().await, OBLIGATIONS).await, all);
        admin.get(format!("{OBLIGATIONS}?opd=NO-SUCH")).await.is(404).has_problem("not_found");
        admin.get(format!("{OBLIGATIONS}?tpyo=1")).await.is(400).has_fault_in_parameter("tpyo");
    }

    async fn pages_make_up_the_list(app) {
        let admin = app.admin().await;
        let whole = admin.get(format!("{OBLIGATIONS}?limit=200&count=true")).await.is(200).has("page/next_cursor", Value::Null);
        let rows = whole.rows();
        let whole = whole.has("page/total", rows.len());
        assert!(rows.len() > 2, "{whole:?}");
        assert_eq!(owed(&admin, &format!("{OBLIGATIONS}?limit=1")).await, rows);
        let due = whole.column("due_on").iter().map(|due| due.as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert!(due.is_sorted(), "{due:?}");

        let first = admin.get(format!("{OBLIGATIONS}?limit=1&count=true")).await.is(200).has("page/total", rows.len());
        let cursor = first.text_at("page/next_cursor");
        assert_eq!(admin.get(format!("{OBLIGATIONS}?limit=1&cursor={cursor}")).await.is(200).rows(), rows[1..2]);
        admin.get(format!("{OBLIGATIONS}?opd=DLH&cursor={cursor}")).await.is(400).has_problem("invalid_cursor");
        for limit in ["0", "201", "x"] {
            admin.get(format!("{OBLIGATIONS}?limit={limit}")).await.is(400).has_fault_in_parameter("limit");
        }
    }
}

/// Creates an action of a year, and answers its id.
async fn new_action(actor: &Actor, year: i32) -> String {
    let (_, mut body) = ACTIONS.new_body();
    body["year"] = json!(year);
    ACTIONS.create_as(actor, body).await.0
}

async fn owed(actor: &Actor, path: &str) -> Vec<Value> {
    actor.all(path).await
}

fn year(row: &Value) -> i32 {
    row["period"].as_str().unwrap().parse().unwrap()
}
