//! `mail.send`: one mail to one server, with an answer for every recipient.
//!
//! Name lookup, TLS, login and recipients can be repeated, and are when a worker dies. The final dot cannot: leave for
//! it is asked when the server has agreed to take the text, and nothing here ever sends a second one. The parts are
//! put together by lettre; the conversation with the server is our own, because no library stops at that point.

use std::sync::Arc;

use standin_worker::{Failure, Method, Replay};

use crate::net::{Attempt, Gate};

mod address;
mod arguments;
mod channel;
mod compose;
mod deliver;
mod envelope;
mod failure;
mod hello;
mod login;
mod reply;
mod settings;

pub use self::{
    arguments::{Addresses, Attachment, MailRequest, MailServer},
    deliver::MailReceipt,
    envelope::Rejected,
    settings::MailDefaults,
};

/// Sends mails.
#[derive(Debug, Clone, Default)]
pub struct Mail {
    defaults: Arc<MailDefaults>,
}

impl Mail {
    /// A sender that falls back on these settings.
    #[must_use]
    pub fn new(defaults: MailDefaults) -> Self {
        Self {
            defaults: Arc::new(defaults),
        }
    }

    /// Sends one mail.
    ///
    /// # Errors
    /// The codes `mail.*` and `smtp.*` with the numbers 1401 to 1418; `invalid_params`; what the gate said.
    pub async fn send<G: Gate>(
        &self,
        gate: &G,
        request: MailRequest,
    ) -> Result<MailReceipt, Failure> {
        let settings = settings::settle(&self.defaults, request.server.as_ref())?;
        let mail = compose::compose(&self.defaults, request, gate.job())?;
        let so_far = gate.so_far()?;
        let job = gate.job().map(|_| so_far.unwrap_or_default());
        let attempt = Attempt::new(gate, settings.limit);
        match attempt
            .run(deliver::deliver(&attempt, &settings, &mail, job))
            .await
        {
            Some(done) => done,
            None => Err(failure::late(&settings, attempt.outcome_if_lost())),
        }
    }
}

/// The methods of this module. The settings of the environment are read once, here.
pub(crate) fn methods() -> Vec<Method> {
    let mail = Mail::new(MailDefaults::from_environment());
    let send = Method::new("mail.send", move |context, request: MailRequest| {
        let mail = mail.clone();
        async move { mail.send(&context, request).await }
    });
    vec![send.replay(Replay::UntilEffect).doc(
        "Sends a mail, with text, HTML and attachments, and says which recipients were accepted.",
    )]
}
