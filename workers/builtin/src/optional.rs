//! What a caller means who leaves something out, or is careless about upper case.
//!
//! A 4GL has one unknown value for every type, and it travels as nil: for an argument that may be left out it means
//! the same as leaving it out.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IntoDeserializer},
};

/// The value, or the default for nil.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// One of several words, in upper or lower case.
pub(crate) fn word<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<T, D::Error> {
    let word = String::deserialize(deserializer)?.to_ascii_lowercase();
    T::deserialize(word.as_str().into_deserializer())
}

/// The same, or the default for nil.
pub(crate) fn word_or_default<'de, D: Deserializer<'de>, T: Default + DeserializeOwned>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(optional_word(deserializer)?.unwrap_or_default())
}

/// The same, or nothing for nil.
pub(crate) fn optional_word<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let Some(word) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    T::deserialize(word.to_ascii_lowercase().as_str().into_deserializer()).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain::Duplicates;

    #[derive(Debug, Deserialize)]
    struct Given {
        #[serde(default, deserialize_with = "or_default")]
        count: u32,
        #[serde(default, deserialize_with = "word_or_default")]
        duplicates: Duplicates,
    }

    fn read(given: serde_json::Value) -> Result<Given, String> {
        let wire = standin_protocol::encode(&given);
        standin_protocol::decode_exact(&wire).map_err(|error| error.to_string())
    }

    #[test]
    fn nil_is_as_if_left_out_and_words_have_no_case() {
        for nothing in [
            serde_json::json!({}),
            serde_json::json!({ "count": null, "duplicates": null }),
        ] {
            let given = read(nothing).expect("nothing is needed");
            assert_eq!((given.count, given.duplicates), (0, Duplicates::Error));
        }
        let given = read(serde_json::json!({ "count": 3, "duplicates": "Last" })).expect("it fits");
        assert_eq!((given.count, given.duplicates), (3, Duplicates::Last));
        for wrong in ["middle", ""] {
            let said = read(serde_json::json!({ "duplicates": wrong })).expect_err("it is no word");
            assert!(said.contains("`error`, `first`, `last`"), "{said}");
        }
        assert!(read(serde_json::json!({ "duplicates": 1 })).is_err());
    }
}
