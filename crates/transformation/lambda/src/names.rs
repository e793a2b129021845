//! Names of functions, in all the ways in which they may be written, and their ARNs.

use boathouse_aws::{ACCOUNT_ID, Arn, Ctx};

use crate::error::LambdaError;

/// The version that can be changed.
pub(crate) const LATEST: &str = "$LATEST";
/// Characters of a function's name.
const LONGEST_NAME: usize = 64;

/// A function, and which version or alias of it, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FunctionRef {
    pub(crate) name: String,
    /// A version's number, an alias or `$LATEST`; none if the request does not say.
    pub(crate) qualifier: Option<String>,
}

impl FunctionRef {
    /// Reads `name`, `name:qualifier`, `account:function:name` or a whole ARN, and the `Qualifier` beside it.
    ///
    /// # Errors
    /// Something else, or two qualifiers that differ.
    pub(crate) fn parse(text: &str, qualifier: Option<&str>) -> Result<Self, LambdaError> {
        let invalid = || {
            let pattern = r"Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";
            LambdaError::constraint(text, "functionName", pattern)
        };
        let rest = match text.split_once("function:") {
            Some((prefix, rest)) => {
                if !is_prefix(prefix) {
                    return Err(invalid());
                }
                rest
            }
            None => text,
        };
        let (name, written) = rest.split_once(':').map_or((rest, None), |(name, tail)| (name, Some(tail)));
        if !is_name(name) || written.is_some_and(|qualifier| !is_qualifier(qualifier)) {
            return Err(invalid());
        }
        if name.len() > LONGEST_NAME {
            let constraint = format!("Member must have length less than or equal to {LONGEST_NAME}");
            return Err(LambdaError::constraint(name, "functionName", &constraint));
        }
        if let Some(beside) = qualifier {
            if !is_qualifier(beside) {
                let pattern = r"Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)";
                return Err(LambdaError::constraint(beside, "qualifier", pattern));
            }
            if written.is_some_and(|written| written != beside) {
                let message = "The derived qualifier from the function name does not match the specified qualifier.";
                return Err(LambdaError::InvalidParameter(message.into()));
            }
        }
        Ok(Self { name: name.to_owned(), qualifier: written.or(qualifier).map(str::to_owned) })
    }

    /// As [`FunctionRef::parse`] for operations that know no qualifier.
    pub(crate) fn unqualified(text: &str) -> Result<String, LambdaError> {
        let found = Self::parse(text, None)?;
        match found.qualifier.as_deref() {
            None | Some(LATEST) => Ok(found.name),
            Some(_) => Err(LambdaError::InvalidParameter(
                "This operation does not permit versions or aliases in the function's name.".into(),
            )),
        }
    }

    /// The ARN as it was asked for: with the qualifier only if there is one.
    pub(crate) fn arn(&self, region: &str) -> String {
        function_arn(region, &self.name, self.qualifier.as_deref())
    }
}

