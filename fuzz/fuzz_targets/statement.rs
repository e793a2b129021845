//! What parses, prints as something that parses to the same; nothing panics.
#![no_main]

use boathouse_trino_parser::parse_statement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // Printing numbers `?` anew, and some calls print their arguments in another order.
    if let Ok(statement) = parse_statement(text)
        && !text.contains('?')
    {
        let printed = statement.to_string();
        assert_eq!(parse_statement(&printed).as_ref(), Ok(&statement), "{printed}");
    }
});
