//! `text.template`: templates with the syntax of Jinja2, by minijinja.

use schemars::JsonSchema;
use serde::Deserialize;
use standin_worker::{Failure, Method, Outcome, Replay};

use crate::plain::Plain;

/// Steps that a template may take, so that a loop without end has one.
const FUEL: u64 = 1_000_000;

pub(super) fn methods() -> Vec<Method> {
    let doc = "Fills a template of the Jinja2 kind with values; an unknown variable is an error.";
    vec![
        Method::blocking("text.template", |_, arguments| render(&arguments))
            .replay(Replay::Always)
            .doc(doc),
    ]
}

/// A template and what fills it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Template {
    /// The template: {{ name }}, {% if %}, {% for %} and filters as in Jinja2.
    template: String,
    /// The values, by name.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Plain>")]
    values: Plain,
    /// Escape values for HTML.
    #[serde(default)]
    html: bool,
}

fn render(arguments: &Template) -> Result<String, Failure> {
    if !arguments.values.0.is_object() && !arguments.values.0.is_null() {
        let why = "The argument \"values\" must be a map of names and values.";
        return Err(Failure::invalid_arguments(why));
    }
    let mut environment = minijinja::Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    let name = if arguments.html {
        "template.html"
    } else {
        "template.txt"
    };
    environment
        .render_named_str(
            name,
            &arguments.template,
            minijinja::Value::from(minijinja::value::Serde(&arguments.values.0)),
        )
        .map_err(|error| {
            let line = error
                .line()
                .map(|line| format!(" (line {line})"))
                .unwrap_or_default();
            let what = error.detail().map_or_else(
                || error.kind().to_string(),
                |detail| detail.replace('`', "\""),
            );
            let why = format!("The template cannot be filled{line}: {what}.");
            Failure::new(1102, "text.bad_template", why).outcome(Outcome::NotExecuted)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(template: &str) -> Template {
        let values = serde_json::json!({ "name": "Ünal & Sons", "items": [1, 2] });
        Template {
            template: template.to_owned(),
            values: Plain(values),
            html: false,
        }
    }

    #[test]
    fn a_template_is_filled_and_escaped_only_for_html() {
        let text = "{{ name }}:{% for item in items %} {{ item }}{% endfor %}";
        assert_eq!(
            render(&template(text)).expect("it is good"),
            "Ünal & Sons: 1 2"
        );
        let html = Template {
            html: true,
            ..template("{{ name }}")
        };
        assert_eq!(render(&html).expect("it is good"), "Ünal &amp; Sons");
    }

    #[test]
    fn an_unknown_variable_is_named_and_a_loop_without_end_ends() {
        let failure = render(&template("one\n{{ nmae }}")).expect_err("it is unknown");
        assert!(failure.answer().message.contains("line 2"), "{failure}");
        assert!(failure.answer().message.contains("nmae"), "{failure}");
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}";
        assert!(render(&template(endless)).is_err());
    }
}
