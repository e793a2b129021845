//! Route keys such as `GET /pets/{id}`, and which route a request takes ("Create routes for HTTP APIs").
//!
//! The full match wins over the greedy one, and that over `$default`; among full matches a literal part wins over a
//! variable one, from left to right; for one path the exact method wins over `ANY`.

use std::cmp::Reverse;
use std::fmt;

use percent_encoding::percent_decode_str;

const METHODS: [&str; 8] = ["ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// A route key, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RouteKey {
    /// Every request that no other route takes.
    Default,
    Path {
        /// `ANY` stands for every method.
        method: &'static str,
        parts: Vec<Part>,
    },
}

/// What stands between two slashes of a route's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Literal(String),
    Variable(String),
    /// Takes one or more parts; only the last of a path.
    Greedy(String),
}

/// The text is no route key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> /<RESOURCE \
     PATH>\" or \"$default\""
)]
pub(crate) struct InvalidRouteKey;

impl RouteKey {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidRouteKey> {
        if text == "$default" {
            return Ok(Self::Default);
        }
        let (method, path) = text.split_once(' ').ok_or(InvalidRouteKey)?;
        let method = METHODS.into_iter().find(|known| *known == method).ok_or(InvalidRouteKey)?;
        let path = path.strip_prefix('/').ok_or(InvalidRouteKey)?;
        let parts: Vec<Part> = match path {
            "" => Vec::new(),
            path => path.split('/').map(Part::parse).collect::<Result<_, _>>()?,
        };
        let before_last = parts.split_last().map_or(&[][..], |(_, before)| before);
        if before_last.iter().any(|part| matches!(part, Part::Greedy(_))) {
            return Err(InvalidRouteKey);
        }
        Ok(Self::Path { method, parts })
    }

    /// How well a request fits, and its path's variables; the greatest fit wins.
    fn fit<'k>(&'k self, method: &str, path: &[&str]) -> Option<(Fit<'k>, Vec<(String, String)>)> {
        let Self::Path { method: wanted, parts } = self else {
            return Some((Fit { shape: 0, parts: Vec::new(), exact_method: false, order: Reverse("") }, Vec::new()));
        };
        if *wanted != "ANY" && *wanted != method {
            return None;
        }
        let (mut variables, mut kinds, mut given) = (Vec::new(), Vec::new(), path.iter());
        for part in parts {
            let piece = given.next()?;
            match part {
                Part::Literal(literal) if literal == &decoded(piece) => kinds.push(2),
                Part::Literal(_) => return None,
                Part::Variable(name) if !piece.is_empty() => {
                    kinds.push(1);
                    variables.push((name.clone(), decoded(piece)));
                }
                Part::Variable(_) => return None,
                Part::Greedy(name) => {
                    let rest: Vec<&str> = std::iter::once(piece).chain(given.by_ref()).copied().collect();
                    let rest = rest.join("/");
                    if rest.is_empty() {
                        return None;
                    }
                    variables.push((name.clone(), decoded(&rest)));
                    let fit = Fit { shape: 1, parts: kinds, exact_method: *wanted != "ANY", order: Reverse(wanted) };
                    return Some((fit, variables));
                }
            }
        }
        let whole = given.next().is_none();
        let fit = Fit { shape: 2, parts: kinds, exact_method: *wanted != "ANY", order: Reverse(wanted) };
        whole.then_some((fit, variables))
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Path { method, parts } = self else { return f.write_str("$default") };
        write!(f, "{method} ")?;
        if parts.is_empty() {
            f.write_str("/")?;
        }
        parts.iter().try_for_each(|part| match part {
            Part::Literal(text) => write!(f, "/{text}"),
            Part::Variable(name) => write!(f, "/{{{name}}}"),
            Part::Greedy(name) => write!(f, "/{{{name}+}}"),
        })
    }
}

impl Part {
    fn parse(text: &str) -> Result<Self, InvalidRouteKey> {
        let Some(inner) = text.strip_prefix('{') else {
            let plain = !text.contains(['{', '}', ' ', '?', '#']);
            return if plain { Ok(Self::Literal(text.to_owned())) } else { Err(InvalidRouteKey) };
        };
        let name = inner.strip_suffix('}').ok_or(InvalidRouteKey)?;
        let (name, greedy) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        if name.is_empty() || !name.chars().all(valid) {
            return Err(InvalidRouteKey);
        }
        Ok(if greedy { Self::Greedy(name.to_owned()) } else { Self::Variable(name.to_owned()) })
    }
}

