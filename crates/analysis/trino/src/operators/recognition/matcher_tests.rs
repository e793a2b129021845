use proptest::prelude::*;

use super::super::program::Pattern;
use super::*;

/// Rows that are letters; label 0 takes `a`, 1 takes `b`, 2 takes `c`, and 3 takes any.
struct Letters<'t> {
    text: &'t [u8],
    local: bool,
}

impl Conditions for Letters<'_> {
    fn holds(&mut self, start: usize, labels: &[Label]) -> Result<bool> {
        let label = labels[labels.len() - 1];
        let letter = self.text[start + labels.len() - 1];
        Ok(label == 3 || letter == b'a' + label as u8)
    }

    fn are_local(&self) -> bool {
        self.local
    }
}

/// The labels of the match at the text's start, as capital letters (`X` for the label that takes any), or nothing.
fn matched(pattern: &Pattern, text: &str, local: bool) -> Option<String> {
    let program = Program::new(pattern).unwrap();
    let mut matcher = Matcher::new(&program, 0..text.len());
    let mut letters = Letters { text: text.as_bytes(), local };
    matcher.begin(0);
    loop {
        match matcher.advance(&mut letters, 3).unwrap() {
            Outcome::Paused => {}
            Outcome::Failed => return None,
            Outcome::Matched => {
                let letter = |label: &Label| if *label == 3 { 'X' } else { (b'A' + *label as u8) as char };
                return Some(matcher.labels.iter().map(letter).collect());
            }
        }
    }
}

fn check(pattern: &Pattern, text: &str, expected: Option<&str>) {
    for local in [true, false] {
        assert_eq!(matched(pattern, text, local).as_deref(), expected, "{pattern:?} on {text}, local: {local}");
    }
}

const A: Pattern = Pattern::Row(0);
const B: Pattern = Pattern::Row(1);
const C: Pattern = Pattern::Row(2);
const ANY: Pattern = Pattern::Row(3);

fn repeated(pattern: Pattern, least: usize, most: Option<usize>, reluctant: bool) -> Pattern {
    Pattern::Repeated { pattern: Box::new(pattern), least, most, reluctant }
}

fn star(pattern: Pattern) -> Pattern {
    repeated(pattern, 0, None, false)
}

fn sequence(parts: &[Pattern]) -> Pattern {
    Pattern::Sequence(parts.to_vec())
}

fn choice(parts: &[Pattern]) -> Pattern {
    Pattern::Choice(parts.to_vec())
}

#[test]
fn quantifiers_prefer_many_or_few() {
    check(&sequence(&[A, star(B), C]), "abbbc", Some("ABBBC"));
    check(&sequence(&[A, star(B)]), "acb", Some("A"));
    check(&star(ANY), "abc", Some("XXX"));
    check(&repeated(ANY, 0, None, true), "abc", Some(""));
    check(&sequence(&[repeated(ANY, 0, None, true), C]), "abcc", Some("XXC"));
    check(&sequence(&[star(ANY), C]), "abccb", Some("XXXC"));
    check(&repeated(A, 1, None, false), "aab", Some("AA"));
    check(&repeated(A, 1, None, true), "aab", Some("A"));
    check(&repeated(A, 1, None, false), "b", None);
    check(&repeated(A, 0, Some(1), false), "aa", Some("A"));
    check(&repeated(A, 0, Some(1), true), "aa", Some(""));
    check(&repeated(A, 2, Some(3), false), "aaaa", Some("AAA"));
    check(&repeated(A, 2, Some(3), true), "aaaa", Some("AA"));
    check(&repeated(A, 2, Some(2), false), "a", None);
    check(&repeated(A, 3, None, false), "aaaaa", Some("AAAAA"));
    check(&repeated(A, 3, None, false), "aa", None);
}

#[test]
fn the_first_alternative_that_fits_is_taken() {
    check(&choice(&[A, ANY]), "a", Some("A"));
    check(&choice(&[ANY, A]), "a", Some("X"));
    check(&choice(&[sequence(&[A, B]), A]), "ac", Some("A"));
    check(&choice(&[A, sequence(&[A, B])]), "ab", Some("A"));
    // Unless what follows doesn't fit then.
    check(&sequence(&[choice(&[A, sequence(&[A, B])]), C]), "abc", Some("ABC"));
    check(&sequence(&[star(choice(&[A, ANY])), C]), "abac", Some("AXAC"));
}

#[test]
fn permutations_come_in_the_written_order() {
    let all = Pattern::Permutation(vec![A, B, C]);
    for text in ["abc", "acb", "bac", "bca", "cab", "cba"] {
        check(&all, text, Some(&text.to_uppercase()));
    }
    check(&all, "aab", None);
    check(&Pattern::Permutation(vec![ANY, A]), "aa", Some("XA"));
    check(&Pattern::Permutation(vec![A, ANY]), "aa", Some("AX"));
    check(&Pattern::Permutation(vec![A]), "a", Some("A"));
}

#[test]
fn anchors_hold_at_the_ends_only() {
    check(&sequence(&[Pattern::Start, star(A), Pattern::End]), "aaa", Some("AAA"));
    check(&sequence(&[star(A), Pattern::End]), "aab", None);
    check(&sequence(&[A, Pattern::Start]), "aa", None);
    check(&sequence(&[repeated(A, 0, None, true), Pattern::End]), "aa", Some("AA"));
}

