//! Regular expressions: JavaScript's syntax in the linear-time engine.

use regex::RegexBuilder;

use super::syntax::Pattern;

/// Compiles a regular expression with the flags `i` and `m`.
///
/// Look-around and back-references, which need an engine that can take exponential time, are refused.
pub(super) fn compile(source: &str, flags: &str) -> Result<Pattern, String> {
    let regex = RegexBuilder::new(&translate(source))
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .size_limit(4 * 1024 * 1024)
        .build()
        .map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("Invalid regular expression: /{source}/: {reason}")
        })?;
    Ok(Pattern { source: source.to_owned(), regex })
}

/// JavaScript's classes are ASCII, and some escapes are written in another way.
fn translate(source: &str) -> String {
    let mut text = String::with_capacity(source.len() + 8);
    let (mut characters, mut class) = (source.chars().peekable(), false);
    while let Some(c) = characters.next() {
        match c {
            '\\' => escape(&mut characters, class, &mut text),
            '[' if class => text.push_str("\\["),
            '[' => {
                class = true;
                text.push('[');
                if characters.peek() == Some(&'^') {
                    characters.next();
                    text.push('^');
                }
                // `[]` is nothing and `[^]` is anything in JavaScript.
                if characters.peek() == Some(&']') {
                    characters.next();
                    class = false;
                    let negated = text.ends_with('^');
                    text.truncate(text.len() - 1 - usize::from(negated));
                    text.push_str(if negated { "(?s:.)" } else { "[^\\x{0}-\\x{10FFFF}]" });
                }
            }
            ']' if class => {
                class = false;
                text.push(']');
            }
            // Set operations of the engine mean nothing in JavaScript.
            '&' | '~' if class => {
                text.push('\\');
                text.push(c);
            }
            other => text.push(other),
        }
    }
    text
}

fn escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, class: bool, text: &mut String) {
    let Some(c) = characters.next() else { return text.push('\\') };
    match (c, class) {
        ('d', true) => text.push_str("0-9"),
        ('d', false) => text.push_str("[0-9]"),
        ('D', _) => text.push_str("[^0-9]"),
        ('w', true) => text.push_str("0-9A-Za-z_"),
        ('w', false) => text.push_str("[0-9A-Za-z_]"),
        ('W', _) => text.push_str("[^0-9A-Za-z_]"),
        ('b', false) => text.push_str("(?-u:\\b)"),
        ('b', true) => text.push_str("\\x08"),
        ('B', false) => text.push_str("(?-u:\\B)"),
        ('u', _) => match hex(characters, 4) {
            Some(digits) => text.push_str(&format!("\\x{{{digits}}}")),
            None => text.push('u'),
        },
        ('x', _) => match hex(characters, 2) {
            Some(digits) => text.push_str(&format!("\\x{{{digits}}}")),
            None => text.push('x'),
        },
        ('0', _) => text.push_str("\\x00"),
        ('s' | 'S' | 'n' | 'r' | 't' | 'v' | 'f' | '1'..='9' | 'k' | 'p' | 'P', _) => {
            text.push('\\');
            text.push(c);
        }
        // Any other escaped character is itself.
        (other, _) if other.is_ascii_punctuation() => {
            text.push('\\');
            text.push(other);
        }
        (other, _) => text.push(other),
    }
}

fn hex(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, count: usize) -> Option<String> {
    let digits: String = characters.clone().take(count).collect();
    if digits.len() != count || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    characters.nth(count - 1);
    Some(digits)
}
