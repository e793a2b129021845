//! The notification configuration of a bucket.

use boathouse_aws::{AwsError, Principal};
use boathouse_objects::WATCH;
use s3s::S3Response;
use s3s::dto::{
    GetBucketNotificationConfigurationInput, GetBucketNotificationConfigurationOutput,
    PutBucketNotificationConfigurationInput, PutBucketNotificationConfigurationOutput,
};

use super::Reply;
use crate::call::{Call, Store};
use crate::error::{Result, invalid_argument};
use crate::notifications::{Configuration, PRINCIPAL, message, worker};

pub(crate) async fn put(
    store: &Store,
    call: &Call,
    input: PutBucketNotificationConfigurationInput,
) -> Reply<PutBucketNotificationConfigurationOutput> {
    store.allow(&call.ctx, "s3:PutBucketNotification", &input.bucket, None)?;
    let configuration = Configuration::from_wire(input.notification_configuration)?;
    if configuration.is_empty() {
        store.delete_document(&input.bucket, WATCH).await?;
        return Ok(S3Response::new(PutBucketNotificationConfigurationOutput {}));
    }
    if input.skip_destination_validation != Some(true) {
        check_destinations(call, &input.bucket, &configuration).await?;
    }
    store.put_document(&input.bucket, WATCH, &configuration).await?;
    Ok(S3Response::new(PutBucketNotificationConfigurationOutput {}))
}

/// Every function must be there and let this bucket's notifications in. Every queue gets a first message, as on AWS.
async fn check_destinations(call: &Call, bucket: &str, configuration: &Configuration) -> Result<()> {
    let ctx = call.ctx.as_principal(Principal::service(PRINCIPAL).into());
    let ctx = ctx.because_of(&message::bucket_arn(bucket));
    for target in &configuration.functions {
        if let Err(error) = worker::invoke(&ctx, &target.arn, "DryRun", "{}").await {
            return Err(unable_to_validate(&target.arn, &error));
        }
    }
    let test = message::test(&ctx, bucket).to_string();
    for target in &configuration.queues {
        if let Err(error) = worker::send(&ctx, &target.arn, &test).await {
            return Err(unable_to_validate(&target.arn, &error));
        }
    }
    Ok(())
}

fn unable_to_validate(arn: &str, cause: &AwsError) -> AwsError {
    let reason = match &*cause.code {
        "AccessDeniedException" if arn.contains(":sqs:") => "Permissions on the destination queue do not allow S3 to \
                                                             publish notifications from this bucket"
            .to_owned(),
        "QueueDoesNotExist" => "The destination queue does not exist".to_owned(),
        "AccessDeniedException" => format!("Not authorized to invoke function [{arn}]"),
        "ResourceNotFoundException" => "The destination Lambda function does not exist".to_owned(),
        _ => cause.message.clone(),
    };
    let error = invalid_argument("Unable to validate the following destination configurations");
    error.with_detail("ArgumentName1", arn).with_detail("ArgumentValue1", reason)
}

pub(crate) async fn get(
    store: &Store,
    call: &Call,
    input: GetBucketNotificationConfigurationInput,
) -> Reply<GetBucketNotificationConfigurationOutput> {
    store.allow(&call.ctx, "s3:GetBucketNotification", &input.bucket, None)?;
    let kept: Option<Configuration> = store.document(&input.bucket, WATCH)?;
    let wire = kept.unwrap_or_default().to_wire();
    Ok(S3Response::new(GetBucketNotificationConfigurationOutput {
        event_bridge_configuration: wire.event_bridge_configuration,
        lambda_function_configurations: wire.lambda_function_configurations,
        queue_configurations: wire.queue_configurations,
        topic_configurations: None,
    }))
}
