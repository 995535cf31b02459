//! What is wrong with an import, found before anything is written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use entity::value::code::Code;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ModelTrait, QueryFilter, QuerySelect};
use serde_json::Value;

use super::{Defaults, Incoming, Kind, key_of};
use crate::http::problem::{ApiResult, Fault};
use crate::resources::references::{Target, unknown};

/// The most faults that are listed.
const MOST_FAULTS: usize = 200;
/// Keys of one statement.
pub(super) const KEYS_AT_ONCE: usize = 5000;

/// A place in the file: list, row, pointer in the row.
type Place = (&'static str, usize, String);

/// What is known of an import while it is checked.
pub(super) struct Checking<'a> {
    pub(super) defaults: &'a Defaults,
    faults: Vec<String>,
    left_out: usize,
    /// The keys of each list.
    keys: HashMap<&'static str, HashSet<String>>,
    /// The lists in which things that are referred to stand.
    lists: BTreeMap<Target, &'static str>,
    references: BTreeMap<Target, Vec<(Place, String)>>,
    parts: Vec<(Place, &'static str, String)>,
}

impl<'a> Checking<'a> {
    pub(super) fn new(defaults: &'a Defaults) -> Self {
        Self {
            defaults,
            faults: Vec::new(),
            left_out: 0,
            keys: HashMap::new(),
            lists: BTreeMap::new(),
            references: BTreeMap::new(),
            parts: Vec::new(),
        }
    }

    /// Notes what is wrong with a row.
    pub(super) fn fault(&mut self, list: &str, index: usize, fault: &Fault) {
        self.say(format!("{list}[{index}]{}", fault.sentence()));
    }

    /// Notes what is wrong at a member of a row.
    pub(super) fn fault_at(&mut self, list: &str, index: usize, pointer: &str, en: impl Into<String>) {
        self.say(format!("{list}[{index}]{pointer}: {}", en.into()));
    }

    /// Notes what is wrong with a list.
    pub(super) fn say(&mut self, sentence: String) {
        if self.faults.len() < MOST_FAULTS { self.faults.push(sentence) } else { self.left_out += 1 }
    }

    /// Every fault, if there is one.
    pub(super) fn result(self) -> Result<(), String> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let more = (self.left_out > 0).then(|| format!("and {} more", self.left_out));
        Err(self.faults.into_iter().chain(more).collect::<Vec<_>>().join("\n"))
    }

    /// Notes what the value of a row refers to.
    pub(super) fn refer<K: Kind>(&mut self, list: &'static str, index: usize, value: &Value) {
        // What is no code is a fault of its own.
        let codes = K::references(value).into_iter().filter(|(_, _, code)| Code::parse(code).is_ok());
        for (pointer, target, code) in codes {
            self.references.entry(target).or_default().push(((list, index, pointer), code));
        }
        if let Some((member, wholes)) = K::WHOLE
            && let Some(key) = value[member].as_str()
        {
            self.parts.push(((list, index, format!("/{member}")), wholes, key.to_owned()));
        }
    }

    /// Notes the keys of a list; a second one is a fault. Rows without an order of their own are told apart by their place.
    pub(super) fn identify<K: Kind>(&mut self, list: &'static str, rows: &[Incoming<K>]) {
        if let Some(target) = K::TARGET {
            self.lists.insert(target, list);
        }
        if K::IN_ORDER {
            return;
        }
        let mut keys = HashSet::new();
        for incoming in rows {
            let key = key_of::<K>(&incoming.row);
            if keys.contains(&key) {
                self.fault_at(list, incoming.index, "", format!("`{key}` stands there twice."));
            }
            keys.insert(key);
        }
        self.keys.insert(list, keys);
    }

    /// Looks for all that is referred to, in the file and in the database.
    pub(super) async fn follow(&mut self, db: &impl ConnectionTrait) -> ApiResult<()> {
        let in_file = |checking: &Self, list: &str, key: &str| checking.keys.get(list).is_some_and(|keys| keys.contains(key));
        for ((list, index, pointer), wholes, key) in std::mem::take(&mut self.parts) {
            if !in_file(self, wholes, &key) {
                self.fault_at(list, index, &pointer, format!("`{key}` is not among the {wholes} of the file."));
            }
        }
        for (target, places) in std::mem::take(&mut self.references) {
            let list = self.lists.get(&target).copied().unwrap_or_default();
            let outside = places.into_iter().filter(|(_, key)| !in_file(self, list, key)).collect::<Vec<_>>();
            let keys = outside.iter().map(|(_, key)| key.clone()).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
            let mut existing = BTreeSet::new();
            for some in keys.chunks(KEYS_AT_ONCE) {
                existing.extend(target.existing(db, &some.iter().cloned().collect()).await?);
            }
            for ((list, index, pointer), key) in outside.into_iter().filter(|(_, key)| !existing.contains(key)) {
                self.fault(list, index, &unknown(pointer, target, &key));
            }
        }
        Ok(())
    }

    /// Refuses what is in the database already.
    pub(super) async fn clash<K: Kind>(
        &mut self,
        list: &'static str,
        rows: &[Incoming<K>],
        db: &impl ConnectionTrait,
    ) -> ApiResult<()> {
        let [column] = K::order()[..] else { return Ok(()) };
        for some in rows.chunks(KEYS_AT_ONCE) {
            let keys = some.iter().map(|incoming| incoming.row.get(column));
            let known = K::Entity::find().select_only().column(column).filter(column.is_in(keys));
            let known = known.into_tuple::<String>().all(db).await?.into_iter().collect::<HashSet<_>>();
            for incoming in some {
                let key = key_of::<K>(&incoming.row);
                if known.contains(&key) {
                    self.fault_at(list, incoming.index, "", format!("`{key}` is in the database already."));
                }
            }
        }
        Ok(())
    }
}
