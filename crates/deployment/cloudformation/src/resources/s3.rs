//! AWS::S3: buckets and their policies.

use serde_json::{Map, Value, json};

use super::shapes::{added, document, when};
use super::subject::Subject;
use super::{Call, Naming, Read, ResourceType, Style, by_name, call, calls, ready};

const BUCKET: Style = Style { longest: 63, lower: true, separator: '-' };

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::S3::Bucket",
        schema: "BucketName^ Tags[{Key! Value!}] VersioningConfiguration{Status!} \
                 PublicAccessBlockConfiguration{BlockPublicAcls:b BlockPublicPolicy:b IgnorePublicAcls:b \
                 RestrictPublicBuckets:b} \
                 CorsConfiguration{CorsRules![{Id AllowedHeaders[] AllowedMethods![] AllowedOrigins![] ExposedHeaders[] \
                 MaxAge:i}]} \
                 OwnershipControls{Rules![{ObjectOwnership}]} \
                 BucketEncryption{ServerSideEncryptionConfiguration![{ServerSideEncryptionByDefault{SSEAlgorithm! \
                 KMSMasterKeyID} BucketKeyEnabled:b}]} \
                 NotificationConfiguration{EventBridgeConfiguration{EventBridgeEnabled:b} \
                 LambdaConfigurations[{Event! Function! Filter{S3Key!{Rules![{Name! Value!}]}}}] \
                 QueueConfigurations[{Event! Queue! Filter{S3Key!{Rules![{Name! Value!}]}}}]} \
                 LifecycleConfiguration{TransitionDefaultMinimumObjectSize Rules![{Id Status! Prefix \
                 TagFilters[{Key! Value!}] ObjectSizeGreaterThan ObjectSizeLessThan ExpirationInDays:i ExpirationDate \
                 ExpiredObjectDeleteMarker:b Transition{StorageClass! TransitionDate TransitionInDays:i} \
                 Transitions[{StorageClass! TransitionDate TransitionInDays:i}] NoncurrentVersionExpirationInDays:i \
                 NoncurrentVersionExpiration{NoncurrentDays!:i NewerNoncurrentVersions:i} \
                 NoncurrentVersionTransition{StorageClass! TransitionInDays!:i NewerNoncurrentVersions:i} \
                 NoncurrentVersionTransitions[{StorageClass! TransitionInDays!:i NewerNoncurrentVersions:i}] \
                 AbortIncompleteMultipartUpload{DaysAfterInitiation!:i}}]} \
                 ObjectLockEnabled^:b ObjectLockConfiguration{ObjectLockEnabled \
                 Rule{DefaultRetention{Mode Days:i Years:i}}} \
                 LoggingConfiguration{DestinationBucketName LogFilePrefix} \
                 InventoryConfigurations[{Id! Enabled!:b IncludedObjectVersions! ScheduleFrequency! Prefix OptionalFields[] \
                 Destination!{BucketArn! BucketAccountId Format! Prefix}}]",
        naming: Naming::Property("BucketName", BUCKET),
        create: &[
            call!("s3", "CreateBucket", |s| match s.properties.get("ObjectLockEnabled") {
                Some(locked) => json!({"Bucket": s.name, "ObjectLockEnabledForBucket": locked}),
                None => json!({"Bucket": s.name}),
            }),
            setting("PutBucketTagging", |s| given(s, "Tags", |tags| json!({"Tagging": {"TagSet": tags}}))),
            setting("PutBucketVersioning", |s| {
                given(s, "VersioningConfiguration", |it| json!({"VersioningConfiguration": it}))
            }),
            setting("PutPublicAccessBlock", |s| {
                given(s, "PublicAccessBlockConfiguration", |it| json!({"PublicAccessBlockConfiguration": it}))
            }),
            setting("PutBucketCors", |s| given(s, "CorsConfiguration", cors)),
            setting("PutBucketOwnershipControls", |s| {
                given(s, "OwnershipControls", |it| json!({"OwnershipControls": it}))
            }),
            setting("PutBucketEncryption", |s| given(s, "BucketEncryption", encryption)),
            setting("PutBucketNotificationConfiguration", |s| {
                given(s, "NotificationConfiguration", |it| json!({"NotificationConfiguration": notifications(it)}))
            }),
            setting("PutBucketLifecycleConfiguration", |s| given(s, "LifecycleConfiguration", lifecycle)),
            setting("PutObjectLockConfiguration", |s| {
                given(s, "ObjectLockConfiguration", |it| json!({"ObjectLockConfiguration": it}))
            }),
            setting("PutBucketLogging", |s| given(s, "LoggingConfiguration", |it| logging(s, it))),
            setting("PutBucketInventoryConfiguration", |s| Ok(inventories(s, s.items("InventoryConfigurations")))),
        ],
        update: &[
            setting("PutBucketTagging", |s| changed(s, "Tags", |tags| json!({"Tagging": {"TagSet": tags}}))),
            setting("DeleteBucketTagging", |s| gone(s, "Tags")),
            setting("PutBucketVersioning", |s| {
                changed(s, "VersioningConfiguration", |it| json!({"VersioningConfiguration": it}))
            }),
            setting("PutPublicAccessBlock", |s| {
                changed(s, "PublicAccessBlockConfiguration", |it| json!({"PublicAccessBlockConfiguration": it}))
            }),
            setting("DeletePublicAccessBlock", |s| gone(s, "PublicAccessBlockConfiguration")),
            setting("PutBucketCors", |s| changed(s, "CorsConfiguration", cors)),
            setting("DeleteBucketCors", |s| gone(s, "CorsConfiguration")),
            setting("PutBucketOwnershipControls", |s| {
                changed(s, "OwnershipControls", |it| json!({"OwnershipControls": it}))
            }),
            setting("DeleteBucketOwnershipControls", |s| gone(s, "OwnershipControls")),
            setting("PutBucketEncryption", |s| changed(s, "BucketEncryption", encryption)),
            setting("DeleteBucketEncryption", |s| gone(s, "BucketEncryption")),
            setting("PutBucketNotificationConfiguration", |s| {
                Ok(when(s.changed(&["NotificationConfiguration"]), || {
                    let wanted = s.properties.get("NotificationConfiguration").cloned().unwrap_or_else(|| json!({}));
                    json!({"Bucket": s.name, "NotificationConfiguration": notifications(&wanted)})
                }))
            }),
            setting("PutBucketLifecycleConfiguration", |s| changed(s, "LifecycleConfiguration", lifecycle)),
            setting("DeleteBucketLifecycle", |s| gone(s, "LifecycleConfiguration")),
            setting("PutObjectLockConfiguration", |s| {
                changed(s, "ObjectLockConfiguration", |it| json!({"ObjectLockConfiguration": it}))
            }),
            setting("PutObjectLockConfiguration", |s| {
                let without = json!({"ObjectLockEnabled": "Enabled"});
                let inputs = gone(s, "ObjectLockConfiguration")?;
                Ok(inputs.into_iter().map(|_| json!({"Bucket": s.name, "ObjectLockConfiguration": without})).collect())
            }),
            setting("PutBucketLogging", |s| {
                Ok(when(s.changed(&["LoggingConfiguration"]), || {
                    let wanted = s.properties.get("LoggingConfiguration").map(|it| logging(s, it));
                    let status = wanted.map_or_else(|| json!({}), |it| it["BucketLoggingStatus"].clone());
                    json!({"Bucket": s.name, "BucketLoggingStatus": status})
                }))
            }),
            setting("PutBucketInventoryConfiguration", |s| {
                let (new, old) = (s.items("InventoryConfigurations"), s.old_items("InventoryConfigurations"));
                Ok(added(new, old).into_iter().map(|it| inventory(s, it)).collect())
            }),
            setting("DeleteBucketInventoryConfiguration", |s| {
                let kept = |id: &Value| s.items("InventoryConfigurations").iter().any(|it| it["Id"] == *id);
                let ids = s.old_items("InventoryConfigurations").iter().map(|it| &it["Id"]);
                Ok(ids.filter(|id| !kept(id)).map(|id| json!({"Bucket": s.name, "Id": id})).collect())
            }),
        ],
        delete: &[call!("s3", "DeleteBucket", |s| json!({"Bucket": s.name}))],
        read: Some(Read { service: "s3", operation: "HeadBucket", input: |s| json!({"Bucket": s.name}), state: ready }),
        physical: by_name,
        attributes: &[
            ("Arn", |s| format!("arn:aws:s3:::{}", s.name).into()),
            ("DomainName", |s| format!("{}.s3.amazonaws.com", s.name).into()),
            ("RegionalDomainName", |s| format!("{}.s3.{}.amazonaws.com", s.name, s.region).into()),
        ],
    },
    ResourceType {
        name: "AWS::S3::BucketPolicy",
        schema: "Bucket!^ PolicyDocument!:j",
        naming: Naming::Property("Bucket", BUCKET),
        create: &[call!("s3", "PutBucketPolicy", |s| policy(s))],
        update: &[call!("s3", "PutBucketPolicy", |s| policy(s))],
        delete: &[calls!("s3", "DeleteBucketPolicy", |s| vec![json!({"Bucket": s.text("Bucket")})])],
        read: None,
        physical: by_name,
        attributes: &[],
    },
];

