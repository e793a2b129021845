//! AWS::KinesisFirehose: delivery streams into S3.

use serde_json::json;

use super::shapes::{removed_tags, when, with};
use super::{Naming, Read, ResourceType, State, by_name, call, calls, plain};

pub(crate) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::KinesisFirehose::DeliveryStream",
    schema: "DeliveryStreamName^ DeliveryStreamType^ Tags[{Key! Value!}] \
             KinesisStreamSourceConfiguration^{KinesisStreamARN! RoleARN!} \
             DeliveryStreamEncryptionConfigurationInput:j \
             ExtendedS3DestinationConfiguration{BucketARN! RoleARN! Prefix ErrorOutputPrefix CompressionFormat \
             FileExtension CustomTimeZone S3BackupMode \
             BufferingHints{IntervalInSeconds:i SizeInMBs:i} \
             CloudWatchLoggingOptions{Enabled:b LogGroupName LogStreamName} \
             EncryptionConfiguration{NoEncryptionConfig KMSEncryptionConfig{AWSKMSKeyARN!}} \
             ProcessingConfiguration{Enabled:b Processors[{Type! Parameters[{ParameterName! ParameterValue!}]}]} \
             DynamicPartitioningConfiguration{Enabled:b RetryOptions{DurationInSeconds:i}} \
             DataFormatConversionConfiguration:j S3BackupConfiguration:j}",
    naming: Naming::Property("DeliveryStreamName", plain(64)),
    create: &[call!("firehose", "CreateDeliveryStream", |s| with(
        s.without(&["DeliveryStreamName"]),
        json!({"DeliveryStreamName": s.name}),
    ))],
    update: &[
        calls!("firehose", "UpdateDestination", |s| when(
            s.changed(&["ExtendedS3DestinationConfiguration"]),
            || json!({
                "DeliveryStreamName": s.name,
                "CurrentDeliveryStreamVersionId": s.answered("/DeliveryStreamDescription/VersionId"),
                "DestinationId": s.answered("/DeliveryStreamDescription/Destinations/0/DestinationId"),
                "ExtendedS3DestinationUpdate": s.get("ExtendedS3DestinationConfiguration"),
            })
        )),
        calls!("firehose", "TagDeliveryStream", |s| when(s.changed(&["Tags"]) && !s.items("Tags").is_empty(), || {
            json!({"DeliveryStreamName": s.name, "Tags": s.get("Tags")})
        })),
        calls!("firehose", "UntagDeliveryStream", |s| {
            let gone = removed_tags(s);
            when(!gone.is_empty(), || json!({"DeliveryStreamName": s.name, "TagKeys": gone}))
        }),
    ],
    delete: &[call!("firehose", "DeleteDeliveryStream", |s| json!({"DeliveryStreamName": s.name}))],
    read: Some(Read {
        service: "firehose",
        operation: "DescribeDeliveryStream",
        input: |s| json!({"DeliveryStreamName": s.name}),
        state: |_, answer| match answer["DeliveryStreamDescription"]["DeliveryStreamStatus"].as_str() {
            Some("ACTIVE") => State::Ready,
            Some("CREATING_FAILED" | "DELETING_FAILED") => {
                let description = &answer["DeliveryStreamDescription"]["FailureDescription"];
                State::Failed(description["Details"].as_str().unwrap_or("the delivery stream failed").to_owned())
            }
            _ => State::Busy,
        },
    }),
    physical: by_name,
    attributes: &[("Arn", |s| s.arn("firehose", format!("deliverystream/{}", s.name)))],
}];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::resources::find;

    #[test]
    fn buffering_hints_are_numbers() {
        let known = find("AWS::KinesisFirehose::DeliveryStream").unwrap();
        let hints = json!({"ExtendedS3DestinationConfiguration": {
            "BucketARN": "a", "RoleARN": "b", "BufferingHints": {"IntervalInSeconds": "60"}}});
        let coerced = Value::Object(known.schema.coerce(&hints).unwrap());
        assert_eq!(coerced["ExtendedS3DestinationConfiguration"]["BufferingHints"]["IntervalInSeconds"], json!(60));
    }
}
