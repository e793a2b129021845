//! Keys as paths of `object_store`, which has no empty segments, no `.` and `..`, and no control characters.
//!
//! A key of ordinary segments is its own path. What a path cannot hold is marked with a private-use character, and so is
//! that character itself, so that different keys have different paths. A marked `.` still begins with a dot: whoever
//! passes over hidden files goes on doing so.

use std::fmt::Write as _;

use object_store::path::Path;

const MARK: char = '\u{f8f0}';

/// The path that stands for a key.
pub fn path_of_key(key: &str) -> Path {
    let text = if key.split('/').all(is_plain) { key.to_owned() } else { marked(key) };
    Path::parse(text).expect("invariant: what a path cannot hold is marked")
}

/// The key that a path stands for.
pub fn key_of_path(path: &Path) -> String {
    let text = path.as_ref();
    if text.contains(MARK) { unmarked(text) } else { text.to_owned() }
}

fn is_plain(segment: &str) -> bool {
    let named = !matches!(segment, "" | "." | "..");
    named && !segment.chars().any(|letter| letter == MARK || letter.is_ascii_control())
}

fn marked(key: &str) -> String {
    let mut text = String::with_capacity(key.len() + 8);
    for (at, segment) in key.split('/').enumerate() {
        if at > 0 {
            text.push('/');
        }
        if matches!(segment, "" | "." | "..") {
            text.extend([segment, MARK.encode_utf8(&mut [0; 4])]);
            continue;
        }
        for letter in segment.chars() {
            match letter {
                MARK => text.extend([MARK, 'm', 'm']),
                control if control.is_ascii_control() => {
                    write!(text, "{MARK}{:02x}", u32::from(control)).expect("invariant: writing to a string succeeds");
                }
                plain => text.push(plain),
            }
        }
    }
    text
}

fn unmarked(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    let mut pieces = text.split(MARK);
    key.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2).unwrap_or(("", piece));
        let control = u8::from_str_radix(code, 16).ok().filter(u8::is_ascii_control);
        match (code, control) {
            ("mm", _) => key.extend([MARK.encode_utf8(&mut [0; 4]), rest]),
            (_, Some(control)) => key.extend([char::from(control).encode_utf8(&mut [0; 4]), rest]),
            // The mark of a segment that is empty or dots: what follows is the next segment.
            _ => key.push_str(piece),
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_keys_are_their_own_paths() {
        for key in ["a/b.csv", "at=10%3A30/Größe +~{}[]#?*\\.json", "a b/%", ".hidden/..x", ""] {
            let path = if key.is_empty() { Path::default() } else { path_of_key(key) };
            assert_eq!(path.as_ref(), key);
            assert_eq!(key_of_path(&path), key);
        }
    }

    #[test]
    fn hidden_segments_stay_hidden() {
        assert!(path_of_key("t/./b").parts().any(|part| part.as_ref().starts_with('.')));
        assert!(!path_of_key("t//b").parts().any(|part| part.as_ref().starts_with(['.', '_'])));
    }

    proptest! {
        #[test]
        fn odd_keys_come_back(key in "[a/.\u{1}\n\u{7f}\u{f8f0}m0-9éf]{1,24}") {
            let path = path_of_key(&key);
            prop_assert_eq!(&Path::parse(path.as_ref()).unwrap(), &path);
            prop_assert_eq!(key_of_path(&path), key);
        }

        #[test]
        fn any_key_comes_back(key in ".{1,64}") {
            prop_assert_eq!(key_of_path(&path_of_key(&key)), key);
        }
    }
}
