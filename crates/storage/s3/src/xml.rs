//! XML as the codec takes it and as clients take it.
//!
//! The codec passes over CDATA sections, so that a key in one would be an empty key, and knows few character references.
//! It writes control characters and carriage returns, which keys may hold, as they are: no parser takes the first, and all
//! change the second. S3 reads the one, and writes the other as references.

use boathouse_aws::AwsError;
use bytes::Bytes;
use quick_xml::escape::escape;
use s3s::xml::{Deserialize, Deserializer};

use crate::error::{Result, malformed_xml};

/// The longest character reference, `&#x10FFFF;`, with some zeros.
const MAX_REFERENCE: usize = 16;

/// A document without comments, whose CDATA sections and character references have become text. What is no XML stays.
///
/// # Errors
/// `MalformedXML`, also for declarations of document types: nothing that S3 takes has one.
pub(crate) fn plain(document: Bytes) -> Result<Bytes> {
    let trimmed = document.trim_ascii_start();
    let is_xml = trimmed.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(trimmed).trim_ascii_start();
    if is_xml.starts_with(b"<") && !is_xml.trim_ascii_end().ends_with(b">") {
        // The codec would not look at what stands behind the root.
        return Err(malformed_xml());
    }
    if !is_xml.starts_with(b"<") || !document.windows(2).any(|pair| pair == b"<!" || pair == b"&#") {
        return Ok(document);
    }
    let mut written = Vec::with_capacity(document.len());
    let mut rest = &document[..];
    while let Some(at) = rest.windows(2).position(|pair| matches!(pair, b"<!" | b"&#" | b"<?")) {
        written.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix(b"<!--") {
            rest = until(comment, b"-->")?.1;
        } else if let Some(section) = rest.strip_prefix(b"<![CDATA[") {
            let (text, behind) = until(section, b"]]>")?;
            let text = std::str::from_utf8(text).map_err(|_| malformed_xml())?;
            written.extend_from_slice(escape(text).as_bytes());
            rest = behind;
        } else if rest.starts_with(b"<?") {
            let (instruction, behind) = until(rest, b"?>")?;
            written.extend_from_slice(instruction);
            written.extend_from_slice(b"?>");
            rest = behind;
        } else if let Some(reference) = rest.strip_prefix(b"&#") {
            let (digits, behind) = until(&reference[..reference.len().min(MAX_REFERENCE)], b";")?;
            let letter = referred(digits).ok_or_else(malformed_xml)?;
            written.extend_from_slice(escape(&*letter.encode_utf8(&mut [0; 4])).as_bytes());
            rest = &reference[reference.len().min(MAX_REFERENCE) - behind.len()..];
        } else {
            return Err(malformed_xml());
        }
    }
    written.extend_from_slice(rest);
    Ok(written.into())
}

/// A whole document as the codec reads it, if it is one of this sort.
pub(crate) fn parsed<'xml, T: Deserialize<'xml>>(bytes: &'xml [u8]) -> Option<T> {
    let mut deserializer = Deserializer::new(bytes);
    let document = T::deserialize(&mut deserializer).ok()?;
    deserializer.expect_eof().ok().map(|()| document)
}

/// What stands before the mark, and what behind it.
fn until<'a>(text: &'a [u8], mark: &[u8]) -> std::result::Result<(&'a [u8], &'a [u8]), AwsError> {
    let at = text.windows(mark.len()).position(|it| it == mark).ok_or_else(malformed_xml)?;
    Ok((&text[..at], &text[at + mark.len()..]))
}

fn referred(digits: &[u8]) -> Option<char> {
    let digits = std::str::from_utf8(digits).ok()?;
    let (digits, radix) = digits.strip_prefix('x').map_or((digits, 10), |digits| (digits, 16));
    let number = u32::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))?;
    char::from_u32(number).filter(|letter| *letter != '\0')
}

/// The document with such letters as references.
pub(crate) fn readable(document: Bytes) -> Bytes {
    if !document.iter().any(|byte| is_unreadable(*byte)) {
        return document;
    }
    let mut written = Vec::with_capacity(document.len() + 64);
    for byte in &document {
        match is_unreadable(*byte) {
            true => written.extend_from_slice(format!("&#x{byte:X};").as_bytes()),
            false => written.push(*byte),
        }
    }
    written.into()
}

/// All of them are single bytes in UTF-8.
fn is_unreadable(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> std::result::Result<String, String> {
        let plain = plain(Bytes::copy_from_slice(text.as_bytes()));
        plain.map(|it| String::from_utf8(it.to_vec()).unwrap()).map_err(|error| error.code.into_owned())
    }

    #[test]
    fn sections_comments_and_references_become_text() {
        for (sent, meant) in [
            ("<a><![CDATA[x<&>y]]></a>", "<a>x&lt;&amp;&gt;y</a>"),
            ("<a>x<!-- <b> -->y</a>", "<a>xy</a>"),
            (
                "<?xml version='1.0'?><!-- --><a>&#128512;&#x1F600;&#60;&#x1;</a>",
                "<?xml version='1.0'?><a>😀😀&lt;\u{1}</a>",
            ),
            ("<a>&#0000000233;&amp;#233;</a>", "<a>é&amp;#233;</a>"),
            ("{\"a\": \"<!-- &#1; -->\"}", "{\"a\": \"<!-- &#1; -->\"}"),
            ("\u{feff} <a>&#233;</a>", "\u{feff} <a>é</a>"),
            ("<a/>", "<a/>"),
        ] {
            assert_eq!(read(sent).as_deref(), Ok(meant), "{sent}");
        }
    }

    #[test]
    fn what_ends_nowhere_or_declares_types_is_refused() {
        for broken in [
            "<a><![CDATA[x</a>",
            "<a><!-- x</a>",
            "<a>&#;</a>",
            "<a>&#x;</a>",
            "<a>&#0;</a>",
            "<a>&#xD800;</a>",
            "<a>&#+1;</a>",
            "<a>&#99999999999;</a>",
            "<a>&#12",
            "<!DOCTYPE a><a/>",
            "<a/>b",
            "<a><!b></a>",
            "<?xml <!-- -->",
        ] {
            assert_eq!(read(broken).unwrap_err(), "MalformedXML", "{broken}");
        }
    }

    #[test]
    fn only_unreadable_letters_change() {
        assert_eq!(readable(Bytes::from_static(b"<a>\x01\r\n\t\x1f</a>")), "<a>&#x1;&#xD;\n\t&#x1F;</a>");
        assert_eq!(readable(Bytes::from("<a>é\n</a>")), "<a>é\n</a>");
    }
}
