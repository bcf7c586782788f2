//! From arguments to what goes over the wire. Nothing is sent here; every complaint is `not_executed`.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use reqwest::{
    Method, Url,
    header::{
        AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
        TRANSFER_ENCODING,
    },
};
use standin_worker::{Failure, shown};

use super::{
    arguments::{BodyKind, HttpRequest, Scalars},
    clients::Key,
    failure,
};
use crate::net::tls::Trust;

const CONNECT_DEFAULT: Duration = Duration::from_secs(10);
const TOTAL_DEFAULT: Duration = Duration::from_secs(60);
const REDIRECTS_DEFAULT: u32 = 5;
/// Half of what a message may have, so that an answer always fits on the wire.
const RESPONSE_SIZE_DEFAULT: u64 = 8 << 20;

/// A request that can be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    pub(super) key: Key,
    pub(super) limit: Duration,
    pub(super) redirects_max: u32,
    pub(super) size_max: u64,
    pub(super) kind: BodyKind,
}

pub(super) fn prepare(request: HttpRequest) -> Result<Prepared, Failure> {
    let url = url(&request.url, request.query.as_ref())?;
    let verb = request.method.as_deref().unwrap_or("GET");
    let method = Method::from_bytes(verb.to_ascii_uppercase().as_bytes())
        .ok()
        .filter(|method| *method != Method::CONNECT)
        .ok_or_else(|| invalid(format!("{} is not an HTTP method.", shown(verb))))?;
    let mut headers = headers(request.headers.as_ref())?;
    authorize(&mut headers, &request)?;
    let body = body(&mut headers, &request)?;
    let milliseconds = |given: Option<u64>, default| given.map_or(default, Duration::from_millis);
    Ok(Prepared {
        url,
        method,
        headers,
        body,
        key: Key {
            trust: Trust {
                ca_pem: request.ca_pem,
                client_pem: request.client_pem,
                verify: request.verify.unwrap_or(true),
            },
            connect: milliseconds(request.connect_ms, CONNECT_DEFAULT),
            proxy: request.proxy,
        },
        limit: milliseconds(request.timeout_ms, TOTAL_DEFAULT),
        redirects_max: request.redirects.unwrap_or(REDIRECTS_DEFAULT),
        size_max: request.response_size_max.unwrap_or(RESPONSE_SIZE_DEFAULT),
        kind: request.response_as.unwrap_or_default(),
    })
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::invalid_arguments(message)
}

fn url(text: &str, query: Option<&BTreeMap<String, Scalars>>) -> Result<Url, Failure> {
    const BEGINNING: &str = "it must begin with http:// or https://";
    let mut url = Url::parse(text).map_err(|error| {
        let why = error.to_string();
        // The parser's words for a text without any scheme.
        let is_relative = why.starts_with("relative URL");
        failure::bad_url(text, if is_relative { BEGINNING } else { &why })
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(failure::bad_url(text, BEGINNING));
    }
    let pairs: Vec<_> = pairs(query).collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(url)
}

fn pairs(map: Option<&BTreeMap<String, Scalars>>) -> impl Iterator<Item = (&String, String)> {
    let entries = map.into_iter().flatten();
    entries.flat_map(|(name, values)| values.texts().into_iter().map(move |value| (name, value)))
}

fn headers(map: Option<&BTreeMap<String, Scalars>>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs(map) {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| invalid(format!("{} cannot be the name of a header.", shown(name))))?;
        if matches!(header, CONTENT_LENGTH | TRANSFER_ENCODING) {
            return Err(invalid(format!(
                "The header \"{name}\" follows from the body and cannot be given."
            )));
        }
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
            invalid(format!(
                "The header {} holds a line break or another control character.",
                shown(name)
            ))
        })?;
        headers.append(header, value);
    }
    Ok(headers)
}

fn authorize(headers: &mut HeaderMap, request: &HttpRequest) -> Result<(), Failure> {
    use base64::Engine as _;
    let credentials = match (&request.basic, &request.bearer) {
        (Some(_), Some(_)) => {
            return Err(invalid("Give either \"basic\" or \"bearer\", not both."));
        }
        (None, None) => return Ok(()),
        (None, Some(token)) => format!("Bearer {token}"),
        (Some(basic), None) => {
            let pair = format!("{}:{}", basic.user, basic.password.as_deref().unwrap_or(""));
            format!(
                "Basic {}",
                base64::engine::general_purpose::STANDARD.encode(pair)
            )
        }
    };
    let mut value = HeaderValue::from_str(&credentials)
        .map_err(|_| invalid("The token in \"bearer\" holds a line break or another character that a header cannot hold."))?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(())
}

