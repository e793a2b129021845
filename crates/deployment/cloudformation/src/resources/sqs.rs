//! AWS::SQS: queues and their policies.

use serde_json::{Map, Value, json};

use super::shapes::{document, removed_tags, tag_map, when};
use super::subject::Subject;
use super::{Naming, Read, ResourceType, by_name, call, calls, plain, ready};

/// The end of a FIFO queue's name.
const FIFO: &str = ".fifo";

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::SQS::Queue",
        schema: "QueueName^ FifoQueue^:b DelaySeconds:i MaximumMessageSize:i MessageRetentionPeriod:i \
                 ReceiveMessageWaitTimeSeconds:i VisibilityTimeout:i ContentBasedDeduplication:b DeduplicationScope \
                 FifoThroughputLimit KmsMasterKeyId KmsDataKeyReusePeriodSeconds:i SqsManagedSseEnabled:b RedrivePolicy:j \
                 RedriveAllowPolicy:j Tags[{Key! Value!}]",
        // A generated name leaves room for `.fifo`.
        naming: Naming::Property("QueueName", plain(75)),
        create: &[call!("sqs", "CreateQueue", |s| {
            let mut attributes = attributes(s, |_| true);
            if s.get("FifoQueue") == true {
                attributes.insert("FifoQueue".into(), "true".into());
            }
            let mut input = json!({"QueueName": queue_name(s), "Attributes": attributes});
            if !s.items("Tags").is_empty() {
                input["tags"] = tag_map(&s.get("Tags"));
            }
            input
        })],
        update: &[
            calls!("sqs", "SetQueueAttributes", |s| {
                let changed = attributes(s, |name| s.changed(&[name]));
                when(!changed.is_empty(), || json!({"QueueUrl": s.physical, "Attributes": changed}))
            }),
            calls!("sqs", "TagQueue", |s| when(s.changed(&["Tags"]) && !s.items("Tags").is_empty(), || {
                json!({"QueueUrl": s.physical, "Tags": tag_map(&s.get("Tags"))})
            })),
            calls!("sqs", "UntagQueue", |s| {
                let gone = removed_tags(s);
                when(!gone.is_empty(), || json!({"QueueUrl": s.physical, "TagKeys": gone}))
            }),
        ],
        delete: &[call!("sqs", "DeleteQueue", |s| json!({"QueueUrl": s.physical}))],
        read: Some(Read {
            service: "sqs",
            operation: "GetQueueUrl",
            input: |s| json!({"QueueName": queue_name(s)}),
            state: ready,
        }),
        physical: |s| s.answered("/QueueUrl").as_str().map(str::to_owned),
        attributes: &[
            ("Arn", |s| s.arn("sqs", queue_name(s))),
            ("QueueName", |s| queue_name(s).into()),
            ("QueueUrl", |s| s.physical.into()),
        ],
    },
    ResourceType {
        name: "AWS::SQS::QueuePolicy",
        schema: "Queues![] PolicyDocument!:j",
        naming: Naming::Generated(plain(128)),
        create: &[calls!("sqs", "SetQueueAttributes", |s| policies(s.items("Queues"), &s.get("PolicyDocument")))],
        update: &[
            calls!("sqs", "SetQueueAttributes", |s| policies(s.items("Queues"), &s.get("PolicyDocument"))),
            calls!("sqs", "SetQueueAttributes", |s| {
                let kept = s.items("Queues");
                let gone: Vec<Value> =
                    s.old_items("Queues").iter().filter(|queue| !kept.contains(queue)).cloned().collect();
                policies(&gone, &json!(""))
            }),
        ],
        delete: &[calls!("sqs", "SetQueueAttributes", |s| policies(s.items("Queues"), &json!("")))],
        read: None,
        physical: by_name,
        attributes: &[("Id", |s| s.name.into())],
    },
];

/// Attributes of queues, and what they are without for properties that are gone.
const ATTRIBUTES: [(&str, &str); 13] = [
    ("DelaySeconds", "0"),
    ("MaximumMessageSize", "1048576"),
    ("MessageRetentionPeriod", "345600"),
    ("ReceiveMessageWaitTimeSeconds", "0"),
    ("VisibilityTimeout", "30"),
    ("ContentBasedDeduplication", "false"),
    ("DeduplicationScope", "queue"),
    ("FifoThroughputLimit", "perQueue"),
    ("KmsMasterKeyId", ""),
    ("KmsDataKeyReusePeriodSeconds", ""),
    ("SqsManagedSseEnabled", "false"),
    ("RedrivePolicy", ""),
    ("RedriveAllowPolicy", ""),
];

/// The wanted attributes as the operations take them: texts.
fn attributes(s: &Subject<'_>, wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    let mut found = Map::new();
    for (name, default) in ATTRIBUTES.iter().filter(|(name, _)| wanted(name)) {
        let value = match s.properties.get(*name) {
            Some(value) => document(value),
            None if s.old.contains_key(*name) => (*default).into(),
            None => continue,
        };
        found.insert((*name).to_owned(), value);
    }
    found
}

fn policies(queues: &[Value], policy: &Value) -> Vec<Value> {
    queues.iter().map(|queue| json!({"QueueUrl": queue, "Attributes": {"Policy": document(policy)}})).collect()
}

/// The name, which in FIFO queues has an end that generated names lack.
fn queue_name(s: &Subject<'_>) -> String {
    let generated = s.get("FifoQueue") == true && s.text("QueueName").is_empty();
    format!("{}{}", s.name, if generated { FIFO } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject<'a>(properties: &'a Map<String, Value>, old: &'a Map<String, Value>) -> Subject<'a> {
        let (answer, attributes) = (&Value::Null, old);
        Subject { properties, old, name: "s-Q-A", physical: "url", attributes, answer, region: "us-east-1", token: "t" }
    }

    #[test]
    fn attributes_are_texts_and_what_is_gone_is_the_default() {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let new = object(json!({"DelaySeconds": 5, "FifoQueue": true, "RedrivePolicy": {"maxReceiveCount": 3}}));
        let old = object(json!({"VisibilityTimeout": 7, "FifoQueue": true}));
        let subject = subject(&new, &old);
        let changed = attributes(&subject, |name| subject.changed(&[name]));
        let expected =
            json!({"DelaySeconds": "5", "RedrivePolicy": "{\"maxReceiveCount\":3}", "VisibilityTimeout": "30"});
        assert_eq!(Value::Object(changed), expected);
        assert_eq!(queue_name(&subject), "s-Q-A.fifo");
    }
}
