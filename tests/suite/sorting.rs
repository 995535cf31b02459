//! Sorting by what may be null: nulls come last in both directions, and pages hold together. Parameters that are given twice.

use std::cmp::Ordering;

use renaksi_tests::dice::Dice;
use renaksi_tests::document::Document;
use renaksi_tests::resource::{
    ACTIONS, AWARDS, COMMITMENTS, COUNCIL_MEMBERS, FINDINGS, MASTERPLANS, PROGRAMMES, QUICK_WINS, Resource, SURVEYS, all,
};
use renaksi_tests::{Actor, on_a_shared_server, on_both_databases, on_shared_servers, tier, unique};
use serde_json::{Value, json};

/// What members are given, each by chance.
type Choices = &'static [(&'static str, &'static [&'static str])];

/// Kinds of things with the members that may be null, and values of them: few, so that many tie.
const KINDS: [(Resource, Choices); 9] = [
    (MASTERPLANS, &[("start_year", &["2019", "2020", "null", "null"]), ("end_year", &["2024", "null", "2026"])]),
    (
        PROGRAMMES,
        &[
            (
                "budget",
                &["\"9.75\"", "\"10\"", "\"1250000000.50\"", "\"0.000000000001\"", "\"999999999999999\"", "null", "null", "null"],
            ),
            ("start_date", &["\"2021-12-31\"", "\"2022-01-01\"", "null", "null"]),
            ("end_date", &["\"2023-01-01\"", "null", "\"2022-01-02\""]),
        ],
    ),
    (QUICK_WINS, &[("started_on", &["\"2022-02-01\"", "null", "\"2021-02-01\""])]),
    (AWARDS, &[("year", &["2019", "2022", "null", "null"])]),
    (ACTIONS, &[("due_on", &["\"2022-12-31\"", "null", "\"2022-06-30\""]), ("weight", &["\"0.5\"", "\"2\"", "\"10\""])]),
    (COMMITMENTS, &[("signed_on", &["\"2022-10-04\"", "null", "\"2021-10-04\""])]),
    (COUNCIL_MEMBERS, &[("since", &["\"2020-01-01\"", "null"]), ("until", &["\"2025-01-01\"", "null", "\"2026-01-01\""])]),
    (SURVEYS, &[("respondents", &["9", "10", "null", "150"])]),
    (FINDINGS, &[("due_on", &["\"2022-12-31\"", "null", "\"2022-06-30\""])]),
];

on_shared_servers! {
    async fn a_list_is_sorted_as_in_memory_whatever_is_null(app) {
        let admin = app.admin().await;
        all(&admin).await;
        let mut dice = Dice::new(tier::seed(19));
        let (rows, mixed) = tier::size((13, 2), (41, 20));
        for (resource, choices) in KINDS {
            let word = random_rows(&admin, &mut dice, resource, choices, rows).await;
            let names = choices.iter().map(|(name, _)| *name).collect::<Vec<_>>();
            let mut sorts = names.iter().flat_map(|name| [vec![(*name).to_owned()], vec![format!("-{name}")]]).collect::<Vec<_>>();
            for _ in 0..mixed {
                let by = [dice.pick(&names), dice.pick(&names), "created_at", resource.key];
                let signed = |name: &str, dice: &mut Dice| if dice.flip() { name.to_owned() } else { format!("-{name}") };
                let length = 2 + dice.below(3);
                sorts.push(by[..length].iter().map(|name| signed(name, &mut dice)).collect());
            }
            for sort in sorts {
                let query = format!("{}?q={word}&sort={}", resource.path, sort.join(","));
                let mut expected = admin.get(format!("{query}&limit=200")).await.is(200).rows();
                assert_eq!(expected.len(), rows, "{query}");
                let whole = keys(resource, &expected);
                expected.sort_by(|one, other| compare(&sort, resource.key, one, other));
                assert_eq!(whole, keys(resource, &expected), "{query}");
                let limit = 1 + dice.below(7);
                assert_eq!(keys(resource, &admin.all(&format!("{query}&limit={limit}")).await), whole, "{query} by {limit}");
            }
        }
    }
}

on_a_shared_server! {
    async fn of_one_value_a_second_is_refused(app) {
        let admin = app.admin().await;
        let mut tried = 0;
        for operation in Document::get().operations().into_iter().filter(|operation| operation.method == "GET" && operation.ends() && !operation.path.contains('{')) {
            for parameter in operation.value["parameters"].as_array().into_iter().flatten() {
                let parameter = match parameter["$ref"].as_str() {
                    Some(reference) => Document::get().root().pointer(reference.trim_start_matches('#')).unwrap(),
                    None => parameter,
                };
                let is_one = parameter["in"] == "query" && parameter["schema"]["type"] != "array";
                let Some(name) = parameter["name"].as_str().filter(|_| is_one) else { continue };
                let refused = admin.get(format!("{}?{name}=1&{name}=1", operation.path)).await;
                assert_eq!(refused.status(), 400, "{name} of {}: {refused:?}", operation.name());
                refused.is(400).has_fault_in_parameter(name);
                tried += 1;
            }
        }
        assert!(tried > 60, "only {tried} parameters of one value");
    }
}

