//! What the command line says of itself.

use crate::helpers::run;

fn help(arguments: &[&str]) -> String {
    let ran = run(arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    // The program's name has an ending on Windows.
    ran.stdout.replace("standin.exe", "standin")
}

#[test]
fn help_names_every_command_and_what_the_exit_codes_mean() {
    insta::assert_snapshot!(help(&["--help"]), @r"
    Lends capable co-processes to programs that cannot open a TLS connection, send a mail or match a
    regex

    Usage: standin <COMMAND>

    Commands:
      serve    Run the service in the foreground until it is told to stop
      call     Call a method and print its result as JSON
      methods  List the methods there are, or describe one
      status   Show how the service and its pools stand, who died, why, and what was replayed
      explain  Tell what happened to a call: each attempt, who died and why, and the rule that decided
      backup   Copy what the service keeps into a file, whether it runs or not
      jobs     Show what is done in the background, and decide about what cannot go on by itself
      pools    Show the pools, and start, reload or stop one
      config   Check a configuration, or show the one in force
      service  Make Standin a service of this machine, and control it
      worker   Be a worker. The service starts these itself
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Exit codes:
      0  done
      1  the call was answered with an error
      2  the command line or the configuration is wrong
      3  the service cannot be reached, or cannot serve
     74  the disk that holds the service's state failed while it served
    ");
}

#[test]
fn the_help_of_serve_says_where_its_settings_come_from() {
    insta::assert_snapshot!(help(&["serve", "--help"]), @r"
    Run the service in the foreground until it is told to stop

    Usage: standin serve [OPTIONS]

    Options:
          --config <FILE>    The configuration file. Without it: what STANDIN_CONFIG names, else the
                             machine's file if there is one, else the defaults
          --endpoint <NAME>  Where clients connect, instead of what the configuration says [env:
                             STANDIN_ENDPOINT]
          --state <DIR>      The folder for what must outlive the service, instead of what the
                             configuration says [env: STANDIN_STATE]
          --log <LEVEL>      What to log, instead of what the configuration says: error, warn, info,
                             debug or trace; also by module, such as info,standin::pool=debug [env:
                             STANDIN_LOG]
      -h, --help             Print help
    ");
}

#[test]
fn the_help_of_service_names_the_verbs_and_who_it_runs_as() {
    insta::assert_snapshot!(help(&["service", "--help"]), @r"
    Make Standin a service of this machine, and control it

    Usage: standin service <COMMAND>

    Commands:
      install    Have the machine run the service from now on, whenever it starts. Needs an
                 administrator
      uninstall  Stop the service and take it off the machine. Configuration and state are left
      start      Start it now
      stop       Stop it; running calls get the time that the configuration gives them
      status     Show how the machine's service manager sees it. `standin status` asks the service
                 itself
      help       Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
    insta::assert_snapshot!(help(&["service", "install", "--help"]), @r"
    Have the machine run the service from now on, whenever it starts. Needs an administrator

    Usage: standin service install [OPTIONS]

    Options:
          --config <FILE>  The configuration file that it is started with. Without it, the one that
                           `serve` would use
          --user <NAME>    Whom it runs as. Without it: an account that the system makes up for it,
                           without a password or a home
          --print          Print what would be installed and change nothing
      -h, --help           Print help
    ");
}

#[test]
fn the_help_of_call_shows_how_arguments_are_written() {
    insta::assert_snapshot!(help(&["call", "--help"]), @r#"
    Call a method and print its result as JSON

    Usage: standin call [OPTIONS] <METHOD> [ARGUMENTS]...

    Arguments:
      <METHOD>        The method, such as text.find
      [ARGUMENTS]...  Its arguments: NAME=VALUE each, or one JSON object, or - to read the object from
                      standard input. A VALUE that can be read as JSON is JSON, every other one is a
                      text

    Options:
          --timeout <TIME>   The time for the whole call, waiting and replays included, such as 500ms or
                             5s
          --idempotent       Vouch that running it twice does no harm
          --key <KEY>        Name this call, so that one with the same name is never run a second time
          --json             Print the result on one line, and an error as one line of JSON on standard
                             error
          --raw              Print a result that is a text or bytes as it is, without quotes
          --endpoint <NAME>  Where the service is. Without it: what the configuration says, else the
                             user's own service, else the machine's [env: STANDIN_ENDPOINT]
          --wait <TIME>      How long to wait for a service that is not there yet, or busy [default: 2s]
      -h, --help             Print help

    Results are JSON on standard output, errors sentences on standard error. What JSON has no word for
    is written as an object: bytes as {"$bytes": "<base64>"}, in arguments as well as in results.

    Examples:
      standin call text.find text='one two' pattern='t\w+'
      standin call http.request '{"url": "https://example.com"}' --timeout 10s
      standin call mail.send - --key invoice-4711 < mail.json
    "#);
}

#[test]
fn the_help_of_worker_hides_what_only_the_service_uses() {
    let text = help(&["worker", "--help"]);
    assert!(
        text.contains("builtin") && !text.contains("launch") && !text.contains("guard"),
        "{text}"
    );
}

#[test]
fn standin_alone_shows_its_help() {
    let ran = run(&[]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("Commands:"), "{}", ran.stderr);
}

#[test]
fn a_wrong_word_is_an_error_of_usage_with_the_nearest_right_one() {
    let ran = run(&["statsu"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("'status'"), "{}", ran.stderr);
    let ran = run(&["call", "text.find", "--timeout", "5 minutes"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr.contains("\"5 minutes\" is not a duration"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_version_is_told() {
    assert_eq!(
        help(&["--version"]),
        concat!("standin ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
