//! Dependencies between the files of the service flow one way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprMethodCall, Ident, ItemMod, ItemUse, UseTree};

/// What everything else stands on, from the ground up.
const FLOORS: [&[&str]; 13] = [
    &["telemetry", "licence"],
    &["http"],
    &["csv", "auth"],
    &["store"],
    &["tabular"],
    &["crud"],
    &["resources"],
    &["aggregates", "public", "push"],
    &["charts", "kinds"],
    &["dataset"],
    &["import_export"],
    &["feed"],
    &["webhooks"],
];

type Graph = BTreeMap<String, BTreeSet<String>>;

/// Which parts of a file are read.
#[derive(Clone, Copy, PartialEq)]
enum Parts {
    /// What is in the service.
    Service,
    /// The unit tests below it as well.
    WithUnitTests,
}

#[test]
fn no_file_uses_what_uses_it() {
    let files = files();
    assert!(files.len() > 150, "only {} files were read", files.len());
    let graph = graph(&files, Parts::Service);
    assert!(graph.values().map(BTreeSet::len).sum::<usize>() > 500, "too few imports were found");
    assert_eq!(circle(&graph), None);
}

#[test]
fn nothing_uses_what_stands_above_it() {
    let floor = |module: &str| FLOORS.iter().position(|names| names.contains(&module.split("::").next().unwrap_or_default()));
    let mut upwards = Vec::new();
    for (from, uses) in graph(&files(), Parts::WithUnitTests) {
        let own = floor(&from).unwrap_or(FLOORS.len());
        upwards.extend(uses.into_iter().filter(|to| floor(to).unwrap_or(FLOORS.len()) > own).map(|to| format!("{from} -> {to}")));
    }
    assert_eq!(upwards, Vec::<String>::new());
}

/// A client may hang up while its transaction is being begun: `store::connection::begin` sees to it that it is undone. On SQLite the pool
/// does, and nobody hangs up on a command.
#[test]
fn the_transactions_of_requests_are_begun_in_one_place() {
    let begins = files().into_iter().filter_map(|(module, file)| {
        let mut begun = Begun(false);
        begun.visit_file(&file);
        begun.0.then_some(module)
    });
    assert_eq!(begins.collect::<Vec<_>>(), ["commands::relocate", "store::connection", "store::turns"]);
}

#[test]
fn a_circle_is_found() {
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph
    };
    assert_eq!(circle(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
    let found = circle(&graph(&[("a", "b"), ("b", "c"), ("c", "b")]));
    assert_eq!(found, Some(vec!["b".to_owned(), "c".to_owned()]));
}

/// The files of the service but those of its tests, by module: `store::kind`.
fn files() -> BTreeMap<String, syn::File> {
    let mut files = BTreeMap::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/src"), "", &mut files);
    files
}

fn read(folder: &Path, within: &str, files: &mut BTreeMap<String, syn::File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = if within.is_empty() { name.clone() } else { format!("{within}::{name}") };
        if path.is_dir() {
            read(&path, &module, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !["lib", "main", "tests"].contains(&name.as_str())
        {
            let text = fs::read_to_string(&path).unwrap();
            files.insert(module, syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        }
    }
}

/// Which module uses which.
fn graph(files: &BTreeMap<String, syn::File>, parts: Parts) -> Graph {
    let uses = |(module, file): (&String, &syn::File)| {
        let mut found = Uses { module, files, parts, inner: Vec::new(), to: BTreeSet::new() };
        found.visit_file(file);
        // A module and the files below it are one thing to each other.
        found.to.retain(|to| module != to && !module.starts_with(&format!("{to}::")));
        (module.clone(), found.to)
    };
    files.iter().map(uses).collect()
}

/// Looks for the beginning of a transaction.
struct Begun(bool);

impl<'ast> Visit<'ast> for Begun {
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let is_on_itself = matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("self"));
        let is_plain = call.method == "begin" && call.args.is_empty() && !is_on_itself;
        self.0 |= is_plain || call.method == "begin_with_config" || call.method == "begin_with_options";
        visit::visit_expr_method_call(self, call);
    }
}

/// Looks for everything that a module names by a path.
struct Uses<'a> {
    module: &'a str,
    files: &'a BTreeMap<String, syn::File>,
    parts: Parts,
    /// The modules within the file that are being read.
    inner: Vec<String>,
    to: BTreeSet<String>,
}

impl Uses<'_> {
    /// Notes the file that a path from the root of the crate, or from this module, leads into.
    fn note(&mut self, path: &[String]) {
        let own = self.module.split("::").map(str::to_owned).chain(self.inner.iter().cloned()).collect::<Vec<_>>();
        let mut rest = path;
        let mut place = match rest.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => own,
            _ => return,
        };
        while let Some((first, more)) =
            rest.split_first().filter(|(first, _)| ["crate", "self", "super"].contains(&first.as_str()))
        {
            if first == "super" {
                place.pop();
            }
            rest = more;
        }
        for name in rest {
            let further = [place.as_slice(), std::slice::from_ref(name)].concat();
            if !self.files.contains_key(&further.join("::")) {
                break;
            }
            place = further;
        }
        if self.files.contains_key(&place.join("::")) {
            self.to.insert(place.join("::"));
        }
    }

    fn note_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |ident: &Ident| [before, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.note_tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) if name.ident == "self" => self.note(before),
            UseTree::Name(name) => self.note(&with(&name.ident)),
            UseTree::Rename(rename) => self.note(&with(&rename.ident)),
            UseTree::Glob(_) => self.note(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.note_tree(before, tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.note_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.note(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if self.parts == Parts::WithUnitTests || !item.attrs.iter().any(is_for_tests) {
            self.inner.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.inner.pop();
        }
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<Ident>().is_ok_and(|what| what == "test")
}

/// A shortest circle, in the order of its names; nothing where there is none.
fn circle(graph: &Graph) -> Option<Vec<String>> {
    let mut shortest: Option<Vec<String>> = None;
    for start in graph.keys() {
        let mut came_from = BTreeMap::new();
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            for to in graph.get(at).into_iter().flatten() {
                if came_from.contains_key(to) {
                    continue;
                }
                came_from.insert(to, at);
                open.insert(0, to);
            }
        }
        let Some(mut at) = came_from.get(start).copied() else { continue };
        let mut members = vec![start.clone()];
        while at != start {
            members.push(at.clone());
            at = came_from[at];
        }
        members.sort();
        if shortest.as_ref().is_none_or(|known| members.len() < known.len()) {
            shortest = Some(members);
        }
    }
    shortest
}