on_both_databases! {
    async fn everybody_sorts_by_what_may_be_null_too(app) {
        let anyone = app.anyone();
        for (path, fields) in [("programmes", ["budget", "start_date"]), ("awards", ["year", "year"]), ("quick-wins", ["started_on", "started_on"])] {
            for sort in fields.into_iter().flat_map(|name| [name.to_owned(), format!("-{name}")]) {
                let query = format!("/v1/public/{path}?sort={sort}");
                let whole = anyone.get(format!("{query}&limit=200")).await.is(200).column("code");
                let paged = anyone.all(&format!("{query}&limit=7")).await.iter().map(|row| row["code"].clone()).collect::<Vec<_>>();
                assert_eq!(paged, whole, "{query}");
            }
        }
    }

    async fn several_values_are_given_with_commas_or_again(app) {
        let admin = app.admin().await;
        let once = admin.get("/v1/programmes?status=running,planned&limit=200").await.is(200);
        for query in ["status=running&status=planned", "status=planned&sort=code&status=running", "status=planned,running&status=running"] {
            let rows = admin.get(format!("/v1/programmes?limit=200&{query}")).await.is(200);
            assert_eq!(rows.column("code"), once.column("code"), "{query}");
        }
        // Both forms are the same list: a cursor of the one goes on in the other.
        let first = admin.get("/v1/programmes?status=running,planned&limit=2").await.is(200);
        let cursor = first.text_at("page/next_cursor");
        let second = admin.get(format!("/v1/programmes?status=running&status=planned&limit=2&cursor={cursor}")).await.is(200);
        let next = second.next_page().unwrap();
        assert!(next.contains("status=running&status=planned"), "{next}");
        assert_eq!(admin.get(next).await.is(200).rows().len(), 2);
        for query in ["sort=name&sort=-code", "fields=code&fields=name", "expand=lead_opd&expand=masterplan", "code=SG-01&code=SG-02"] {
            admin.get(format!("/v1/programmes?{query}&limit=2")).await.is(200);
        }
        assert_eq!(admin.get("/v1/programmes?fields=code&fields=name&limit=1").await.is(200).rows()[0].as_object().unwrap().len(), 2);
    }
}

/// New rows that `q=` finds by a word of their own.
async fn random_rows(admin: &Actor, dice: &mut Dice, resource: Resource, choices: Choices, count: usize) -> String {
    let word = unique::word();
    for _ in 0..count {
        let (_, mut body) = resource.new_body();
        // A service is asked about once in a period, so surveys differ in it.
        let more = if resource.path == "/v1/surveys" { unique::word() } else { String::new() };
        body[resource.text] = json!(format!("Uji {word} {more}"));
        for (name, values) in choices {
            body[*name] = serde_json::from_str(dice.pick(values)).unwrap();
        }
        resource.create_as(admin, body).await;
    }
    word
}

/// As the list is sorted: by each name in its direction, nulls last, and by the key in the direction of the last.
fn compare(sort: &[String], key: &str, one: &Value, other: &Value) -> Ordering {
    // Of a name that is given twice the first counts.
    let named = |name: &String| name.trim_start_matches('-').to_owned();
    let sort = sort.iter().enumerate().filter(|(at, name)| sort[..*at].iter().all(|earlier| named(earlier) != named(name)));
    let sort = sort.map(|(_, name)| name.clone()).collect::<Vec<_>>();
    let last = sort.last().map_or(key, String::as_str);
    let tie = if last.starts_with('-') { format!("-{key}") } else { key.to_owned() };
    for name in sort.iter().chain([&tie]) {
        let (name, is_descending) = name.strip_prefix('-').map_or((name.as_str(), false), |name| (name, true));
        let order = match (&one[name], &other[name]) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => Ordering::Greater,
            (_, Value::Null) => Ordering::Less,
            (one, other) if is_descending => by_value(name, other, one),
            (one, other) => by_value(name, one, other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn by_value(name: &str, one: &Value, other: &Value) -> Ordering {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse::<f64>().ok());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match name {
        "budget" | "weight" | "start_year" | "end_year" | "year" | "respondents" => {
            number(one).partial_cmp(&number(other)).unwrap_or(Ordering::Equal)
        }
        "created_at" => {
            let instant = |value: &Value| chrono::DateTime::parse_from_rfc3339(&text(value)).unwrap();
            instant(one).cmp(&instant(other))
        }
        _ => text(one).cmp(&text(other)),
    }
}

fn keys(resource: Resource, rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row[resource.key].as_str().unwrap().to_owned()).collect()
}
