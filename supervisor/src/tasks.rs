//! Tasks beside the actors. An actor that panics is noticed by its parent; a task of its that panics would be noticed by
//! nobody, and somebody would wait for it for ever.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

pin_project! {
    /// Every idle session keeps one, and an `async fn` would have room in it for its work twice: where it was given, and
    /// where it is run.
    struct OrWhenItPanics<W, I> {
        #[pin]
        work: Option<W>,
        instead: Option<I>,
    }
}

/// Runs to the end, or does `instead` when it panics. What it held is dropped by then.
pub(crate) fn or_when_it_panics<W, I>(work: W, instead: I) -> impl Future<Output = ()> + Send
where
    W: Future<Output = ()> + Send,
    I: FnOnce() + Send,
{
    OrWhenItPanics {
        work: Some(work),
        instead: Some(instead),
    }
}

impl<W: Future<Output = ()>, I: FnOnce()> Future for OrWhenItPanics<W, I> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(work) = this.work.as_mut().as_pin_mut() else {
            return Poll::Ready(());
        };
        // What a panic leaves half done is not looked at again: the work is dropped.
        let polled = catch_unwind(AssertUnwindSafe(|| work.poll(context)));
        if let Ok(Poll::Pending) = polled {
            return Poll::Pending;
        }
        this.work.set(None);
        let instead = this.instead.take();
        if polled.is_err()
            && let Some(instead) = instead
        {
            instead();
        }
        Poll::Ready(())
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

    #[tokio::test]
    async fn what_a_task_held_is_gone_when_its_panic_is_noticed() {
        let held = std::sync::Arc::new(());
        let (seen, inner) = (std::sync::Arc::downgrade(&held), held);
        let fails = async move {
            tokio::task::yield_now().await;
            let _held = &inner;
            panic!("on purpose");
        };
        let mut left = None;
        or_when_it_panics(fails, || left = Some(seen.strong_count())).await;
        assert_eq!(left, Some(0));
    }

    #[test]
    fn watched_work_has_room_for_its_own_once() {
        let large = [7_u8; 4096];
        let work = async move {
            tokio::task::yield_now().await;
            assert_eq!(large[0], 7);
        };
        let alone = size_of_val(&work);
        assert!(alone >= 4096);
        assert!(size_of_val(&or_when_it_panics(work, || {})) < alone + 64);
    }
}
