//! Rows by name, and caches that no write leaves stale.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use boathouse_metadata::{Key, Metadata, MetadataError, Transaction};
use quick_cache::sync::Cache;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::entities::{AccessKey, Group, InstanceProfile, ManagedPolicy, OidcProvider, Policies, Role, Tags, User};
use crate::error::IamError;

/// A sort of row. Names are unique without regard to case.
pub(crate) trait Entity: Serialize + DeserializeOwned + Send + 'static {
    /// Where its rows live.
    const SPACE: &'static str;
    /// What messages call it.
    const SORT: &'static str;

    /// What the row is found by.
    fn name(&self) -> &str;

    /// That there is no such entity.
    fn missing(name: &str) -> IamError {
        IamError::no_such(Self::SORT, name)
    }
}

/// An entity with a path, which listings filter by.
pub(crate) trait WithPath: Entity {
    /// The path, from slash to slash.
    fn path(&self) -> &str;
}

/// An entity that policies speak for.
pub(crate) trait Holder: WithPath {
    /// What requests call its name.
    const MEMBER: &'static str;
    /// How many characters its inline policies may have together, white space aside.
    const INLINE_QUOTA: usize;
    /// What the quota on attached policies is called.
    const ATTACHED_QUOTA: &'static str;

    /// Its policies.
    fn policies(&self) -> &Policies;
    /// Its policies, to change.
    fn policies_mut(&mut self) -> &mut Policies;
    /// Its ARN.
    fn arn(&self) -> String;
    /// Its unique id.
    fn id(&self) -> &str;
    /// Its tags; groups have none.
    fn tags(&self) -> Option<&Tags>;
}

macro_rules! entity {
    ($entity:ty, $space:literal, $sort:literal, $name:ident) => {
        impl Entity for $entity {
            const SPACE: &'static str = $space;
            const SORT: &'static str = $sort;

            fn name(&self) -> &str {
                &self.$name
            }
        }
    };
}

macro_rules! with_path {
    ($($entity:ty),*) => {$(
        impl WithPath for $entity {
            fn path(&self) -> &str {
                &self.path
            }
        }
    )*};
}

macro_rules! holder {
    ($($entity:ty, $member:literal, $inline:literal, $attached:literal, $tags:expr;)*) => {$(
        impl Holder for $entity {
            const MEMBER: &'static str = $member;
            const INLINE_QUOTA: usize = $inline;
            const ATTACHED_QUOTA: &'static str = $attached;

            fn policies(&self) -> &Policies {
                &self.policies
            }

            fn policies_mut(&mut self) -> &mut Policies {
                &mut self.policies
            }

            fn arn(&self) -> String {
                self.arn()
            }

            fn id(&self) -> &str {
                &self.id
            }

            fn tags(&self) -> Option<&Tags> {
                let tags: fn(&Self) -> Option<&Tags> = $tags;
                tags(self)
            }
        }
    )*};
}

entity!(User, "iam-users", "user", name);
entity!(Group, "iam-groups", "group", name);
entity!(Role, "iam-roles", "role", name);
entity!(ManagedPolicy, "iam-policies", "policy", name);
entity!(AccessKey, "iam-access-keys", "Access Key", id);
entity!(OidcProvider, "iam-oidc-providers", "OpenIDConnect Provider", name);
entity!(InstanceProfile, "iam-instance-profiles", "Instance Profile", name);
with_path!(User, Group, Role, ManagedPolicy, InstanceProfile);
holder! {
    User, "UserName", 2048, "PoliciesPerUser", |user| Some(&user.tags);
    Group, "GroupName", 5120, "PoliciesPerGroup", |_| None;
    Role, "RoleName", 10240, "PoliciesPerRole", |role| Some(&role.tags);
}

/// The row key of a name.
pub(crate) fn row(name: &str) -> Key {
    Key::new([row_name(name)])
}

