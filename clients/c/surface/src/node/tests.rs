use serde_json::json;

use super::*;
use crate::{json::from_json, path::parse, view::View};

fn text(text: &str) -> Node {
    Node::Text(text.to_owned())
}

fn steps(path: &str) -> Vec<Step> {
    parse(path).expect(path)
}

/// What stands there, by way of the bytes.
fn shown(built: &mut Built) -> serde_json::Value {
    let bytes = built.encode().expect("it can be written");
    let json = View::new(bytes.into()).json(&[]).expect("it can be read");
    serde_json::from_str(&json).expect("it is JSON")
}

#[test]
fn paths_make_the_lists_and_maps_on_their_way() {
    let mut built = Built::default();
    for (path, node) in [
        ("to[0]", text("a")),
        ("to[]", text("b")),
        ("headers.X-Id", Node::Int(-7)),
        ("files[].name", text("n")),
        ("files[-1].size", Node::Unsigned(u64::MAX)),
        ("files[0].'a.b'", Node::Bool(true)),
        ("headers.#0", Node::Number(0.5)),
        ("to[1]", Node::Null),
        ("to[2]", Node::Bytes(vec![255])),
    ] {
        built.set(&steps(path), node).expect(path);
    }
    let wanted = json!({
        "to": ["a", null, {"$bytes": "/w=="}],
        "headers": {"X-Id": 0.5},
        "files": [{"name": "n", "size": u64::MAX, "a.b": true}],
    });
    assert_eq!(shown(&mut built), wanted);
}

#[test]
fn a_path_that_leads_nowhere_is_an_error_and_changes_nothing() {
    let mut built = Built::default();
    built.set(&steps("a.list[]"), text("x")).expect("it is new");
    built.set(&steps("a.text"), text("y")).expect("it is new");
    let before = shown(&mut built);
    for path in [
        "a.text.more",
        "a.list.name",
        "a.list[2]",
        "a.list[-2]",
        "a[0]",
        "a.#2",
        "a.list.#0",
        "new[1]",
        "new.deep[-1]",
        "#0.x.#7",
    ] {
        let failure = built.set(&steps(path), Node::Null).expect_err(path);
        assert_eq!(failure.code, Code::BadPath, "{path}");
        assert_eq!(shown(&mut built), before, "{path}");
    }
}

#[test]
fn values_grow_in_pieces_and_only_values_of_their_kind() {
    let page = Codepage::utf_8();
    let mut built = Built::default();
    let (letters, raw) = (steps("letters"), steps("raw"));
    for piece in [&b"a\xc3"[..], b"\xbcb"] {
        built.append_text(&letters, piece, &page).expect("a piece");
        built.append_bytes(&raw, piece).expect("a piece");
    }
    assert_eq!(
        shown(&mut built),
        json!({"letters": "aüb", "raw": {"$bytes": "YcO8Yg=="}})
    );
    built.set(&letters, text("x")).expect("it is there");
    built.append_text(&letters, b"y", &page).expect("a piece");
    let failure = built.append_bytes(&letters, b"z").expect_err("a text");
    assert_eq!(failure.code, Code::WrongType);
    let failure = built.append_text(&raw, b"z", &page).expect_err("bytes");
    assert_eq!(failure.code, Code::WrongType);
    built
        .append_text(&letters, b"\xe2\x82", &page)
        .expect("half");
    assert_eq!(built.encode().expect_err("it is cut").code, Code::BadText);
}

#[test]
fn what_nests_too_deep_is_refused() {
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let node = || from_json(deep.as_bytes()).expect("it is JSON");
    let mut built = Built::default();
    let way = |levels: usize| vec![Step::Behind; levels];
    built.set(&way(20), node()).expect("sixty levels");
    let failure = built.set(&way(21), node()).expect_err("one more");
    assert_eq!(failure.code, Code::Limit);
}

#[test]
fn arguments_are_one_map_or_a_list() {
    let mut built = Built::default();
    assert_eq!(built.encode_params().expect("nothing"), b"\x90");
    built.set(&steps("a"), Node::Int(1)).expect("it is new");
    assert_eq!(built.encode_params().expect("a map"), b"\x91\x81\xa1a\x01");
    built.set(&[], Node::List(Vec::new())).expect("the whole");
    built.set(&steps("[]"), Node::Int(1)).expect("it is new");
    assert_eq!(built.encode_params().expect("a list"), b"\x91\x01");
    built.set(&[], Node::Int(1)).expect("the whole");
    assert_eq!(built.encode_params().expect("a number"), b"\x91\x01");
}
