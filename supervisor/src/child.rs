//! Children that an actor starts without waiting for them. ractor tells an actor of a child that fails; of one that fails
//! before it has begun it tells nobody, and somebody would wait for that one for ever.

use ractor::{Actor, ActorCell, ActorId, ActorRef, ActorRuntime};

/// Starts a child of `parent`. If it fails to begin, `instead` is told which and why.
pub(crate) fn start<A: Actor>(
    child: A,
    arguments: A::Arguments,
    parent: ActorCell,
    instead: impl FnOnce(ActorId, String) + Send + 'static,
) -> ActorRef<A::Msg> {
    let started = ActorRuntime::spawn_linked_instant(None, child, arguments, parent);
    let (child, begun) = started.expect("only a name can be taken, and it has none");
    let id = child.get_id();
    tokio::spawn(async move {
        match begun.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => instead(id, error.to_string()),
            Err(error) => instead(id, error.to_string()),
        }
    });
    child
}
