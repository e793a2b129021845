//! Functions of URLs, which are read as RFC 2396 has them. What is no URL gives NULL.

use arrow::datatypes::Int64Type;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Table;
use super::support::{Computed, primitives, text, write_texts};
use crate::error::TrinoError;
use crate::kernel::Call;

/// What forms leave as it is.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

pub(crate) fn register(table: &mut Table) {
    table.kernel("url_extract_protocol(varchar(x)) -> varchar(x)", "The URL's scheme, such as `https`.", |call| {
        component(call, |url| url.scheme.to_owned())
    });
    table.kernel("url_extract_host(varchar(x)) -> varchar(x)", "The URL's host.", |call| {
        component(call, |url| url.host.to_owned())
    });
    table.kernel("url_extract_path(varchar(x)) -> varchar(x)", "The URL's path.", |call| {
        component(call, |url| unescape(url.path))
    });
    table.kernel("url_extract_query(varchar(x)) -> varchar(x)", "What follows the URL's question mark.", |call| {
        component(call, |url| unescape(url.query))
    });
    table.kernel("url_extract_fragment(varchar(x)) -> varchar(x)", "What follows the URL's number sign.", |call| {
        component(call, |url| unescape(url.fragment))
    });
    table.kernel("url_extract_port(varchar) -> bigint", "The URL's port; NULL if it has none.", |call| {
        let values = text(call, 0)?;
        primitives::<Int64Type>(call, |row| Ok(Url::parse(values.value(row)).and_then(|url| url.port)))
    });
    table.kernel(
        "url_extract_parameter(varchar(x), varchar) -> varchar(x)",
        "The value of the first parameter with a name in the URL's query; NULL if it has none.",
        parameter,
    );
    table.kernel(
        "url_encode(varchar(x)) -> varchar(x * 12)",
        "The text escaped as a parameter's name or value.",
        |call| {
            let values = text(call, 0)?;
            write_texts(call, |row, out| {
                for piece in utf8_percent_encode(values.value(row), FORM) {
                    out.extend(piece.chars().map(|letter| if letter == ' ' { '+' } else { letter }));
                }
                Ok(Some(()))
            })
        },
    );
    table.kernel("url_decode(varchar(x)) -> varchar(x)", "The text that was escaped.", |call| {
        let values = text(call, 0)?;
        write_texts(call, |row, out| {
            out.push_str(&decode(values.value(row))?);
            Ok(Some(()))
        })
    });
}

fn component(call: &Call<'_>, part: fn(&Url<'_>) -> String) -> Computed {
    let values = text(call, 0)?;
    write_texts(call, |row, out| Ok(Url::parse(values.value(row)).map(|url| out.push_str(&part(&url)))))
}

fn parameter(call: &Call<'_>) -> Computed {
    let (values, names) = (text(call, 0)?, text(call, 1)?);
    write_texts(call, |row, out| {
        let Some(url) = Url::parse(values.value(row)) else { return Ok(None) };
        for pair in url.query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if name == names.value(row) {
                out.push_str(&decode(value)?);
                return Ok(Some(()));
            }
        }
        Ok(None)
    })
}

