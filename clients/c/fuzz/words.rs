//! What is said to the library: paths, texts, methods and code pages, some of which mean nothing.

pub(super) const PATHS: [&str; 20] = [
    "",
    "text",
    "text",
    "a",
    "a.b",
    "a[0]",
    "a[]",
    "a[-1]",
    "[0]",
    "[]",
    "a[0].b",
    "#0",
    "a.#1",
    "'x.y'",
    "a..b",
    "[",
    "]",
    "a[99999999999]",
    "method",
    "arguments",
];

pub(super) const TEXTS: [&str; 9] = [
    "",
    "a",
    "twice",
    "ünï",
    "€",
    "\u{1F600}",
    "{}",
    "[1,2,{\"a\":null}]",
    "{\"text\":\"x\"}",
];

pub(super) const METHODS: [&str; 9] = [
    "sdk.give_back",
    "sdk.give_back",
    "sdk.echo",
    "sdk.ask",
    "sdk.fail",
    "sdk.wait",
    "standin.ping",
    "no.such",
    "",
];

pub(super) const PAGES: [&str; 7] = [
    "",
    "UTF-8",
    "1252",
    "IBM850",
    "ISO8859-1",
    "SHIFT-JIS",
    "no page",
];
