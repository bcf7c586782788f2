//! What came back.

use std::{collections::BTreeMap, time::Duration};

use encoding_rs::{Encoding, UTF_8};
use reqwest::{Response, Url, header::CONTENT_TYPE};
use serde::Serialize;

use super::arguments::BodyKind;
use crate::net::Binary;

/// The answer. The body stands in `text` or in `bytes`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HttpResponse {
    /// The status, such as 200.
    pub status: u16,
    /// Its words, such as `OK`.
    pub reason: String,
    /// Whether the status is 200 to 299.
    pub ok: bool,
    /// The headers under lower-case names; what came several times is joined with `, `.
    pub headers: BTreeMap<String, String>,
    /// The headers as they came, one by one.
    pub header_list: Vec<(String, String)>,
    /// The body, if it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The body, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Binary>,
    /// Where the answer came from in the end.
    pub url: String,
    /// How many redirects led there.
    pub redirects: u32,
    /// Milliseconds until the headers of the answer were there.
    pub first_byte_ms: u64,
    /// Milliseconds until everything was there.
    pub total_ms: u64,
}

/// The answer without its body, taken before the body is read.
pub(super) fn head(response: &Response, redirects: u32, first_byte: Duration) -> HttpResponse {
    let status = response.status();
    let header_list: Vec<(String, String)> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), latin(value.as_bytes())))
        .collect();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &header_list {
        let known = headers.entry(name.clone());
        known
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(value);
            })
            .or_insert_with(|| value.clone());
    }
    HttpResponse {
        status: status.as_u16(),
        // The usual words: HTTP/2 sends none, and nobody may rely on others.
        reason: status.canonical_reason().unwrap_or("").to_owned(),
        ok: status.is_success(),
        headers,
        header_list,
        text: None,
        bytes: None,
        url: without_password(response.url()),
        redirects,
        first_byte_ms: first_byte.as_millis() as u64,
        total_ms: 0,
    }
}

/// A header's value: UTF-8 where it is, else Latin-1, as RFC 9110 found it in the wild.
fn latin(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn without_password(url: &Url) -> String {
    let mut url = url.clone();
    // A URL with a host can do without.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.into()
}

/// The code page that the answer names, or the one that its kind of text always has.
pub(super) fn code_page(response: &Response) -> Option<&'static Encoding> {
    let header = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    code_page_of(header)
}

fn code_page_of(header: &str) -> Option<&'static Encoding> {
    let mut parts = header.split(';');
    let kind = parts.next().unwrap_or("").trim().to_ascii_lowercase();
    let named = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"').to_owned())
    });
    if let Some(label) = named {
        return Encoding::for_label(label.as_bytes());
    }
    let subtype = kind.split_once('/').map_or("", |(_, subtype)| subtype);
    let is_text = kind.starts_with("text/")
        || matches!(
            subtype,
            "json" | "xml" | "javascript" | "x-www-form-urlencoded" | "yaml" | "x-ndjson"
        )
        || subtype.ends_with("+json")
        || subtype.ends_with("+xml");
    is_text.then_some(UTF_8)
}

/// Puts the body where it belongs. What claims to be text and is not stays bytes, unless text was asked for.
pub(super) fn place_body(
    answer: &mut HttpResponse,
    body: Vec<u8>,
    page: Option<&'static Encoding>,
    kind: BodyKind,
) {
    let text = match (kind, page) {
        (BodyKind::Bytes, _) | (BodyKind::Auto, None) => None,
        (BodyKind::Auto, Some(page)) => {
            let (text, _, broken) = page.decode(&body);
            (!broken).then(|| text.into_owned())
        }
        (BodyKind::Text, page) => Some(page.unwrap_or(UTF_8).decode(&body).0.into_owned()),
    };
    match text {
        Some(text) => answer.text = Some(text),
        None => answer.bytes = Some(Binary(body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_known_by_its_code_page_or_its_kind() {
        for (header, name) in [
            ("text/plain; charset=ISO-8859-1", Some("windows-1252")),
            ("text/html; x=1; Charset=\"utf-8\"", Some("UTF-8")),
            ("application/json", Some("UTF-8")),
            ("application/problem+json", Some("UTF-8")),
            ("text/plain; charset=klingon", None),
            ("application/pdf", None),
        ] {
            assert_eq!(code_page_of(header).map(Encoding::name), name, "{header}");
        }
    }
}