/// A call that sets or unsets one part of a bucket's configuration.
const fn setting(operation: &'static str, inputs: fn(&Subject<'_>) -> Result<Vec<Value>, String>) -> Call {
    Call { service: "s3", operation, inputs }
}

fn given(s: &Subject<'_>, property: &str, shape: impl Fn(&Value) -> Value) -> Result<Vec<Value>, String> {
    let Some(value) = s.properties.get(property) else { return Ok(Vec::new()) };
    let mut input = Map::from_iter([("Bucket".to_owned(), Value::from(s.name))]);
    if let Value::Object(members) = shape(value) {
        input.extend(members);
    }
    Ok(vec![Value::Object(input)])
}

fn changed(s: &Subject<'_>, property: &str, shape: impl Fn(&Value) -> Value) -> Result<Vec<Value>, String> {
    if s.changed(&[property]) { given(s, property, shape) } else { Ok(Vec::new()) }
}

fn gone(s: &Subject<'_>, property: &str) -> Result<Vec<Value>, String> {
    let gone = s.old.contains_key(property) && !s.properties.contains_key(property);
    Ok(when(gone, || json!({"Bucket": s.name})))
}

fn policy(s: &Subject<'_>) -> Value {
    json!({"Bucket": s.text("Bucket"), "Policy": document(&s.get("PolicyDocument"))})
}

