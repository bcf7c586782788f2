//! The arguments of `http.request`. Whatever is left out, or nil, has a default.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{net::Binary, optional::optional_word, plain};

/// What to ask for.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpRequest {
    /// Where: `http://` or `https://`.
    pub url: String,
    /// The verb; GET if left out.
    pub method: Option<String>,
    /// Headers; a list sends one several times.
    pub headers: Option<BTreeMap<String, Scalars>>,
    /// Put behind the `?` of the address, escaped; a list repeats the name.
    pub query: Option<BTreeMap<String, Scalars>>,
    /// The body as text, sent as UTF-8.
    pub text: Option<String>,
    /// The body as bytes.
    pub bytes: Option<Binary>,
    /// The body as a value that is sent as JSON.
    #[serde(deserialize_with = "plain::optional")]
    pub json: Option<serde_json::Value>,
    /// The body as the fields of a form.
    pub form: Option<BTreeMap<String, Scalars>>,
    /// A user and password.
    pub basic: Option<Basic>,
    /// A token, sent as `Authorization: Bearer`.
    pub bearer: Option<String>,
    /// The limit for reaching the server, 10 seconds if left out.
    pub connect_ms: Option<u64>,
    /// The limit for everything, 60 seconds if left out; never more than the call has.
    pub timeout_ms: Option<u64>,
    /// How many redirects are followed, 5 if left out; 0 gives back the redirect itself.
    pub redirects: Option<u32>,
    /// How large the answer's body may be once unpacked, 8 MiB if left out.
    pub response_size_max: Option<u64>,
    /// Whether the body is given back as text, as bytes, or as what it seems to be.
    #[serde(deserialize_with = "optional_word")]
    pub response_as: Option<BodyKind>,
    /// More authorities to trust, as PEM.
    pub ca_pem: Option<String>,
    /// A certificate of our own with its key, as PEM.
    pub client_pem: Option<String>,
    /// `false` takes any certificate. This is logged.
    pub verify: Option<bool>,
    /// A proxy's address, or `none`. If left out, the environment of the service decides.
    pub proxy: Option<String>,
}

/// A user and password.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The user.
    pub user: String,
    /// The password.
    #[serde(default)]
    pub password: Option<String>,
}

/// How a body is given back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    /// As text if the answer says so and it is.
    #[default]
    Auto,
    /// As text; what is not in its code page becomes U+FFFD.
    Text,
    /// As bytes, untouched.
    Bytes,
}

/// One value or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a text, a number, true or false is wanted, or a list of them"
)]
pub enum Scalars {
    /// Nothing: the name is left out.
    None(()),
    /// One.
    One(Scalar),
    /// Several.
    Many(Vec<Scalar>),
}

/// A value that is written as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a text, a number, true or false is wanted")]
pub enum Scalar {
    /// A text.
    Text(String),
    /// `true` or `false`.
    Truth(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Number(f64),
}

impl Scalars {
    /// The values as they are written.
    pub(super) fn texts(&self) -> Vec<String> {
        let values = match self {
            Scalars::None(()) => &[],
            Scalars::One(value) => std::slice::from_ref(value),
            Scalars::Many(values) => values.as_slice(),
        };
        let write = |value: &Scalar| match value {
            Scalar::Text(text) => text.clone(),
            Scalar::Truth(truth) => truth.to_string(),
            Scalar::Integer(number) => number.to_string(),
            Scalar::Number(number) => number.to_string(),
        };
        values.iter().map(write).collect()
    }
}

impl From<&str> for Scalars {
    fn from(text: &str) -> Self {
        Scalars::One(Scalar::Text(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_text_a_number_a_truth_nothing_or_a_list() {
        let given = serde_json::json!({ "url": "u", "query": { "a": "x", "b": 2, "c": true, "d": [1, "y"], "e": null, "f": 1.5 } });
        let request: HttpRequest =
            standin_protocol::decode_exact(&standin_protocol::encode(&given)).unwrap();
        let query = request.query.unwrap();
        let texts = |name: &str| query[name].texts().join(",");
        let all: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(texts).into();
        assert_eq!(all, ["x", "2", "true", "1,y", "", "1.5"]);
    }

    #[test]
    fn a_misspelt_argument_is_refused_by_name() {
        let given = serde_json::json!({ "url": "u", "time_out": 5 });
        let bytes = standin_protocol::encode(&given);
        let error = standin_protocol::decode_exact::<HttpRequest>(&bytes).unwrap_err();
        assert!(error.to_string().contains("time_out"), "{error}");
    }
}
