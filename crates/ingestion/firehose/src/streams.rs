//! Delivery streams: create, describe, list, update, delete.

use std::sync::{Arc, LazyLock};

use boathouse_aws::Ctx;
use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_metadata::Key;
use regex::Regex;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::api::{
    CreateDeliveryStream, Created, Described, DestinationDescription, DirectPutSource, Empty, EncryptionDescription,
    FailureDescription, ListDeliveryStreams, Named, S3Settings, SourceDescription, StreamDescription, StreamNames,
    UpdateDestination,
};
use crate::destination::{At, Destination, plain, updated, with_defaults};
use crate::error::FirehoseError;
use crate::store::{Firehose, PROGRESS, Progress, STREAMS, Stream, now, progress_key, stream_in};
use crate::{arn, tags, worker};

/// A stream has one destination, which is always called this.
const DESTINATION: &str = "destinationId-000000000001";
const DIRECT_PUT: &str = "DirectPut";
/// Streams that a list shows when it is not asked for a number.
const DEFAULT_LIST: usize = 10;

static NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^[a-zA-Z0-9_.-]+$").expect("invariant: the pattern is one"));

fn check_name(name: &str) -> Result<(), FirehoseError> {
    let refuse = |words: &str| Err(FirehoseError::constraint(name, "deliveryStreamName", words));
    match name.chars().count() {
        0 => refuse("Member must have length greater than or equal to 1"),
        65.. => refuse("Member must have length less than or equal to 64"),
        _ if !NAME.is_match(name) => refuse("Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        _ => Ok(()),
    }
}

/// Refuses what is asked for and not there.
fn refuse_rest(rest: &Map<String, Value>) -> Result<(), FirehoseError> {
    match rest.iter().find(|(_, value)| !value.is_null()) {
        Some((name, _)) => Err(FirehoseError::NotImplemented(name.clone())),
        None => Ok(()),
    }
}

fn check_source(kind: Option<&str>, source: Option<&DirectPutSource>) -> Result<(), FirehoseError> {
    match kind.unwrap_or(DIRECT_PUT) {
        DIRECT_PUT => {}
        kind @ ("KinesisStreamAsSource" | "MSKAsSource" | "DatabaseAsSource") => {
            return Err(FirehoseError::NotImplemented(format!("DeliveryStreamType {kind}")));
        }
        other => {
            let words = "Member must satisfy enum value set: [DirectPut, KinesisStreamAsSource, MSKAsSource, \
                         DatabaseAsSource]";
            return Err(FirehoseError::constraint(other, "deliveryStreamType", words));
        }
    }
    match source.map(|source| source.throughput_hint_in_mbs) {
        Some(hint) if !(1..=100).contains(&hint) => {
            let member = "directPutSourceConfiguration.throughputHintInMBs";
            Err(FirehoseError::constraint(hint, member, "Member must have value between 1 and 100"))
        }
        _ => Ok(()),
    }
}

/// Whoever lets a stream act as a role must be allowed to pass that role, which must trust Firehose.
fn check_roles(ctx: &Ctx, state: &Firehose, destination: &Destination) -> Result<(), FirehoseError> {
    let transforming = destination.processing.lambda.as_ref().map(|lambda| &lambda.role);
    let mut roles = vec![&destination.role];
    roles.extend(transforming.filter(|role| **role != destination.role));
    for role in roles {
        let keys = ConditionKeys::from([("iam:PassedToService".to_owned(), vec![worker::SERVICE.to_owned()])]);
        state.deps.authorizer.authorize(ctx, &AccessRequest::new("iam:PassRole", role, &keys))?;
        state.deps.roles.assume_for_service(role, worker::SERVICE, worker::SESSION).map_err(|_| {
            let message = format!("Firehose is unable to assume role {role}. Please check the role provided.");
            FirehoseError::InvalidArgument(message)
        })?;
    }
    Ok(())
}

pub(crate) async fn create(
    ctx: Ctx,
    state: Arc<Firehose>,
    input: CreateDeliveryStream,
) -> Result<Created, FirehoseError> {
    let name = input.delivery_stream_name;
    check_name(&name)?;
    refuse_rest(&input.rest)?;
    check_source(input.delivery_stream_type.as_deref(), input.direct_put_source_configuration.as_ref())?;
    let (extended, settings, at) =
        match (input.extended_s3_destination_configuration, input.s3_destination_configuration) {
            (Some(extended), None) => (true, extended, At("extendedS3DestinationConfiguration")),
            (None, Some(simple)) => (false, plain(simple), At("s3DestinationConfiguration")),
            _ => {
                let message = "Exactly one destination configuration is supported for a Firehose";
                return Err(FirehoseError::InvalidArgument(message.into()));
            }
        };
    let settings = with_defaults(settings, extended);
    let destination = Destination::of(&settings, 1, at)?;
    let tags = tags::checked(input.tags.unwrap_or_default())?;
    check_roles(&ctx, &state, &destination)?;
    let stream = Stream {
        name: name.clone(),
        id: Uuid::new_v4(),
        version: 1,
        created: now(&ctx),
        updated: None,
        source: input.direct_put_source_configuration,
        extended,
        settings,
        tags,
    };
    keep_new(&state, stream.clone()).await?;
    worker::start(&ctx.platform, &state, &stream, destination);
    Ok(Created { delivery_stream_arn: arn(&ctx, &name) })
}

async fn keep_new(state: &Firehose, stream: Stream) -> Result<(), FirehoseError> {
    state
        .deps
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&stream.name]);
            if tx.contains(STREAMS, &key)? {
                return Err(FirehoseError::InUse(stream.name));
            }
            tx.put_json(STREAMS, &key, &stream)?;
            tx.put_json(PROGRESS, &progress_key(stream.id), &Progress::default())?;
            Ok(())
        })
        .await
}

