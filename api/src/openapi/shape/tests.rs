//! Walks over the document that hold what generators need.

use entity::value::decimal;
use entity::value::period::Period;
use serde_json::{Value, json};

use crate::http::wording::pattern_name;
use crate::openapi::document;

/// Visits every schema and object of the document with its place, without examples.
fn walk(value: &Value, place: &str, visit: &mut dyn FnMut(&str, &Value)) {
    visit(place, value);
    match value {
        Value::Object(object) => {
            let named = place.ends_with("/properties");
            for (key, member) in object.iter().filter(|(key, _)| named || !matches!(key.as_str(), "example" | "examples")) {
                walk(member, &format!("{place}/{key}"), visit);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, place, visit)),
        _ => {}
    }
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let named = paths.flat_map(|(path, operations)| {
        operations.as_object().into_iter().flatten().map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    named.collect()
}

fn is_component(place: &str) -> bool {
    place.strip_prefix("/components/schemas/").is_some_and(|name| !name.contains('/'))
}

fn contains(list: &Value, wanted: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|entry| entry == wanted))
}

#[test]
fn every_enum_is_a_component_with_labels_in_both_languages() {
    let mut count = 0;
    walk(&document(), "", &mut |place, schema| {
        let Some(words) = schema.get("enum").and_then(Value::as_array).filter(|_| !place.ends_with("/properties")) else {
            return;
        };
        assert!(is_component(place), "{place} has words of its own: name them in `words.rs`");
        for word in words {
            let label = word.as_str().map(|word| &schema["x-labels"][word]);
            for language in ["en", "id"] {
                let text = label.and_then(|label| label[language].as_str());
                assert!(text.is_some_and(|text| !text.is_empty()), "{place}: {word} has no label in {language}");
            }
        }
        count += 1;
    });
    assert!(count > 60, "only {count} enums");
}

#[test]
fn every_object_with_members_is_a_component() {
    walk(&document(), "", &mut |place, schema| {
        let is_object = schema.get("properties").is_some_and(Value::is_object) && schema.get("type").is_some();
        assert!(!is_object || is_component(place) || place.contains("/allOf"), "{place} is an object without a name");
    });
}

#[test]
fn members_that_may_be_null_always_come_in_answers() {
    let document = document();
    let mut answered = Vec::new();
    let mut open = Vec::new();
    for (_, operation) in operations(&document) {
        walk(&operation["responses"], "", &mut |_, value| open.extend(value["$ref"].as_str().map(str::to_owned)));
    }
    while let Some(reference) = open.pop() {
        if !answered.contains(&reference) {
            let component = document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
            walk(component, "", &mut |_, value| open.extend(value["$ref"].as_str().map(str::to_owned)));
            answered.push(reference);
        }
    }
    assert!(answered.len() > 100, "only {} schemas in answers", answered.len());
    // An event shows the members that there were at its time.
    for reference in answered.into_iter().filter(|reference| !reference.ends_with("Snapshot")) {
        let component = document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
        for (name, property) in component["properties"].as_object().into_iter().flatten() {
            let is_null = |option: &Value| option["type"] == "null";
            let may_be_null = contains(&property["type"], "null")
                || property["oneOf"].as_array().is_some_and(|options| options.iter().any(is_null));
            assert!(
                !may_be_null || contains(&component["required"], name),
                "{reference}: `{name}` may be null and may be absent"
            );
        }
    }
}

#[test]
fn nothing_has_a_default_an_index_or_a_pattern_that_generators_stumble_over() {
    walk(&document(), "", &mut |place, schema| {
        if place.ends_with("/properties") {
            return;
        }
        assert!(schema.get("default").is_none() || place.contains("/responses/"), "{place} has a default");
        let others = schema.get("additionalProperties");
        assert!(
            others.is_none_or(|others| *others == false) || schema.get("properties").is_none(),
            "{place} has an index signature"
        );
        assert_ne!(schema.get("format"), Some(&json!("int64")), "{place} would become a BigInt");
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
            for fragment in ["\0", r"\u0000", "(?=", "(?!", "(?<"] {
                assert!(!pattern.contains(fragment), "{place}: {pattern}");
            }
        }
    });
}

