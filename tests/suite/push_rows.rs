//! A row says what it holds, no more: what it does not name stays, a repeat is none, and null clears.

use renaksi_tests::document::Document;
use renaksi_tests::resource::{ACTIONS, PROGRAMMES};
use renaksi_tests::{Actor, on_both_databases, on_shared_servers};
use serde_json::{Map, Value, json};

use super::push::{CSV, JSON, NDJSON, PUSH, counted, csv_cell, new_kpi};

const PROGRAMMES_PUSH: &str = "/v1/push/programmes";
const ACTIONS_PUSH: &str = "/v1/push/action-reports";

on_shared_servers! {
    async fn a_repeat_of_what_a_person_wrote_leaves_it_alone(app) {
        let (client, operator, verifier) = (app.client_dinkes().await, app.operator_dinkes().await, app.verifier().await);
        let kpi = new_kpi(&app.admin().await, "DINKES").await;
        let path = format!("/v1/kpis/{kpi}/measurements/2020-01");
        operator.put(&path, json!({ "value": "5", "note": "catatan", "evidence": [{ "title": "SK Bupati" }] })).if_none_match("*").await.is(201);
        operator.post(format!("{path}/submit"), json!({})).await.is(200);
        let written = client.get(&path).await.is(200).json();
        let repeat = format!("kpi,period,value\n{kpi},2020-01,5\n");
        for _ in 0..2 {
            counted(&client.push(PUSH, CSV, repeat.clone()).await.is(200), [1, 0, 0, 1, 0, 0]);
        }
        assert_eq!(client.get(&path).await.is(200).json(), written);

        // While a correction waits, a repeat of what is in force does not take its place.
        verifier.post(format!("{path}/verify"), json!({})).await.is(200);
        let correction = json!([{ "kpi": kpi, "period": "2020-01", "value": "6", "reason": "Salah hitung" }]);
        counted(&client.push(PUSH, JSON, correction.to_string()).await.is(200), [1, 0, 1, 0, 0, 0]);
        let waiting = client.get(&path).await.is(200).has("value", "6").has("note", "catatan").has("revision", 2).json();
        for value in ["5", "6"] {
            let repeat = json!([{ "kpi": kpi, "period": "2020-01", "value": value }]);
            counted(&client.push(PUSH, JSON, repeat.to_string()).await.is(200), [1, 0, 0, 1, 0, 0]);
        }
        assert_eq!(client.get(&path).await.is(200).json(), waiting);
    }

    async fn a_draft_that_is_handed_in_stays_its_writers(app) {
        let (client, operator) = (app.client_dinkes().await, app.operator_dinkes().await);
        let kpi = new_kpi(&app.admin().await, "DINKES").await;
        let path = format!("/v1/kpis/{kpi}/measurements/2020-01");
        operator.put(&path, json!({ "value": "5", "note": "catatan" })).if_none_match("*").await.is(201);
        let row = json!([{ "kpi": kpi, "period": "2020-01", "value": "5" }]);
        counted(&client.push(PUSH, JSON, row.to_string()).await.is(200), [1, 0, 1, 0, 0, 0]);
        let stored = client.get(&path).await.is(200).has("state", "submitted").has("submitted_by", "demo-dinkes");
        stored.has("reported_by", "operator.dinkes@demo.invalid").has("note", "catatan").has("version", 2);
    }

    async fn rows_of_one_key_say_one_thing(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let row = |members: Value| {
            let mut row = json!({ "kpi": kpi, "period": "2020-01" });
            row.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            row
        };
        let rows = json!([row(json!({ "value": "5", "note": "a" })), row(json!({ "note": "a" })), row(json!({ "value": "6" })), row(json!({}))]);
        let pushed = client.push(format!("{PUSH}?mode=partial"), JSON, rows.to_string()).await.is(200);
        counted(&pushed.has("rows/0/row", 3).has("rows/0/errors/0/code", "duplicate_key"), [4, 1, 0, 2, 0, 1]);
        // A row that was rejected does not keep a good one out.
        let rows = json!([row(json!({ "value": "1e9" })), row(json!({ "value": "7" }))]);
        counted(&client.push(format!("{PUSH}?mode=partial"), JSON, rows.to_string()).await.is(200), [2, 0, 1, 0, 0, 1]);
    }

    async fn a_source_clock_in_the_future_is_refused(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let row = |value: &str, time: &str| json!([{ "kpi": kpi, "period": "2020-01", "value": value, "source_updated_at": time }]).to_string();
        let refused = client.push(PUSH, JSON, row("5", "2199-01-01T00:00:00Z")).await.is(422);
        refused.has("rows/0/errors/0/code", "in_future").has("rows/0/errors/0/pointer", "/source_updated_at");
        counted(&client.push(PUSH, JSON, row("6", "2025-11-25T00:00:00Z")).await.is(200), [1, 1, 0, 0, 0, 0]);
        // What was once accepted with such a time holds nothing up.
        let path = format!("/v1/kpis/{kpi}/measurements/2020-02");
        client.put(&path, json!({ "value": "5", "source_updated_at": "2199-01-01T00:00:00Z" })).if_none_match("*").await.is(201);
        let later = row("6", "2025-11-25T00:00:00Z").replace("2020-01", "2020-02");
        counted(&client.push(PUSH, JSON, later).await.is(200), [1, 0, 1, 0, 0, 0]);
        let programme = json!([{ "code": "SL-01", "name": "X", "source_updated_at": "2199-01-01T00:00:00Z" }]);
        app.admin().await.push(PROGRAMMES_PUSH, JSON, programme.to_string()).await.is(422).has("rows/0/errors/0/code", "in_future");
    }

    /// Each member of the document's schemas is pushed alone, in every form, and cleared where it may be: nothing else moves.
    async fn nothing_that_a_row_does_not_name_is_changed(app) {
        let admin = app.admin().await;
        let kpi = new_kpi(&admin, "DINKES").await;
        let (_, mut action) = ACTIONS.new_body();
        action["opd"] = json!("DINKES");
        let action = ACTIONS.create_as(&admin, action).await.0;
        let (code, whole) = PROGRAMMES.new_body();
        let evidence = [json!([{ "title": "A", "url": null, "sha256": null }]), json!([{ "title": "B", "url": "https://tests.invalid/b", "sha256": null }])];
        let (times, provenance) = (["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"], whole["provenance"].clone());
        let mut inferred = provenance.clone();
        inferred["basis"] = json!("inferred");
        let pair = |name: &str, one: Value, other: Value| (name.to_owned(), [one, other]);
        let shared = || {
            let [time, later] = times;
            vec![pair("evidence", evidence[0].clone(), evidence[1].clone()), pair("source_updated_at", json!(time), json!(later))]
        };
        let sourced = || pair("provenance", provenance.clone(), inferred.clone());

        let mut members = shared();
        members.extend([pair("value", json!("1"), json!("2.5")), pair("note", json!("a, b"), json!("c\nd")), sourced()]);
        let story = Story { path: PUSH, schema: "MeasurementRow", key: json!({ "kpi": kpi, "period": "2020-01" }), one: format!("/v1/kpis/{kpi}/measurements/2020-01"), members };
        story.tell(&admin).await;

        let mut members = shared();
        members.extend([pair("realisation", json!("1"), json!("2.5")), pair("narrative", json!("a"), json!("b")), pair("obstacles", json!("a"), json!("b"))]);
        let one = format!("{}/reports/1", ACTIONS.one(&action));
        Story { path: ACTIONS_PUSH, schema: "ActionReportRow", key: json!({ "action": action, "quarter": 1 }), one, members }.tell(&admin).await;

        let mut members = vec![sourced(), pair("source_updated_at", json!(times[0]), json!(times[1]))];
        members.extend([
            pair("masterplan", json!("KLU-SC"), json!("KLU-SC")), pair("dimension", json!("governance"), json!("living")),
            pair("name", json!("Satu"), json!("Dua, \"tiga\"")), pair("description", json!("a"), json!("b\nc")),
            pair("lead_opd", json!("DINKES"), json!("DLH")), pair("supporting_opds", json!(["DLH"]), json!(["KOMINFO", "DLH"])),
            pair("start_date", json!("2022-01-01"), json!("2022-02-01")), pair("end_date", json!("2023-01-01"), json!("2024-02-01")),
            pair("budget", json!("1.5"), json!("2")), pair("funding_source", json!("APBD"), json!("=APBN")),
            pair("regions", json!(["52.08.01"]), json!(["52.08.02"])), pair("published", json!(true), json!(false)),
        ]);
        Story { path: PROGRAMMES_PUSH, schema: "ProgrammeRow", key: json!({ "code": code }), one: PROGRAMMES.one(&code), members }.tell(&admin).await;
    }
}