pub(crate) async fn describe(ctx: Ctx, state: Arc<Firehose>, input: Named) -> Result<Described, FirehoseError> {
    let name = input.delivery_stream_name;
    let stream = state.stream(&name)?;
    let trouble = state.live(&name)?.trouble.lock().clone();
    let failure_description =
        trouble.map(|trouble| FailureDescription { kind: "UNKNOWN_ERROR".into(), details: trouble.to_string() });
    let simple = plain(stream.settings.clone());
    Ok(Described {
        delivery_stream_description: StreamDescription {
            delivery_stream_arn: arn(&ctx, &name),
            delivery_stream_name: name,
            delivery_stream_status: "ACTIVE".into(),
            failure_description,
            delivery_stream_encryption_configuration: EncryptionDescription { status: "DISABLED".into() },
            delivery_stream_type: DIRECT_PUT.into(),
            version_id: stream.version.to_string(),
            create_timestamp: stream.created,
            last_update_timestamp: stream.updated,
            source: stream.source.map(|source| SourceDescription { direct_put_source_description: Some(source) }),
            destinations: vec![DestinationDescription {
                destination_id: DESTINATION.into(),
                s3_destination_description: Some(simple),
                extended_s3_destination_description: stream.extended.then_some(stream.settings),
            }],
            has_more_destinations: false,
        },
    })
}

pub(crate) async fn list(
    _ctx: Ctx,
    state: Arc<Firehose>,
    input: ListDeliveryStreams,
) -> Result<StreamNames, FirehoseError> {
    let limit = input.limit.unwrap_or(DEFAULT_LIST);
    if !(1..=10_000).contains(&limit) {
        return Err(FirehoseError::constraint(limit, "limit", "Member must have value between 1 and 10000"));
    }
    if input.delivery_stream_type.is_some_and(|kind| kind != DIRECT_PUT) {
        return Ok(StreamNames::default()); // there are no others
    }
    let after = input.exclusive_start_delivery_stream_name.map(|name| Key::new([name]));
    let page = state.deps.metadata.page(STREAMS, &Key::default(), after.as_ref(), limit)?;
    Ok(StreamNames {
        delivery_stream_names: page.entries.iter().map(|entry| entry.key.last()).collect(),
        has_more_delivery_streams: page.next.is_some(),
    })
}

/// Ends a stream. What it has not delivered is discarded, as AWS documents.
pub(crate) async fn delete(_ctx: Ctx, state: Arc<Firehose>, input: Named) -> Result<Empty, FirehoseError> {
    let name = input.delivery_stream_name.clone();
    let stream = state
        .deps
        .metadata
        .transaction(move |tx| {
            let stream = stream_in(tx, &name)?;
            tx.delete(STREAMS, &Key::new([name]))?;
            tx.delete(PROGRESS, &progress_key(stream.id))?;
            Ok::<_, FirehoseError>(stream)
        })
        .await?;
    worker::stop(&state, &stream);
    Ok(Empty {})
}

pub(crate) async fn update(ctx: Ctx, state: Arc<Firehose>, input: UpdateDestination) -> Result<Empty, FirehoseError> {
    refuse_rest(&input.rest)?;
    let name = input.delivery_stream_name;
    let (update, at) = match (input.extended_s3_destination_update, input.s3_destination_update) {
        (Some(extended), None) => (extended, At("extendedS3DestinationUpdate")),
        (None, Some(simple)) => (plain(simple), At("s3DestinationUpdate")),
        _ => {
            let message = "Exactly one destination update is supported for a Firehose";
            return Err(FirehoseError::InvalidArgument(message.into()));
        }
    };
    if input.destination_id != DESTINATION {
        let message = format!("Destination Id {} not found", input.destination_id);
        return Err(FirehoseError::InvalidArgument(message));
    }
    let stream = state.stream(&name)?;
    let settings = new_settings(&stream, update)?;
    let destination = Destination::of(&settings, stream.version + 1, at)?;
    check_roles(&ctx, &state, &destination)?;
    keep_settings(&state, stream, input.current_delivery_stream_version_id, settings, now(&ctx)).await?;
    if let Ok(live) = state.live(&name) {
        let mut current = live.destination.write();
        if current.version < destination.version {
            *current = Arc::new(destination);
        }
        drop(current);
        live.changed.notify_one();
    }
    Ok(Empty {})
}

fn new_settings(stream: &Stream, update: S3Settings) -> Result<S3Settings, FirehoseError> {
    let beyond_plain = !stream.extended && plain(update.clone()) != update;
    if beyond_plain {
        let message = "This stream has a plain S3 destination, which has no extended settings";
        return Err(FirehoseError::InvalidArgument(message.into()));
    }
    Ok(updated(stream.settings.clone(), update))
}

async fn keep_settings(
    state: &Firehose,
    known: Stream,
    version: String,
    settings: S3Settings,
    updated: f64,
) -> Result<(), FirehoseError> {
    state
        .deps
        .metadata
        .transaction(move |tx| {
            let stream = stream_in(tx, &known.name)?;
            if version != stream.version.to_string() || known.version != stream.version {
                return Err(FirehoseError::ConcurrentModification(format!(
                    "Cannot update firehose: {} since the current version id: {} and specified version id: {version} \
                     do not match",
                    stream.name, stream.version
                )));
            }
            let key = Key::new([&stream.name]);
            let changed = Stream { version: stream.version + 1, updated: Some(updated), settings, ..stream };
            tx.put_json(STREAMS, &key, &changed)?;
            Ok(())
        })
        .await
}
