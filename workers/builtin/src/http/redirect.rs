//! Where a redirect leads, and what may be carried there.

use reqwest::{
    Method, StatusCode, Url,
    header::{
        AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap,
        PROXY_AUTHORIZATION, TRANSFER_ENCODING,
    },
};

/// The next request, if the answer asks for one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) keeps_body: bool,
    pub(super) same_origin: bool,
}

/// Where to go from here. `Err` holds a place that cannot be gone to.
pub(super) fn next(
    status: StatusCode,
    headers: &HeaderMap,
    from: &Url,
    method: &Method,
) -> Result<Option<Next>, String> {
    let to_get = match status.as_u16() {
        // Written otherwise, but every browser and curl turn a POST into a GET here.
        301 | 302 => *method == Method::POST,
        303 => *method != Method::HEAD,
        307 | 308 => false,
        _ => return Ok(None),
    };
    let Some(place) = headers.get(reqwest::header::LOCATION) else {
        return Ok(None);
    };
    let place = String::from_utf8_lossy(place.as_bytes()).into_owned();
    let url = match from.join(&place) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        _ => return Err(place),
    };
    Ok(Some(Next {
        same_origin: url.origin() == from.origin(),
        url,
        method: if to_get { Method::GET } else { method.clone() },
        keeps_body: !to_get,
    }))
}

/// Takes away what the next place must not see, or what no longer describes anything.
pub(super) fn strip(headers: &mut HeaderMap, next: &Next) {
    if !next.same_origin {
        for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, HOST] {
            headers.remove(name);
        }
    }
    if !next.keeps_body {
        for name in [
            CONTENT_TYPE,
            CONTENT_LENGTH,
            CONTENT_ENCODING,
            TRANSFER_ENCODING,
        ] {
            headers.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderValue, LOCATION};

    use super::*;

    fn go(status: u16, method: Method, place: &str) -> Result<Option<Next>, String> {
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_str(place).unwrap())]);
        let from = Url::parse("https://a.test/x/y").unwrap();
        next(
            StatusCode::from_u16(status).unwrap(),
            &headers,
            &from,
            &method,
        )
    }

    #[test]
    fn a_303_becomes_a_get_and_a_307_keeps_verb_and_body() {
        let seen = go(303, Method::PUT, "z").unwrap().unwrap();
        assert_eq!((seen.method, seen.keeps_body), (Method::GET, false));
        assert_eq!(seen.url.as_str(), "https://a.test/x/z");
        let seen = go(307, Method::POST, "/z").unwrap().unwrap();
        assert_eq!((seen.method, seen.keeps_body), (Method::POST, true));
        let seen = go(302, Method::POST, "/z").unwrap().unwrap();
        assert_eq!((seen.method, seen.keeps_body), (Method::GET, false));
    }

    #[test]
    fn another_origin_never_sees_the_password() {
        for (place, kept) in [
            ("/z", true),
            ("https://b.test/", false),
            ("http://a.test/", false),
            ("https://a.test:8443/", false),
        ] {
            let seen = go(302, Method::GET, place).unwrap().unwrap();
            let mut headers =
                HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Basic x"))]);
            strip(&mut headers, &seen);
            assert_eq!(headers.contains_key(AUTHORIZATION), kept, "{place}");
        }
    }

    #[test]
    fn a_place_that_is_no_web_address_is_named() {
        assert_eq!(
            go(302, Method::GET, "file:///etc/passwd"),
            Err("file:///etc/passwd".to_owned())
        );
        assert_eq!(go(304, Method::GET, "/z"), Ok(None));
    }
}
