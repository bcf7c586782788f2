//! The service as one that keeps sessions.

use std::thread::JoinHandle;

use standin_client::{Client, Connect, blocking};

use super::{Fake, Peer, entry, field, map};

/// The token of every session here.
pub(crate) const TOKEN: &str = "00112233445566778899aabbccddeeff";

/// An async client of a service that keeps sessions: the first connection is greeted with a new one.
pub(crate) async fn session<T: Send + 'static>(
    says: impl FnOnce(Connect) -> Connect,
    script: impl FnOnce(Fake, Peer) -> T + Send + 'static,
) -> (Client, JoinHandle<T>) {
    let fake = Fake::listen();
    let connect = says(fake.connect());
    let service = serve_session(fake, script);
    (connect.open().await.expect("it is there"), service)
}

/// A blocking client of the same.
pub(crate) fn blocking_session<T: Send + 'static>(
    says: impl FnOnce(Connect) -> Connect,
    script: impl FnOnce(Fake, Peer) -> T + Send + 'static,
) -> (blocking::Client, JoinHandle<T>) {
    let fake = Fake::listen();
    let connect = says(fake.connect());
    let service = serve_session(fake, script);
    let client = blocking::Client::open(connect);
    (client.expect("it is there"), service)
}

fn serve_session<T: Send + 'static>(
    fake: Fake,
    script: impl FnOnce(Fake, Peer) -> T + Send + 'static,
) -> JoinHandle<T> {
    std::thread::spawn(move || {
        let mut peer = fake.accept();
        let (hello, message) = peer.asked("standin.hello");
        assert_eq!(hello, 1);
        assert_eq!(entry(&message[3][0], "session"), None, "{message}");
        peer.welcome(hello, TOKEN, false);
        script(fake, peer)
    })
}

impl Fake {
    /// A client comes back with its session, and that goes on.
    pub(crate) fn resumed(&self) -> Peer {
        let (mut peer, hello) = self.comes_back();
        peer.welcome(hello, TOKEN, true);
        peer
    }

    /// A client comes back with its session; the number of its hello.
    pub(crate) fn comes_back(&self) -> (Peer, u64) {
        let mut peer = self.accept();
        let (hello, message) = peer.asked("standin.hello");
        assert_eq!(field(&message[3][0], "session"), &TOKEN.into(), "{message}");
        (peer, hello)
    }

    /// The same, or nobody comes any more.
    pub(crate) fn comes_back_or_ends(&self) -> Option<(Peer, u64)> {
        let mut peer = self.accept();
        let message = peer.next()?;
        Some((peer, message[1].as_u64().expect("a msgid is a number")))
    }

    /// Listens no more. What it leaves is where it was.
    pub(crate) fn goes_away(self) -> tempfile::TempDir {
        std::fs::remove_file(self.endpoint().as_path()).expect("it was there");
        self.folder
    }

    /// Whether a connection waits to be taken.
    pub(crate) fn somebody_connects(&self) -> bool {
        self.listener.set_nonblocking(true).expect("it can be set");
        let waits = self.listener.accept().is_ok();
        self.listener.set_nonblocking(false).expect("it can be set");
        waits
    }
}

impl Peer {
    /// Answers a hello with a session.
    pub(crate) fn welcome(&mut self, hello: u64, session: &str, resumed: bool) {
        let limits = map([("message_size_max", (16 << 20).into())]);
        let said = map([
            ("session", session.into()),
            ("resumed", resumed.into()),
            ("limits", limits),
        ]);
        self.answer(hello, said);
    }

    /// The client's next message says that all numbers up to this one are answered.
    pub(crate) fn acknowledged(&mut self) -> u64 {
        let message = self.next().expect("the client is there");
        assert_eq!(message[0], 2.into(), "{message}");
        assert_eq!(message[1], "standin.ack".into(), "{message}");
        message[2][0].as_u64().expect("a msgid is a number")
    }

    /// The client says that it will not come back, and closes.
    pub(crate) fn leaves(&mut self) {
        let message = self.next().expect("the client is there");
        assert_eq!(message[1], "standin.goodbye".into(), "{message}");
        self.closes();
    }
}
