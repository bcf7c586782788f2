//! What a file may say, and what is said about one that is wrong.

use std::path::Path;

use super::Settings;

const SHIPPED: &str = include_str!("../../../config/standin.toml");

fn parsed(text: &str) -> Settings {
    Settings::parse(text, Path::new("standin.toml")).expect("the text is right")
}

fn complaint(text: &str) -> String {
    Settings::parse(text, Path::new("standin.toml"))
        .expect_err("the text is wrong")
        .to_string()
}

#[test]
fn the_shipped_file_says_what_the_defaults_are() {
    assert_eq!(parsed(SHIPPED), Settings::default());
}

#[test]
fn the_shipped_file_shows_every_setting() {
    fn compare(path: &str, wanted: &toml::Table, shown: &toml::Table) {
        for (key, value) in wanted {
            let path = format!("{path}.{key}");
            let shown = shown
                .get(key)
                .unwrap_or_else(|| panic!("{path} is not shown"));
            if let (toml::Value::Table(wanted), toml::Value::Table(shown)) = (value, shown) {
                compare(&path, wanted, shown);
            }
        }
    }
    let defaults = toml::Table::try_from(Settings::default()).expect("settings are TOML");
    compare("", &defaults, &SHIPPED.parse().expect("it is TOML"));
}

#[test]
fn an_empty_file_means_the_defaults() {
    assert_eq!(parsed(""), Settings::default());
}

#[test]
fn what_is_shown_brings_about_the_same_settings() {
    let settings = parsed(
        "[endpoint]\nmode = \"0660\"\n[pools.reports]\ncommand = [\"python3\", \"reports.py\"]\n\
         environment = { LANG = \"C\" }\nworkers = { max = 2, idle = \"90s\" }\nrecycle = { rss = \"512MiB\" }\n",
    );
    assert_eq!(parsed(&settings.show()), settings);
}

#[test]
fn a_pool_of_ones_own_stands_beside_the_builtin_one_unless_that_is_disabled() {
    let own = "[pools.own]\ncommand = [\"x\"]\n";
    assert_eq!(
        parsed(own).pools.keys().collect::<Vec<_>>(),
        ["builtin", "own"]
    );
    let alone = format!("{own}[pools.builtin]\nenabled = false\n");
    assert_eq!(parsed(&alone).pools.keys().collect::<Vec<_>>(), ["own"]);
}

#[test]
fn what_is_not_set_keeps_its_default() {
    let settings = parsed("[pools.builtin]\nworkers = { max = 2 }\n[service]\nstop = \"1m\"\n");
    let workers = &settings.pools["builtin"].workers;
    assert_eq!((workers.min, workers.max, workers.spare), (1, 2, 1));
    assert_eq!(settings.service.stop.0.as_secs(), 60);
}