/// The name as rows refer to each other by it.
pub(crate) fn row_name(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// The identity rows and the number of writes so far.
#[derive(Clone)]
pub(crate) struct Store {
    metadata: Metadata,
    generation: Arc<AtomicU64>,
}

impl Store {
    /// The rows in this store.
    pub(crate) fn new(metadata: Metadata) -> Self {
        Self { metadata, generation: Arc::default() }
    }

    /// The entity of this name, if there is one.
    pub(crate) fn find<E: Entity>(&self, name: &str) -> Result<Option<E>, MetadataError> {
        self.metadata.get_json(E::SPACE, &row(name))
    }

    /// The entity of this name.
    pub(crate) fn get<E: Entity>(&self, name: &str) -> Result<E, IamError> {
        self.find(name)?.ok_or_else(|| E::missing(name))
    }

    /// A value that is no entity.
    pub(crate) fn value<T: DeserializeOwned>(
        &self,
        space: &'static str,
        key: &Key,
    ) -> Result<Option<T>, MetadataError> {
        self.metadata.get_json(space, key)
    }

    /// Every entity of a sort in the order of names. IAM's quotas keep these few.
    pub(crate) fn all<E: Entity>(&self) -> Result<Vec<E>, MetadataError> {
        let rows = self.metadata.scan(E::SPACE, &Key::default(), None, usize::MAX)?;
        rows.iter().map(|entry| entry.json()).collect()
    }

    /// The entities of a sort whose path begins with `prefix`.
    pub(crate) fn below<E: WithPath>(&self, prefix: &str) -> Result<Vec<E>, MetadataError> {
        let mut entities = self.all::<E>()?;
        entities.retain(|entity| entity.path().starts_with(prefix));
        Ok(entities)
    }

    /// Writes durably; when it returns, no cache answers with what was before. A caller that goes away does not stop it.
    pub(crate) async fn write<T, F>(&self, body: F) -> Result<T, IamError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, IamError> + Send + 'static,
    {
        let store = self.clone();
        let work = tokio::spawn(async move {
            let outcome = store.metadata.transaction(body).await;
            store.generation.fetch_add(1, Ordering::AcqRel);
            outcome
        });
        work.await.unwrap_or_else(|_| Err(MetadataError::Panicked.into()))
    }
}

/// What the transaction sees and does with entities.
pub(crate) trait Rows {
    /// The entity of this name.
    fn entity<E: Entity>(&self, name: &str) -> Result<E, IamError>;
    /// Writes an entity, new or not.
    fn keep<E: Entity>(&self, entity: &E) -> Result<(), IamError>;
    /// Changes an entity.
    fn change<E: Entity>(&self, name: &str, change: impl FnOnce(&mut E) -> Result<(), IamError>)
    -> Result<E, IamError>;
    /// Every entity of a sort.
    fn every<E: Entity>(&self) -> Result<Vec<E>, IamError>;
}

impl Rows for Transaction<'_> {
    fn entity<E: Entity>(&self, name: &str) -> Result<E, IamError> {
        self.get_json(E::SPACE, &row(name))?.ok_or_else(|| E::missing(name))
    }

    fn keep<E: Entity>(&self, entity: &E) -> Result<(), IamError> {
        self.put_json(E::SPACE, &row(entity.name()), entity)?;
        Ok(())
    }

    fn change<E: Entity>(
        &self,
        name: &str,
        change: impl FnOnce(&mut E) -> Result<(), IamError>,
    ) -> Result<E, IamError> {
        let mut entity: E = self.entity(name)?;
        change(&mut entity)?;
        self.keep(&entity)?;
        Ok(entity)
    }

    fn every<E: Entity>(&self) -> Result<Vec<E>, IamError> {
        let rows = self.scan(E::SPACE, &Key::default(), None, usize::MAX)?;
        Ok(rows.iter().map(|entry| entry.json()).collect::<Result<_, _>>()?)
    }
}

/// What was made from rows, good for as long as nobody writes. Loading notes the generation before it reads, so what it
/// read of an older state is never taken for a newer one.
pub(crate) struct Derived<V> {
    entries: Cache<String, (u64, Arc<V>)>,
}

impl<V> Derived<V> {
    /// A cache of at most `capacity` values.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: Cache::new(capacity) }
    }

    /// The value of `key`, from the cache or from `load`. That there is none is not remembered.
    pub(crate) fn get<E>(
        &self,
        store: &Store,
        key: &str,
        load: impl FnOnce() -> Result<Option<V>, E>,
    ) -> Result<Option<Arc<V>>, E> {
        let generation = store.generation.load(Ordering::Acquire);
        if let Some((made, value)) = self.entries.get(key)
            && made == generation
        {
            return Ok(Some(value));
        }
        let Some(value) = load()?.map(Arc::new) else { return Ok(None) };
        self.entries.insert(key.to_owned(), (generation, Arc::clone(&value)));
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let metadata = Metadata::open(&directory.path().join("metadata.db")).unwrap();
        (directory, Store::new(metadata))
    }

    #[tokio::test]
    async fn values_are_loaded_once_until_somebody_writes() {
        let (_directory, store) = store();
        let cache = Derived::new(10);
        let mut loads = 0;
        let mut get = |value: Option<u32>| {
            let loaded = cache.get::<()>(&store, "a", || {
                loads += 1;
                Ok(value)
            });
            (loaded.unwrap().as_deref().copied(), loads)
        };
        assert_eq!(get(None), (None, 1));
        assert_eq!(get(Some(1)), (Some(1), 2));
        assert_eq!(get(Some(2)), (Some(1), 2));
        store.write(|_| Ok(())).await.unwrap();
        assert_eq!(get(Some(3)), (Some(3), 3));
        assert_eq!(get(None), (Some(3), 3));
    }

    #[tokio::test]
    async fn what_was_read_before_a_write_is_not_kept_after_it() {
        let (_directory, store) = store();
        let cache = Derived::new(10);
        let write = store.clone();
        // The write happens while the old state is being loaded.
        let loaded = cache.get::<()>(&store, "a", || {
            write.generation.fetch_add(1, Ordering::AcqRel);
            Ok(Some("old"))
        });
        assert_eq!(loaded.unwrap().as_deref(), Some(&"old"));
        assert_eq!(cache.get::<()>(&store, "a", || Ok(Some("new"))).unwrap().as_deref(), Some(&"new"));
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_does_not_keep_caches_stale() {
        let (_directory, store) = store();
        let before = store.generation.load(Ordering::Acquire);
        let write = store.write(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            Ok(())
        });
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), write).await.is_err());
        for _ in 0..200 {
            if store.generation.load(Ordering::Acquire) > before {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the generation did not change");
    }
}
