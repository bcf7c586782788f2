//! Java properties: escapes, continued lines and all.

use java_properties::{LineContent, PropertiesIter};
use serde_json::{Map, Value};

use super::mistake::Mistake;
use crate::plain::Duplicates;

/// Reads properties. Names with dots stay as they are.
pub(super) fn parse(text: &str, duplicates: Duplicates) -> Result<Value, Mistake> {
    let lines = PropertiesIter::new_with_encoding(text.as_bytes(), encoding_rs::UTF_8);
    let mut map = Map::new();
    for line in lines {
        let line = line.map_err(|error| Mistake {
            place: error
                .line_number()
                .map(|line| super::mistake::Place { line, column: 1 }),
            what: "a character cannot be read; is it a \\u escape without its four digits?"
                .to_owned(),
        })?;
        let number = line.line_number();
        let LineContent::KVPair(name, value) = line.consume_content() else {
            continue;
        };
        match (duplicates, map.contains_key(&name)) {
            (Duplicates::Error, true) => {
                let what = format!("the name \"{name}\" stands there a second time");
                return Err(Mistake::at(number, 1, what));
            }
            (Duplicates::First, true) => {}
            (_, false) | (Duplicates::Last, true) => {
                map.insert(name, value.into());
            }
        }
    }
    Ok(Value::Object(map))
}
