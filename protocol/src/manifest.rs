//! What a worker says of itself when it reports for work.

use serde::{Deserialize, Serialize};

/// When a request may be sent to a second worker after its first one died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replay {
    /// The method is idempotent.
    Always,
    /// Safe until `effect.begin` was granted; after that the outcome is unknown.
    UntilEffect,
    /// Never: once sent, it may have happened.
    #[default]
    Never,
}

impl Replay {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Replay::Always => "always",
            Replay::UntilEffect => "until_effect",
            Replay::Never => "never",
        }
    }
}

/// One method of a worker.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MethodManifest {
    /// Its name, such as `mail.send`.
    pub name: String,
    /// When it may be replayed.
    #[serde(default)]
    pub replay: Replay,
    /// How long one attempt may take, if not as long as the pool allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// What it does, for a person.
    #[serde(default)]
    pub doc: String,
    /// The JSON Schema of its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<serde_json::Value>,
}

/// The argument of `worker.hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerHello {
    /// What stood in `STANDIN_WORKER_TOKEN`.
    pub token: String,
    /// The program's name.
    pub name: String,
    /// The program's version.
    #[serde(default)]
    pub version: String,
    /// How many requests it takes at a time.
    #[serde(default = "one")]
    pub concurrency: u32,
    /// What it can do.
    pub methods: Vec<MethodManifest>,
}

fn one() -> u32 {
    1
}
