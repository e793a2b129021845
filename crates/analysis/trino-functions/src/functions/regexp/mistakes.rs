//! What is wrong with a pattern, in the words of the engine that Trino has (Joni).

const NOTHING_TO_REPEAT: &str = "target of repeat operator is not specified";

/// The first mistake that has a name.
pub(super) fn first(pattern: &str) -> Option<&'static str> {
    let letters: Vec<char> = pattern.chars().collect();
    let (mut at, mut open) = (0, 0_usize);
    // Whether something stands before that can be repeated.
    let mut something = false;
    while let Some(letter) = letters.get(at) {
        let next = letters.get(at + 1);
        match letter {
            '\\' if next.is_none() => return Some("end pattern at escape"),
            '\\' => (at, something) = (at + 1, true),
            '[' => match end_of_class(&letters, at) {
                Ok(end) => (at, something) = (end, true),
                Err(mistake) => return Some(mistake),
            },
            '(' if next == Some(&'?') => match letters.get(at + 2) {
                None => return Some("end pattern in group"),
                Some(_) => (at, open, something) = (at + 2, open + 1, false),
            },
            '(' => (open, something) = (open + 1, false),
            ')' if open == 0 => return Some("unmatched close parenthesis"),
            ')' => (open, something) = (open - 1, true),
            '|' => something = false,
            '*' | '+' | '?' if !something => return Some(NOTHING_TO_REPEAT),
            _ => something = true,
        }
        at += 1;
    }
    (open > 0).then_some("end pattern with unmatched parenthesis")
}

/// Where the class of characters ends that begins at a bracket.
fn end_of_class(letters: &[char], start: usize) -> Result<usize, &'static str> {
    let mut at = start + 1;
    at += usize::from(letters.get(at) == Some(&'^'));
    let first = at;
    loop {
        match (letters.get(at), letters.get(at + 1), letters.get(at + 2)) {
            (None, ..) => return Err("premature end of char-class"),
            // A bracket right at the beginning may stand for itself.
            (Some(']'), ..) if at > first => return Ok(at),
            (Some(']'), ..) if !letters[at + 1..].contains(&']') => return Err("empty char-class"),
            (Some('\\'), None, _) => return Err("end pattern at escape"),
            (Some('\\'), ..) => at += 2,
            (Some('['), ..) => at = end_of_class(letters, at)? + 1,
            (Some(from), Some('-'), Some(to)) if !matches!(to, ']' | '[' | '\\') => {
                if from > to {
                    return Err("empty range in char class");
                }
                at += 3;
            }
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_names() {
        for (pattern, mistake) in [
            ("(", "end pattern with unmatched parenthesis"),
            ("a)", "unmatched close parenthesis"),
            ("[", "premature end of char-class"),
            ("[a", "premature end of char-class"),
            ("[]", "empty char-class"),
            ("[z-a]", "empty range in char class"),
            ("*", NOTHING_TO_REPEAT),
            ("a|+", NOTHING_TO_REPEAT),
            ("a\\", "end pattern at escape"),
            ("(?", "end pattern in group"),
        ] {
            assert_eq!(first(pattern), Some(mistake), "{pattern}");
        }
        for pattern in ["", "a(b|c)*[^]x]\\(", "(?:a)?", "[a-z[0-9]]+"] {
            assert_eq!(first(pattern), None, "{pattern}");
        }
    }
}
