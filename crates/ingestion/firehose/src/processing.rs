//! The processors of a destination ("ProcessingConfiguration").

use crate::api::{ProcessingConfiguration, Processor};
use crate::error::FirehoseError;

/// What happens to records before they are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Processing {
    pub(crate) lambda: Option<Lambda>,
    /// Added to every record.
    pub(crate) delimiter: Vec<u8>,
}

/// A function that transforms records.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lambda {
    pub(crate) arn: String,
    /// The role to invoke it as.
    pub(crate) role: String,
    pub(crate) retries: u32,
    /// Bytes of records in one invocation.
    pub(crate) batch_bytes: usize,
}

impl Processing {
    /// Checks a configuration; `role` is the destination's.
    ///
    /// # Errors
    /// [`FirehoseError::InvalidArgument`], [`FirehoseError::NotImplemented`].
    pub(crate) fn of(configuration: Option<&ProcessingConfiguration>, role: &str) -> Result<Self, FirehoseError> {
        let Some(configuration) = configuration.filter(|it| it.enabled == Some(true)) else {
            return Ok(Self::default());
        };
        let processors = configuration.processors.as_deref().unwrap_or_default();
        if processors.is_empty() {
            let message = "Processing configuration is not valid when there are no processors";
            return Err(FirehoseError::InvalidArgument(message.into()));
        }
        let mut processing = Self::default();
        for processor in processors {
            match processor.kind.as_str() {
                "Lambda" if processing.lambda.is_some() => {
                    let message = "Only one processor of the type Lambda is allowed";
                    return Err(FirehoseError::InvalidArgument(message.into()));
                }
                "Lambda" => processing.lambda = Some(lambda(processor, role)?),
                "AppendDelimiterToRecord" => processing.delimiter = delimiter(processor)?,
                "RecordDeAggregation" | "Decompression" | "CloudWatchLogProcessing" | "MetadataExtraction" => {
                    return Err(FirehoseError::NotImplemented(format!("the processor {}", processor.kind)));
                }
                other => {
                    let words = "Member must satisfy enum value set: [RecordDeAggregation, Decompression, \
                                 CloudWatchLogProcessing, Lambda, MetadataExtraction, AppendDelimiterToRecord]";
                    return Err(FirehoseError::constraint(
                        other,
                        "processingConfiguration.processors.member.type",
                        words,
                    ));
                }
            }
        }
        Ok(processing)
    }
}

fn parameters(processor: &Processor) -> impl Iterator<Item = (&str, &str)> {
    let parameters = processor.parameters.as_deref().unwrap_or_default();
    parameters.iter().map(|it| (it.parameter_name.as_str(), it.parameter_value.as_str()))
}

fn unexpected(processor: &Processor, name: &str) -> FirehoseError {
    FirehoseError::InvalidArgument(format!("The parameter {name} is not valid for the processor {}", processor.kind))
}

fn lambda(processor: &Processor, role: &str) -> Result<Lambda, FirehoseError> {
    let mut lambda = Lambda { arn: String::new(), role: role.to_owned(), retries: 3, batch_bytes: 1 << 20 };
    for (name, value) in parameters(processor) {
        let outside = |bounds: &str| {
            FirehoseError::InvalidArgument(format!("The value {value} of the parameter {name} must be {bounds}"))
        };
        match name {
            "LambdaArn" if value.starts_with("arn:") && value.contains(":lambda:") => value.clone_into(&mut lambda.arn),
            "LambdaArn" => return Err(outside("the ARN of a Lambda function")),
            "RoleArn" => value.clone_into(&mut lambda.role),
            "NumberOfRetries" => {
                let retries = value.parse().ok().filter(|retries| *retries <= 300);
                lambda.retries = retries.ok_or_else(|| outside("between 0 and 300"))?;
            }
            "BufferSizeInMBs" => {
                let size = value.parse::<f64>().ok().filter(|size| (0.2..=3.0).contains(size));
                lambda.batch_bytes = (size.ok_or_else(|| outside("between 0.2 and 3"))? * f64::from(1 << 20)) as usize;
            }
            // Records wait for their object; within it they are transformed at once.
            "BufferIntervalInSeconds" => {
                value.parse::<u32>().ok().filter(|it| *it <= 900).ok_or_else(|| outside("between 0 and 900"))?;
            }
            other => return Err(unexpected(processor, other)),
        }
    }
    if lambda.arn.is_empty() {
        return Err(FirehoseError::InvalidArgument("The processor Lambda needs the parameter LambdaArn".into()));
    }
    Ok(lambda)
}

fn delimiter(processor: &Processor) -> Result<Vec<u8>, FirehoseError> {
    let mut delimiter = b"\n".to_vec();
    for (name, value) in parameters(processor) {
        if name != "Delimiter" {
            return Err(unexpected(processor, name));
        }
        delimiter = value.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").into_bytes();
    }
    Ok(delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ProcessorParameter;

    fn of(kind: &str, parameters: &[(&str, &str)]) -> Result<Processing, String> {
        let parameter = |(name, value): &(&str, &str)| ProcessorParameter {
            parameter_name: (*name).into(),
            parameter_value: (*value).into(),
        };
        let parameters = Some(parameters.iter().map(parameter).collect());
        let processors = Some(vec![Processor { kind: kind.into(), parameters }]);
        let configuration = ProcessingConfiguration { enabled: Some(true), processors };
        Processing::of(Some(&configuration), "role").map_err(|error| error.to_string())
    }

    #[test]
    fn processors_are_understood() {
        assert_eq!(of("AppendDelimiterToRecord", &[("Delimiter", "\\n")]).unwrap().delimiter, b"\n");
        assert_eq!(of("AppendDelimiterToRecord", &[]).unwrap().delimiter, b"\n");
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        let lambda = of("Lambda", &[("LambdaArn", arn), ("BufferSizeInMBs", "0.5")]).unwrap().lambda.unwrap();
        assert_eq!((lambda.arn.as_str(), lambda.retries, lambda.batch_bytes), (arn, 3, 1 << 19));
        assert_eq!(Processing::of(None, "role").unwrap(), Processing::default());
    }

    #[test]
    fn what_is_wrong_or_missing_is_refused_by_name() {
        for (kind, parameters, message) in [
            ("Lambda", vec![], "LambdaArn"),
            ("Lambda", vec![("LambdaArn", "f")], "ARN of a Lambda function"),
            ("Lambda", vec![("NumberOfRetries", "301")], "between 0 and 300"),
            ("Lambda", vec![("Delimiter", "x")], "not valid for the processor Lambda"),
            ("MetadataExtraction", vec![], "does not implement the processor MetadataExtraction"),
            ("Magic", vec![], "enum value set"),
        ] {
            let error = of(kind, &parameters).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
