//! Mail as a job: queued safely while the mail server is down.

use std::net::SocketAddr;

use chaos_tests::{
    mail_sink::{MailSink, nobody_there},
    under_test::UnderTest,
};
use serde_json::{Value, json};

use crate::{kill, program, submit, until, wait};

fn start() -> UnderTest {
    UnderTest::serve(program(), |folder| {
        format!(
            "[pools.mail]\ncommand = ['{}', 'worker', 'builtin']\nenvironment = {{ CHAOS_LEDGER = '{}' }}\n\
             workers = {{ min = 1, max = 2 }}\n",
            program().display(),
            folder.join("ledger").display(),
        )
    })
}

fn mail(server: SocketAddr, from: &str, to: &str) -> Value {
    let server = json!({ "host": server.ip().to_string(), "port": server.port(), "tls": "none" });
    let mail =
        json!({ "server": server, "from": from, "to": to, "subject": "Order 7", "text": "Hello" });
    // In real life the pauses are minutes and hours.
    json!({
        "method": "mail.send",
        "params": [mail],
        "retry": { "attempts_max": 1000, "backoff_ms": 50, "backoff_max_ms": 200 },
    })
}

#[test]
fn a_mail_waits_for_a_server_whose_tls_is_away_for_a_moment() {
    let under_test = start();
    let client = under_test.client();
    // A balancer that takes the connection while its server is being restarted, and lets go of it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || listener.incoming().for_each(drop));
    for tls in ["implicit", "starttls_required"] {
        let mut mail = mail(address, "anna@example.org", "bert@example.org");
        mail["params"][0]["server"]["tls"] = json!(tls);
        let job = submit(&client, &mail);
        until(&client, &job, "it is tried again", |job| {
            job["state"] == "queued" && job["failures"].as_u64() >= Some(2)
        });
    }
}

/// What a person is shown.
fn shown(under_test: &UnderTest, job: &str) -> String {
    let ran = std::process::Command::new(program())
        .args(["jobs", "show", job, "--endpoint"])
        .arg(under_test.endpoint().as_path())
        .output()
        .expect("it can be started");
    String::from_utf8(ran.stdout).expect("it is text")
}

fn message_id(mail: &str) -> &str {
    let line = mail.lines().find(|line| line.starts_with("Message-ID:"));
    line.expect("it has one").trim_start_matches("Message-ID: ")
}

#[test]
fn a_mail_waits_for_its_server_and_is_sent_once_though_the_service_is_killed_meanwhile() {
    let mut under_test = start();
    let client = under_test.client();
    let address = nobody_there();
    let job = submit(
        &client,
        &mail(address, "anna@example.org", "bert@example.org"),
    );
    until(&client, &job, "it has been tried", |job| {
        job["failures"].as_u64() >= Some(2)
    });
    let waits = crate::status(&client, &job);
    assert_eq!(waits["error"]["code"], "smtp.connect", "{waits}");
    let client = kill(&mut under_test);
    let sink = MailSink::start(address);
    let ended = wait(&client, &job);
    assert_eq!(ended["state"], "done", "{ended}");
    let mails = sink.mails();
    assert_eq!(mails.len(), 1);
    assert!(message_id(&mails[0]).contains(&job), "{}", mails[0]);
    let receipt: Value = client
        .call("job.result", &json!({ "job": job }))
        .expect("it is kept");
    assert_eq!(receipt["accepted"], json!(["bert@example.org"]));
    assert_eq!(receipt["message_id"], message_id(&mails[0]));
}

#[test]
fn a_server_that_puts_a_mail_off_gets_it_later() {
    let under_test = start();
    let client = under_test.client();
    let sink = MailSink::start_anywhere();
    let job = mail(sink.address(), "anna@example.org", "later@example.org");
    let ended = wait(&client, &submit(&client, &job));
    assert_eq!(ended["state"], "done", "{ended}");
    assert_eq!(ended["failures"], 2, "{ended}");
    assert_eq!(sink.mails().len(), 1);
}