#[test]
fn every_answer_has_an_example_and_says_what_it_is() {
    for (name, operation) in operations(&document()) {
        for (status, response) in operation["responses"].as_object().into_iter().flatten() {
            if response.get("$ref").is_some() {
                continue;
            }
            let about = response["description"].as_str().unwrap_or_default();
            assert!(about.ends_with('.') && about.split(' ').count() > 2, "{status} of {name} says only {about:?}");
            for (media, content) in
                response["content"].as_object().into_iter().flatten().filter(|(media, _)| media.ends_with("json"))
            {
                assert!(content.get("example").is_some(), "{status} of {name} has no example as {media}");
                assert!(content["schema"].get("$ref").is_some(), "{status} of {name} has a schema without a name");
            }
        }
        let bodies = operation["requestBody"]["content"].as_object().map_or(0, serde_json::Map::len);
        assert!(!name.starts_with("patch") || bodies == 1, "{name} takes one thing in several forms");
    }
}

#[test]
fn examples_show_what_happens() {
    let document = document();
    let example = |path: &str, method: &str, status: &str| {
        document["paths"][path][method]["responses"][status]["content"]["application/json"]["example"].clone()
    };
    let programme = example("/v1/programmes", "post", "201");
    assert_eq!((&programme["status"], &programme["progress"]), (&json!("planned"), &Value::Null), "a new programme");
    let measurement = example("/v1/kpis/{code}/measurements/{period}", "put", "201");
    assert_eq!((&measurement["state"], &measurement["verified_by"]), (&json!("draft"), &Value::Null), "a new measurement");
    let lead = &document["components"]["schemas"]["NewProgramme"]["properties"]["lead_opd"];
    assert_eq!(lead["examples"], json!(["DLH"]));
    assert!(document["components"]["schemas"]["Code"].get("examples").is_none(), "no code fits every place");
}

#[test]
fn parameters_with_several_values_are_repeated() {
    let document = document();
    let shared = document["components"]["parameters"].as_object().into_iter().flat_map(serde_json::Map::values);
    let own =
        operations(&document).into_iter().flat_map(|(_, operation)| operation["parameters"].as_array().into_iter().flatten());
    let lists = shared.chain(own).filter(|parameter| parameter["schema"]["type"] == "array").collect::<Vec<_>>();
    assert!(lists.len() > 50, "only {} lists", lists.len());
    for list in lists {
        assert_eq!((&list["style"], &list["explode"]), (&json!("form"), &json!(true)), "{list}");
    }
}

#[test]
fn every_pattern_of_the_document_has_words() {
    fn look(document: &Value, schema: &Value, seen: &mut Vec<String>, missing: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                if let Some(Value::String(pattern)) = members.get("pattern") {
                    // As the service has it.
                    let pattern = pattern.replace(r"\x00", r"\u0000");
                    let is_known = [decimal::PATTERN, Period::PATTERN].contains(&pattern.as_str());
                    if !is_known && pattern_name(&pattern).is_none() {
                        missing.push(pattern);
                    }
                }
                if let Some(reference) = members.get("$ref").and_then(Value::as_str)
                    && !seen.iter().any(|known| known == reference)
                {
                    seen.push(reference.to_owned());
                    let target = document.pointer(reference.trim_start_matches('#'));
                    look(document, target.unwrap_or(&Value::Null), seen, missing);
                }
                members.values().for_each(|schema| look(document, schema, seen, missing));
            }
            Value::Array(items) => items.iter().for_each(|schema| look(document, schema, seen, missing)),
            _ => {}
        }
    }
    let document = document();
    let (mut seen, mut missing) = (Vec::new(), Vec::new());
    let operations = document["paths"].as_object().into_iter().flatten().flat_map(|(_, path)| path.as_object()).flatten();
    for (_, operation) in operations {
        for content in operation["requestBody"]["content"].as_object().into_iter().flatten().map(|(_, content)| content) {
            look(&document, &content["schema"], &mut seen, &mut missing);
        }
    }
    assert!(seen.len() > 60, "only {} schemas of requests", seen.len());
    assert!(missing.is_empty(), "no words for {missing:?}");
}
