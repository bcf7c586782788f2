//! Plain values: what JSON has, read from whatever format by one rule.
//!
//! Text may come as bytes from old encoders; a name that stands twice in a map is an error or is decided, never lost
//! by accident; numbers that MessagePack does not have become text, exact to the last digit.

use std::fmt;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use standin_worker::shown;

/// How deep a value may nest. The wire allows 64 levels; the message and a result around the value take a few.
const DEPTH_MAX: usize = 60;

/// What happens when a name stands twice in one map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Duplicates {
    /// It is a mistake.
    #[default]
    Error,
    /// The first one counts.
    First,
    /// The last one counts.
    Last,
}

/// A value in which no name stands twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Plain(pub(crate) Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reading::new(Duplicates::Error)
            .deserialize(deserializer)
            .map(Plain)
    }
}

/// A value in which the last one of a name counts.
pub(crate) struct PlainLast(pub(crate) Value);

impl<'de> Deserialize<'de> for PlainLast {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reading::new(Duplicates::Last)
            .deserialize(deserializer)
            .map(PlainLast)
    }
}

impl JsonSchema for Plain {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!(true)
    }
}

/// A value of TOML, whose dates become texts. TOML itself forbids that a name stands twice.
pub(crate) struct PlainToml(pub(crate) Value);

impl<'de> Deserialize<'de> for PlainToml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reading = Reading {
            has_dates: true,
            ..Reading::new(Duplicates::Error)
        };
        reading.deserialize(deserializer).map(PlainToml)
    }
}

/// A value, or nothing for nil.
pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Value>, D::Error> {
    Ok(Option::<Plain>::deserialize(deserializer)?.map(|value| value.0))
}

/// Reads a value by a rule for names that stand twice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    duplicates: Duplicates,
    /// Whether a map with the one name [`TOML_DATE`] is a date.
    has_dates: bool,
    depth: usize,
}

impl Reading {
    pub(crate) fn new(duplicates: Duplicates) -> Self {
        Self {
            duplicates,
            has_dates: false,
            depth: 0,
        }
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom(format_args!(
                "the value nests deeper than {DEPTH_MAX} levels"
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Reading {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A date of TOML comes as a map with this one name.
const TOML_DATE: &str = "$__toml_private_datetime";

impl<'de> Visitor<'de> for Reading {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        Ok(match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => value.into(),
            (_, Ok(value)) => value.into(),
            _ => value.to_string().into(),
        })
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or_else(|_| value.to_string().into(), Value::from))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom(format_args!("{value} is not a number one can count with")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Value, E> {
        std::str::from_utf8(bytes)
            .map(Value::from)
            .map_err(|_| E::custom("a text in it is not valid UTF-8"))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<Name>()? {
            let value = entries.next_value_seed(inner)?;
            if self.has_dates && name.0 == TOML_DATE {
                return Ok(value);
            }
            match (self.duplicates, map.contains_key(&name.0)) {
                (Duplicates::Error, true) => {
                    return Err(A::Error::custom(format_args!(
                        "the name {} stands twice in one map",
                        shown(&name.0)
                    )));
                }
                (Duplicates::First, true) => {}
                (_, false) | (Duplicates::Last, true) => {
                    map.insert(name.0, value);
                }
            }
        }
        Ok(Value::Object(map))
    }
}

/// The name of an entry: text, or a number as YAML and MessagePack allow it.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Reading::new(Duplicates::Error).deserialize(deserializer)? {
            Value::String(name) => Ok(Name(name)),
            Value::Null => Ok(Name("null".to_owned())),
            other @ (Value::Bool(_) | Value::Number(_)) => Ok(Name(other.to_string())),
            Value::Array(_) | Value::Object(_) => {
                Err(D::Error::custom("the name of an entry is a list or a map"))
            }
        }
    }
}
