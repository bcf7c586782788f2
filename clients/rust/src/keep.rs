//! The task that reads what the service says, and makes the connection again when it is lost.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use standin_protocol::{ErrorCode, Message, WireError};
use standin_transport::{ConnectError, Endpoint, ReadError, connect_once};
use tokio::{sync::oneshot, time::Instant};

use crate::{
    Client,
    backoff::Backoff,
    callbacks,
    client::Inner,
    hello::{Greeted, Introduction, NotGreeted, Reading, greet},
    line::Ending,
    shared::{
        Shared,
        link::{After, End},
    },
};

/// How long one try to connect may take.
const TRY_LIMIT: Duration = Duration::from_secs(1);

/// How long a service that takes the connection may take to answer the hello: after its own end it has much to read
/// before it knows what it was asked.
const HELLO_LIMIT: Duration = Duration::from_secs(10);

/// How to get to the service.
pub(crate) struct Way {
    pub(crate) endpoint: Endpoint,
    pub(crate) who: Introduction,
}

/// Goes on until there is no connection and no other one is wanted. The client ends this task when it is dropped,
/// which closes the connection.
pub(crate) async fn keep(
    shared: Arc<Shared>,
    way: Way,
    mut connection: Option<(Reading, u64)>,
    client: oneshot::Receiver<Weak<Inner>>,
) {
    // However this task ends, nobody is left waiting.
    let on_end = OnEnd(shared);
    let Ok(client) = client.await else { return };
    let mut keeper = Keeper {
        shared: &on_end.0,
        way,
        client,
        backoff: Backoff::default(),
        next_try: Instant::now(),
    };
    while let Some((reading, number)) = connection {
        let ending = keeper.read(reading, number).await;
        connection = keeper.next_connection(ending).await;
    }
}

struct OnEnd(Arc<Shared>);

impl Drop for OnEnd {
    fn drop(&mut self) {
        drop(self.0.end(End::Lost));
    }
}

struct Keeper<'a> {
    shared: &'a Arc<Shared>,
    way: Way,
    client: Weak<Inner>,
    backoff: Backoff,
    next_try: Instant,
}

impl Keeper<'_> {
    /// The way from a connection that is lost to the next one, if there is to be one.
    async fn next_connection(&mut self, ending: Ending) -> Option<(Reading, u64)> {
        let After::Another { was_fruitful } = self.shared.lost(ending) else {
            return None;
        };
        // One that takes connections and loses each of them again is not asked the faster for it.
        if was_fruitful {
            self.backoff = Backoff::default();
            self.next_try = Instant::now();
        }
        let shared = Arc::clone(self.shared);
        let greeted = tokio::select! {
            greeted = self.connect() => greeted,
            never = shared.watch_times() => match never {},
        };
        self.shared.adopt(greeted)
    }

    /// Reads a connection to its end.
    async fn read(&self, mut reading: Reading, connection: u64) -> Ending {
        loop {
            for message in reading.messages.drain(..) {
                self.received(message, connection);
            }
            match reading.reader.read(&mut reading.messages).await {
                Ok(()) => {}
                Err(ReadError::Closed | ReadError::Wire(WireError::EndInsideMessage { .. })) => {
                    return Ending::Closed;
                }
                Err(ReadError::Wire(_) | ReadError::Broken(_)) => return Ending::GivenUp,
            }
        }
    }

    fn received(&self, message: Message, connection: u64) {
        match message {
            Message::Response(response) => self.shared.answered(response.msgid, response.result),
            Message::Request(request) => {
                // If the last clone is going, this task is about to be ended.
                if let Some(client) = Client::upgrade(&self.client) {
                    callbacks::serve(self.shared, connection, client, request);
                }
            }
            Message::Notification(told) => self.shared.told(&told),
            Message::WrongRequest { msgid, error } => {
                self.shared.respond(connection, msgid, &Err(error));
            }
        }
    }

    /// Tries for as long as something is open, and otherwise waits until something is.
    async fn connect(&mut self) -> Greeted {
        loop {
            self.shared.is_wanted().await;
            tokio::time::sleep_until(self.next_try).await;
            match self.try_once().await {
                Ok(greeted) => return greeted,
                Err(trouble) => self.shared.not_connected(trouble),
            }
        }
    }

    /// Tries once; says what was in the way.
    async fn try_once(&mut self) -> Result<Greeted, String> {
        let pause = self.backoff.next_pause();
        let tried = self.connect_and_greet().await;
        self.next_try = Instant::now() + pause;
        tried
    }

    async fn connect_and_greet(&self) -> Result<Greeted, String> {
        let Way { endpoint, who } = &self.way;
        let connection = connect_once(endpoint, TRY_LIMIT).await;
        let connection = connection.map_err(|error| trouble(&error))?;
        let (msgid, session) = self.shared.introduce();
        let greeting = greet(connection, msgid, who, session.as_deref());
        match tokio::time::timeout(HELLO_LIMIT, greeting).await {
            Ok(Ok(greeted)) => Ok(greeted),
            Ok(Err(NotGreeted::Lost)) => {
                Err(format!("the service at `{endpoint}` closes the connection"))
            }
            Ok(Err(NotGreeted::Refused(answer))) => {
                if answer.service_code() == Some(ErrorCode::SessionDenied) {
                    self.shared.session_denied();
                }
                Err(format!("the service at `{endpoint}` answers: {answer}"))
            }
            Err(_) => Err(format!(
                "the service at `{endpoint}` takes connections but does not answer"
            )),
        }
    }
}

/// Inside of a sentence.
fn trouble(error: &ConnectError) -> String {
    match error {
        ConnectError::NotRunning { endpoint, .. } => format!("no service answers at `{endpoint}`"),
        ConnectError::Busy { endpoint, .. } => {
            format!("the service at `{endpoint}` takes no connection")
        }
        ConnectError::Denied { endpoint } => format!("this user may not connect to `{endpoint}`"),
        ConnectError::Failed { endpoint, source } => {
            format!("cannot connect to `{endpoint}`: {source}")
        }
    }
}