#[test]
fn of_several_recipients_each_gets_the_mail_once_though_one_is_put_off_and_another_refused() {
    let mut under_test = start();
    let client = under_test.client();
    let sink = MailSink::start_anywhere();
    let to = "bert@example.org, later@example.org, unknown@example.org";
    let mut mail = mail(sink.address(), "anna@example.org", to);
    mail["retry"]["backoff_ms"] = json!(1500);
    mail["retry"]["backoff_max_ms"] = json!(1500);
    let job = submit(&client, &mail);
    until(&client, &job, "the first has it", |job| {
        job["failures"] == 1 && job["state"] == "queued"
    });
    let waits = crate::status(&client, &job);
    assert_eq!(waits["error"]["code"], "smtp.partly", "{waits}");
    // Who has the mail is known to the next life of the service, too.
    let client = kill(&mut under_test);
    let ended = wait(&client, &job);
    assert_eq!(ended["state"], "done", "{ended}");
    assert_eq!(ended["failures"], 2, "{ended}");
    assert_eq!(
        sink.recipients(),
        [["bert@example.org"], ["later@example.org"]]
    );
    let mails = sink.mails();
    assert_eq!(message_id(&mails[0]), message_id(&mails[1]));
    let receipt: Value = client
        .call("job.result", &json!({ "job": job }))
        .expect("it is kept");
    let both = json!(["bert@example.org", "later@example.org"]);
    assert_eq!(receipt["accepted"], both);
    let rejected = receipt["rejected"].as_array().expect("a list");
    assert_eq!(rejected.len(), 1, "{receipt}");
    assert_eq!(rejected[0]["address"], "unknown@example.org");
    let shown = shown(&under_test, &job);
    assert!(
        shown.contains("unknown@example.org") && shown.contains("550"),
        "{shown}"
    );
}

#[test]
fn who_is_put_off_and_refused_at_last_does_not_take_the_mail_from_the_others() {
    let under_test = start();
    let client = under_test.client();
    let sink = MailSink::start_anywhere();
    let mut mail = mail(
        sink.address(),
        "anna@example.org",
        "bert@example.org, later@example.org",
    );
    mail["retry"]["attempts_max"] = json!(2);
    let job = submit(&client, &mail);
    let ended = wait(&client, &job);
    assert_eq!(ended["state"], "dead", "{ended}");
    assert_eq!(sink.recipients(), [["bert@example.org"]]);
    // A person sends it again: only to who does not have it.
    let _: Value = client
        .call("job.retry", &json!({ "job": job }))
        .expect("a person may");
    until(&client, &job, "the rest has it", |job| {
        job["state"] == "done"
    });
    assert_eq!(
        sink.recipients(),
        [["bert@example.org"], ["later@example.org"]]
    );
}

#[test]
fn a_mail_that_is_refused_for_good_is_dead_with_the_servers_words() {
    let under_test = start();
    let client = under_test.client();
    let sink = MailSink::start_anywhere();
    let job = mail(sink.address(), "anna@example.org", "unknown@example.org");
    let job = submit(&client, &job);
    let ended = wait(&client, &job);
    assert_eq!(ended["state"], "dead", "{ended}");
    let words = ended["error"]["message"].as_str().expect("a text");
    assert!(words.contains("550 5.1.1 no such user here"), "{words}");
    let result = client.call::<_, Value>("job.result", &json!({ "job": job }));
    assert_eq!(crate::code(result), "smtp.rejected");
    assert!(sink.mails().is_empty());
}

#[test]
fn a_mail_that_may_have_been_taken_is_never_sent_again_by_itself_and_keeps_its_name() {
    let under_test = start();
    let client = under_test.client();
    let sink = MailSink::start_anywhere();
    let job = mail(sink.address(), "drop@example.org", "bert@example.org");
    let job = submit(&client, &job);
    let ended = wait(&client, &job);
    assert_eq!(ended["state"], "unknown", "{ended}");
    assert_eq!(sink.mails().len(), 1);
    let _: Value = client
        .call("job.retry", &json!({ "job": job }))
        .expect("a person may");
    until(&client, &job, "it was sent again", |job| {
        job["state"] == "unknown" && job["attempts"] == 2
    });
    let mails = sink.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(message_id(&mails[0]), message_id(&mails[1]));
}
