//! Files in memory, and a catalog of one table, for tests.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use std::sync::Mutex;

use crate::error::{Error, Result};
use crate::files::Files;
use crate::kept::Kept;
use crate::metadata::TableMetadata;
use crate::transaction::Catalog;

#[derive(Debug, Default)]
pub(crate) struct Memory(pub(crate) Arc<InMemory>);

/// The same with what was read before.
#[derive(Debug, Default)]
pub(crate) struct Remembering(pub(crate) Memory, Kept);

impl Files for Remembering {
    fn open(&self, location: &str) -> Result<(Arc<dyn ObjectStore>, Path)> {
        self.0.open(location)
    }

    fn kept(&self) -> Option<&Kept> {
        Some(&self.1)
    }
}

impl Files for Memory {
    fn open(&self, location: &str) -> Result<(Arc<dyn ObjectStore>, Path)> {
        let path = location.strip_prefix("mem://").ok_or_else(|| Error::invalid(location))?;
        Ok((Arc::clone(&self.0) as Arc<dyn ObjectStore>, Path::from(path)))
    }
}

/// A catalog of one table.
#[derive(Debug)]
pub(crate) struct One(pub(crate) Mutex<String>);

#[async_trait]
impl Catalog for One {
    async fn metadata_location(&self) -> Result<String> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn swap(&self, expected: &str, location: &str, _: &TableMetadata) -> Result<()> {
        let mut now = self.0.lock().unwrap();
        if *now != expected {
            return Err(Error::Conflict("others were faster".to_owned()));
        }
        location.clone_into(&mut now);
        Ok(())
    }
}
