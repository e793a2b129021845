//! Names and ARNs: what may be called what, and what an ARN names.

use boathouse_aws::{Arn, Ctx};

use crate::error::SfnError;

/// The longest name.
const MAX_NAME: usize = 80;

/// What an ARN of this service names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Machine {
        machine: String,
    },
    /// A version (a number) or an alias.
    Qualified {
        machine: String,
        qualifier: String,
    },
    Execution {
        machine: String,
        execution: String,
    },
    Express,
    Activity {
        activity: String,
    },
}

/// Reads an ARN.
pub(crate) fn parse(arn: &str) -> Result<Named, SfnError> {
    if !arn.starts_with("arn:") {
        return Err(SfnError::InvalidArn(format!("Invalid ARN prefix: {arn}")));
    }
    let invalid = || SfnError::InvalidArn(format!("Invalid ARN: {arn}"));
    let parsed: Arn = arn.parse().map_err(|_| invalid())?;
    if parsed.service != "states" {
        return Err(SfnError::InvalidArn("Resource type not valid in this context".into()));
    }
    let mut parts = parsed.resource.split(':').map(str::to_owned);
    let (Some(kind), Some(first)) = (parts.next(), parts.next()) else { return Err(invalid()) };
    match (kind.as_str(), parts.next(), parts.next()) {
        ("stateMachine", None, _) => Ok(Named::Machine { machine: first }),
        ("stateMachine", Some(qualifier), None) => Ok(Named::Qualified { machine: first, qualifier }),
        ("execution", Some(execution), None) => Ok(Named::Execution { machine: first, execution }),
        ("express", Some(_), _) => Ok(Named::Express),
        ("activity", None, _) => Ok(Named::Activity { activity: first }),
        _ => Err(SfnError::InvalidArn(format!("Resource type not valid in this context: {kind}"))),
    }
}

/// The machine that an ARN names, which must have no qualifier.
pub(crate) fn machine(arn: &str) -> Result<String, SfnError> {
    match parse(arn)? {
        Named::Machine { machine } => Ok(machine),
        Named::Qualified { .. } => Err(SfnError::InvalidArn(format!("Resource type not valid in this context: {arn}"))),
        other => Err(wrong(&other)),
    }
}

/// The machine and the execution that an ARN names.
pub(crate) fn execution(arn: &str) -> Result<(String, String), SfnError> {
    match parse(arn)? {
        Named::Execution { machine, execution } => Ok((machine, execution)),
        other => Err(wrong(&other)),
    }
}

pub(crate) fn activity(arn: &str) -> Result<String, SfnError> {
    match parse(arn)? {
        Named::Activity { activity } => Ok(activity),
        other => Err(wrong(&other)),
    }
}

/// The machine and the version or alias that an ARN names.
pub(crate) fn qualified(arn: &str) -> Result<(String, String), SfnError> {
    match parse(arn)? {
        Named::Qualified { machine, qualifier } => Ok((machine, qualifier)),
        other => Err(wrong(&other)),
    }
}

pub(crate) fn wrong(named: &Named) -> SfnError {
    let kind = match named {
        Named::Machine { .. } | Named::Qualified { .. } => "stateMachine",
        Named::Execution { .. } => "execution",
        Named::Express => "express",
        Named::Activity { .. } => "activity",
    };
    SfnError::InvalidArn(format!("Resource type not valid in this context: {kind}"))
}

/// Whether a name may be used ("Invalid name" in the API reference): no blanks, brackets, wildcards, control characters.
pub(crate) fn check(name: &str) -> Result<(), SfnError> {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(c);
    let length = name.chars().count();
    if length == 0 || length > MAX_NAME || name.contains(forbidden) {
        return Err(SfnError::InvalidName(name.to_owned()));
    }
    Ok(())
}

pub(crate) fn machine_arn(ctx: &Ctx, machine: &str) -> String {
    Arn::new("states", ctx.region(), format!("stateMachine:{machine}")).to_string()
}

pub(crate) fn execution_arn(region: &str, machine: &str, execution: &str) -> String {
    Arn::new("states", region, format!("execution:{machine}:{execution}")).to_string()
}

pub(crate) fn express_arn(region: &str, machine: &str, execution: &str, id: &str) -> String {
    Arn::new("states", region, format!("express:{machine}:{execution}:{id}")).to_string()
}

pub(crate) fn activity_arn(ctx: &Ctx, activity: &str) -> String {
    Arn::new("states", ctx.region(), format!("activity:{activity}")).to_string()
}

/// The ARN without version or alias.
pub(crate) fn unqualified(arn: &str) -> String {
    arn.splitn(8, ':').take(7).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_name_what_they_say() {
        let arn = |rest: &str| format!("arn:aws:states:us-east-1:000000000000:{rest}");
        assert_eq!(machine(&arn("stateMachine:m")).unwrap(), "m");
        assert_eq!(qualified(&arn("stateMachine:m:3")).unwrap(), ("m".into(), "3".into()));
        assert_eq!(execution(&arn("execution:m:e")).unwrap(), ("m".into(), "e".into()));
        assert_eq!(unqualified(&arn("stateMachine:m:3")), arn("stateMachine:m"));
        let error = execution(&arn("express:m:e:1")).unwrap_err().to_string();
        assert_eq!(error, "Invalid Arn: 'Resource type not valid in this context: express'");
        assert_eq!(machine("nonsense").unwrap_err().to_string(), "Invalid Arn: 'Invalid ARN prefix: nonsense'");
    }

    #[test]
    fn names_are_checked() {
        assert!(check("state.machine_b9-1(x)").is_ok());
        for name in ["", "a b", "a<b", "a/b", "a\u{7f}", &"x".repeat(81)] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