/// The operation's names are not the template's.
fn cors(configuration: &Value) -> Value {
    let rule = |rule: &Value| {
        let names = [
            ("Id", "ID"),
            ("AllowedHeaders", "AllowedHeaders"),
            ("AllowedMethods", "AllowedMethods"),
            ("AllowedOrigins", "AllowedOrigins"),
            ("ExposedHeaders", "ExposeHeaders"),
            ("MaxAge", "MaxAgeSeconds"),
        ];
        let members = names.iter().filter_map(|(ours, theirs)| Some(((*theirs).to_owned(), rule.get(*ours)?.clone())));
        Value::Object(members.collect())
    };
    let rules: Vec<Value> = configuration["CorsRules"].as_array().into_iter().flatten().map(rule).collect();
    json!({"CORSConfiguration": {"CORSRules": rules}})
}

fn encryption(configuration: &Value) -> Value {
    let rule = |rule: &Value| {
        let mut wanted = json!({"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]});
        if let Some(enabled) = rule.get("BucketKeyEnabled") {
            wanted["BucketKeyEnabled"] = enabled.clone();
        }
        wanted
    };
    let rules = configuration["ServerSideEncryptionConfiguration"].as_array();
    let rules: Vec<Value> = rules.into_iter().flatten().map(rule).collect();
    json!({"ServerSideEncryptionConfiguration": {"Rules": rules}})
}

/// The template's rules are flat where the operation's have structures.
fn lifecycle(configuration: &Value) -> Value {
    let rules: Vec<Value> = configuration["Rules"].as_array().into_iter().flatten().map(lifecycle_rule).collect();
    let mut wanted = json!({"LifecycleConfiguration": {"Rules": rules}});
    if let Some(size) = configuration.get("TransitionDefaultMinimumObjectSize") {
        wanted["TransitionDefaultMinimumObjectSize"] = size.clone();
    }
    wanted
}

fn lifecycle_rule(rule: &Value) -> Value {
    let mut wanted = Map::new();
    for (ours, theirs) in [
        ("Id", "ID"),
        ("Status", "Status"),
        ("AbortIncompleteMultipartUpload", "AbortIncompleteMultipartUpload"),
        ("NoncurrentVersionExpiration", "NoncurrentVersionExpiration"),
    ] {
        wanted.extend(rule.get(ours).map(|value| (theirs.to_owned(), value.clone())));
    }
    if let Some(days) = rule.get("NoncurrentVersionExpirationInDays") {
        wanted.insert("NoncurrentVersionExpiration".into(), json!({"NoncurrentDays": days}));
    }
    wanted.insert("Filter".into(), lifecycle_filter(rule));
    let expiration = renamed(
        rule,
        &[
            ("ExpirationInDays", "Days"),
            ("ExpirationDate", "Date"),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
        ],
    );
    if expiration != json!({}) {
        wanted.insert("Expiration".into(), expiration);
    }
    for (one, many, days) in [
        ("Transition", "Transitions", "Days"),
        ("NoncurrentVersionTransition", "NoncurrentVersionTransitions", "NoncurrentDays"),
    ] {
        let moves = rule.get(one).into_iter().chain(rule[many].as_array().into_iter().flatten());
        let names = [
            ("StorageClass", "StorageClass"),
            ("TransitionInDays", days),
            ("TransitionDate", "Date"),
            ("NewerNoncurrentVersions", "NewerNoncurrentVersions"),
        ];
        let moves: Vec<Value> = moves.map(|it| renamed(it, &names)).collect();
        if !moves.is_empty() {
            wanted.insert(many.into(), moves.into());
        }
    }
    wanted.into()
}

/// What a rule is about: one condition stands for itself, several together.
fn lifecycle_filter(rule: &Value) -> Value {
    let names = ["Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan"].map(|name| (name, name));
    let mut all = renamed(rule, &names);
    let tags = rule["TagFilters"].as_array().cloned().unwrap_or_default();
    let count = all.as_object().map_or(0, Map::len) + tags.len();
    match (count, tags.as_slice()) {
        (0, _) => json!({"Prefix": ""}),
        (1, []) => all,
        (1, [tag]) => json!({"Tag": tag}),
        (_, []) => json!({"And": all}),
        _ => {
            all["Tags"] = tags.into();
            json!({"And": all})
        }
    }
}

/// The members that are there, under other names.
fn renamed(value: &Value, names: &[(&str, &str)]) -> Value {
    let members = names.iter().filter_map(|(ours, theirs)| Some(((*theirs).to_owned(), value.get(*ours)?.clone())));
    Value::Object(members.collect())
}

/// Logs go to the bucket itself unless another is named.
fn logging(s: &Subject<'_>, configuration: &Value) -> Value {
    let target = configuration.get("DestinationBucketName").cloned().unwrap_or_else(|| s.name.into());
    let prefix = configuration.get("LogFilePrefix").cloned().unwrap_or_else(|| "".into());
    json!({"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": prefix}}})
}

