//! `word_stem`: what is left of a word without its endings, by the algorithms of Snowball.

use snowball_stemmers_rs::{Algorithm, Stemmer};

use super::super::Table;
use super::super::support::{Computed, text, write_texts};
use crate::error::TrinoError;
use crate::kernel::Call;

pub(super) fn register(table: &mut Table) {
    table.kernel("word_stem(varchar(x)) -> varchar(x)", "The stem of an English word.", english);
    let stem = "The stem of a word of a language, such as `de`.";
    table.kernel("word_stem(varchar(x), varchar(2)) -> varchar(x)", stem, of_language);
}

fn english(call: &Call<'_>) -> Computed {
    let (words, stemmer) = (text(call, 0)?, Stemmer::create(Algorithm::English));
    write_texts(call, |row, out| {
        out.push_str(&stemmer.stem(words.value(row)));
        Ok(Some(()))
    })
}

fn of_language(call: &Call<'_>) -> Computed {
    let (words, languages) = (text(call, 0)?, text(call, 1)?);
    let mut last: Option<(Algorithm, Stemmer)> = None;
    write_texts(call, |row, out| {
        let algorithm = algorithm(languages.value(row))?;
        if last.as_ref().is_none_or(|(known, _)| *known != algorithm) {
            last = Some((algorithm, Stemmer::create(algorithm)));
        }
        if let Some((_, stemmer)) = &last {
            out.push_str(&stemmer.stem(words.value(row)));
        }
        Ok(Some(()))
    })
}

/// The languages are Trino's.
fn algorithm(language: &str) -> Result<Algorithm, TrinoError> {
    Ok(match language {
        "ca" => Algorithm::Catalan,
        "da" => Algorithm::Danish,
        "de" => Algorithm::German,
        "en" => Algorithm::English,
        "es" => Algorithm::Spanish,
        "eu" => Algorithm::Basque,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "hu" => Algorithm::Hungarian,
        "hy" => Algorithm::Armenian,
        "ir" => Algorithm::Irish,
        "it" => Algorithm::Italian,
        "lt" => Algorithm::Lithuanian,
        "nl" => Algorithm::DutchPorter,
        "no" => Algorithm::Norwegian,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "sv" => Algorithm::Swedish,
        "tr" => Algorithm::Turkish,
        _ => return Err(TrinoError::invalid(format!("Unknown stemmer language: {language}"))),
    })
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, type_of};

    #[test]
    fn words_lose_their_endings() {
        check(&[
            ("word_stem('running')", "run"),
            ("word_stem('generalization')", "general"),
            ("word_stem('laufend', 'de')", "laufend"),
            ("word_stem('mangées', 'fr')", "mang"),
            ("word_stem(NULL, 'en')", "NULL"),
            ("word_stem('x', 'xx')", "INVALID_FUNCTION_ARGUMENT: Unknown stemmer language: xx"),
        ]);
        assert_eq!(type_of("word_stem('running')"), "varchar(7)");
    }
}
