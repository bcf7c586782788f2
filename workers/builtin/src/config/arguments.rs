//! What `config.parse` takes.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    net::Binary,
    optional::{word, word_or_default},
    plain::Duplicates,
    text::PageName,
};

/// Settings and how they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parse {
    /// How the settings are written.
    #[serde(deserialize_with = "word")]
    pub(super) format: Format,
    /// The settings as text. Give this or "content".
    #[serde(default)]
    pub(super) text: Option<String>,
    /// The settings as the bytes of a file. Give this or "text".
    #[serde(default)]
    pub(super) content: Option<Binary>,
    /// The code page of "content"; UTF-8 if not given. A byte order mark goes before it.
    #[serde(default)]
    pub(super) codepage: Option<PageName>,
    /// What happens when a name stands twice in one place. TOML itself forbids it.
    #[serde(default, deserialize_with = "word_or_default")]
    pub(super) duplicates: Duplicates,
}

/// A way to write settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// Sections in brackets, lines "name = value", comments after ; or #. Every value is text as it stands.
    Ini,
    /// TOML 1.
    Toml,
    /// YAML 1.2, one document.
    Yaml,
    /// JSON.
    Json,
    /// Java properties. Every value is text.
    Properties,
}

impl Format {
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Ini => "INI",
            Format::Toml => "TOML",
            Format::Yaml => "YAML",
            Format::Json => "JSON",
            Format::Properties => "properties",
        }
    }
}