fn is_prefix(prefix: &str) -> bool {
    let parts: Vec<&str> = prefix.trim_end_matches(':').split(':').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => true,
        [account] => *account == ACCOUNT_ID,
        ["arn", _, "lambda", _, account] => *account == ACCOUNT_ID,
        _ => false,
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_qualifier(text: &str) -> bool {
    text == LATEST || (text.len() <= 128 && is_name(text))
}

/// Whether a qualifier is a published version's number.
pub(crate) fn is_version(qualifier: &str) -> bool {
    !qualifier.is_empty() && qualifier.bytes().all(|byte| byte.is_ascii_digit())
}

/// The name of an alias: like a qualifier, but not a number.
pub(crate) fn valid_alias(name: &str) -> Result<(), LambdaError> {
    if is_name(name) && !is_version(name) && name.len() <= 128 {
        return Ok(());
    }
    let constraint = r"Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)";
    Err(LambdaError::constraint(name, "name", constraint))
}

/// A function's ARN, with a version or alias if given.
pub(crate) fn function_arn(region: &str, name: &str, qualifier: Option<&str>) -> String {
    let tail = qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
    Arn::new("lambda", region, format!("function:{name}{tail}")).to_string()
}

/// A layer's ARN.
pub(crate) fn layer_arn(region: &str, name: &str) -> String {
    Arn::new("lambda", region, format!("layer:{name}")).to_string()
}

/// A layer's name and version, from the ARN of a layer version.
pub(crate) fn parse_layer_version(arn: &str) -> Option<(String, u64)> {
    let arn: Arn = arn.parse().ok()?;
    let mut parts = arn.resource.split(':');
    let (kind, name, version) = (parts.next()?, parts.next()?, parts.next()?);
    let known = arn.service == "lambda" && arn.account == ACCOUNT_ID && kind == "layer" && parts.next().is_none();
    known.then(|| Some((name.to_owned(), version.parse().ok()?)))?
}

/// The name of a layer, which may be written as its ARN.
pub(crate) fn parse_layer(text: &str) -> Result<String, LambdaError> {
    let name = match text.parse::<Arn>() {
        Ok(arn) => arn.resource.strip_prefix("layer:").unwrap_or_default().to_owned(),
        Err(_) => text.to_owned(),
    };
    if is_name(&name) && name.len() <= 140 {
        return Ok(name);
    }
    let constraint = r"Member must satisfy regular expression pattern: (arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+";
    Err(LambdaError::constraint(text, "layerName", constraint))
}

/// What IAM is asked about for a request that names a function: its ARN; what can't be read asks about the text itself.
pub(crate) fn resource(ctx: &Ctx, text: &str, qualifier: Option<&str>) -> Vec<String> {
    let arn = FunctionRef::parse(text, qualifier).map(|found| found.arn(ctx.region()));
    vec![arn.unwrap_or_else(|_| function_arn(ctx.region(), text, None))]
}

/// The same for a layer.
pub(crate) fn layer_resource(ctx: &Ctx, text: &str) -> Vec<String> {
    let name = parse_layer(text).unwrap_or_else(|_| text.to_owned());
    vec![layer_arn(ctx.region(), &name)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, qualifier: Option<&str>) -> Option<(String, Option<String>)> {
        FunctionRef::parse(text, qualifier).ok().map(|found| (found.name, found.qualifier))
    }

    #[test]
    fn functions_have_many_names() {
        let expected = |qualifier: Option<&str>| Some(("f-1".to_owned(), qualifier.map(str::to_owned)));
        assert_eq!(parse("f-1", None), expected(None));
        assert_eq!(parse("f-1:live", None), expected(Some("live")));
        assert_eq!(parse("f-1", Some("$LATEST")), expected(Some("$LATEST")));
        assert_eq!(parse("000000000000:function:f-1", None), expected(None));
        assert_eq!(parse("arn:aws:lambda:us-east-1:000000000000:function:f-1:7", None), expected(Some("7")));
        assert_eq!(parse("function:f-1", Some("7")), expected(Some("7")));
        for (text, qualifier) in [
            ("", None),
            ("f 1", None),
            ("f:1", Some("2")),
            ("arn:aws:lambda:us-east-1:111111111111:function:f", None),
            ("arn:aws:s3:::function:f", None),
            ("f", Some("a b")),
        ] {
            assert_eq!(parse(text, qualifier), None, "{text}");
        }
        assert!(FunctionRef::parse(&"x".repeat(65), None).is_err());
    }

    #[test]
    fn layers_have_versions() {
        let arn = "arn:aws:lambda:us-east-1:000000000000:layer:tools:12";
        assert_eq!(parse_layer_version(arn), Some(("tools".into(), 12)));
        assert_eq!(parse_layer_version("arn:aws:lambda:us-east-1:000000000000:layer:tools"), None);
        assert_eq!(parse_layer("tools").unwrap(), "tools");
        assert!(parse_layer("a b").is_err());
        assert!(valid_alias("7").is_err() && valid_alias("v7").is_ok());
    }

    proptest::proptest! {
        #[test]
        fn no_name_panics(text in "\\PC{0,80}", qualifier in proptest::option::of("\\PC{0,9}")) {
            let _ = FunctionRef::parse(&text, qualifier.as_deref());
            let _ = parse_layer_version(&text);
        }
    }
}
