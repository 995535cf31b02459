//! Lists: pages, filters, sorting, searching, picking and expanding, alike for every resource.

use renaksi_tests::resource::{PROGRAMMES, Resource, all};
use renaksi_tests::{Actor, on_a_shared_server, on_both_databases, on_shared_servers, unique};
use serde_json::{Value, json};

on_shared_servers! {
    async fn pages_cover_the_list_once(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (word, keys) = seven(&admin, resource).await;
            let key = resource.key;
            for (sort, expected) in [(key.to_owned(), forwards(&keys)), (format!("-{key}"), backwards(&keys))] {
                let first = admin.get(format!("{}?q={word}&limit=3&sort={sort}", resource.path)).await.is(200).has("page/limit", 3);
                assert_eq!(first.rows().len(), 3);
                let cursor = first.text_at("page/next_cursor");
                assert!(first.next_page().is_some_and(|path| path.contains("cursor=")), "no Link for {cursor}");
                let rows = admin.all(&format!("{}?q={word}&limit=3&sort={sort}", resource.path)).await;
                assert_eq!(keys_of(resource, &rows), expected, "{} by {sort}", resource.path);
            }
            let last = admin.get(format!("{}?q={word}&limit=7", resource.path)).await.is(200).has("page/next_cursor", json!(null));
            assert_eq!(last.next_page(), None);
        }
    }

    async fn ties_keep_a_page_whole(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            // All seven have the same name, or state.
            let (word, keys) = seven(&admin, resource).await;
            let sort = resource.sort.unwrap_or(resource.text);
            let rows = admin.all(&format!("{}?q={word}&limit=2&sort=-{sort}", resource.path)).await;
            let mut seen = keys_of(resource, &rows);
            seen.sort();
            assert_eq!(seen, forwards(&keys), "{}", resource.path);
        }
    }

    async fn a_row_written_meanwhile_repeats_and_skips_nothing(app) {
        let admin = app.admin().await;
        let (word, codes) = seven(&admin, PROGRAMMES).await;
        let first = admin.get(format!("{}?q={word}&limit=3&sort=code", PROGRAMMES.path)).await.is(200);
        let before_them = format!("A{}", unique::code("EARLY"));
        let mut body = (PROGRAMMES.example)(&before_them);
        body["name"] = json!(word);
        admin.create(PROGRAMMES.path, body).await;

        let mut seen = codes_of(&first.rows());
        seen.extend(codes_of(&admin.all(&first.next_page().unwrap()).await));
        assert_eq!(seen, forwards(&codes));
    }

    async fn a_cursor_also_walks_by_number_date_and_nothing(app) {
        let admin = app.admin().await;
        let word = unique::word();
        for turn in 0..8 {
            let (_, mut body) = PROGRAMMES.new_body();
            body["name"] = json!(format!("{word} {turn}"));
            body["budget"] = if turn % 3 == 0 { json!(null) } else { json!(format!("{}.5", 1000 - turn * 10)) };
            body["start_date"] = if turn % 4 == 0 { json!(null) } else { json!(format!("2022-0{}-01", 9 - turn)) };
            admin.create(PROGRAMMES.path, body).await;
        }
        for sort in ["updated_at", "-updated_at", "created_at", "start_date", "-start_date", "budget", "-budget", "name,-updated_at"] {
            let path = format!("{}?q={word}&limit=200&sort={sort}", PROGRAMMES.path);
            let answer = admin.get(&path).await;
            if answer.status() == 400 {
                continue; // Which fields can be sorted by is the document's business.
            }
            let whole = codes_of(&answer.is(200).rows());
            let paged = codes_of(&admin.all(&format!("{}?q={word}&limit=3&sort={sort}", PROGRAMMES.path)).await);
            assert_eq!(whole.len(), 8);
            assert_eq!(paged, whole, "sorted by {sort}");
        }
    }

    async fn a_total_is_counted_on_request(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (word, _) = seven(&admin, resource).await;
            admin.get(format!("{}?q={word}&limit=2&count=true", resource.path)).await.is(200).has("page/total", 7);
            let uncounted = admin.get(format!("{}?q={word}", resource.path)).await.is(200);
            assert!(uncounted.json().pointer("/page/total").is_none_or(Value::is_null));
        }
    }

    async fn filters_choose_rows(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (word, _) = seven(&admin, resource).await;
            let (field, fits, other) = resource.filter;
            let count = async |query: String| admin.all(&format!("{}?q={word}&{query}", resource.path)).await.len();
            assert_eq!(count(format!("{field}={fits}")).await, 7, "{} {field}={fits}", resource.path);
            assert_eq!(count(format!("{field}={other}")).await, 0, "{} {field}={other}", resource.path);
            if !field.contains('[') {
                assert_eq!(count(format!("{field}={other},{fits}")).await, 7, "{} {field}={other},{fits}", resource.path);
            }
        }
    }

    async fn several_are_read_by_their_keys(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (_, keys) = seven(&admin, resource).await;
            let (path, key) = (resource.path, resource.key);
            let rows = admin.all(&format!("{path}?{key}={},{},NO-SUCH&sort={key}", keys[2], keys[4])).await;
            assert_eq!(keys_of(resource, &rows), forwards(&[keys[2].clone(), keys[4].clone()]), "{path}");
        }
    }

    async fn dates_and_numbers_have_bounds(app) {
        let admin = app.admin().await;
        let word = unique::word();
        let (_, mut body) = PROGRAMMES.new_body();
        body["name"] = json!(word);
        admin.create(PROGRAMMES.path, body).await;
        let count = async |query: &str| admin.all(&format!("/v1/programmes?q={word}&{query}")).await.len();
        assert_eq!(count("start_date[gte]=2022-01-01").await, 1);
        assert_eq!(count("start_date[gte]=2022-01-02").await, 0);
        assert_eq!(count("start_date[lte]=2022-01-01").await, 1);
        assert_eq!(count("start_date%5Blte%5D=2021-12-31").await, 0);
        assert_eq!(count("budget[gte]=1250000000.50&budget[lte]=1250000000.5").await, 1);
        assert_eq!(count("budget[gte]=1250000000.51").await, 0);
        admin.get("/v1/programmes?start_date[gte]=yesterday").await.is(400).has_fault_in_parameter("start_date[gte]");
    }

    async fn a_search_is_a_text_and_nothing_else(app) {
        let admin = app.admin().await;
        let (word, codes) = seven(&admin, PROGRAMMES).await;
        assert_eq!(codes_of(&admin.all(&format!("/v1/programmes?q={}", word.to_uppercase())).await).len(), codes.len());
        for nothing in ["%25", "_", "%27%20OR%201=1--", "%5C", "zzz%25zzz"] {
            let rows = admin.all(&format!("/v1/programmes?q={nothing}{word}")).await;
            assert!(rows.is_empty(), "q={nothing}{word} found {rows:?}");
        }
        admin.get("/v1/programmes?q=%00").await.is(400);
    }

    async fn members_are_picked_and_references_expanded(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (word, _) = seven(&admin, resource).await;
            let picked = admin.get(format!("{}?q={word}&fields={},{}", resource.path, resource.key, resource.text)).await.is(200);
            for row in picked.rows() {
                let mut members = row.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
                members.sort_unstable();
                assert_eq!(members, [resource.key, resource.text], "{}", resource.path);
            }
            admin.get(format!("{}?fields={},tpyo", resource.path, resource.key)).await.is(400).has_fault_in_parameter("fields");
            let Some(reference) = resource.expand else { continue };
            let expanded = admin.get(format!("{}?q={word}&limit=1&expand={reference}", resource.path)).await.is(200);
            let plain = admin.get(format!("{}?q={word}&limit=1", resource.path)).await.is(200);
            assert_eq!(expanded.at(&format!("data/0/{reference}/code")), plain.at(&format!("data/0/{reference}")));
            admin.get(format!("{}?expand=tpyo", resource.path)).await.is(400).has_fault_in_parameter("expand");
        }
    }

    async fn a_cursor_belongs_to_its_list(app) {
        let admin = app.admin().await;
        let cursor = admin.get("/v1/programmes?limit=1").await.is(200).text_at("page/next_cursor");
        admin.get(format!("/v1/programmes?limit=1&cursor={cursor}")).await.is(200);
        let mut forged = cursor.clone().into_bytes();
        let middle = forged.len() / 2;
        forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
        let strange = [String::from_utf8(forged).unwrap(), "abc".to_owned(), "%00".to_owned(), "..%2F..".to_owned(), cursor[1..].to_owned()];
        for forged in strange {
            let answer = admin.get(format!("/v1/programmes?limit=1&cursor={forged}")).await;
            assert_eq!(answer.status(), 400, "cursor {forged} of {cursor}: {answer:?}");
        }
        for elsewhere in ["/v1/opds?limit=1", "/v1/programmes?limit=1&sort=-name", "/v1/programmes?limit=1&status=running"] {
            admin.get(format!("{elsewhere}&cursor={cursor}")).await.is(400).has_problem("invalid_cursor");
        }
    }
}