fn unescape(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The reverse of a form's encoding.
fn decode(text: &str) -> Result<String, TrinoError> {
    for (at, _) in text.match_indices('%') {
        let message = match text.as_bytes().get(at + 1..at + 3) {
            Some(digits) => match digits.iter().position(|digit| !digit.is_ascii_hexdigit()) {
                None => continue,
                Some(index) => format!(
                    "Illegal hex characters in escape (%) pattern - Error at index {index} in: \"{}\"",
                    String::from_utf8_lossy(digits)
                ),
            },
            None => "Incomplete trailing escape (%) pattern".to_owned(),
        };
        return Err(TrinoError::invalid(format!("URLDecoder: {message}")));
    }
    Ok(unescape(&text.replace('+', " ")))
}

fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|piece| {
        let digits = piece.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// A URL's parts as they stand; empty where it has none.
struct Url<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<i64>,
    path: &'a str,
    query: &'a str,
    fragment: &'a str,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let illegal = |letter: char| letter.is_control() || letter.is_whitespace() || "\"<>\\^`{|}".contains(letter);
        if text.contains(illegal) || !escapes_are_whole(text) {
            return None;
        }
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        if fragment.contains(['#', '[', ']']) {
            return None;
        }
        let (scheme, rest) = match rest.find([':', '/', '?']) {
            Some(at) if rest[at..].starts_with(':') => (&rest[..at], &rest[at + 1..]),
            _ => ("", rest),
        };
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
        let valid = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic()) && scheme.chars().all(plain);
        if rest.len() < text.len() && text[scheme.len()..].starts_with(':') && (!valid || rest.is_empty()) {
            return None;
        }
        let none = Self { scheme, host: "", port: None, path: "", query: "", fragment };
        // What has a scheme but no slash (such as `mailto:`) has no parts further.
        if !scheme.is_empty() && !rest.starts_with('/') {
            return Some(none);
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let Some(rest) = rest.strip_prefix("//") else {
            return Some(Self { path: rest, query, ..none }).filter(|url| !url.path.contains(['[', ']']));
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if path.contains(['[', ']']) || (authority.is_empty() && path.is_empty()) {
            return None;
        }
        let (host, port) = server(authority).unwrap_or(("", None));
        Some(Self { host, port, path, query, ..none })
    }
}

/// Host and port; none if the authority doesn't name a server.
fn server(authority: &str) -> Option<(&str, Option<i64>)> {
    let rest = authority.rsplit_once('@').map_or(authority, |(_, rest)| rest);
    let after = rest.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match rest[after..].find(':') {
        Some(colon) => rest.split_at(after + colon),
        None => (rest, ""),
    };
    let port = match port.strip_prefix(':') {
        None | Some("") => None,
        Some(digits) => Some(digits.parse::<u32>().ok()?.into()),
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match address {
        Some(address) => address.split('%').next()?.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host_name(host),
    };
    is_host.then_some((host, port))
}

fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or_default();
    let named = last.starts_with(|letter: char| letter.is_ascii_alphabetic()) && name.split('.').all(label);
    named || host.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn parts() {
        let url = "'https://user@example.com:8080/a%20b/c?k1=v%261&k2=&k3&k1=x#frag%2F'";
        for (function, expected) in [
            ("protocol", "https"),
            ("host", "example.com"),
            ("port", "8080"),
            ("path", "/a b/c"),
            ("query", "k1=v&1&k2=&k3&k1=x"),
            ("fragment", "frag/"),
        ] {
            check(&[(&format!("url_extract_{function}({url})"), expected)]);
        }
        for (name, expected) in [("k1", "v&1"), ("k2", ""), ("k3", ""), ("k4", "NULL")] {
            check(&[(&format!("url_extract_parameter({url}, '{name}')"), expected)]);
        }
    }

    #[test]
    fn odd_urls() {
        check(&[
            ("url_extract_host('http://a b')", "NULL"),
            ("url_extract_host('http://a/%zz')", "NULL"),
            ("url_extract_host('http://my_host/x')", ""),
            ("url_extract_path('http://my_host/x')", "/x"),
            ("url_extract_host('http://[::1]:99/')", "[::1]"),
            ("url_extract_port('http://[::1]:99/')", "99"),
            ("url_extract_host('http://192.168.0.1')", "192.168.0.1"),
            ("url_extract_port('http://example.com')", "NULL"),
            ("url_extract_protocol('mailto:a@b.c')", "mailto"),
            ("url_extract_path('mailto:a@b.c')", ""),
            ("url_extract_path('/just/path?x')", "/just/path"),
            ("url_extract_protocol('/just/path')", ""),
            ("url_extract_path('http://ex.com/ä')", "/ä"),
            ("url_extract_host(NULL)", "NULL"),
        ]);
    }

    #[test]
    fn escaping() {
        check(&[
            ("url_encode('a b&ä~*-_.')", "a+b%26%C3%A4%7E*-_."),
            ("url_decode('a+b%26%C3%A4')", "a b&ä"),
            ("url_decode('%4')", "INVALID_FUNCTION_ARGUMENT: URLDecoder: Incomplete trailing escape (%) pattern"),
        ]);
    }
}
