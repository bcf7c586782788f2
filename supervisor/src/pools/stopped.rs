//! Which pools somebody has stopped. It outlives the actors of the pools and of their parent, so that no pool serves
//! again only because something has failed; the service's own end it does not.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// The pools that are stopped until they are started. Each notes itself what it was told.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoppedPools(Arc<Mutex<BTreeSet<Arc<str>>>>);

impl StoppedPools {
    pub(crate) fn add(&self, pool: &Arc<str>) {
        self.lock().insert(Arc::clone(pool));
    }

    pub(crate) fn remove(&self, pool: &str) {
        self.lock().remove(pool);
    }

    pub(crate) fn contains(&self, pool: &str) -> bool {
        self.lock().contains(pool)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Arc<str>>> {
        self.0.lock().expect("nobody panics while holding it")
    }
}