/// The body, and its type if the caller named none.
fn body(headers: &mut HeaderMap, request: &HttpRequest) -> Result<Option<Bytes>, Failure> {
    let mut given: Vec<(Bytes, &'static str)> = Vec::new();
    if let Some(text) = &request.text {
        given.push((text.clone().into(), "text/plain; charset=utf-8"));
    }
    if let Some(bytes) = &request.bytes {
        given.push((bytes.0.clone().into(), "application/octet-stream"));
    }
    if let Some(json) = &request.json {
        let text = serde_json::to_vec(json).expect("a JSON value can be written");
        given.push((text.into(), "application/json"));
    }
    if let Some(form) = &request.form {
        let mut scratch = Url::parse("form:").expect("it is a URL");
        scratch.query_pairs_mut().extend_pairs(pairs(Some(form)));
        let text = scratch.query().unwrap_or("").to_owned();
        given.push((text.into(), "application/x-www-form-urlencoded"));
    }
    if given.len() > 1 {
        return Err(invalid(
            "Give one body: \"text\", \"bytes\", \"json\" or \"form\".",
        ));
    }
    let Some((bytes, kind)) = given.pop() else {
        return Ok(None);
    };
    headers
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static(kind));
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str) -> HttpRequest {
        HttpRequest {
            url: url.to_owned(),
            ..HttpRequest::default()
        }
    }

    #[test]
    fn query_and_form_are_escaped() {
        let map: BTreeMap<_, _> = [
            ("a b".to_owned(), Scalars::from("ä&=")),
            ("c".to_owned(), "1".into()),
        ]
        .into();
        let mut asked = request("http://host/p?x=1");
        asked.query = Some(map.clone());
        asked.form = Some(map);
        let prepared = prepare(asked).unwrap();
        assert_eq!(prepared.url.query(), Some("x=1&a+b=%C3%A4%26%3D&c=1"));
        assert_eq!(
            prepared.body.as_deref(),
            Some(b"a+b=%C3%A4%26%3D&c=1".as_slice())
        );
        assert_eq!(
            prepared.headers[CONTENT_TYPE],
            "application/x-www-form-urlencoded"
        );
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_a_sentence() {
        let mut broken_header = request("http://host/");
        broken_header.headers = Some([("X-A".to_owned(), Scalars::from("a\r\nX-B: b"))].into());
        let mut two_bodies = request("http://host/");
        (two_bodies.text, two_bodies.json) = (Some(String::new()), Some(serde_json::Value::Null));
        let mut verb = request("http://host/");
        verb.method = Some("GET /".into());
        let mut length = request("http://host/");
        length.headers = Some([("Content-Length".to_owned(), Scalars::from("5"))].into());
        for (asked, code, word) in [
            (length, "invalid_params", "follows from the body"),
            (broken_header, "invalid_params", "X-A"),
            (two_bodies, "invalid_params", "one body"),
            (verb, "invalid_params", "GET /"),
            (
                request("host/path"),
                "http.bad_url",
                "\"host/path\" cannot be used as a web address: it must begin",
            ),
            (request("ftp://host/"), "http.bad_url", "http://"),
            (request(""), "http.bad_url", "address"),
        ] {
            let failure = prepare(asked).unwrap_err();
            assert_eq!(failure.answer().code, code);
            assert!(failure.answer().message.contains(word), "{failure}");
            assert_eq!(
                failure.answer().outcome,
                standin_worker::Outcome::NotExecuted
            );
        }
    }

    #[test]
    fn the_callers_content_type_wins() {
        let mut asked = request("http://host/");
        asked.text = Some("<a/>".into());
        asked.headers = Some([("content-type".to_owned(), Scalars::from("text/xml"))].into());
        assert_eq!(prepare(asked).unwrap().headers[CONTENT_TYPE], "text/xml");
    }
}
