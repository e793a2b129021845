//! Names of partition folders, as Hive escapes them: `day=2024-01-01 10%3A00`.

/// A key or value as part of a path.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{0}'..='\u{1f}'
            | '\u{7f}'
            | '"'
            | '#'
            | '%'
            | '\''
            | '*'
            | '/'
            | ':'
            | '='
            | '?'
            | '\\'
            | '{'
            | '['
            | ']'
            | '^' => escaped.push_str(&format!("%{:02X}", u32::from(c))),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The way back. What is no escape stays as it is.
pub fn unescaped(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| byte == b'%');
        match code {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_escaped_as_hive_does() {
        assert_eq!(escaped("2024-01-01 10:00/x=é"), "2024-01-01 10%3A00%2Fx%3Dé");
    }

    proptest! {
        #[test]
        fn escapes_come_back(text in "\\PC{1,12}") {
            prop_assert_eq!(unescaped(&escaped(&text)), text);
        }
    }
}
