//! Code pages as arguments. Which there are is said in `standin_codepages`.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;
use standin_codepages::Page;
use standin_worker::{Failure, Outcome, shown};

use crate::plain::Plain;

/// The name of a code page as an argument: text, or its bare number.
#[derive(Debug, Clone)]
pub(crate) struct PageName(pub(crate) String);

impl<'de> Deserialize<'de> for PageName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Plain::deserialize(deserializer)?.0 {
            Value::String(name) => Ok(PageName(name)),
            // A caller whose numbers all have a fraction says 1252.0.
            Value::Number(number) => Ok(PageName({
                let number = number.to_string();
                number.strip_suffix(".0").unwrap_or(&number).to_owned()
            })),
            _ => Err(D::Error::custom("a code page is a text or a number")),
        }
    }
}

impl JsonSchema for PageName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CodePage".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "integer"] })
    }
}

/// The page of that name.
pub(super) fn page_of(name: &str) -> Result<Page, Failure> {
    Page::find(name).ok_or_else(|| {
        let why = format!(
            "The code page {} is not known. Examples are 1252, ISO8859-15, ibm850 and UTF-8.",
            shown(name)
        );
        Failure::new(1103, "text.unknown_codepage", why).outcome(Outcome::NotExecuted)
    })
}
