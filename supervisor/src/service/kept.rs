//! What outlives the service: its state folder and the store in it, from before anybody is answered to the very end.

use standin_transport::Endpoint;

use super::ServeError;
use crate::{
    config::Settings,
    process::guard,
    recovery,
    state::{self, Keeper, StateFolder},
    store::{Store, Write},
};

/// The folder and the store.
pub(super) struct Kept {
    pub(super) folder: StateFolder,
    pub(super) store: Store,
}

impl Kept {
    /// Claims the folder and opens the store for the run `instance`. Whatever earlier runs have started is dead by then,
    /// so that nothing is going on of which the store knows only the beginning.
    pub(super) async fn open(
        settings: &Settings,
        endpoint: &Endpoint,
        keeper: Keeper,
        instance: &str,
    ) -> Result<Kept, ServeError> {
        let place = state::place(settings, endpoint, keeper)?;
        let linger = settings.sessions.linger.0;
        let instance = instance.to_owned();
        let open = move || {
            let folder = StateFolder::claim(&place)?;
            let store = Store::open(folder.path(), state::boot, &instance)?;
            end_what_is_left(&store);
            if let Some(interrupted) = store.interrupted() {
                recovery::begin(interrupted.how, interrupted.sessions);
            }
            store.handle().wait_for_sessions(linger);
            Ok(Kept { folder, store })
        };
        let opened = tokio::task::spawn_blocking(open).await;
        opened.expect("nothing in there panics")
    }

    /// Commits what is left, and gives up the folder. `is_clean`: no process of the run is alive.
    pub(super) async fn close(self, instance: &str, is_clean: bool) {
        let Kept { folder, store } = self;
        if is_clean {
            store
                .handle()
                .post(Write::InstanceGone(instance.to_owned()));
        }
        let close = move || {
            store.close();
            drop(folder);
        };
        let _ = tokio::task::spawn_blocking(close).await;
    }
}

fn end_what_is_left(store: &Store) {
    let left = store.left();
    if left.is_empty() {
        return;
    }
    tracing::warn!(
        "the service was ended without being asked to stop; what it had started is looked for first"
    );
    let ended = guard::sweep_until_clean(left);
    if ended > 0 {
        tracing::warn!(ended, "processes that it had left behind were ended");
    }
    for instance in left {
        store.handle().post(Write::InstanceGone(instance.clone()));
    }
}
