//! A service of a few lines. It speaks bytes with an encoder that is not Standin's own, so that a wrong type cannot hide
//! behind itself, and does nothing that a test did not tell it to.

mod sessions;

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    thread::JoinHandle,
    time::Duration,
};

use rmpv::Value;
use standin_client::{Client, Connect, Endpoint, blocking};

pub(crate) use self::sessions::{TOKEN, blocking_session, session};

/// Far more than anything here takes; a test that reaches it has failed.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Fake {
    listener: UnixListener,
    folder: tempfile::TempDir,
}

/// A connected client, seen from the service.
pub(crate) struct Peer {
    stream: UnixStream,
    unread: Vec<u8>,
}

pub(crate) fn endpoint_in(folder: &tempfile::TempDir) -> Endpoint {
    let path = folder.path().join("s");
    Endpoint::parse(path.to_str().expect("a plain name")).expect("it is a path")
}

impl Fake {
    pub(crate) fn listen() -> Fake {
        Fake::listen_in(tempfile::tempdir().expect("there is room"))
    }

    pub(crate) fn listen_in(folder: tempfile::TempDir) -> Fake {
        let listener = UnixListener::bind(endpoint_in(&folder).as_path()).expect("it is free");
        Fake { listener, folder }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        endpoint_in(&self.folder)
    }

    /// How a client connects to it.
    pub(crate) fn connect(&self) -> Connect {
        Connect::new().endpoint(self.endpoint()).limit(LIMIT)
    }

    pub(crate) fn accept(&self) -> Peer {
        let (stream, _) = self.listener.accept().expect("a client comes");
        stream.set_read_timeout(Some(LIMIT)).expect("it can be set");
        Peer {
            stream,
            unread: Vec::new(),
        }
    }

    /// Greets one client on a thread of its own and then does as it is told. The thread's result is the service's
    /// verdict: join it.
    pub(crate) fn serve<T: Send + 'static>(
        self,
        script: impl FnOnce(&mut Peer) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        std::thread::spawn(move || {
            let mut peer = self.accept();
            peer.greet();
            script(&mut peer)
        })
    }
}

/// An async client of a service that does as it is told.
pub(crate) async fn client<T: Send + 'static>(
    script: impl FnOnce(&mut Peer) -> T + Send + 'static,
) -> (Client, JoinHandle<T>) {
    client_that(|connect| connect, script).await
}

/// The same with more to say when it connects.
pub(crate) async fn client_that<T: Send + 'static>(
    says: impl FnOnce(Connect) -> Connect,
    script: impl FnOnce(&mut Peer) -> T + Send + 'static,
) -> (Client, JoinHandle<T>) {
    let fake = Fake::listen();
    let connect = says(fake.connect());
    let service = fake.serve(script);
    (connect.open().await.expect("it is there"), service)
}

/// Waits for the service's verdict without holding up the client's tasks.
pub(crate) async fn verdict<T: Send + 'static>(service: JoinHandle<T>) -> T {
    let joined = tokio::task::spawn_blocking(|| service.join()).await;
    joined.expect("it ends").expect("the service is content")
}

/// A blocking client of a service that does as it is told.
pub(crate) fn blocking_client<T: Send + 'static>(
    says: impl FnOnce(Connect) -> Connect,
    script: impl FnOnce(&mut Peer) -> T + Send + 'static,
) -> (blocking::Client, JoinHandle<T>) {
    let fake = Fake::listen();
    let connect = says(fake.connect());
    let service = fake.serve(script);
    let client = blocking::Client::open(connect);
    (client.expect("it is there"), service)
}

pub(crate) fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
    Value::Map(entries.collect())
}

pub(crate) fn field<'a>(map: &'a Value, name: &str) -> &'a Value {
    entry(map, name).unwrap_or_else(|| panic!("no {name} in {map}"))
}

pub(crate) fn entry<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    let entries = map.as_map().expect("it is a map");
    let found = entries.iter().find(|(key, _)| key.as_str() == Some(name));
    found.map(|(_, value)| value)
}

/// What a request says beside its parameters.
pub(crate) fn beside<'a>(message: &'a Value, name: &str) -> Option<&'a Value> {
    let meta = message.as_array().expect("it is a request").get(4)?;
    entry(meta, name)
}

impl Peer {
    /// The client's next message; `None`: it has closed.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let mut rest = self.unread.as_slice();
            if let Ok(message) = rmpv::decode::read_value(&mut rest) {
                let used = self.unread.len() - rest.len();
                self.unread.drain(..used);
                return Some(message);
            }
            match self.stream.read(&mut buffer).expect("the client speaks") {
                0 => return None,
                read => self.unread.extend_from_slice(&buffer[..read]),
            }
        }
    }

    /// Takes some of what the client writes, and looks at none of it.
    pub(crate) fn read_part(&mut self, length: usize) {
        let mut part = vec![0; length];
        self.stream
            .read_exact(&mut part)
            .expect("the client speaks");
    }

    /// The client's next message is a request for this method: its msgid and all of it.
    pub(crate) fn asked(&mut self, method: &str) -> (u64, Value) {
        let message = self.next().expect("the client is there");
        assert_eq!(message[0], 0.into(), "{message}");
        assert_eq!(message[2], method.into(), "{message}");
        (message[1].as_u64().expect("a msgid is a number"), message)
    }

    /// The client's next message is an answer to this question: its error and its result.
    pub(crate) fn answered(&mut self, msgid: u64) -> (Value, Value) {
        let message = self.next().expect("the client is there");
        assert_eq!(
            (&message[0], &message[1]),
            (&1.into(), &msgid.into()),
            "{message}"
        );
        (message[2].clone(), message[3].clone())
    }

    pub(crate) fn send(&mut self, message: &Value) {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, message).expect("a Vec takes every byte");
        self.send_bytes(&bytes);
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the client reads");
    }

    pub(crate) fn answer(&mut self, msgid: u64, result: Value) {
        self.send(&Value::Array(vec![
            1.into(),
            msgid.into(),
            Value::Nil,
            result,
        ]));
    }

    pub(crate) fn refuse(&mut self, msgid: u64, error: Value) {
        self.send(&Value::Array(vec![
            1.into(),
            msgid.into(),
            error,
            Value::Nil,
        ]));
    }

    pub(crate) fn ask(&mut self, msgid: u64, method: &str, params: Value) {
        self.send(&Value::Array(vec![
            0.into(),
            msgid.into(),
            method.into(),
            params,
        ]));
    }

    pub(crate) fn greet(&mut self) {
        let (hello, _) = self.asked("standin.hello");
        let limits = map([("message_size_max", (16 << 20).into())]);
        self.answer(hello, map([("server", "fake".into()), ("limits", limits)]));
    }

    pub(crate) fn closes(&mut self) {
        assert_eq!(self.next(), None, "the client closes");
    }
}
