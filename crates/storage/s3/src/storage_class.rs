//! Storage classes: names that objects carry and that lifecycle rules change. All bytes lie on the same disk.
//!
//! The classes whose objects can be read at once are taken. Those whose objects must be restored first are refused by name.

use std::collections::BTreeMap;

use boathouse_aws::AwsError;
use boathouse_objects::{Metadata, ObjectInfo};
use http::HeaderMap;

use crate::error::Result;
use crate::metadata;

/// The class of objects that say nothing.
pub(crate) const STANDARD: &str = "STANDARD";
/// The header that asks for a class and tells of it.
pub(crate) const HEADER: &str = "x-amz-storage-class";
/// Where the class is kept beside an object.
const KEPT: &str = "storage-class";
const TAKEN: [&str; 6] =
    [STANDARD, "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "REDUCED_REDUNDANCY"];
const REFUSED: [&str; 7] =
    ["GLACIER", "DEEP_ARCHIVE", "OUTPOSTS", "SNOW", "EXPRESS_ONEZONE", "FSX_OPENZFS", "FSX_ONTAP"];

/// Checks the name of a class.
///
/// # Errors
/// `NotImplemented`, `InvalidStorageClass`.
pub(crate) fn checked(class: &str) -> Result<&str> {
    match class {
        class if TAKEN.contains(&class) => Ok(class),
        class if REFUSED.contains(&class) => Err(AwsError::not_implemented(format!("the storage class {class}"))),
        _ => Err(AwsError::bad_request("InvalidStorageClass", "The storage class you specified is not valid")),
    }
}

/// Keeps a class beside an object.
pub(crate) fn keep(system: &mut BTreeMap<String, String>, class: &str) {
    match class {
        STANDARD => drop(system.remove(KEPT)),
        class => drop(system.insert(KEPT.to_owned(), class.to_owned())),
    }
}

/// The class that is kept with what is stored beside an object.
pub(crate) fn of(metadata: &Metadata) -> &str {
    metadata.system.get(KEPT).map_or(STANDARD, String::as_str)
}

/// Says in an answer's headers which class an object has, if it is not the usual one.
pub(crate) fn tell(info: &ObjectInfo, headers: &mut HeaderMap) {
    let class = of(&info.metadata);
    if class != STANDARD {
        metadata::set(headers, HEADER, class);
    }
}

/// Where a class stands in the order in which lifecycle rules move objects: never upwards.
pub(crate) fn rank(class: &str) -> usize {
    match class {
        "STANDARD_IA" => 1,
        "INTELLIGENT_TIERING" => 2,
        "ONEZONE_IA" => 3,
        "GLACIER_IR" => 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_taken_refused_or_unknown() {
        assert_eq!(checked("STANDARD_IA").unwrap(), "STANDARD_IA");
        assert_eq!(checked("GLACIER").unwrap_err().code, "NotImplemented");
        assert_eq!(checked("LUKEWARM").unwrap_err().code, "InvalidStorageClass");
    }

    #[test]
    fn the_usual_class_is_not_kept() {
        let mut metadata = Metadata::default();
        keep(&mut metadata.system, "ONEZONE_IA");
        assert_eq!(of(&metadata), "ONEZONE_IA");
        keep(&mut metadata.system, STANDARD);
        assert_eq!(of(&metadata), STANDARD);
        assert_eq!(metadata, Metadata::default());
    }
}
