//! `text.template`: templates with the syntax of Jinja2, by minijinja.

use schemars::JsonSchema;
use serde::Deserialize;
use standin_worker::{Failure, Method, Outcome, Replay};

use crate::{optional::or_default, plain::Plain};

mod bounds;

/// Steps that a template may take, so that a loop without end has one. The engine also counts what it makes, 64 bytes
/// as a step.
const FUEL: u64 = 1_000_000;

/// The stack of the thread that fills a template. With its steps a template can build some 400 000 lists one in
/// another, and whoever writes or drops them goes that deep: a gigabyte was seen to be enough without optimisation.
/// Only what is used of it is ever memory.
const STACK_SIZE: usize = if cfg!(target_pointer_width = "64") {
    1 << 30
} else {
    64 << 20
};

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
    #[serde(default, deserialize_with = "or_default")]
    #[schemars(with = "std::collections::BTreeMap<String, Plain>")]
    values: Plain,
    /// Escape values for HTML.
    #[serde(default, deserialize_with = "or_default")]
    html: bool,
}

fn render(arguments: &Template) -> Result<String, Failure> {
    if !arguments.values.0.is_object() && !arguments.values.0.is_null() {
        let why = "The argument \"values\" must be a map of names and values.";
        return Err(Failure::invalid_arguments(why));
    }
    if let Some((what, line)) = bounds::excess(&arguments.template) {
        return Err(bad_template(Some(line), &what));
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("template".to_owned())
            .stack_size(STACK_SIZE);
        let filling = thread.spawn_scoped(scope, || fill(arguments));
        let filling = filling.map_err(|error| {
            let why = format!(
                "The template cannot be filled: the system gives no thread for it ({error})."
            );
            Failure::new(1102, "text.bad_template", why).outcome(Outcome::NotExecuted)
        })?;
        // A panic is this process's own mistake, and ends it as any other does.
        filling
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn bad_template(line: Option<usize>, what: &str) -> Failure {
    let line = line
        .map(|line| format!(" (line {line})"))
        .unwrap_or_default();
    let why = format!("The template cannot be filled{line}: {what}.");
    Failure::new(1102, "text.bad_template", why).outcome(Outcome::NotExecuted)
}

fn fill(arguments: &Template) -> Result<String, Failure> {
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
        .map_err(|error| bad_template(error.line(), &reason(&error)))
}

fn reason(error: &minijinja::Error) -> String {
    match (error.kind(), error.detail()) {
        (minijinja::ErrorKind::OutOfFuel, _) => {
            "it takes too many steps, or makes too much".to_owned()
        }
        (_, Some(detail)) => detail.trim_end_matches('.').replace('`', "\""),
        (kind, None) => kind.to_string(),
    }
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

    #[test]
    fn no_template_takes_the_process_with_it() {
        let nested = |levels: usize| {
            let (open, close) = ("[".repeat(20), "]".repeat(20));
            format!(
                "{{% set n = namespace(a=1) %}}{{% for i in range({levels}) %}}{{% set n.a = {open}n.a{close} %}}{{% endfor %}}{{{{ n.a }}}}"
            )
        };
        let few = render(&template(&nested(1000))).expect("twenty thousand lists are no trouble");
        assert_eq!(few.len(), 40_001);
        for monster in [
            nested(99_999),
            format!("{{{{ {}1 }}}}", "-".repeat(50_000)),
            format!("{{{{ {}1 }}}}", "not ".repeat(50_000)),
            format!("{{{{ name{} }}}}", ".a".repeat(50_000)),
            format!("{{{{ name{} }}}}", "|upper".repeat(50_000)),
            format!(
                "{{% if name %}}{}{{% endif %}}",
                "{% elif name %}".repeat(50_000)
            ),
            format!("{{{{ {} }}}}", "[".repeat(50_000)),
            "{{ \"x\" * 1000000000 }}".to_owned(),
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}".to_owned(),
        ] {
            let failure = render(&template(&monster)).expect_err("it is too much");
            let message = &failure.answer().message;
            assert!(message.len() < 200 && message.ends_with('.'), "{message}");
        }
    }
}