#[test]
fn loops_of_nothing_end() {
    check(&star(star(A)), "aab", Some("AA"));
    check(&star(Pattern::Empty), "a", Some(""));
    check(&repeated(Pattern::Empty, 1, None, false), "a", Some(""));
    check(&repeated(star(A), 1, None, false), "b", Some(""));
    check(&star(choice(&[Pattern::Empty, A])), "aa", Some(""));
    // A round that takes nothing is the last one.
    check(&sequence(&[star(choice(&[Pattern::Empty, A])), B]), "aab", Some("AAB"));
    check(&repeated(choice(&[Pattern::Empty, A]), 2, Some(2), false), "aa", Some(""));
    check(&sequence(&[repeated(star(A), 2, None, false), B]), "aab", Some("AAB"));
}

#[test]
fn excluded_rows_are_noted_on_the_way_that_matched() {
    let pattern =
        sequence(&[choice(&[sequence(&[Pattern::Excluded(Box::new(A)), C]), A]), Pattern::Excluded(Box::new(star(B)))]);
    let program = Program::new(&pattern).unwrap();
    let mut matcher = Matcher::new(&program, 0..3);
    matcher.begin(0);
    let outcome = matcher.advance(&mut Letters { text: b"abb", local: false }, 1000).unwrap();
    assert_eq!((outcome, matcher.exclusions.as_slice()), (Outcome::Matched, &[1, 3][..]));
}

#[test]
fn a_search_in_vain_takes_time_with_the_rows_where_conditions_are_local() {
    // (X*)* X* X* … c on text without a c: exponential for a search that forgets where it has been.
    let pattern = sequence(&[star(star(ANY)), star(ANY), star(ANY), C]);
    let program = Program::new(&pattern).unwrap();
    let text = "a".repeat(500);
    let mut matcher = Matcher::new(&program, 0..text.len());
    let mut letters = Letters { text: text.as_bytes(), local: true };
    for start in 0..text.len() {
        matcher.begin(start);
        assert_eq!(matcher.advance(&mut letters, 100_000).unwrap(), Outcome::Failed);
    }
}

#[test]
fn long_matches_need_no_deep_stack() {
    let text = "a".repeat(1_000_000);
    for local in [true, false] {
        let found = matched(&sequence(&[star(star(A)), Pattern::End]), &text, local);
        assert_eq!(found.map(|labels| labels.len()), Some(text.len()));
    }
}

fn patterns() -> impl Strategy<Value = Pattern> {
    let leaf = prop_oneof![
        Just(A),
        Just(B),
        Just(C),
        Just(ANY),
        Just(Pattern::Empty),
        Just(Pattern::Start),
        Just(Pattern::End),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let several = || prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            several().prop_map(Pattern::Sequence),
            several().prop_map(Pattern::Choice),
            several().prop_map(Pattern::Permutation),
            (inner.clone(), 0_usize..3, prop::option::of(0_usize..3), any::<bool>()).prop_map(
                |(pattern, least, more, reluctant)| repeated(pattern, least, more.map(|more| least + more), reluctant)
            ),
        ]
    })
}

/// The pattern as a regular expression, whose engine has the same preferences.
fn regex(pattern: &Pattern) -> String {
    let all = |parts: &[Pattern], between: &str| {
        let parts: Vec<_> = parts.iter().map(regex).collect();
        format!("(?:{})", parts.join(between))
    };
    match pattern {
        Pattern::Row(3) => ".".to_owned(),
        Pattern::Row(label) => char::from(b'a' + *label as u8).to_string(),
        Pattern::Empty => "(?:)".to_owned(),
        Pattern::Start => "\\A".to_owned(),
        Pattern::End => "\\z".to_owned(),
        Pattern::Sequence(parts) => all(parts, ""),
        Pattern::Choice(parts) => all(parts, "|"),
        Pattern::Permutation(parts) => {
            let first = |place: usize| {
                let others = [&parts[..place], &parts[place + 1..]].concat();
                let rest = if others.is_empty() { String::new() } else { regex(&Pattern::Permutation(others)) };
                regex(&parts[place]) + &rest
            };
            format!("(?:{})", (0..parts.len()).map(first).collect::<Vec<_>>().join("|"))
        }
        Pattern::Excluded(part) => regex(part),
        Pattern::Repeated { pattern, least, most, reluctant } => {
            let most = most.map_or(String::new(), |most| most.to_string());
            format!("(?:{}){{{least},{most}}}{}", regex(pattern), if *reluctant { "?" } else { "" })
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn matches_are_those_of_a_regular_expression(pattern in patterns(), text in "[abc]{0,8}") {
        let expected = regex::Regex::new(&format!("\\A(?:{})", regex(&pattern))).unwrap();
        let expected = expected.find(&text).map(|found| found.len());
        for local in [true, false] {
            let found = matched(&pattern, &text, local).map(|labels| labels.len());
            prop_assert_eq!(found, expected, "{:?} {} on {}, local: {}", pattern, regex(&pattern), text, local);
        }
    }
}
