//! Faults on command, for the chaos suite: an actor that passes an armed place panics there.
//!
//! `standin.failpoint {place, times?}` arms a place. Both are compiled in only with the feature `failpoints`, and even
//! then only together with debug assertions, so that no release has them.
//!
//! Places: `pool/NAME` (at its next message), `pool_effect/NAME` (between a decision and what follows from it),
//! `pool_stop/NAME` (when it is told to stop), `worker/SLOT` (at its next message), `session` (the one that asks, at its next
//! message), `pool_begins/NAME`, `worker_begins/SLOT` and `session_begins` (before it has begun), `pools`, `keys`, `jobs`,
//! `sessions`, `monitor`, `listener` (at the next client), `reading` (of any connection, at its next message),
//! `worker_pipe/SLOT` (at the next message), `store` and `store_told` (before and after its next commit), `store_looks` (at
//! the next key or job that is looked for), `store_lists` (at the next list or count of jobs).
//!
//! At others nothing fails. `stop`: the service is asked to stop, on systems where a test may have no other way to ask.
//! `no_user`: of the next client that connects it is not known whose it is. `administrator`: the next one is an
//! administrator's. `store_answers_slowly`: the next answer takes two seconds until it is written.

use std::fmt::Display;

#[cfg(all(feature = "failpoints", debug_assertions, windows))]
pub(crate) use self::armed::StopRequests;
#[cfg(all(feature = "failpoints", debug_assertions))]
pub(crate) use self::armed::arm;

/// Whether something that is rare is to happen here, which is no failure.
#[cfg_attr(
    not(all(feature = "failpoints", debug_assertions)),
    expect(unused_variables, reason = "without failpoints there is nothing to do")
)]
#[inline]
pub(crate) fn strikes(place: &str) -> bool {
    #[cfg(all(feature = "failpoints", debug_assertions))]
    return armed::take(place);
    #[cfg(not(all(feature = "failpoints", debug_assertions)))]
    false
}

/// A place where an actor can be made to fail.
#[cfg_attr(
    not(all(feature = "failpoints", debug_assertions)),
    expect(unused_variables, reason = "without failpoints there is nothing to do")
)]
#[inline]
pub(crate) fn pass(place: &str, name: impl Display) {
    #[cfg(all(feature = "failpoints", debug_assertions))]
    armed::pass(place, &name);
}

#[cfg(all(feature = "failpoints", debug_assertions))]
mod armed {
    use std::{fmt::Display, sync::Mutex};

    use bytes::Bytes;
    use standin_protocol::{self as protocol, value};
    #[cfg(windows)]
    use tokio::sync::watch;

    /// How often the service was asked to stop.
    #[cfg(windows)]
    static STOPS: std::sync::LazyLock<watch::Sender<u32>> =
        std::sync::LazyLock::new(|| watch::Sender::new(0));

    /// Requests to stop by the place `stop`.
    #[cfg(windows)]
    pub(crate) struct StopRequests(watch::Receiver<u32>);

    #[cfg(windows)]
    impl StopRequests {
        pub(crate) fn listen() -> Self {
            Self(STOPS.subscribe())
        }

        pub(crate) async fn next(&mut self) {
            let _ = self.0.changed().await;
        }
    }

    static ARMED: Mutex<Vec<String>> = Mutex::new(Vec::new());

    pub(super) fn pass(place: &str, name: &dyn Display) {
        let mut armed = ARMED.lock().expect("nobody panics while holding it");
        if armed.is_empty() {
            return;
        }
        let name = name.to_string();
        let here = match name.as_str() {
            "" => place.to_owned(),
            name => format!("{place}/{name}"),
        };
        let Some(index) = armed.iter().position(|armed| *armed == here) else {
            return;
        };
        armed.swap_remove(index);
        drop(armed);
        panic!("failing on command at {here}");
    }

    pub(super) fn take(place: &str) -> bool {
        let mut armed = ARMED.lock().expect("nobody panics while holding it");
        let index = armed.iter().position(|armed| armed == place);
        index.map(|index| armed.swap_remove(index)).is_some()
    }

    /// Arms a place as often as the arguments say. `session` means the one that asks.
    pub(crate) fn arm(arguments: &[(Bytes, Bytes)], session: impl Display) -> Bytes {
        let argument = |name: &str| {
            let found = arguments.iter().find(|(key, _)| key == name.as_bytes());
            found.map(|(_, value)| value)
        };
        let place = argument("place")
            .and_then(value::read_bytes)
            .unwrap_or_default();
        let place = match String::from_utf8_lossy(&place).into_owned() {
            place if place == "session" => format!("session/{session}"),
            place => place,
        };
        #[cfg(windows)]
        if place == "stop" {
            STOPS.send_modify(|stops| *stops += 1);
            return protocol::encode(&true);
        }
        let times = argument("times").and_then(|times| value::read_unsigned(times));
        let places = std::iter::repeat_n(place, times.unwrap_or(1) as usize);
        let mut armed = ARMED.lock().expect("nobody panics while holding it");
        armed.extend(places);
        protocol::encode(&true)
    }
}
