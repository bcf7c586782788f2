use super::*;

fn user(name: &str) -> Arc<str> {
    Arc::from(name)
}

#[test]
fn of_too_many_waiting_sessions_the_oldest_is_asked_to_go_and_no_other() {
    let mut waiting = Waiting::new(2);
    let anna = user("anna");
    assert_eq!(waiting.lost(SessionId(1), &anna), None);
    assert_eq!(waiting.lost(SessionId(2), &anna), None);
    assert_eq!(waiting.lost(SessionId(3), &anna), Some(SessionId(1)));
    assert_eq!(waiting.lost(SessionId(4), &anna), Some(SessionId(2)));
}

#[test]
fn a_session_whose_client_came_back_is_the_youngest_when_it_is_lost_again() {
    let mut waiting = Waiting::new(2);
    let anna = user("anna");
    for session in [1, 2] {
        assert_eq!(waiting.lost(SessionId(session), &anna), None);
    }
    waiting.over(SessionId(1));
    assert_eq!(waiting.lost(SessionId(1), &anna), None);
    assert_eq!(waiting.lost(SessionId(3), &anna), Some(SessionId(2)));
}

#[test]
fn a_user_cannot_push_out_the_sessions_of_others() {
    let mut waiting = Waiting::new(4);
    let (anna, many) = (user("anna"), user("many"));
    assert_eq!(waiting.lost(SessionId(1), &anna), None);
    for session in 2..1000 {
        let asked = waiting.lost(SessionId(session), &many);
        let expected = (session > 4).then(|| SessionId(session - 3));
        assert_eq!(asked, expected, "many's own oldest");
    }
}

#[test]
fn what_has_come_back_or_ended_leaves_nothing_behind() {
    let mut waiting = Waiting::new(1000);
    let anna = user("anna");
    for session in 1..=10_000 {
        assert_eq!(waiting.lost(SessionId(session), &anna), None);
        waiting.over(SessionId(session));
        waiting.over(SessionId(session));
    }
    assert!(waiting.sessions.is_empty());
    assert!(waiting.users.is_empty());
}
