//! Text → tokens, one at a time: what `/` means depends on what may come.

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    String(String),
    Name(String),
    Variable(String),
    Regex(String, String),
    Operator(&'static str),
    End,
}

const OPERATORS: [&str; 35] = [
    "~>", "??", "?:", ":=", "!=", "<=", ">=", "**", "..", ".", "[", "]", "{", "}", "(", ")", ",", "@", "#", ";", ":",
    "?", "+", "-", "*", "/", "%", "|", "=", "<", ">", "^", "&", "!", "~",
];

pub(super) struct Lexer<'t> {
    pub(super) text: &'t str,
}

impl Lexer<'_> {
    /// Skips blanks and comments from `at`.
    fn skip(&self, mut at: usize) -> Result<usize, String> {
        loop {
            let rest = &self.text[at..];
            let trimmed = rest.trim_start();
            at += rest.len() - trimmed.len();
            if !trimmed.starts_with("/*") {
                return Ok(at);
            }
            match trimmed.find("*/") {
                Some(end) => at += end + 2,
                None => return Err("S0106: Comment has no closing tag".into()),
            }
        }
    }

    /// The token at `at` and where the next begins. `operand`: whether an operand may stand here.
    pub(super) fn token(&self, at: usize, operand: bool) -> Result<(Token, usize), String> {
        let at = self.skip(at)?;
        let rest = &self.text[at..];
        let Some(first) = rest.chars().next() else { return Ok((Token::End, at)) };
        if operand && first == '/' {
            return self.regex(at);
        }
        match first {
            '"' | '\'' => return self.string(at, first),
            '`' => {
                let end =
                    rest[1..].find('`').ok_or("S0105: Quoted property name must be terminated with a backquote (`)")?;
                return Ok((Token::Name(rest[1..=end].to_owned()), at + end + 2));
            }
            '0'..='9' => return number(rest, at),
            '$' => {
                let name = word(&rest[1..]);
                return Ok((Token::Variable(name.to_owned()), at + 1 + name.len()));
            }
            _ => {}
        }
        if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            return Ok((Token::Operator(operator), at + operator.len()));
        }
        let name = word(rest);
        if name.is_empty() {
            return Err(format!("S0204: Unknown operator: {first}"));
        }
        Ok((Token::Name(name.to_owned()), at + name.len()))
    }

    fn string(&self, at: usize, quote: char) -> Result<(Token, usize), String> {
        let mut text = String::new();
        let mut characters = self.text[at + 1..].char_indices();
        while let Some((offset, c)) = characters.next() {
            if c == quote {
                return Ok((Token::String(text), at + offset + 2));
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            match characters.next().map(|(_, c)| c) {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('b') => text.push('\u{8}'),
                Some('f') => text.push('\u{c}'),
                Some('u') => text.push(unicode(&mut characters)?),
                Some(c @ ('"' | '\'' | '\\' | '/' | '`')) => text.push(c),
                Some(other) => return Err(format!("S0103: Unsupported escape sequence: \\{other}")),
                None => break,
            }
        }
        Err("S0101: String literal must be terminated by a matching quote".into())
    }

    fn regex(&self, at: usize) -> Result<(Token, usize), String> {
        let rest = &self.text[at + 1..];
        let (mut depth, mut escaped) = (0i32, false);
        for (offset, c) in rest.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                '/' if depth == 0 => {
                    if offset == 0 {
                        return Err("S0301: Empty regular expressions are not allowed".into());
                    }
                    let after = &rest[offset + 1..];
                    let flags: String = after.chars().take_while(|c| matches!(c, 'i' | 'm')).collect();
                    let end = at + 1 + offset + 1 + flags.len();
                    return Ok((Token::Regex(rest[..offset].to_owned(), flags), end));
                }
                _ => {}
            }
        }
        Err("S0302: No terminating / in regular expression".into())
    }
}

/// The code point of a `\u` escape, with the second half of a surrogate pair if there is one.
fn unicode(characters: &mut std::str::CharIndices<'_>) -> Result<char, String> {
    let problem = || "S0104: The escape sequence \\u must be followed by 4 hex digits".to_owned();
    let half = |characters: &mut std::str::CharIndices<'_>| {
        let digits: String = characters.by_ref().take(4).map(|(_, c)| c).collect();
        u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4).ok_or_else(problem)
    };
    let first = half(characters)?;
    if !(0xD800..0xDC00).contains(&first) {
        return char::from_u32(first).ok_or_else(problem);
    }
    let mut ahead = characters.clone();
    let escaped = ahead.next().map(|(_, c)| c) == Some('\\') && ahead.next().map(|(_, c)| c) == Some('u');
    if !escaped {
        return Err(problem());
    }
    let second = half(&mut ahead)?;
    *characters = ahead;
    char::from_u32(0x10000 + ((first - 0xD800) << 10) + second.wrapping_sub(0xDC00)).ok_or_else(problem)
}

fn number(rest: &str, at: usize) -> Result<(Token, usize), String> {
    let bytes = rest.as_bytes();
    let digits = |mut end: usize| {
        while bytes.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        end
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign);
        }
    }
    match rest[..end].parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Number(number), at + end)),
        _ => Err(format!("S0102: Number out of range: {}", &rest[..end])),
    }
}

fn word(text: &str) -> &str {
    let belongs = |c: char| !c.is_whitespace() && !"\"'`$.[]{}(),@#;:?+-*/%|=<>^&!~".contains(c) || c == '$';
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    &text[..end]
}
