//! Tasks beside the actors. An actor that panics is noticed by its parent; a task of its that panics would be noticed by
//! nobody, and somebody would wait for it for ever.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

/// Runs to the end, or does `instead` when it panics. What it held is dropped by then.
pub(crate) async fn or_when_it_panics(work: impl Future<Output = ()>, instead: impl FnOnce()) {
    let has_panicked = {
        let mut work = pin!(work);
        poll_fn(|context| {
            // What a panic leaves half done is not looked at again: the work is dropped.
            let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
            match polled {
                Ok(polled) => polled.map(|()| false),
                Err(_) => Poll::Ready(true),
            }
        })
        .await
    };
    if has_panicked {
        instead();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_noticed_and_one_that_ends_is_left_alone() {
        let mut noticed = 0;
        or_when_it_panics(async { tokio::task::yield_now().await }, || noticed += 1).await;
        assert_eq!(noticed, 0);
        let fails = async {
            tokio::task::yield_now().await;
            panic!("on purpose");
        };
        or_when_it_panics(fails, || noticed += 1).await;
        assert_eq!(noticed, 1);
    }
}