fn inventories(s: &Subject<'_>, configurations: &[Value]) -> Vec<Value> {
    configurations.iter().map(|it| inventory(s, it)).collect()
}

fn inventory(s: &Subject<'_>, it: &Value) -> Value {
    let target = renamed(
        &it["Destination"],
        &[("BucketArn", "Bucket"), ("BucketAccountId", "AccountId"), ("Format", "Format"), ("Prefix", "Prefix")],
    );
    let mut wanted = json!({
        "Id": it["Id"],
        "IsEnabled": it["Enabled"],
        "IncludedObjectVersions": it["IncludedObjectVersions"],
        "Schedule": {"Frequency": it["ScheduleFrequency"]},
        "Destination": {"S3BucketDestination": target},
    });
    if let Some(prefix) = it.get("Prefix") {
        wanted["Filter"] = json!({"Prefix": prefix});
    }
    if let Some(fields) = it.get("OptionalFields") {
        wanted["OptionalFields"] = fields.clone();
    }
    json!({"Bucket": s.name, "Id": it["Id"], "InventoryConfiguration": wanted})
}

fn notifications(configuration: &Value) -> Value {
    let mut wanted = Map::new();
    if configuration["EventBridgeConfiguration"]["EventBridgeEnabled"] != json!(false)
        && configuration.get("EventBridgeConfiguration").is_some()
    {
        wanted.insert("EventBridgeConfiguration".into(), json!({}));
    }
    let target = |it: &Value, ours: &str, theirs: &str| {
        let mut target = json!({theirs: it[ours], "Events": [it["Event"]]});
        if let Some(rules) = it.pointer("/Filter/S3Key/Rules") {
            target["Filter"] = json!({"Key": {"FilterRules": rules}});
        }
        target
    };
    for (property, member, ours, theirs) in [
        ("LambdaConfigurations", "LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueConfigurations", "Queue", "QueueArn"),
    ] {
        if let Some(targets) = configuration[property].as_array() {
            wanted.insert(member.into(), targets.iter().map(|it| target(it, ours, theirs)).collect());
        }
    }
    Value::Object(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifecycle_rules_are_brought_over() {
        let rule = json!({"Id": "r", "Status": "Enabled", "Prefix": "tmp/", "ExpirationInDays": 3,
            "Transition": {"StorageClass": "STANDARD_IA", "TransitionInDays": 30}, "NoncurrentVersionExpirationInDays": 2});
        let wanted = json!({"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3},
            "Transitions": [{"StorageClass": "STANDARD_IA", "Days": 30}], "NoncurrentVersionExpiration": {"NoncurrentDays": 2}});
        assert_eq!(lifecycle(&json!({"Rules": [rule]})), json!({"LifecycleConfiguration": {"Rules": [wanted]}}));
    }

    #[test]
    fn filters_have_one_condition_or_several() {
        let tag = json!({"Key": "k", "Value": "v"});
        assert_eq!(lifecycle_filter(&json!({})), json!({"Prefix": ""}));
        assert_eq!(lifecycle_filter(&json!({"TagFilters": [tag]})), json!({"Tag": tag}));
        let both = json!({"Prefix": "p", "TagFilters": [tag]});
        assert_eq!(lifecycle_filter(&both), json!({"And": {"Prefix": "p", "Tags": [tag]}}));
        let sizes = json!({"ObjectSizeGreaterThan": "1", "ObjectSizeLessThan": "9"});
        assert_eq!(lifecycle_filter(&sizes), json!({"And": sizes}));
    }
}
