//! More rows take no more SQL statements: every GET of the document is asked with few rows and with many.

use futures_util::future::join_all;
use renaksi_tests::document::{Document, Operation, parameter_of};
use renaksi_tests::resource::{AWARDS, DIMENSIONS, KPIS, MASTERPLANS, OPDS, PROGRAMMES, QUICK_WINS, REGIONS};
use renaksi_tests::{Actor, Answer, App, on_both_databases, tier, unique};
use serde_json::{Value, json};

/// How many rows of a kind are added.
fn many() -> usize {
    tier::size(30, 120)
}

/// Programmes come by the push: more than keys are put into one statement anywhere.
fn programmes_pushed() -> usize {
    tier::size(600, 1_200)
}

/// A village of the demo data.
const VILLAGE: &str = "52.08.01.2001";

on_both_databases! {
    async fn more_rows_take_no_more_statements(app) {
        let place = Place::fill(&app).await;
        let few = place.statements(&app).await;
        place.grow(&app).await;
        let many = place.statements(&app).await;
        assert!(few.len() > 60, "only {} answers", few.len());
        let mut faults = Vec::new();
        for ((path, before), (_, after)) in few.iter().zip(&many) {
            if before != after {
                faults.push(format!("{path}: {before} with few rows, {after} with many"));
            }
            if *before == 0 && path.starts_with("/v1/") {
                faults.push(format!("{path}: no statement was counted"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

/// What stands in the paths, beside the codes of the demo data.
pub(crate) struct Place {
    action: String,
    evaluation: String,
    closed: String,
    finding: String,
    commitment: String,
    member: String,
    survey: String,
    user: String,
    webhook: String,
}

impl Place {
    /// Adds one of each kind that the demo data has none of.
    pub(crate) async fn fill(app: &App) -> Self {
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        let action = id_of(&admin.create("/v1/actions", action("SL-01")).await);
        for quarter in [1, 2] {
            admin.put(format!("/v1/actions/{action}/reports/{quarter}"), json!({ "realisation": "1" })).await.is(201);
            admin.post(format!("/v1/actions/{action}/reports/{quarter}/submit"), json!({})).await.is(200);
        }
        verifier.post(format!("/v1/actions/{action}/reports/1/verify"), json!({})).await.is(200);
        admin.put("/v1/kpis/STUNTING/measurements/2021", json!({ "value": "28.3" })).await.is(201);
        admin.post("/v1/kpis/STUNTING/measurements/2021/submit", json!({})).await.is(200);
        admin.put("/v1/programmes/SL-01/coverage", coverage(VILLAGE)).await.is(201);
        let [evaluation, closed] = [unique::code("E"), unique::code("E")];
        let mut findings = Vec::new();
        for code in [&evaluation, &closed] {
            admin.create("/v1/evaluations", self::evaluation(code)).await;
            let path = format!("/v1/evaluations/{code}/findings");
            findings.push(id_of(&admin.create(&path, finding()).await));
            admin.post(format!("{path}/{}/follow-ups", findings[findings.len() - 1]), follow_up()).await.is(201);
        }
        admin.post(format!("/v1/evaluations/{closed}/close"), json!({})).await.is(200);
        Self {
            action,
            finding: findings.swap_remove(0),
            evaluation,
            closed,
            commitment: id_of(&admin.create("/v1/commitments", commitment()).await),
            member: id_of(&admin.create("/v1/council-members", member()).await),
            survey: id_of(&admin.create("/v1/surveys", survey()).await),
            user: id_of(&admin.create("/v1/users", person()).await),
            webhook: id_of(&admin.create("/v1/webhooks", webhook()).await),
        }
    }

    /// Adds many of each kind, and many parts of each thing that has parts.
    async fn grow(&self, app: &App) {
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        let programmes =
            (0..programmes_pushed()).map(|number| with(&PROGRAMMES.new_body().1, "name", json!(format!("Uji {number}"))));
        push(&admin, "programmes", programmes).await;
        for resource in [MASTERPLANS, DIMENSIONS, OPDS, REGIONS, QUICK_WINS, AWARDS] {
            create(&admin, resource.path, (0..many()).map(|_| resource.new_body().1)).await;
        }
        let kpis =
            (0..many()).map(|_| with(&with(&KPIS.new_body().1, "published", json!(true)), "unit", json!({ "kind": "index" })));
        let kpis = create(&admin, KPIS.path, kpis).await.iter().map(|kpi| kpi.text_at("code")).collect::<Vec<_>>();
        for code in &kpis {
            admin.put(format!("/v1/kpis/{code}/targets/2024"), json!({ "value": "14", "kind": "commitment" })).await.is(201);
        }
        let years = kpis.iter().flat_map(|kpi| (2015..2023).map(move |year| (kpi.as_str(), year)));
        let years = years.chain((1980..2021).map(|year| ("STUNTING", year))).collect::<Vec<_>>();
        let measured = years.iter().map(|(kpi, year)| json!({ "kpi": kpi, "period": year.to_string(), "value": "20" }));
        push(&admin, "measurements", measured).await;
        verify(&verifier, "measurement", years.iter().skip(many()).map(|(kpi, year)| format!("{kpi}/{year}"))).await;

        let actions = create(&admin, "/v1/actions", (0..many()).map(|_| action("SL-01"))).await;
        let actions = actions.iter().map(id_of).collect::<Vec<_>>();
        let quarters = actions.iter().flat_map(|action| (1..=4).map(move |quarter| (action, quarter))).collect::<Vec<_>>();
        let reports =
            quarters.iter().map(|(action, quarter)| json!({ "action": action, "quarter": quarter, "realisation": "2" }));
        push(&admin, "action-reports", reports).await;
        verify(&verifier, "action_report", quarters.iter().skip(many()).map(|(action, quarter)| format!("{action}/{quarter}")))
            .await;

        create(&admin, "/v1/evaluations", (0..many()).map(|_| evaluation(&unique::code("E")))).await;
        let findings = format!("/v1/evaluations/{}/findings", self.evaluation);
        create(&admin, &findings, (0..many()).map(|_| finding())).await;
        create(&admin, "/v1/commitments", (0..many()).map(|_| commitment())).await;
        create(&admin, "/v1/council-members", (0..many()).map(|_| member())).await;
        create(&admin, "/v1/surveys", (0..many()).map(|_| survey())).await;
        create(&admin, "/v1/users", (0..8).map(|_| person())).await;
        let system = || json!({ "id": unique::code("sys"), "opd": "DINKES", "scopes": ["read"] });
        create(&admin, "/v1/clients", (0..8).map(|_| system())).await;
        self.grow_parts(&admin).await;
    }

    async fn grow_parts(&self, admin: &Actor) {
        for year in 2025..2055 {
            admin.put(format!("/v1/kpis/STUNTING/targets/{year}"), json!({ "value": "9", "kind": "aspiration" })).await.is(201);
        }
        for turn in 0..30 {
            let to = if turn % 2 == 0 { "suspended" } else { "running" };
            admin.create("/v1/programmes/SL-01/transitions", json!({ "to": to, "effective_on": "2023-01-01" })).await;
            admin
                .post(format!("/v1/evaluations/{}/findings/{}/follow-ups", self.evaluation, self.finding), follow_up())
                .await
                .is(201);
        }
        for region in admin.all("/v1/regions?level=village&limit=200").await.iter().filter(|region| region["code"] != VILLAGE) {
            let region = region["code"].as_str().unwrap();
            admin.put("/v1/programmes/SL-01/coverage", coverage(region)).await.is(201);
        }
        // What is asked one by one has a long history too.
        let paths = Document::get().operations().into_iter().filter(|operation| operation.method == "PATCH");
        for path in paths.map(|operation| self.path_of(&operation)).filter(|path| !path.contains(&self.closed)) {
            for turn in 0..5 {
                let etag = admin.etag_of(&path).await;
                let body = admin.get(&path).await.json();
                let text = ["name", "title", "text", "service", "venue", "description"]
                    .into_iter()
                    .find(|member| body[member].is_string());
                let change = json!({ text.unwrap_or("name"): format!("Perubahan {turn}") });
                admin.patch(&path, change).if_match(&etag).await.is(200);
            }
        }
    }

    /// Every GET that ends.
    pub(crate) fn questions(&self) -> Vec<String> {
        let operations =
            Document::get().operations().into_iter().filter(|operation| operation.method == "GET" && operation.ends());
        operations.flat_map(|operation| self.forms_of(&operation)).collect()
    }

    /// Of every GET how many statements it takes: of a service that has kept no answer, each asked once.
    async fn statements(&self, app: &App) -> Vec<(String, u64)> {
        let fresh = app.replica();
        let admin = fresh.admin().await;
        let mut taken = Vec::new();
        let mut before = total(&admin).await;
        // A chart is drawn from its figure, which is asked for here as well and is computed once for both.
        for path in self.questions().into_iter().filter(|path| !path.starts_with("/v1/public/charts/")) {
            admin.get(&path).await.is(200);
            let after = total(&admin).await;
            taken.push((path, after - before));
            before = after;
        }
        taken
    }

    /// An operation with the largest page and everything expanded; what has an `as_of` also as of a past day.
    fn forms_of(&self, operation: &Operation) -> Vec<String> {
        let parameters = query_parameters(operation);
        let find = |name: &str| parameters.iter().find(|parameter| parameter["name"] == name);
        let mut query = Vec::new();
        for parameter in parameters.iter().filter(|parameter| parameter["required"] == true) {
            let name = parameter["name"].as_str().unwrap();
            query.push(format!("{name}={}", self.value_of(name)));
        }
        query.extend(find("limit").map(|_| "limit=200".to_owned()));
        query.extend(find("count").map(|_| "count=true".to_owned()));
        query.extend(find("expand").map(|expand| {
            let names = Document::get().target(&expand["schema"]["items"])["enum"].as_array().expect("what may be expanded");
            format!("expand={}", names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
        }));
        let path = self.path_of(operation);
        let past = find("as_of").map(|_| [&query[..], &["as_of=2022-12-31".to_owned()]].concat());
        let with = |query: Vec<String>| if query.is_empty() { path.clone() } else { format!("{path}?{}", query.join("&")) };
        [Some(query), past].into_iter().flatten().map(with).collect()
    }

    pub(crate) fn path_of(&self, operation: &Operation) -> String {
        let segments = operation.path.split('/').collect::<Vec<_>>();
        let of_record = operation.path.ends_with("/record");
        let filled = segments.iter().enumerate().map(|(index, segment)| match segments[index.saturating_sub(1)] {
            "evaluations" if segment.starts_with('{') && of_record => self.closed.clone(),
            collection => match parameter_of(segment) {
                Some((_, end)) => format!("{}{end}", self.key_in(collection)),
                None => (*segment).to_owned(),
            },
        });
        filled.collect::<Vec<_>>().join("/")
    }

    fn key_in(&self, collection: &str) -> &str {
        match collection {
            "masterplans" => "KLU-SC",
            "dimensions" => "governance",
            "opds" => "DINKES",
            "regions" => "52.08.01",
            "programmes" => "SL-01",
            "quick-wins" => "QW-SS",
            "kpis" => "STUNTING",
            "targets" => "2024",
            "measurements" => "2022",
            "awards" => "BKN-2022",
            "clients" => "demo-dinkes",
            "users" => &self.user,
            "actions" => &self.action,
            "reports" => "1",
            "evaluations" => &self.evaluation,
            "findings" => &self.finding,
            "commitments" => &self.commitment,
            "council-members" => &self.member,
            "surveys" => &self.survey,
            "webhooks" => &self.webhook,
            other => panic!("no key in {other}"),
        }
    }

    fn value_of(&self, parameter: &str) -> &str {
        match parameter {
            "evaluation" => &self.evaluation,
            "year" => "2022",
            "quarter" => "3",
            other => panic!("no value for {other}"),
        }
    }
}

/// One that hears of nothing that happens here, at a place that is nowhere.
fn webhook() -> Value {
    json!({ "url": "https://receiver.invalid/renaksi", "description": "Uji", "event_types": ["award.deleted"] })
}

fn query_parameters(operation: &Operation) -> Vec<Value> {
    let root = Document::get().root();
    let listed = operation.value["parameters"].as_array().cloned().unwrap_or_default();
    let resolved = listed.into_iter().map(|parameter| match parameter["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).cloned().expect("the parameter is there"),
        None => parameter,
    });
    resolved.filter(|parameter| parameter["in"] == "query").collect()
}

/// All statements that GET requests took up to now.
async fn total(admin: &Actor) -> u64 {
    let metrics = admin.get("/metrics").await.text();
    let lines =
        metrics.lines().filter(|line| line.starts_with("renaksi_sql_statements_total{") && line.contains("method=\"GET\""));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Creates all, some at a time.
async fn create(admin: &Actor, path: &str, bodies: impl Iterator<Item = Value>) -> Vec<Answer> {
    let bodies = bodies.collect::<Vec<_>>();
    let mut created = Vec::new();
    for some in bodies.chunks(8) {
        created.extend(join_all(some.iter().map(|body| admin.create(path, body.clone()))).await);
    }
    created
}

async fn push(admin: &Actor, what: &str, rows: impl Iterator<Item = Value>) {
    let body = rows.map(|row| row.to_string()).collect::<Vec<_>>().join("\n");
    admin.push(format!("/v1/push/{what}"), "application/x-ndjson", body).await.is(200).has("rejected", 0);
}

async fn verify(verifier: &Actor, kind: &str, keys: impl Iterator<Item = String>) {
    let reviews = keys.map(|key| json!({ "kind": kind, "key": key, "decision": "verify" })).collect::<Vec<_>>();
    for some in reviews.chunks(200) {
        verifier.post("/v1/reviews", json!({ "reviews": some })).await.is(200).has("rejected", 0);
    }
}

fn id_of(created: &Answer) -> String {
    created.text_at("id")
}

fn with(body: &Value, member: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[member] = value;
    body
}

fn action(programme: &str) -> Value {
    json!({
        "programme": programme, "opd": "DINKES", "title": "Kelas ibu hamil", "output_unit": "desa", "year": 2022, "weight": "2",
        "due_on": "2022-12-20", "targets": { "q1": "1", "q2": "2", "q3": "3", "q4": "4" }, "published": true
    })
}

fn evaluation(code: &str) -> Value {
    json!({
        "code": code, "masterplan": "KLU-SC", "held_on": "2022-10-04", "venue": "Tanjung",
        "reported_counts": [{ "dimension": "governance", "planned": 10, "running": 8 }], "published": true
    })
}

fn finding() -> Value {
    json!({ "programme": "SL-01", "opd": "DINKES", "text": "Data belum lengkap", "due_on": "2022-12-31" })
}

fn follow_up() -> Value {
    json!({ "text": "Data dilengkapi" })
}

fn coverage(region: &str) -> Value {
    json!({ "region": region, "status": "built", "effective_on": "2022-11-01" })
}

fn commitment() -> Value {
    json!({ "title": "Komitmen bersama", "signed_on": "2022-10-04", "signatories": ["DINKES", "DLH"] })
}

fn member() -> Value {
    json!({ "name": "Lalu Uji", "position": "Sekretaris Daerah", "role": "member", "since": "2022-01-01" })
}

fn survey() -> Value {
    let scores = (1..=9).map(|element| (format!("u{element}"), json!("3.20"))).collect::<serde_json::Map<_, _>>();
    json!({ "opd": "DINKES", "service": format!("Puskesmas {}", unique::word()), "period": "2022", "respondents": 150, "scores": scores, "published": true })
}

fn person() -> Value {
    json!({ "email": unique::email(), "role": "viewer" })
}
