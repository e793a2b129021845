//! Physical names: the stack's name, the logical id, and letters that make it unique.

use super::Style;

/// Letters of the unique part.
const UNIQUE: usize = 12;
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A new name for a resource: `stack-LogicalId-1A2B3C4D5E6F`, shortened to the type's limit.
pub(crate) fn generate(style: Style, stack: &str, logical: &str, seed: &[u8; 16]) -> String {
    let unique: String =
        seed.iter().take(UNIQUE).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
    let room = style.longest.saturating_sub(UNIQUE + 2).max(2);
    let stack = cut(stack, room - room / 2);
    let logical = cut(logical, room - stack.len());
    let separator = style.separator;
    let name = format!("{stack}{separator}{logical}{separator}{unique}");
    let name = if separator == '_' { name.replace('-', "_") } else { name };
    if style.lower { name.to_lowercase() } else { name }
}

fn cut(text: &str, longest: usize) -> &str {
    &text[..text.len().min(longest)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::resources::plain;

    #[test]
    fn names_say_where_they_come_from() {
        assert_eq!(generate(plain(64), "flights", "Role", &[0; 16]), "flights-Role-AAAAAAAAAAAA");
        let style = Style { longest: 63, lower: true, separator: '_' };
        assert_eq!(generate(style, "my-stack", "Db", &[1; 16]), "my_stack_db_bbbbbbbbbbbb");
    }

    proptest! {
        #[test]
        fn names_keep_to_their_limit(stack in "[a-zA-Z][a-zA-Z0-9-]{0,127}", logical in "[a-zA-Z0-9]{1,255}",
                                     longest in 20usize..256, seed in any::<[u8; 16]>()) {
            let name = generate(plain(longest), &stack, &logical, &seed);
            prop_assert!(name.len() <= longest, "{} has {}", name, name.len());
        }
    }
}
