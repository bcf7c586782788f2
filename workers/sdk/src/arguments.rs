//! From the parameters on the wire to a handler's arguments.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use standin_protocol::{self as protocol, value};

use crate::Failure;

mod words;

/// As values, arguments take many times the memory that their bytes do. Beyond this size a mistake is told in fewer
/// words.
const EXPLAINED_SIZE_MAX: usize = 1 << 20;

const EMPTY_MAP: Bytes = Bytes::from_static(&[0x80]);

/// The one map of named arguments: `[{...}]`, a bare map, or nothing, which is an empty map.
pub(crate) fn arguments<A: DeserializeOwned>(params: &Bytes) -> Result<A, Failure> {
    let argument = match value::array_items(params).as_deref() {
        Ok([]) => EMPTY_MAP,
        Ok([one]) => one.clone(),
        Ok(_) => {
            let why = "The method takes one map of named arguments.";
            return Err(Failure::invalid_arguments(why));
        }
        Err(_) => params.clone(),
    };
    // A struct could be read from a list as well, by position; that is not what was promised.
    if !matches!(argument.first(), Some(0x80..=0x8f | 0xde | 0xdf)) {
        let why = "The method takes one map of named arguments.";
        return Err(Failure::invalid_arguments(why));
    }
    protocol::decode_exact(&argument).map_err(|_| explain::<A>(&argument))
}

/// Decodes once more, now watching where it goes wrong: only mistakes pay for that.
fn explain<A: DeserializeOwned>(argument: &Bytes) -> Failure {
    let mut decoder = rmp_serde::Deserializer::new(&argument[..]);
    let Err(error) = serde_path_to_error::deserialize::<_, A>(&mut decoder) else {
        return Failure::invalid_arguments("The arguments do not fit.");
    };
    let place = error.path().to_string();
    let place = (!matches!(place.as_str(), "." | "?")).then_some(place.as_str());
    Failure::invalid_arguments(words::sentence(place, &said::<A>(error.inner(), argument)))
}

/// What is wrong, as serde says it.
fn said<A: DeserializeOwned>(error: &rmp_serde::decode::Error, argument: &Bytes) -> String {
    use rmp_serde::decode::Error;
    const NOT_UTF8: &str = "it must be text, and its bytes are not valid UTF-8";
    match error {
        Error::Utf8Error(_) => NOT_UTF8.to_owned(),
        // The decoder of bytes knows only what it met. One of values knows what was wanted as well.
        Error::TypeMismatch(_) => mismatch::<A>(argument)
            .unwrap_or_else(|| "it is of another type than the method takes".to_owned()),
        error => {
            let said = error.to_string();
            // So a text says it that came as bin.
            if said.contains("invalid value: byte array, expected a string") {
                return NOT_UTF8.to_owned();
            }
            said
        }
    }
}

fn mismatch<A: DeserializeOwned>(argument: &Bytes) -> Option<String> {
    if argument.len() > EXPLAINED_SIZE_MAX {
        return None;
    }
    let value = rmpv::decode::read_value(&mut &argument[..]).ok()?;
    let rmpv::ext::Error::Syntax(said) = rmpv::ext::from_value::<A>(value).err()?;
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Order {
        name: String,
        #[serde(default)]
        lines: Vec<Line>,
    }

    #[derive(Debug, serde::Deserialize, PartialEq)]
    struct Line {
        amount: u32,
    }

    fn read(params: &[u8]) -> Result<Order, String> {
        arguments(&Bytes::copy_from_slice(params))
            .map_err(|failure| failure.answer().message.clone())
    }

    #[test]
    fn arguments_come_in_an_array_or_bare_and_text_as_str_or_bin() {
        let ada = Order {
            name: "Ada".to_owned(),
            lines: Vec::new(),
        };
        for params in [
            b"\x91\x81\xa4name\xa3Ada".as_slice(),
            b"\x81\xa4name\xa3Ada",
            b"\x91\x81\xa4name\xc4\x03Ada",
            b"\x91\x81\xc4\x04name\xa3Ada",
        ] {
            assert_eq!(read(params).as_ref(), Ok(&ada), "{params:02x?}");
        }
    }

    #[test]
    fn a_wrong_argument_is_named() {
        for (params, says) in [
            (b"\x90".as_slice(), "The argument \"name\" is missing."),
            (
                b"\x91\x81\xa4name\x05",
                "The argument \"name\" does not fit",
            ),
            (b"\x91\x81\xa4nmae\xa1x", "There is no argument \"nmae\""),
            (
                b"\x91\x82\xa4name\xa1x\xa5lines\x91\x81\xa6amount\xa1y",
                "The argument \"lines[0].amount\" does not fit",
            ),
            (
                b"\x91\x82\xa4name\xa1x\xa5lines\x91\x81\xa6amount\xff",
                "a whole number from 0 to 4294967295 is wanted, and it is the number -1",
            ),
            (
                b"\x91\x82\xa4name\xa1x\xa5lines\x91\x81\xa6amount\xa1y",
                "is wanted, and it is the text \"y\"",
            ),
            (b"\x92\x80\x80", "one map of named arguments"),
            (b"\x91\x07", "one map of named arguments"),
            (b"\x91\x81\xa4name\xa2\xff\xfe", "not valid UTF-8"),
            (b"\x91\x81\xa4name\xc4\x02\xff\xfe", "not valid UTF-8"),
        ] {
            let message = read(params).expect_err("it does not fit");
            assert!(message.contains(says), "{message}");
            assert!(message.ends_with('.'), "{message}");
        }
    }
}
