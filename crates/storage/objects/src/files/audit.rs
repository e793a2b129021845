//! Whether an index and the files beside it fit: everything that is named is there, and nothing is there that is not named.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use uuid::Uuid;

use crate::Objects;
use crate::collector;
use crate::index::Table;
use crate::manifest;
use crate::packs;
use crate::record::{Extent, Location, Record};

/// What does not fit, in words; empty if all does.
pub(super) fn audit(store: &Objects) -> Vec<String> {
    let mut audit = Audit { store, wrong: Vec::new(), holders: BTreeMap::new(), extents: Vec::new() };
    audit.records();
    audit.counts();
    audit.manifests();
    audit.blobs();
    audit.packs();
    for table in [Table::Intent, Table::Garbage] {
        let left = audit.ids(table);
        audit.expect(left.is_empty(), || format!("rows of {table:?} are left: {left:?}"));
    }
    audit.wrong
}

struct Audit<'a> {
    store: &'a Objects,
    wrong: Vec<String>,
    /// How many records hold on to what can be shared.
    holders: BTreeMap<Uuid, u64>,
    extents: Vec<Extent>,
}

impl Audit<'_> {
    fn expect(&mut self, good: bool, what: impl FnOnce() -> String) {
        if !good {
            self.wrong.push(what());
        }
    }

    fn rows(&self, table: Table) -> Vec<(Vec<u8>, Vec<u8>)> {
        let rows = self.store.inner.index.scan(table, &[], Bound::Unbounded);
        rows.map(|row| row.map(|(key, value)| (key, value.to_vec())).unwrap()).collect()
    }

    fn ids(&self, table: Table) -> BTreeSet<Uuid> {
        self.rows(table).iter().map(|(key, _)| collector::id(key).unwrap()).collect()
    }

    fn records(&mut self) {
        for table in [Table::Current, Table::Version] {
            for (_, raw) in self.rows(table) {
                let location = Record::decode(&raw).unwrap().location;
                if let Some(id) = location.id() {
                    let count = self.holders.entry(id).or_default();
                    *count += 1;
                    if *count > 1 {
                        continue;
                    }
                }
                match location {
                    Location::Whole(extent) => self.extents.push(extent),
                    Location::Parts(_) | Location::Attached(_) => {}
                }
            }
        }
        for (_, raw) in self.rows(Table::Part) {
            self.extents.push(manifest::decode_one(&raw).unwrap().extent);
        }
    }

    fn counts(&mut self) {
        let shared: BTreeMap<Uuid, u64> = self
            .rows(Table::Shared)
            .into_iter()
            .map(|(key, raw)| (collector::id(&key).unwrap(), u64::from_be_bytes(raw.try_into().unwrap())))
            .collect();
        let counted: BTreeMap<Uuid, u64> =
            self.holders.iter().filter(|(_, count)| **count > 1).map(|(id, count)| (*id, *count)).collect();
        self.expect(shared == counted, || format!("shared {shared:?}, but held {counted:?}"));
    }

    fn manifests(&mut self) {
        for (key, raw) in self.rows(Table::Manifest) {
            let id = collector::id(&key).unwrap();
            let held = self.holders.contains_key(&id);
            self.expect(held, || format!("nobody holds the part list {id}"));
            self.extents.extend(manifest::decode(&raw).unwrap().into_iter().map(|part| part.extent));
        }
    }

    fn blobs(&mut self) {
        let named: BTreeSet<Uuid> = self
            .extents
            .iter()
            .filter_map(|extent| if let Extent::Blob(id) = extent { Some(*id) } else { None })
            .collect();
        let there: BTreeSet<Uuid> = self.store.inner.blobs.all().unwrap().into_iter().map(|(id, _)| id).collect();
        self.expect(named == there, || format!("content files: named {named:?}, there {there:?}"));
    }

    fn packs(&mut self) {
        let named: BTreeSet<Uuid> = self
            .extents
            .iter()
            .filter_map(|extent| if let Extent::Packed(id) = extent { Some(*id) } else { None })
            .collect();
        let slots = self.ids(Table::Slot);
        self.expect(named == slots, || format!("entries of packs: named {named:?}, there {slots:?}"));
        let view = self.store.inner.index.view();
        let mut live: BTreeMap<Uuid, u64> = BTreeMap::new();
        for id in slots {
            let slot = packs::slot(&view, id).unwrap().unwrap();
            *live.entry(slot.pack).or_default() += slot.end() - slot.offset;
        }
        let files: BTreeMap<Uuid, u64> = self.store.inner.packs.files.all().unwrap().into_iter().collect();
        for (pack, bytes) in &live {
            let counted = packs::live(&self.store.inner.index, *pack).unwrap();
            self.expect(counted == *bytes, || format!("pack {pack}: {bytes} bytes live, {counted} are counted"));
            self.expect(files.contains_key(pack), || format!("pack {pack} is missing"));
        }
        for pack in files.keys() {
            let wanted = live.contains_key(pack) || self.store.inner.packs.busy(*pack);
            self.expect(wanted, || format!("nobody wants the pack {pack}"));
        }
    }
}