on_both_databases! {
    async fn a_cursor_goes_on_after_midnight(app) {
        let (app, today) = app.rehearsed("2031-12-31");
        let anyone = app.anyone();
        let lists = ["/v1/public/targets", "/v1/public/measurements", "/v1/public/transitions", "/v1/public/programmes"];
        let mut next = Vec::new();
        for path in lists {
            let first = anyone.get(format!("{path}?limit=1")).await.is(200);
            next.push(format!("{path}?limit=1&cursor={}", first.text_at("page/next_cursor")));
        }
        today.is("2032-01-01".parse().unwrap());
        for path in next {
            anyone.get(path).await.is(200);
        }
    }
}

on_a_shared_server! {
    async fn what_a_list_does_not_know_it_names(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let refused = async |query: &str, name: &str| {
                admin.get(format!("{}?{query}", resource.path)).await.is(400).has_problem("invalid_parameter").has_fault_in_parameter(name);
            };
            refused("tpyo=1", "tpyo").await;
            refused("sort=tpyo", "sort").await;
            refused("limit=0", "limit").await;
            refused("limit=201", "limit").await;
            refused("limit=-1", "limit").await;
            refused("limit=many", "limit").await;
            refused("count=perhaps", "count").await;
            refused("tpyo=1&limit=x&sort=nope", "limit").await;
            refused("limit=1&limit=1", "limit").await;
            refused("cursor=a&cursor=a", "cursor").await;
            refused("q=a&q=a", "q").await;
            let both = admin.get(format!("{}?tpyo=1&limit=x", resource.path)).await.is(400);
            both.has_fault_in_parameter("tpyo").has_fault_in_parameter("limit");
        }
        admin.get("/v1/programmes?status=sleeping").await.is(400).has_fault_in_parameter("status");
    }
}

/// Seven new rows that `q=` finds by a word of their own, and their codes or ids.
async fn seven(admin: &Actor, resource: Resource) -> (String, Vec<String>) {
    let word = unique::word();
    let mut keys = Vec::new();
    for turn in 0..7 {
        let (_, mut body) = resource.new_body();
        // A service is asked about once in a period, so surveys differ in it; other texts are alike, as they may be.
        let text = if resource.path == "/v1/surveys" { format!("Uji {word} {turn}") } else { format!("Uji {word}") };
        body[resource.text] = json!(text);
        keys.push(resource.create_as(admin, body).await.0);
    }
    (word, keys)
}

fn codes_of(rows: &[Value]) -> Vec<String> {
    keys_of(PROGRAMMES, rows)
}

fn keys_of(resource: Resource, rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row[resource.key].as_str().unwrap().to_owned()).collect()
}

fn forwards(codes: &[String]) -> Vec<String> {
    let mut codes = codes.to_vec();
    codes.sort();
    codes
}

fn backwards(codes: &[String]) -> Vec<String> {
    let mut codes = forwards(codes);
    codes.reverse();
    codes
}
