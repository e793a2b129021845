//! Matching with `*` (any run of characters) and `?` (one character), over the whole text.

/// One place in a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glyph {
    /// Exactly this character.
    Char(char),
    /// Any one character.
    One,
    /// Any run of characters, also none.
    Any,
}

/// The glyphs of a pattern's text.
pub(crate) fn glyphs(pattern: &str) -> impl Iterator<Item = Glyph> + '_ {
    pattern.chars().map(|c| match c {
        '*' => Glyph::Any,
        '?' => Glyph::One,
        c => Glyph::Char(c),
    })
}

/// Whether the pattern matches the whole text. Takes time in the order of `pattern × text` at worst, because only the
/// last `*` is ever tried again.
pub(crate) fn matches(pattern: &[Glyph], text: &str) -> bool {
    let mut at = 0;
    let mut rest = text;
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let mut following = rest.chars();
        let next = following.next();
        match (pattern.get(at), next) {
            (Some(Glyph::Any), _) => {
                at += 1;
                retry = Some((at, rest));
                continue;
            }
            (Some(Glyph::One), Some(_)) => {}
            (Some(Glyph::Char(wanted)), Some(found)) if *wanted == found => {}
            (None, None) => return true,
            _ => {
                let Some((after_star, tried)) = retry else { return false };
                let mut shorter = tried.chars();
                if shorter.next().is_none() {
                    return false;
                }
                at = after_star;
                rest = shorter.as_str();
                retry = Some((at, rest));
                continue;
            }
        }
        at += 1;
        rest = following.as_str();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn like(pattern: &str, text: &str) -> bool {
        matches(&glyphs(pattern).collect::<Vec<_>>(), text)
    }

    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', more)) => (0..=text.len()).any(|skip| naive(more, &text[skip..])),
            Some((wanted, more)) => {
                text.split_first().is_some_and(|(found, rest)| (*wanted == '?' || wanted == found) && naive(more, rest))
            }
        }
    }

    #[test]
    fn wildcards_cross_slashes_and_colons() {
        assert!(like("arn:aws:s3:::raw/*", "arn:aws:s3:::raw/a/b:c"));
        assert!(like("s3:Get*", "s3:GetObject"));
        assert!(like("*", ""));
        assert!(!like("arn:aws:s3:::raw/?", "arn:aws:s3:::raw/ab"));
        assert!(!like("", "a"));
    }

    #[test]
    fn many_stars_are_no_trap() {
        let pattern = "*a".repeat(200);
        assert!(!like(&format!("{pattern}b"), &"a".repeat(5000)));
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_naive_matcher(pattern in "[ab*?é]{0,8}", text in "[abé]{0,10}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(like(&pattern, &text), naive(&letters(&pattern), &letters(&text)));
        }
    }
}
