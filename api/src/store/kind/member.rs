//! A member of a resource: everything that lists, answers, references, imports and the document read about it.

use serde_json::Value;

use super::Kind;
use super::field::Field;
use super::reference::{Link, Refers, Within};
use super::value_type::ValueType;
use crate::http::language::Noun;

/// A member of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name in bodies; in the table too, unless it has several columns.
    pub name: &'static str,
    /// What it holds.
    pub value: ValueType,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// Whether lists can be filtered by it.
    pub is_filter: bool,
    /// Whether lists can be sorted by it.
    pub is_sortable: bool,
    /// Whether the public sees it.
    pub is_public: bool,
    /// Of the entries of its list the members that the public sees, where these are not all.
    pub public_entries: Option<&'static [&'static str]>,
    /// What it refers to.
    pub refers: Refers,
    /// The table that holds the codes of its list.
    pub link: Option<Link>,
    /// Where its list has objects: the member of each that has the code.
    pub entry: Option<&'static str>,
    /// The columns that hold its parts, where it has several.
    pub columns: &'static [PartColumn],
    /// Whether it holds texts in both languages, of which answers show one.
    pub is_in_language: bool,
    /// What it is called, in both languages.
    pub label: Noun,
    /// What it says, in Indonesian; in English the schema has it.
    pub about_id: &'static str,
}

/// A column that holds a part of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartColumn {
    /// The column.
    pub name: &'static str,
    /// The name of the part within the member.
    pub part: &'static str,
    /// What it holds.
    pub value: ValueType,
}

impl Member {
    /// A member with a column of its own, or with several.
    pub const fn new(name: &'static str, value: ValueType, is_nullable: bool, columns: &'static [PartColumn]) -> Self {
        Self {
            name,
            value,
            is_nullable,
            is_filter: false,
            is_sortable: false,
            is_public: false,
            public_entries: None,
            refers: Refers::Nothing,
            link: None,
            entry: None,
            columns,
            is_in_language: false,
            label: Noun { en: name, id: name },
            about_id: "",
        }
    }

    /// Lists can be filtered by it.
    pub const fn filter(mut self) -> Self {
        self.is_filter = true;
        self
    }

    /// Lists can be filtered and sorted by it.
    pub const fn sort(mut self) -> Self {
        self.is_filter = true;
        self.is_sortable = true;
        self
    }

    /// The public sees it.
    pub const fn public(mut self) -> Self {
        self.is_public = true;
        self
    }

    /// The public sees it, and of the entries of its list only these members.
    pub const fn public_entries(mut self, names: &'static [&'static str]) -> Self {
        self.public_entries = Some(names);
        self.public()
    }

    /// It holds texts in both languages, of which answers show one.
    pub const fn in_language(mut self) -> Self {
        self.is_in_language = true;
        self
    }

    /// It holds the code, or codes, of resources of a kind.
    pub const fn refers(mut self, kind: &'static Kind) -> Self {
        self.refers = Refers::To(kind);
        self
    }

    /// Something within it refers to resources.
    pub const fn refers_within(mut self, within: &'static dyn Within) -> Self {
        self.refers = Refers::Within(within);
        self
    }

    /// A table holds its codes, by which lists can be filtered.
    pub const fn linked(mut self, link: Link) -> Self {
        self.link = Some(link);
        self.filter()
    }

    /// It is a list of objects, each with a code in one of its members; a table holds these codes.
    pub const fn in_entries(mut self, entry: &'static str, link: Link) -> Self {
        self.entry = Some(entry);
        self.link = Some(link);
        self
    }

    /// What it is called in English and in Indonesian, and what it says in Indonesian.
    pub const fn label(mut self, en: &'static str, id: &'static str, about_id: &'static str) -> Self {
        self.label = Noun { en, id };
        self.about_id = about_id;
        self
    }

    /// The kind that its codes, or its one code, refer to.
    pub const fn target(&self) -> Option<&'static Kind> {
        match self.refers {
            Refers::To(kind) => Some(kind),
            _ => None,
        }
    }

    /// As a field of lists, if it is one.
    pub const fn field(&self) -> Option<Field> {
        let value = if matches!(self.value, ValueType::Codes) { ValueType::Code } else { self.value };
        let (sortable, nullable) = (self.is_sortable, self.is_nullable);
        if self.is_filter { Some(Field { sortable, nullable, link: self.link, ..Field::filter(self.name, value) }) } else { None }
    }

    /// What it names: the place as a JSON pointer, the kind and the key.
    pub fn named(&self, value: &Value) -> Vec<(String, &'static Kind, String)> {
        let pointer = format!("/{}", self.name);
        match (self.refers, value) {
            (Refers::To(kind), Value::String(code)) => vec![(pointer, kind, code.clone())],
            (Refers::To(kind), Value::Array(codes)) => {
                let code = |entry: &Value| match self.entry {
                    Some(name) => entry[name].as_str().map(|code| (format!("/{name}"), code.to_owned())),
                    None => entry.as_str().map(|code| (String::new(), code.to_owned())),
                };
                let codes = codes.iter().enumerate().filter_map(|(index, entry)| Some((index, code(entry)?)));
                codes.map(|(index, (place, code))| (format!("{pointer}/{index}{place}"), kind, code)).collect()
            }
            (Refers::Within(within), value) => {
                let named = within.named(value).into_iter();
                named.map(|(place, kind, code)| (pointer.clone() + &place, kind, code)).collect()
            }
            _ => Vec::new(),
        }
    }
}
