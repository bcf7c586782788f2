//! `standin methods`: what can be called, and how.

use std::fmt::Write;

use serde_json::Value;

use super::{
    CommandError, client,
    options::MethodsOptions,
    output,
    table::{self, printable},
    value,
};

pub(super) fn run(options: &MethodsOptions) -> Result<(), CommandError> {
    let client = client::connect(&options.service)?;
    let call = match &options.method {
        Some(method) => {
            let arguments = std::collections::BTreeMap::from([("method", method)]);
            client.request("standin.describe").arguments(&arguments)
        }
        None => client.request("standin.methods"),
    };
    let answer = value::to_json(&client.send_raw(call)?);
    match &options.method {
        _ if options.json => output::json(&answer),
        Some(_) => output::line(describe(&answer).trim_end()),
        None => output::line(list(&answer).trim_end()),
    }
    Ok(())
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().map(printable).unwrap_or_default()
}

/// Every method with its pool, its replay class, and the first sentence about it.
fn list(answer: &Value) -> String {
    let methods = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |method: &Value| {
        let pool = method["pool"]
            .as_str()
            .map_or_else(|| "-".to_owned(), printable);
        let doc = method["doc"]
            .as_str()
            .and_then(|doc| doc.lines().next())
            .map(printable);
        vec![
            text(method, "name"),
            pool,
            text(method, "replay"),
            doc.unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = methods.iter().map(row).collect();
    table::render(&["METHOD", "POOL", "REPLAY", "WHAT IT DOES"], &rows, "")
}

/// One method: what it does, when it is replayed, and its arguments.
fn describe(answer: &Value) -> String {
    let mut out = format!("{}\n", text(answer, "name"));
    for line in answer["doc"].as_str().unwrap_or_default().lines() {
        let _ = writeln!(out, "{}", printable(line));
    }
    let _ = write!(
        out,
        "\nReplay: {}, {}",
        text(answer, "replay"),
        replay_in_words(&answer["replay"])
    );
    if let Some(pool) = answer["pool"].as_str() {
        let _ = write!(out, "\nPool: {}", printable(pool));
    }
    if let Some(timeout_ms) = answer["timeout_ms"].as_u64() {
        let _ = write!(out, "\nTime for one attempt: {timeout_ms} ms");
    }
    out.push('\n');
    let schema = &answer["params"];
    match schema["properties"].as_object() {
        Some(properties) if !properties.is_empty() => {
            let required = schema["required"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let row = |(name, property): (&String, &Value)| {
                let must = if required.iter().any(|required| required == name) {
                    "yes"
                } else {
                    ""
                };
                let doc = text(property, "description");
                vec![
                    printable(name),
                    kind(property, schema),
                    must.to_owned(),
                    doc,
                ]
            };
            let rows: Vec<_> = properties.iter().map(row).collect();
            let table = table::render(&["NAME", "TYPE", "REQUIRED", "WHAT IT IS"], &rows, "  ");
            let _ = write!(
                out,
                "\nArguments:\n{table}\nThe whole schema: standin methods {} --json\n",
                text(answer, "name")
            );
        }
        Some(_) => out += "\nNo arguments.\n",
        None => {}
    }
    out
}

fn replay_in_words(replay: &Value) -> &'static str {
    match replay.as_str() {
        Some("always") => "it may be run again if its process dies",
        Some("until_effect") => "it may be run again if its process dies before the effect",
        _ => "it is never run a second time",
    }
}

/// The type of an argument in a few words. `$ref` leads to a definition of the whole schema.
fn kind(property: &Value, schema: &Value) -> String {
    if let Some(choices) = property["enum"].as_array() {
        return choices
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join(" | ");
    }
    if let Some(target) = property["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        let definition = &schema["$defs"][target];
        return if definition.get("enum").is_some() {
            kind(definition, schema)
        } else {
            printable(target)
        };
    }
    if let Some(choices) = property["anyOf"]
        .as_array()
        .or(property["oneOf"].as_array())
    {
        let kinds = choices
            .iter()
            .map(|choice| kind(choice, schema))
            .filter(|kind| kind != "null");
        return kinds.collect::<Vec<_>>().join(" | ");
    }
    match &property["type"] {
        Value::String(kind_name) if kind_name == "array" => match property.get("items") {
            Some(items) => format!("array of {}", kind(items, schema)),
            None => "array".to_owned(),
        },
        Value::String(kind) => printable(kind),
        Value::Array(kinds) => {
            let kinds = kinds
                .iter()
                .filter_map(Value::as_str)
                .filter(|kind| *kind != "null");
            kinds.map(printable).collect::<Vec<_>>().join(" | ")
        }
        _ => property["const"]
            .as_str()
            .map_or_else(|| "anything".to_owned(), |text| format!("{text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_says_what_each_method_does_and_when_it_is_replayed() {
        let answer = json!([
            { "name": "mail.send", "pool": "builtin", "replay": "until_effect", "doc": "Sends a mail.\nBy SMTP." },
            { "name": "standin.ping", "pool": null, "replay": "always", "doc": "Answers \"pong\"." },
        ]);
        insta::assert_snapshot!(list(&answer), @r#"
        METHOD        POOL     REPLAY        WHAT IT DOES
        mail.send     builtin  until_effect  Sends a mail.
        standin.ping  -        always        Answers "pong".
        "#);
    }

    #[test]
    fn a_description_shows_the_arguments_with_their_types() {
        let answer = json!({
            "name": "mail.send", "pool": "builtin", "replay": "until_effect", "doc": "Sends a mail.", "timeout_ms": 60000,
            "params": {
                "properties": {
                    "to": { "type": "array", "items": { "type": "string" }, "description": "Who gets it." },
                    "tls": { "anyOf": [{ "$ref": "#/$defs/Tls" }, { "type": "null" }], "description": "How \u{1b}[31mit is kept secret." },
                    "port": { "type": ["integer", "null"] },
                    "server": { "$ref": "#/$defs/Server" },
                    "extra": true,
                },
                "required": ["to"],
                "$defs": { "Tls": { "enum": ["none", "starttls"] }, "Server": { "type": "object" } },
            },
        });
        insta::assert_snapshot!(describe(&answer), @r#"
        mail.send
        Sends a mail.

        Replay: until_effect, it may be run again if its process dies before the effect
        Pool: builtin
        Time for one attempt: 60000 ms

        Arguments:
          NAME    TYPE                 REQUIRED  WHAT IT IS
          to      array of string      yes       Who gets it.
          tls     "none" | "starttls"            How  [31mit is kept secret.
          port    integer
          server  Server
          extra   anything

        The whole schema: standin methods mail.send --json
        "#);
    }
}