#[test]
fn a_file_that_a_windows_editor_saved_is_understood() {
    assert_eq!(
        parsed("\u{feff}[log]\r\nlevel = \"warn\"\r\n").log.level,
        "warn"
    );
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_valid_one() {
    insta::assert_snapshot!(complaint("[pools.reports]\ncommand = [\"x\"]\nwrokers = { min = 1 }\n"), @r"
    standin.toml:3:1: `wrokers` is not a setting of [pools.reports]
    (hint: did you mean `workers`?)
    ");
    insta::assert_snapshot!(complaint("[endpiont]\npath = \"x\"\n"), @r"
    standin.toml:1:2: `endpiont` is not a section of this file
    (hint: did you mean `endpoint`?)
    ");
}

#[test]
fn a_key_in_the_wrong_table_is_sent_to_the_right_one() {
    insta::assert_snapshot!(complaint("sessions_max = 5\n[pools.reports]\ncommand = [\"x\"]\nspare = 2\n"), @r"
    standin.toml:1:1: `sessions_max` is not a section of this file
    (hint: `sessions_max` belongs in [endpoint])
    standin.toml:4:1: `spare` is not a setting of [pools.reports]
    (hint: `spare` belongs in [pools.reports.workers])
    ");
}

#[test]
fn a_key_that_resembles_nothing_is_told_what_there_is() {
    insta::assert_snapshot!(complaint("[state]\nbananas = 1\n"), @r"
    standin.toml:2:1: `bananas` is not a setting of [state]
    (hint: the settings of [state] are: dir)
    ");
}

#[test]
fn a_wrong_unit_or_kind_of_value_is_named_with_its_place() {
    insta::assert_snapshot!(complaint(
        "[service]\nstop = \"10 parsecs\"\n[endpoint]\nmessage_size_max = 16\nmode = 0o660\nsessions_max = -1\n\
         [pools.a]\ncommand = \"x\"\nqueue = 7\nenabled = \"yes\"\n"
    ), @r#"
    standin.toml:2:8: `stop`: "10 parsecs" is not a duration
    (hint: write it like "250ms", "10s", "5m" or "12h")
    standin.toml:4:20: `message_size_max`: a size belongs here, not a whole number
    (hint: write it in quotes and with its unit, like "16MiB")
    standin.toml:5:8: `mode`: a file mode belongs here, not a whole number
    (hint: write it in quotes, like "0660")
    standin.toml:6:16: `sessions_max`: -1 is less than 0
    standin.toml:8:11: `command`: a list of texts belongs here, not a text
    (hint: write a list, like ["program", "argument"])
    standin.toml:9:9: `queue` is a table of settings
    (hint: write [pools.a.queue])
    standin.toml:10:11: `enabled`: true or false belongs here, not a text
    (hint: write it without quotes)
    "#);
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    insta::assert_snapshot!(complaint(
        "[log]\nlevel = \"inof\"\nformat = \"jsno\"\n[pools.a]\n[pools.b]\ncommand = [\"\"]\nscope = \"session\"\n\
         workers = { min = 5, max = 2, spaer = 1 }\ntimeouts = { call = \"0s\" }\nenvironment = { STANDIN_X = \"1\" }\n\
         [pools.\"c d\"]\ncommand = [\"x\"]\nscope = \"shard\"\nworkers = { max = 300 }\nconcurrency_max = 0\n"
    ), @r#"
    standin.toml:2:9: "inof" is no level of the log
    (hint: did you mean "info"?)
    standin.toml:3:10: `format`: "jsno" is none of the choices
    (hint: did you mean "json"?)
    standin.toml:4:8: the pool `a` has no command to start
    (hint: command = ["program", "argument"])
    standin.toml:6:11: the pool `b` has no command to start
    (hint: command = ["program", "argument"])
    standin.toml:7:9: scope = "session" is not available in this version
    (hint: "shared" and "user" are)
    standin.toml:8:19: `min` is 5 and `max` is 2
    (hint: `min` must not be larger; raise `max` or lower `min`)
    standin.toml:8:31: `spaer` is not a setting of [pools.b.workers]
    (hint: did you mean `spare`?)
    standin.toml:9:21: `call` must be longer than nothing
    standin.toml:10:15: `STANDIN_X` cannot be set in the environment of a worker
    (hint: variables that begin with STANDIN_ are set by the service)
    standin.toml:11:8: `c d` is no name for a pool
    (hint: 1 to 64 letters, digits, - and _)
    standin.toml:13:9: `scope`: "shard" is none of the choices
    (hint: did you mean "shared"?)
    standin.toml:14:19: `max` and `spare` together are 256 at most, not 301
    standin.toml:15:19: `concurrency_max` must be 1 or more
    "#);
}

#[test]
fn a_key_that_is_set_twice_does_not_hide_the_other_mistakes() {
    insta::assert_snapshot!(complaint("[state]\ndir = \"a\"\ndir = \"b\"\n[service]\nthreads = 100\n"), @r"
    standin.toml:3:1: `dir` is set twice
    (hint: keep one of the two)
    standin.toml:5:11: `threads` is 64 at most
    (hint: 0 is one for each processor)
    ");
}

#[test]
fn broken_syntax_is_named_with_its_place() {
    insta::assert_snapshot!(complaint("[log]\nlevel = info\n[state\ndir = \"x\"\n"), @r"
    standin.toml:2:9: this is not TOML: invalid float, expected `inf`
    (hint: texts and values with a unit stand in quotes)
    standin.toml:3:7: this is not TOML: unclosed table, expected `]`
    ");
}

#[test]
fn a_file_without_any_pool_is_refused() {
    insta::assert_snapshot!(complaint("[pools.builtin]\nenabled = false\n"), @r"
    standin.toml:1:2: no pool is enabled, so there would be nothing to call
    (hint: enable one)
    ");
}

#[cfg(windows)]
#[test]
fn a_descriptor_that_the_system_does_not_understand_is_told_where_it_stands() {
    let told = complaint("[endpoint]\ndescriptor = \"D:(A;;GA;;;XX)\"\n");
    assert!(
        told.contains("`D:(A;;GA;;;XX)` is not understood"),
        "{told}"
    );
    assert!(told.contains("standin.toml:2"), "{told}");
    let open = complaint("[endpoint]\ndescriptor = 'O:BA'\n");
    assert!(open.contains("has no list of who may do what"), "{open}");
    parsed("[endpoint]\ndescriptor = 'D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x12019b;;;IU)'\n");
}

#[test]
fn a_group_that_this_machine_does_not_know_is_named_before_the_service_is_started() {
    let told = complaint("[endpoint]\ngroup = \"no such group\"\n");
    let names_it = "standin.toml:2:9: there is no group `no such group` on this machine";
    assert!(told.contains(names_it), "{told}");
}

#[test]
fn workers_run_as_their_users_only_in_pools_that_users_have_of_their_own() {
    let file = |scope: &str| {
        format!("[pools.a]\ncommand = [\"x\"]\nscope = \"{scope}\"\nrun_as_user = true\n")
    };
    let shared = complaint(&file("shared"));
    assert!(shared.contains("4:15: `run_as_user` is"), "{shared}");
    let path = Path::new("standin.toml");
    assert_eq!(Settings::parse(&file("user"), path).is_ok(), cfg!(unix));
}