on_both_databases! {
    async fn a_programme_row_leaves_what_it_does_not_name(app) {
        let (admin, client) = (app.admin().await, app.client_dlh().await);
        let path = "/v1/programmes/SV-01";
        let before = admin.get(path).await.is(200).json();
        assert_eq!(before["published"], true);
        // The example of the document: its columns are not all that there are.
        for (format, body) in [
            (CSV, "code,masterplan,dimension,name,lead_opd\nSV-01,KLU-SC,environment,TPS3R,DLH\n"),
            (CSV, "code,name,description,published\nSV-01,TPS3R dua,,\n"),
            (JSON, r#"[{ "code": "SV-01", "name": "TPS3R tiga" }]"#),
            (NDJSON, r#"{ "code": "SV-01", "name": "TPS3R empat" }"#),
        ] {
            counted(&client.push(PROGRAMMES_PUSH, format, body).await.is(200), [1, 0, 1, 0, 0, 0]);
            let after = admin.get(path).await.is(200).json();
            for (member, value) in before.as_object().unwrap() {
                let moves = ["name", "version", "updated_at", "etag"].contains(&member.as_str());
                assert!(moves || after[member] == *value, "`{member}` of {after}");
            }
            app.anyone().get("/v1/public/programmes/SV-01").await.is(200);
        }
        let cleared = json!([{ "code": "SV-01", "provenance": null, "published": false }]);
        counted(&client.push(PROGRAMMES_PUSH, JSON, cleared.to_string()).await.is(200), [1, 0, 1, 0, 0, 0]);
        admin.get(path).await.is(200).has("provenance", Value::Null).has("published", false).has("name", "TPS3R empat");
        let refused = client.push(PROGRAMMES_PUSH, JSON, r#"[{ "code": "SV-01", "name": null, "published": null }]"#).await.is(422);
        refused.has("rows/0/errors/0/code", "wrong_type").has("rows/0/errors/1/code", "wrong_type");
        let new = json!([{ "code": PROGRAMMES.new_code(), "name": "Baru", "lead_opd": "DLH" }]);
        let refused = client.push(PROGRAMMES_PUSH, JSON, new.to_string()).await.is(422);
        refused.has("rows/0/errors/0/pointer", "/masterplan").has("rows/0/errors/1/pointer", "/dimension").lacks("rows/0/errors/2");
    }

    async fn a_repeat_of_what_is_verified_is_none(app) {
        let client = app.client_dinkes().await;
        let body = "kpi,period,value\nSTUNTING,2022,22.9\nSTUNTING,2023,18.4\n";
        counted(&client.push(PUSH, CSV, body).await.is(200), [2, 1, 0, 1, 0, 0]);
        client.get("/v1/kpis/STUNTING/measurements/2022").await.is(200).has("state", "verified").has("revision", 1);
    }
}

/// The members of a kind of row, each with two values.
struct Story {
    path: &'static str,
    schema: &'static str,
    key: Value,
    one: String,
    members: Vec<(String, [Value; 2])>,
}

impl Story {
    async fn tell(self, actor: &Actor) {
        let schema = Document::get().root()["components"]["schemas"][self.schema].clone();
        let properties = schema["properties"].as_object().unwrap();
        assert!(properties.values().all(|member| member.get("default").is_none()), "{schema}");
        // A reason says why, it is no fact by itself.
        let known = self.members.iter().map(|(name, _)| name.as_str()).chain(["reason"]);
        let known = known.chain(self.key.as_object().unwrap().keys().map(String::as_str)).collect::<Vec<_>>();
        assert!(properties.keys().all(|name| known.contains(&name.as_str())), "this story knows {known:?} of {properties:?}");

        let mut stored = Map::from_iter(self.members.iter().map(|(name, values)| (name.clone(), values[0].clone())));
        self.push(actor, JSON, json!([self.row(stored.clone())]).to_string(), [1, 1, 0, 0, 0, 0]).await;
        self.holds(actor, &stored).await;
        for (turn, (name, values)) in self.members.iter().enumerate().filter(|(_, (name, _))| name != "source_updated_at") {
            let is_same = values[0] == values[1];
            for (format, value) in [(JSON, &values[1]), (CSV, &values[0]), (NDJSON, &values[1])] {
                let row = self.row(Map::from_iter([(name.clone(), value.clone())]));
                let body = match format {
                    JSON => json!([row]).to_string(),
                    NDJSON => row.to_string(),
                    _ => self.csv(&row, turn),
                };
                let counts = if is_same { [1, 0, 0, 1, 0, 0] } else { [1, 0, 1, 0, 0, 0] };
                self.push(actor, format, body, counts).await;
                stored.insert(name.clone(), value.clone());
                self.holds(actor, &stored).await;
            }
            let may_be_null = properties[name]["type"].as_array().is_some_and(|types| types.contains(&json!("null")));
            if may_be_null {
                let row = self.row(Map::from_iter([(name.clone(), Value::Null)]));
                self.push(actor, JSON, json!([row]).to_string(), [1, 0, 1, 0, 0, 0]).await;
                let cleared = if properties[name]["type"][0] == "array" { json!([]) } else { Value::Null };
                stored.insert(name.clone(), cleared);
                self.holds(actor, &stored).await;
            }
        }
    }

    fn row(&self, members: Map<String, Value>) -> Value {
        let mut row = self.key.clone();
        row.as_object_mut().unwrap().extend(members);
        row
    }

    /// The row beside empty cells of other columns, some of which only the service writes.
    fn csv(&self, row: &Value, turn: usize) -> String {
        let others =
            self.members.iter().map(|(name, _)| name.clone()).filter(|name| row.get(name).is_none() && turn.is_multiple_of(2));
        let mut columns = row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        columns.extend(others.chain(["version".to_owned(), "updated_at".to_owned()]));
        let cell = |name: &String| match &row[name] {
            _ if name == "version" => "7".to_owned(),
            Value::Object(_) => csv_cell(json!(row[name].to_string())),
            Value::Array(items) if items[0].is_object() => csv_cell(json!(row[name].to_string())),
            value => csv_cell(value.clone()),
        };
        format!("{}\n{}\n", columns.join(",").to_uppercase(), columns.iter().map(cell).collect::<Vec<_>>().join(","))
    }

    async fn push(&self, actor: &Actor, format: &str, body: String, expected: [u64; 6]) {
        counted(&actor.push(self.path, format, body).await.is(200), expected);
    }

    async fn holds(&self, actor: &Actor, expected: &Map<String, Value>) {
        let shown = actor.get(&self.one).await.is(200).json();
        for (name, value) in expected {
            assert_eq!(shown[name], *value, "`{name}` of {shown}");
        }
    }
}
