//! What becomes of a submission.

use super::*;

#[tokio::test]
async fn a_key_gives_the_same_job_again_and_refuses_another_payload() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let store = store.handle();
    let key = Some(&b"korder-1"[..]);
    let first = new(1, key, b"\x91\x01");
    assert_eq!(submit(&store, first.clone()).await, Submitted::New);
    let again = submit(&store, new(2, key, b"\x91\x01")).await;
    assert_eq!(again, Submitted::Same(first.name));
    let other = submit(&store, new(3, key, b"\x91\x02")).await;
    assert_eq!(other, Submitted::Conflict);
    let jobs = store.jobs(JobPage::default());
    let jobs = jobs.await.expect("it is open");
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].key.as_deref(), Some(&b"order-1"[..]));
}

#[tokio::test]
async fn a_submission_that_was_refused_is_not_found_and_breaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let name = JobName::new(JobId(1));
    let fingerprint = Fingerprint::of(b"mail.send", b"\x90");
    let (method, key) = (Bytes::from_static(b"mail.send"), Bytes::from_static(b"kx"));
    let found = store.submitted_job(name, "1000".to_owned(), method, key, fingerprint);
    assert_eq!(found.await, Ok(None));
    assert_eq!(store.job(name).await, Ok(None));
}

#[test]
fn a_name_reads_as_it_was_shown_and_nonsense_is_none() {
    let name = JobName::new(JobId(17));
    assert_eq!(JobName::parse(name.to_string().as_bytes()), Some(name));
    for text in [
        "",
        "17",
        "17-",
        "x-0000000000000000",
        "17-00",
        "+7-0000000000000000",
    ] {
        assert_eq!(JobName::parse(text.as_bytes()), None, "{text}");
    }
}
