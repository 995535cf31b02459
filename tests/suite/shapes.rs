//! In which shape things are read: members that are picked, references that are expanded, entity tags in rows, lists of past days,
//! lists in the order of what is computed, and every error of a body at once.

use std::cmp::Ordering;

use renaksi_tests::resource::{KPIS, PROGRAMMES, all};
use renaksi_tests::{Actor, on_both_databases, on_shared_servers, unique};
use serde_json::{Value, json};

/// The figures of the real case: 35 of 40 programmes ran on this day.
const DAY: &str = "2022-10-04";

on_shared_servers! {
    async fn the_public_picks_and_expands_what_it_sees(app) {
        let anyone = app.anyone();
        let picked = anyone.get("/v1/public/programmes?fields=code,name&limit=2&count=true").await.is(200);
        assert_eq!(picked.rows()[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["code", "name"]);
        let one = anyone.get("/v1/public/programmes/SV-01?fields=code,lead_opd&expand=lead_opd").await.is(200);
        let opd = anyone.get("/v1/public/opds/DLH").await.is(200).json();
        assert_eq!(one.json(), json!({ "code": "SV-01", "lead_opd": opd }));
        let rows = anyone.get("/v1/public/programmes?expand=lead_opd,dimension&code=SV-01").await.is(200);
        assert_eq!((rows.at("data/0/lead_opd"), rows.at("data/0/dimension/code")), (opd, json!("environment")));
        for (query, name) in [("fields=version", "fields"), ("fields=etag", "fields"), ("expand=name", "expand"), ("tpyo=1", "tpyo")] {
            anyone.get(format!("/v1/public/programmes/SV-01?{query}")).await.is(400).has_fault_in_parameter(name);
            anyone.get(format!("/v1/public/programmes?{query}")).await.is(400).has_fault_in_parameter(name);
        }
        let known = anyone.get("/v1/public/programmes/SV-01?expand=lead_opd").await.is(200).etag();
        anyone.get("/v1/public/programmes/SV-01?expand=lead_opd").if_none_match(&known).await.is(304);
    }

    async fn what_is_hidden_stays_hidden_when_it_is_expanded(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let (programme, mut body) = PROGRAMMES.new_body();
        body["published"] = json!(false);
        let secret = unique::word();
        body["name"] = json!(secret);
        admin.create("/v1/programmes", body).await;
        let (kpi, mut body) = KPIS.new_body();
        body["published"] = json!(true);
        body["programme"] = json!(programme);
        admin.create("/v1/kpis", body).await;
        for path in [format!("/v1/public/kpis/{kpi}?expand=programme,opd"), format!("/v1/public/kpis?code={kpi}&expand=programme,opd")] {
            let hidden = anyone.get(&path).await.is(200);
            assert!(!hidden.text().contains(&secret) && !hidden.text().contains(&programme), "{hidden:?}");
            assert!(admin.get(path.replace("/public", "")).await.is(200).text().contains(&secret));
        }
        let shown = anyone.get(format!("/v1/public/kpis/{kpi}?expand=programme")).await.is(200).has("programme", json!(null));
        let etag = admin.etag_of(&format!("/v1/programmes/{programme}")).await;
        admin.patch(format!("/v1/programmes/{programme}"), json!({ "published": true })).if_match(&etag).await.is(200);
        let after = anyone.get(format!("/v1/public/kpis/{kpi}?expand=programme")).await.is(200).has("programme/name", secret);
        assert_ne!(shown.etag(), after.etag());
        // Of what is expanded the public sees what it sees of it elsewhere.
        assert_eq!(after.at("programme"), anyone.get(format!("/v1/public/programmes/{programme}")).await.is(200).json());
    }

    async fn every_row_carries_the_tag_that_changes_it(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (key, created) = resource.create(&admin).await;
            let path = resource.one(&key);
            assert_eq!(created.at("etag"), created.etag(), "{path}");
            let row = admin.get(format!("{}?{}={key}", resource.path, resource.key)).await.is(200).at("data/0");
            let one = admin.get(&path).await.is(200);
            assert_eq!((&row["etag"], one.at("etag")), (&json!(one.etag()), json!(one.etag())), "{path}");
            let only = admin.get(format!("{path}?fields=etag")).await.is(200).json();
            assert_eq!(only, json!({ "etag": one.etag() }));
            // What was read may come back, with the tag as it was or not.
            let tag = row["etag"].as_str().unwrap();
            let mut body = one.json();
            admin.put(&path, body.clone()).if_match(tag).await.is(200).has("version", one.at("version"));
            body["etag"] = json!("\"0-0\"");
            admin.put(&path, body).if_match(tag).await.is(200).has("version", one.at("version"));
            admin.patch(&path, json!({ "etag": null })).if_match(tag).await.is(200).has("version", one.at("version"));
            let changed = admin.patch(&path, json!({ resource.text: format!("Nama {}", unique::word()) })).if_match(tag).await.is(200);
            assert_ne!(changed.etag(), tag);
            let stale = admin.patch(&path, json!({ resource.text: "Nama lagi" })).if_match(tag).await.is(412);
            assert_eq!(stale.at("current_etag"), changed.etag(), "{path}");
            assert_eq!((stale.etag(), admin.etag_of(&path).await), (changed.etag(), changed.etag()), "{path}");
            let events = admin.get(format!("{path}/history")).await.is(200).rows();
            assert!(events.iter().all(|event| event["after"].get("etag").is_none()), "a tag is no fact: {events:?}");
        }
    }

    async fn targets_and_reports_carry_their_tags(app) {
        let admin = app.admin().await;
        let (code, mut body) = KPIS.new_body();
        body["frequency"] = json!("yearly");
        body["baseline"] = Value::Null;
        admin.create("/v1/kpis", body).await;
        for part in ["targets", "measurements"] {
            let (list, path) = (format!("/v1/kpis/{code}/{part}"), format!("/v1/kpis/{code}/{part}/2022"));
            let made = admin.put(&path, json!({ "value": "5" })).await.is(201);
            assert_eq!((made.at("etag"), admin.get(&list).await.is(200).at("data/0/etag")), (json!(made.etag()), json!(made.etag())));
            let tag = admin.get(&path).await.is(200).text_at("etag");
            admin.put(&path, json!({ "value": "6" })).if_match(&tag).await.is(200);
            let events = admin.get(format!("{path}/history")).await.is(200).rows();
            assert!(events.iter().all(|event| event["after"].get("etag").is_none()), "a tag is no fact: {events:?}");
        }
        let users = admin.get("/v1/users?limit=1").await.is(200);
        let user = admin.get(format!("/v1/users/{}", users.at("data/0/id").as_str().unwrap())).await.is(200);
        assert_eq!((users.at("data/0/etag"), user.at("etag")), (json!(user.etag()), json!(user.etag())));
    }

    async fn every_error_is_told_also_beside_a_missing_member(app) {
        let admin = app.admin().await;
        let (_, mut body) = PROGRAMMES.new_body();
        body.as_object_mut().unwrap().remove("name");
        body["start_date"] = json!("2022-05-01");
        body["end_date"] = json!("2022-04-01");
        body["budget"] = json!("-1");
        body["lead_opd"] = json!("NO-SUCH");
        let refused = admin.post("/v1/programmes", body).await.is(422);
        refused.has_fault_at("/name").has_fault_at("/end_date").has_fault_at("/budget").has_fault_at("/lead_opd");
        // A rule that needs what is missing says nothing.
        let (_, mut body) = KPIS.new_body();
        body.as_object_mut().unwrap().remove("frequency");
        body["baseline"] = json!({ "period": "2021-Q1", "value": "1" });
        body["unit"] = json!({ "kind": "other" });
        let refused = admin.post("/v1/kpis", body).await.is(422).has_fault_at("/frequency").has_fault_at("/unit/label");
        assert!(!refused.text().contains("/baseline"), "{refused:?}");
    }

    async fn findings_of_all_evaluations_are_one_list(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let word = unique::word();
        let [first, second] = [unique::code("E"), unique::code("E")];
        let mut ids = Vec::new();
        for (code, published, due_on) in [(&first, true, json!("2022-01-01")), (&second, false, json!("2999-01-01"))] {
            let meeting = json!({ "masterplan": "KLU-SC", "held_on": "2022-10-04", "published": published });
            admin.put(format!("/v1/evaluations/{code}"), meeting).await.is(201);
            for (opd, due_on) in [("DINKES", due_on.clone()), ("DLH", Value::Null)] {
                let finding = json!({ "text": format!("Uji {word}"), "opd": opd, "due_on": due_on });
                ids.push(admin.create(&format!("/v1/evaluations/{code}/findings"), finding).await.text_at("id"));
            }
        }
        let found = async |actor: &Actor, query: &str| {
            let rows = actor.get(query.to_owned()).await.is(200);
            rows.column("id").iter().map(|id| id.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let private = format!("/v1/findings?q={word}");
        assert_eq!(found(&admin, &private).await, ids);
        assert_eq!(found(&admin, &format!("{private}&evaluation={second}")).await, ids[2..]);
        assert_eq!(found(&admin, &format!("{private}&overdue=true")).await, ids[..1]);
        assert_eq!(found(&admin, &format!("{private}&overdue=false")).await, ids[1..]);
        assert_eq!(found(&admin, &format!("{private}&opd=DINKES&state=open&sort=-due_on")).await, [ids[2].clone(), ids[0].clone()]);
        let public = format!("/v1/public/findings?q={word}");
        assert_eq!(found(&anyone, &public).await, ids[..2]);
        assert_eq!(found(&anyone, &format!("{public}&overdue=true&count=true")).await, ids[..1]);
        assert!(found(&anyone, &format!("{public}&evaluation={second}")).await.is_empty());
        let expanded = anyone.get(format!("{public}&expand=opd&limit=1")).await.is(200);
        assert_eq!((expanded.at("data/0/opd/code"), expanded.at("data/0/overdue")), (json!("DINKES"), json!(true)));
        let done = format!("/v1/evaluations/{first}/findings/{}", ids[0]);
        admin.create(&format!("{done}/follow-ups"), json!({ "text": "Selesai", "state": "in_progress" })).await;
        admin.create(&format!("{done}/follow-ups"), json!({ "text": "Selesai", "state": "done" })).await;
        assert!(found(&anyone, &format!("{public}&overdue=true")).await.is_empty());
        admin.get("/v1/findings?overdue=perhaps").await.is(400).has_fault_in_parameter("overdue");
        app.anyone().get("/v1/findings").await.is(401);
    }

    async fn a_survey_explains_its_index_in_the_language_that_is_asked_for(app) {
        let admin = app.admin().await;
        let (key, _) = renaksi_tests::resource::SURVEYS.create(&admin).await;
        let path = format!("/v1/surveys/{key}");
        let english = admin.get(&path).await.is(200);
        let indonesian = admin.get(&path).header("Accept-Language", "id").await.is(200);
        assert_eq!(english.at("explanation/reasons/0/code"), "ikm_of_means");
        assert_eq!(english.at("explanation/reasons/0/text"), "IKM 80.00 is 28.8 / 9 x 25, rounded to 2 decimals");
        assert_eq!(indonesian.at("explanation/reasons/0/text"), "IKM 80,00 adalah 28,8 / 9 x 25, dibulatkan menjadi 2 desimal");
        assert_ne!(english.etag(), indonesian.etag());
        admin.patch(&path, json!({})).if_match(&indonesian.etag()).await.is(200);
        let surveys = admin.all("/v1/surveys?sort=-ikm,service&limit=2").await;
        let index = |row: &Value| row["ikm"].as_str().unwrap().parse::<f64>().unwrap();
        assert!(surveys.windows(2).all(|pair| index(&pair[0]) >= index(&pair[1])), "{surveys:?}");
    }
}

on_both_databases! {
    async fn the_programmes_of_a_day_are_listed_as_they_were(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        for (actor, start) in [(&admin, "/v1"), (&anyone, "/v1/public")] {
            let running = actor.get(format!("{start}/programmes?status=running&as_of={DAY}&count=true&limit=200")).await.is(200);
            assert_eq!((running.rows().len(), running.at("page/total")), (35, json!(35)));
            let path = format!("{start}/programmes?as_of={DAY}");
            let whole = actor.get(format!("{path}&limit=200")).await.is(200).rows();
            assert_eq!((whole.len(), actor.all(&format!("{path}&limit=7")).await), (40, whole));
            actor.get(format!("{start}/programmes?as_of=1999-01-01")).await.is(200).has("data", json!([]));
            actor.get(format!("{start}/programmes?as_of=2999-01-01")).await.is(400).has_fault_in_parameter("as_of");
        }
        let before = anyone.get(format!("/v1/public/programmes?as_of={DAY}&code=SV-01")).await.is(200).at("data/0");
        let etag = admin.etag_of("/v1/programmes/SV-01").await;
        admin.patch("/v1/programmes/SV-01", json!({ "name": "Nama lain" })).if_match(&etag).await.is(200);
        admin.create("/v1/programmes/SV-01/transitions", json!({ "to": "suspended", "effective_on": "2023-05-01" })).await;
        let after = anyone.get(format!("/v1/public/programmes?as_of={DAY}&code=SV-01")).await.is(200).at("data/0");
        assert_eq!(before, after, "the past stays");
        let later = anyone.get("/v1/public/programmes?as_of=2023-05-01&code=SV-01&fields=status&expand=lead_opd").await.is(200);
        assert_eq!(later.rows(), [json!({ "status": "suspended" })]);
        let found = anyone.get(format!("/v1/public/programmes?as_of={DAY}&q=tps3r&expand=lead_opd")).await.is(200);
        assert!(found.rows().iter().any(|row| row["code"] == "SV-01" && row["lead_opd"]["code"] == "DLH"), "{found:?}");
        // What is withdrawn is withdrawn from the past as well.
        let etag = admin.etag_of("/v1/programmes/SV-01").await;
        admin.patch("/v1/programmes/SV-01", json!({ "published": false })).if_match(&etag).await.is(200);
        anyone.get(format!("/v1/public/programmes?as_of={DAY}&code=SV-01")).await.is(200).has("data", json!([]));
        assert_eq!(admin.get(format!("/v1/programmes?as_of={DAY}&code=SV-01")).await.is(200).rows().len(), 1);
    }

    async fn lists_are_sorted_by_progress(app) {
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        let word = unique::word();
        let mut programmes = Vec::new();
        for turn in 0..9 {
            let (code, mut body) = PROGRAMMES.new_body();
            body["name"] = json!(format!("{word} {}", turn % 2));
            body["published"] = json!(true);
            admin.create("/v1/programmes", body).await;
            programmes.push(code);
        }
        for (turn, programme) in programmes.iter().enumerate().filter(|(turn, _)| turn % 4 > 0) {
            let action = json!({
                "programme": programme, "opd": "DINKES", "title": format!("{word} aksi"), "year": 2022, "published": turn % 2 == 0,
                "targets": { "q1": "0", "q2": "0", "q3": "0", "q4": "3" },
            });
            let id = admin.create("/v1/actions", action).await.text_at("id");
            if turn % 3 > 0 {
                let path = format!("/v1/actions/{id}/reports/1");
                admin.put(&path, json!({ "realisation": (turn % 3).to_string() })).await.is(201);
                admin.post(format!("{path}/submit"), json!({})).await.is(200);
                verifier.post(format!("{path}/verify"), json!({})).await.is(200);
            }
        }
        for list in ["/v1/programmes", "/v1/public/programmes", "/v1/actions", "/v1/public/actions"] {
            for sort in ["progress", "-progress", "-progress,updated_at", "progress,-updated_at"] {
                let path = format!("{list}?q={word}&sort={sort}");
                let whole = admin.get(format!("{path}&limit=200&count=true")).await.is(200);
                let plain = admin.get(format!("{list}?q={word}&limit=200")).await.is(200).rows();
                assert_eq!((whole.rows().len(), whole.at("page/total")), (plain.len(), json!(plain.len())), "{path}");
                assert!(whole.rows().iter().all(|row| plain.contains(row)), "rows are the same: {path}");
                assert_eq!(admin.all(&format!("{path}&limit=2")).await, whole.rows(), "{path}");
                let is_descending = sort.starts_with('-');
                let in_order = whole.rows().windows(2).all(|pair| by_progress(&pair[0], &pair[1], is_descending) != Ordering::Greater);
                assert!(in_order, "{path}: {whole:?}");
            }
        }
    }
}

/// Which of two rows comes first by their progress, with nulls last.
fn by_progress(one: &Value, other: &Value, is_descending: bool) -> Ordering {
    let progress = |row: &Value| row["progress"].as_str().map(|text| (text.parse::<f64>().unwrap() * 100.0).round() as i64);
    match (progress(one), progress(other)) {
        (Some(one), Some(other)) if is_descending => other.cmp(&one),
        (Some(one), Some(other)) => one.cmp(&other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}