/// How well a route fits. Ordered: full over greedy over `$default`, then literal over variable, then exact method.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fit<'k> {
    shape: u8,
    parts: Vec<u8>,
    exact_method: bool,
    order: Reverse<&'k str>,
}

/// The route that a request takes, by its place in `routes`, and the variables of its path, decoded.
pub(crate) fn find<'r>(
    routes: impl IntoIterator<Item = &'r RouteKey>,
    method: &str,
    path: &str,
) -> Option<(usize, Vec<(String, String)>)> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let pieces: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
    let fitting = routes.into_iter().enumerate().filter_map(|(place, key)| Some((key.fit(method, &pieces)?, place)));
    let best = fitting.max_by(|((a, _), _), ((b, _), _)| a.cmp(b))?;
    let ((_, variables), place) = best;
    Some((place, variables))
}

fn decoded(piece: &str) -> String {
    percent_decode_str(piece).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(keys: &[&str], method: &str, path: &str) -> Option<(String, Vec<(String, String)>)> {
        let routes: Vec<RouteKey> = keys.iter().map(|key| RouteKey::parse(key).unwrap()).collect();
        find(&routes, method, path).map(|(place, variables)| (keys[place].to_owned(), variables))
    }

    #[test]
    fn the_most_exact_route_is_taken() {
        let keys = [
            "$default",
            "ANY /{proxy+}",
            "GET /{proxy+}",
            "GET /pets/{id}",
            "ANY /pets/{id}",
            "GET /pets/dog",
            "ANY /pets/dog/{proxy+}",
            "POST /pets/{kind}/{name}",
        ];
        for (method, path, expected) in [
            ("GET", "/pets/dog", "GET /pets/dog"),
            ("POST", "/pets/dog", "ANY /pets/{id}"),
            ("GET", "/pets/cat", "GET /pets/{id}"),
            ("GET", "/pets/dog/1", "ANY /pets/dog/{proxy+}"),
            ("POST", "/pets/dog/1", "POST /pets/{kind}/{name}"),
            ("GET", "/other", "GET /{proxy+}"),
            ("PUT", "/other/x", "ANY /{proxy+}"),
            ("GET", "/", "$default"),
        ] {
            assert_eq!(taken(&keys, method, path).unwrap().0, expected, "{method} {path}");
        }
        assert_eq!(taken(&["GET /a"], "POST", "/a"), None);
        assert_eq!(taken(&["GET /a"], "GET", "/a/"), None);
        assert_eq!(taken(&["ANY /"], "GET", "").unwrap().0, "ANY /");
    }

    #[test]
    fn variables_are_decoded() {
        let found = taken(&["GET /x/{name}/{proxy+}"], "GET", "/x/a%20b/c/d%2Fe").unwrap().1;
        assert_eq!(found, [("name".into(), "a b".into()), ("proxy".into(), "c/d/e".into())]);
    }

    #[test]
    fn what_is_no_route_key_is_refused() {
        for text in
            ["", "GET", "GET pets", "FETCH /pets", "GET /{a+}/b", "GET /{}", "GET /a{b}", "$other", "GET /{a b}"]
        {
            assert_eq!(RouteKey::parse(text), Err(InvalidRouteKey), "{text}");
        }
    }

    proptest! {
        #[test]
        fn keys_survive_their_text(method in prop::sample::select(&METHODS[..]), path in "(/([a-z]{1,3}|\\{[a-z]{1,3}\\})){1,4}") {
            let text = format!("{method} {path}");
            prop_assert_eq!(RouteKey::parse(&text).unwrap().to_string(), text);
        }

        #[test]
        fn any_request_is_matched_without_harm(key in "\\PC{0,20}", path in "\\PC{0,20}") {
            if let Ok(key) = RouteKey::parse(&key) {
                find([&key], "GET", &path);
            }
        }
    }
}
