//! Moves parameters that several operations share into the components, so that the document stays readable.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// One use of a parameter.
#[derive(Default)]
struct Uses {
    count: usize,
    place: String,
    tags: BTreeSet<String>,
    methods: BTreeSet<String>,
    /// The collections in the path of the operation: `findings` for `/v1/evaluations/{code}/findings/{id}`.
    collections: BTreeSet<String>,
}

/// The uses of each parameter; equal parameters have the same text.
type Groups = BTreeMap<String, Uses>;

/// Moves every parameter that several operations have to `components.parameters`.
pub(super) fn share(document: &mut Value) {
    let names = names(&groups(document));
    let mut shared = BTreeMap::new();
    for_each_operation(document, |_, _, operation| {
        for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
            if let Some(name) = names.get(&parameter.to_string()) {
                let reference = json!({ "$ref": format!("#/components/parameters/{name}") });
                shared.insert(name.clone(), std::mem::replace(parameter, reference));
            }
        }
    });
    document["components"]["parameters"] = Value::Object(Map::from_iter(shared));
}

fn for_each_operation(document: &mut Value, mut visit: impl FnMut(&str, &str, &mut Value)) {
    for (path, operations) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            visit(path, method, operation);
        }
    }
}

fn groups(document: &mut Value) -> Groups {
    let mut groups = Groups::new();
    for_each_operation(document, |path, method, operation| {
        let collection = path.rsplit('/').find(|segment| !segment.starts_with('{')).unwrap_or_default();
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let uses = groups.entry(parameter.to_string()).or_default();
            uses.count += 1;
            uses.place = parameter["in"].as_str().unwrap_or_default().to_owned();
            uses.tags.insert(tag.to_owned());
            uses.methods.insert(method.to_owned());
            uses.collections.insert(collection.to_owned());
        }
    });
    groups
}

/// The names of the shared parameters.
fn names(groups: &Groups) -> BTreeMap<String, String> {
    let mut rivals: BTreeMap<String, Vec<(&String, &Uses)>> = BTreeMap::new();
    for (text, uses) in groups.iter().filter(|(_, uses)| uses.count > 1) {
        rivals.entry(plain_name(text)).or_default().push((text, uses));
    }
    let mut taken = BTreeSet::new();
    let mut names = BTreeMap::new();
    for (plain, rivals) in rivals {
        for (text, uses) in &rivals {
            let prefix = uses.what_differs(&rivals);
            // Sub-resources are listed under the tag of the resource that they belong to.
            let is_shared = rivals.iter().filter(|(_, other)| other.what_differs(&rivals) == prefix).count() > 1;
            let collection = uses.collections.first().filter(|_| is_shared && uses.collections.len() == 1);
            // What the public reads of a collection differs from what others read of it.
            let reader = if uses.tags.iter().all(|tag| tag == "public") { "Public" } else { "" };
            let name = collection.map_or(prefix, |collection| reader.to_owned() + &camel_case(collection)) + &plain;
            let long_name = uses.tags.iter().map(|tag| camel_case(tag)).collect::<String>() + &plain;
            let collections = uses.collections.iter().map(|collection| camel_case(collection)).collect::<String>();
            let longest_name = format!("{reader}{collections}{plain}");
            // If all names are taken, the parameter stays where it is.
            if let Some(name) = [name, long_name, longest_name].into_iter().find(|name| taken.insert(name.clone())) {
                names.insert((*text).clone(), name);
            }
        }
    }
    names
}

impl Uses {
    /// What distinguishes these uses from those of other parameters with the same name; empty if nothing does.
    fn what_differs(&self, rivals: &[(&String, &Self)]) -> String {
        // A public list shares its filters with the list for those who log in.
        let tags = self.tags.iter().filter(|tag| *tag != "public" || self.tags.len() == 1).collect::<Vec<_>>();
        let method = self.methods.first().filter(|_| self.methods.len() == 1);
        if rivals.len() == 1 {
            String::new()
        } else if rivals.iter().any(|(_, other)| other.place != self.place) {
            // A path parameter has the better claim to the plain name.
            if self.place == "path" { String::new() } else { camel_case(&self.place) }
        } else if let [tag] = tags.as_slice() {
            camel_case(tag)
        } else if rivals.iter().any(|(_, other)| other.methods != self.methods) {
            method.map(|method| camel_case(method)).unwrap_or_default()
        } else {
            String::new()
        }
    }
}

/// The name of the component: that of the enum whose words the parameter has, or that of the parameter.
fn plain_name(parameter: &str) -> String {
    let parameter = serde_json::from_str::<Value>(parameter).unwrap_or_default();
    let schema = &parameter["schema"];
    let reference = [&schema["items"], schema].into_iter().find_map(|schema| schema["$ref"].as_str());
    if let Some(name) = reference.and_then(|reference| reference.rsplit('/').next()) {
        return name.to_owned();
    }
    camel_case(parameter["name"].as_str().unwrap_or_default())
}

/// Turns `created_at[gte]` into `CreatedAtGte`.
pub(super) fn camel_case(text: &str) -> String {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric());
    words.map(|word| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_parameter_stands_twice_in_the_document() {
        let mut document = crate::openapi::document();
        let groups = groups(&mut document);
        let repeated = groups.iter().filter(|(text, uses)| uses.count > 1 && !text.contains("\"$ref\"")).collect::<Vec<_>>();
        assert!(
            repeated.is_empty(),
            "these stand several times: {:?}",
            repeated.iter().map(|(text, _)| text).collect::<Vec<_>>()
        );
    }

    #[test]
    fn parameters_of_one_name_are_told_apart_by_what_their_operations_have_in_common() {
        let mut document = crate::openapi::document();
        let parameters = document["components"]["parameters"].take();
        for name in [
            "Limit",
            "Cursor",
            "IfMatch",
            "PutIfMatch",
            "IdempotencyKey",
            "Code",
            "QueryCode",
            "ProgrammeField",
            "CoverageStatus",
        ] {
            assert!(parameters[name].is_object(), "no parameter {name}");
        }
    }
}
