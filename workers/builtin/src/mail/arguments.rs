//! The arguments of `mail.send`. Whatever is left out, or nil, has a default.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::net::Binary;

/// A mail and the server that takes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MailRequest {
    /// The server; what is left out comes from the environment of the service (`STANDIN_MAIL_HOST` and so on).
    pub server: Option<MailServer>,
    /// The sender: `anna@example.com` or `Anna <anna@example.com>`.
    pub from: Option<String>,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Addresses>,
    /// The recipients: a text, with commas or semicolons between several, or a list.
    pub to: Option<Addresses>,
    /// More recipients.
    pub cc: Option<Addresses>,
    /// Recipients that the others do not see.
    pub bcc: Option<Addresses>,
    /// The subject.
    pub subject: Option<String>,
    /// The mail as plain text.
    pub text: Option<String>,
    /// The mail as HTML; with `text` beside it the reader's program chooses.
    pub html: Option<String>,
    /// Files.
    pub attachments: Option<Vec<Attachment>>,
    /// More headers.
    pub headers: Option<BTreeMap<String, String>>,
    /// The mail's own name; one is made up if left out.
    pub message_id: Option<String>,
    /// `true` sends nothing unless every recipient is accepted.
    pub require_all: Option<bool>,
}

/// The server that takes the mail.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MailServer {
    /// Its name or address.
    pub host: Option<String>,
    /// Its port; if left out 465 for `implicit`, 587 with a user, else 25.
    pub port: Option<u16>,
    /// `none`, `starttls` (if offered), `starttls_required` or `implicit`; if left out `implicit` on port 465, else
    /// `starttls`.
    pub tls: Option<String>,
    /// Who logs in; nobody if left out.
    pub user: Option<String>,
    /// The password, or the token of `xoauth2`.
    pub password: Option<String>,
    /// `auto`, `plain`, `login` or `xoauth2`.
    pub auth: Option<String>,
    /// More authorities to trust, as PEM.
    pub ca_pem: Option<String>,
    /// `false` takes any certificate. This is logged.
    pub verify: Option<bool>,
    /// The limit for each step, 30 seconds if left out; never more than the call has.
    pub timeout_ms: Option<u64>,
    /// How we introduce ourselves; our network address if left out.
    pub helo: Option<String>,
}

/// Passwords do not belong into logs.
impl std::fmt::Debug for MailServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailServer")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A file in a mail.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub content: Binary,
    /// Its type, such as `application/pdf`; guessed from the name if left out.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Shows it inside the HTML, where `<img src="cid:...">` names it.
    #[serde(default)]
    pub cid: Option<String>,
}

/// Addresses: a text, or a list of texts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a text or a list of texts is wanted")]
pub enum Addresses {
    /// One, or several with commas or semicolons between them.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Addresses {
    /// The texts as given.
    pub(super) fn texts(&self) -> &[String] {
        match self {
            Addresses::One(text) => std::slice::from_ref(text),
            Addresses::Many(texts) => texts,
        }
    }
}

impl From<&str> for Addresses {
    fn from(text: &str) -> Self {
        Addresses::One(text.to_owned())
    }
}
