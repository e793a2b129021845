//! The elements of an answer's XML.

use std::collections::BTreeMap;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// The texts of an element's children, by their names.
pub(crate) type Fields = BTreeMap<String, String>;

/// All elements of this name; none if the document can't be read.
pub(crate) fn elements(document: &str, name: &str) -> Vec<Fields> {
    let mut reader = quick_xml::Reader::from_str(document);
    let (mut found, mut open, mut inside) = (Vec::new(), Vec::<String>::new(), None::<(usize, Fields)>);
    let mut text = String::new();
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(start) => {
                let this = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                if inside.is_none() && this == name {
                    inside = Some((open.len() + 1, Fields::new()));
                }
                open.push(this);
                text.clear();
            }
            Event::Text(more) => text.push_str(&more.decode().unwrap_or_default()),
            Event::CData(more) => text.push_str(&String::from_utf8_lossy(&more)),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => text.push(character),
                _ => {
                    let known = reference.decode().ok();
                    text.push_str(known.as_deref().and_then(resolve_predefined_entity).unwrap_or_default());
                }
            },
            Event::End(_) => {
                let Some(ended) = open.pop() else { return found };
                match &mut inside {
                    Some((depth, fields)) if open.len() == *depth => {
                        fields.insert(ended, std::mem::take(&mut text));
                    }
                    Some((depth, _)) if open.len() + 1 == *depth => {
                        found.extend(inside.take().map(|(_, fields)| fields))
                    }
                    _ => {}
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_of_the_elements_are_read() {
        let list = "<?xml version='1.0'?>\n<R xmlns='x'><Contents><Key>a&amp;b&#47;c</Key><Size>3</Size><Owner><ID>o</ID></Owner>\
                    <ETag>&quot;e&quot;</ETag></Contents><Contents><Key><![CDATA[d]]></Key></Contents><Other/></R>";
        let found = elements(list, "Contents");
        assert_eq!(found.len(), 2);
        assert_eq!((&found[0]["Key"][..], &found[0]["Size"][..], &found[0]["ETag"][..]), ("a&b/c", "3", "\"e\""));
        assert_eq!(found[1]["Key"], "d");
        assert_eq!(elements("<Error><Code>X</Code></Error>", "Error")[0]["Code"], "X");
        for odd in ["", "nonsense", "<Error><Code>", "</Error>", "<Error/>"] {
            assert!(elements(odd, "Error").is_empty(), "{odd}");
        }
    }
}
