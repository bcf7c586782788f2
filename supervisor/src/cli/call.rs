//! `standin call`.

use serde_json::{Map, Value};
use standin_client::{Connect, Endpoint, OpenError, blocking::Client};

use super::{CallOptions, CommandError, ServiceOptions, value};

pub(super) fn run(options: &CallOptions) -> Result<(), CommandError> {
    let client = connect(&options.service)?;
    let arguments = arguments(&options.arguments)?;
    let mut call = client
        .request(&options.method)
        .raw_params(value::params(&arguments));
    if let Some(timeout) = &options.timeout {
        call = call.timeout(timeout.0);
    }
    if options.idempotent {
        call = call.idempotent();
    }
    let result = client.send_raw(call)?;
    super::show::json(&value::to_json(&result));
    Ok(())
}

pub(super) fn connect(options: &ServiceOptions) -> Result<Client, CommandError> {
    let mut connect = Connect::new().limit(options.wait.0);
    if let Some(endpoint) = &options.endpoint {
        connect = connect.endpoint(Endpoint::parse(endpoint).map_err(OpenError::Endpoint)?);
    }
    Ok(Client::open(connect)?)
}

/// `name=value` each, or one JSON object.
fn arguments(given: &[String]) -> Result<Map<String, Value>, CommandError> {
    if let [one] = given
        && one.trim_start().starts_with('{')
    {
        return serde_json::from_str(one).map_err(|error| {
            CommandError::Usage(format!("the arguments are no JSON object: {error}"))
        });
    }
    let pairs = given.iter().map(|argument| {
        let (name, value) = argument.split_once('=').ok_or_else(|| {
            CommandError::Usage(format!(
                "`{argument}` is no argument\n(hint: write name=value, or one JSON object)"
            ))
        })?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        Ok((name.to_owned(), value))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_pairs_or_one_object() {
        let given = |texts: &[&str]| {
            arguments(
                &texts
                    .iter()
                    .map(|text| (*text).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        let pairs = given(&["text=one two", "count=3", "list=[1]", "equation=a=b"])
            .expect("these are pairs");
        assert_eq!(
            Value::Object(pairs),
            serde_json::json!({"text": "one two", "count": 3, "list": [1], "equation": "a=b"})
        );
        assert!(given(&["{\"a\": 1}"]).is_ok_and(|object| object["a"] == 1));
        assert!(given(&["{broken"]).is_err());
        assert!(given(&["lonely"]).is_err());
    }
}
