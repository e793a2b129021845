//! The operations that the dispatcher knows, member by member ("Amazon S3 API Reference", Actions).

use super::shape::{Member, flag, flat, list, number, structure, text, texts, texts_within};

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// All buckets.
    Service,
    /// The bucket that the member `Bucket` names.
    Bucket,
    /// The object of the members `Bucket` and `Key`.
    Object,
}

/// Members by the names that they have on the wire.
type Names = &'static [(&'static str, &'static str)];

/// What becomes the request's body.
#[derive(Debug)]
pub(super) enum Input {
    /// Nothing.
    Nothing,
    /// A member that is a document, under its root element.
    Document { member: &'static Member, root: &'static str },
    /// A member that need not be there, as a document.
    Optional { member: &'static Member, root: &'static str },
    /// A member's text as it is.
    Text(&'static str),
    /// An object's bytes: the member `Body`.
    Body,
}

/// What becomes of the answer's body.
#[derive(Debug)]
pub(super) enum Output {
    /// It is empty.
    Nothing,
    /// A document whose members are those of the output.
    Members(&'static [Member]),
    /// A document that is one member of the output.
    Payload(&'static str, &'static [Member]),
    /// The text of the root element, as this member.
    Root(&'static str),
    /// Text as it is, as this member.
    Text(&'static str),
    /// An object's bytes and what is stored beside them.
    Object,
}

/// One operation.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    pub(super) target: Target,
    /// What the query always holds.
    pub(super) query: &'static str,
    pub(super) parameters: Names,
    pub(super) headers: Names,
    /// Whether the member `Metadata` becomes headers.
    pub(super) metadata: bool,
    pub(super) input: Input,
    pub(super) output: Output,
}

impl Operation {
    const fn new(name: &'static str, method: &'static str, target: Target, query: &'static str) -> Self {
        Self {
            name,
            method,
            target,
            query,
            parameters: &[],
            headers: &[],
            metadata: false,
            input: Input::Nothing,
            output: Output::Nothing,
        }
    }

    /// An operation on a bucket's configuration, which lies under `query`.
    const fn bucket(name: &'static str, method: &'static str, query: &'static str) -> Self {
        Self::new(name, method, Target::Bucket, query)
    }

    const fn object(name: &'static str, method: &'static str) -> Self {
        Self::new(name, method, Target::Object, "")
    }

    const fn parameters(self, parameters: Names) -> Self {
        Self { parameters, ..self }
    }

    const fn headers(self, headers: Names) -> Self {
        Self { headers, ..self }
    }

    const fn with_metadata(self) -> Self {
        Self { metadata: true, ..self }
    }

    const fn takes(self, input: Input) -> Self {
        Self { input, ..self }
    }

    const fn gives(self, output: Output) -> Self {
        Self { output, ..self }
    }
}

/// Members that every operation has.
pub(super) const COMMON_HEADERS: Names =
    &[("ExpectedBucketOwner", "x-amz-expected-bucket-owner"), ("RequestPayer", "x-amz-request-payer")];

const CONTENT_HEADERS: [(&str, &str); 6] = [
    ("CacheControl", "cache-control"),
    ("ContentDisposition", "content-disposition"),
    ("ContentEncoding", "content-encoding"),
    ("ContentLanguage", "content-language"),
    ("ContentType", "content-type"),
    ("Expires", "expires"),
];

const WRITE_HEADERS: Names = &[
    CONTENT_HEADERS[0],
    CONTENT_HEADERS[1],
    CONTENT_HEADERS[2],
    CONTENT_HEADERS[3],
    CONTENT_HEADERS[4],
    CONTENT_HEADERS[5],
    ("ACL", "x-amz-acl"),
    ("ContentMD5", "content-md5"),
    ("ChecksumCRC32", "x-amz-checksum-crc32"),
    ("ChecksumCRC32C", "x-amz-checksum-crc32c"),
    ("ChecksumCRC64NVME", "x-amz-checksum-crc64nvme"),
    ("ChecksumSHA1", "x-amz-checksum-sha1"),
    ("ChecksumSHA256", "x-amz-checksum-sha256"),
    ("IfMatch", "if-match"),
    ("IfNoneMatch", "if-none-match"),
    ("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id"),
    ("ServerSideEncryption", "x-amz-server-side-encryption"),
    ("StorageClass", "x-amz-storage-class"),
    ("Tagging", "x-amz-tagging"),
];

const COPY_HEADERS: Names = &[
    CONTENT_HEADERS[0],
    CONTENT_HEADERS[1],
    CONTENT_HEADERS[2],
    CONTENT_HEADERS[3],
    CONTENT_HEADERS[4],
    CONTENT_HEADERS[5],
    ("ACL", "x-amz-acl"),
    ("CopySource", "x-amz-copy-source"),
    ("CopySourceIfMatch", "x-amz-copy-source-if-match"),
    ("CopySourceIfNoneMatch", "x-amz-copy-source-if-none-match"),
    ("ExpectedSourceBucketOwner", "x-amz-source-expected-bucket-owner"),
    ("IfMatch", "if-match"),
    ("IfNoneMatch", "if-none-match"),
    ("MetadataDirective", "x-amz-metadata-directive"),
    ("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id"),
    ("ServerSideEncryption", "x-amz-server-side-encryption"),
    ("StorageClass", "x-amz-storage-class"),
    ("Tagging", "x-amz-tagging"),
    ("TaggingDirective", "x-amz-tagging-directive"),
];

const READ_HEADERS: Names = &[
    ("ChecksumMode", "x-amz-checksum-mode"),
    ("IfMatch", "if-match"),
    ("IfNoneMatch", "if-none-match"),
    ("Range", "range"),
];

const READ_PARAMETERS: Names = &[
    ("PartNumber", "partNumber"),
    ("ResponseCacheControl", "response-cache-control"),
    ("ResponseContentDisposition", "response-content-disposition"),
    ("ResponseContentEncoding", "response-content-encoding"),
    ("ResponseContentLanguage", "response-content-language"),
    ("ResponseContentType", "response-content-type"),
    ("ResponseExpires", "response-expires"),
    ("VersionId", "versionId"),
];

const VERSION: Names = &[("VersionId", "versionId")];

const TAG: &[Member] = &[text("Key"), text("Value")];
const TAGGING: Member = structure("Tagging", &[list("TagSet", "Tag", TAG)]);
const TAG_SET: Output = Output::Members(&[list("TagSet", "Tag", TAG)]);

const CORS_RULES: Member = flat(
    "CORSRules",
    "CORSRule",
    &[
        text("ID"),
        texts("AllowedHeaders", "AllowedHeader"),
        texts("AllowedMethods", "AllowedMethod"),
        texts("AllowedOrigins", "AllowedOrigin"),
        texts("ExposeHeaders", "ExposeHeader"),
        number("MaxAgeSeconds"),
    ],
);

const PUBLIC_ACCESS: &[Member] =
    &[flag("BlockPublicAcls"), flag("IgnorePublicAcls"), flag("BlockPublicPolicy"), flag("RestrictPublicBuckets")];

const ENCRYPTION: &[Member] = &[flat(
    "Rules",
    "Rule",
    &[
        structure("ApplyServerSideEncryptionByDefault", &[text("SSEAlgorithm"), text("KMSMasterKeyID")]),
        flag("BucketKeyEnabled"),
    ],
)];

const LIFECYCLE_FILTER: &[Member] = &[
    text("Prefix"),
    structure("Tag", TAG),
    number("ObjectSizeGreaterThan"),
    number("ObjectSizeLessThan"),
    structure(
        "And",
        &[text("Prefix"), flat("Tags", "Tag", TAG), number("ObjectSizeGreaterThan"), number("ObjectSizeLessThan")],
    ),
];

const LIFECYCLE_RULES: Member = flat(
    "Rules",
    "Rule",
    &[
        text("ID"),
        text("Status"),
        text("Prefix"),
        structure("Filter", LIFECYCLE_FILTER),
        structure("Expiration", &[text("Date"), number("Days"), flag("ExpiredObjectDeleteMarker")]),
        flat("Transitions", "Transition", &[text("Date"), number("Days"), text("StorageClass")]),
        structure("NoncurrentVersionExpiration", &[number("NoncurrentDays"), number("NewerNoncurrentVersions")]),
        flat(
            "NoncurrentVersionTransitions",
            "NoncurrentVersionTransition",
            &[number("NoncurrentDays"), number("NewerNoncurrentVersions"), text("StorageClass")],
        ),
        structure("AbortIncompleteMultipartUpload", &[number("DaysAfterInitiation")]),
    ],
);

const LOCK: &[Member] = &[
    text("ObjectLockEnabled"),
    structure("Rule", &[structure("DefaultRetention", &[text("Mode"), number("Days"), number("Years")])]),
];

const LOGGING: Member = structure("LoggingEnabled", &[text("TargetBucket"), text("TargetPrefix")]);

const INVENTORY: &[Member] = &[
    text("Id"),
    flag("IsEnabled"),
    text("IncludedObjectVersions"),
    structure("Filter", &[text("Prefix")]),
    structure("Schedule", &[text("Frequency")]),
    texts_within("OptionalFields", "Field"),
    structure(
        "Destination",
        &[structure("S3BucketDestination", &[text("AccountId"), text("Bucket"), text("Format"), text("Prefix")])],
    ),
];
const INVENTORY_ID: Names = &[("Id", "id")];

const OWNERSHIP: &[Member] = &[flat("Rules", "Rule", &[text("ObjectOwnership")])];

const NOTIFICATIONS: &[Member] = &[
    flat(
        "LambdaFunctionConfigurations",
        "CloudFunctionConfiguration",
        &[NOTIFICATION_ID, text("LambdaFunctionArn").within("CloudFunction"), EVENTS, FILTER],
    ),
    flat(
        "QueueConfigurations",
        "QueueConfiguration",
        &[NOTIFICATION_ID, text("QueueArn").within("Queue"), EVENTS, FILTER],
    ),
    flat(
        "TopicConfigurations",
        "TopicConfiguration",
        &[NOTIFICATION_ID, text("TopicArn").within("Topic"), EVENTS, FILTER],
    ),
    structure("EventBridgeConfiguration", &[]),
];
const NOTIFICATION_ID: Member = text("Id");
const EVENTS: Member = texts("Events", "Event");
const FILTER: Member = structure(
    "Filter",
    &[structure("Key", &[flat("FilterRules", "FilterRule", &[text("Name"), text("Value")])]).within("S3Key")],
);

const OWNER: Member = structure("Owner", &[text("DisplayName"), text("ID")]);

const OBJECT: &[Member] = &[
    text("Key"),
    text("LastModified"),
    text("ETag"),
    texts("ChecksumAlgorithm", "ChecksumAlgorithm"),
    text("ChecksumType"),
    number("Size"),
    text("StorageClass"),
    OWNER,
];

const PREFIXES: Member = flat("CommonPrefixes", "CommonPrefixes", &[text("Prefix")]);

const COPIED: &[Member] = &[
    text("ETag"),
    text("LastModified"),
    text("ChecksumType"),
    text("ChecksumCRC32"),
    text("ChecksumCRC32C"),
    text("ChecksumCRC64NVME"),
    text("ChecksumSHA1"),
    text("ChecksumSHA256"),
];

/// All of them; operations whose bodies only make sense as streams (uploads in parts) are missing.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("ListBuckets", "GET", Target::Service, "")
        .parameters(&[
            ("BucketRegion", "bucket-region"),
            ("ContinuationToken", "continuation-token"),
            ("MaxBuckets", "max-buckets"),
            ("Prefix", "prefix"),
        ])
        .gives(Output::Members(&[
            list("Buckets", "Bucket", &[text("Name"), text("CreationDate"), text("BucketRegion")]),
            OWNER,
            text("ContinuationToken"),
            text("Prefix"),
        ])),
    Operation::bucket("CreateBucket", "PUT", "")
        .headers(&[
            ("ACL", "x-amz-acl"),
            ("ObjectOwnership", "x-amz-object-ownership"),
            ("ObjectLockEnabledForBucket", "x-amz-bucket-object-lock-enabled"),
        ])
        .takes(Input::Optional {
            member: &structure("CreateBucketConfiguration", &[text("LocationConstraint")]),
            root: "CreateBucketConfiguration",
        }),
    Operation::bucket("DeleteBucket", "DELETE", ""),
    Operation::bucket("HeadBucket", "HEAD", ""),
    Operation::bucket("GetBucketLocation", "GET", "location").gives(Output::Root("LocationConstraint")),
    Operation::bucket("PutBucketPolicy", "PUT", "policy").takes(Input::Text("Policy")),
    Operation::bucket("GetBucketPolicy", "GET", "policy").gives(Output::Text("Policy")),
    Operation::bucket("DeleteBucketPolicy", "DELETE", "policy"),
    Operation::bucket("GetBucketPolicyStatus", "GET", "policyStatus")
        .gives(Output::Payload("PolicyStatus", &[flag("IsPublic")])),
    Operation::bucket("PutBucketTagging", "PUT", "tagging")
        .takes(Input::Document { member: &TAGGING, root: "Tagging" }),
    Operation::bucket("GetBucketTagging", "GET", "tagging").gives(TAG_SET),
    Operation::bucket("DeleteBucketTagging", "DELETE", "tagging"),
    Operation::bucket("PutBucketCors", "PUT", "cors")
        .takes(Input::Document { member: &structure("CORSConfiguration", &[CORS_RULES]), root: "CORSConfiguration" }),
    Operation::bucket("GetBucketCors", "GET", "cors").gives(Output::Members(&[CORS_RULES])),
    Operation::bucket("DeleteBucketCors", "DELETE", "cors"),
    Operation::bucket("PutPublicAccessBlock", "PUT", "publicAccessBlock").takes(Input::Document {
        member: &structure("PublicAccessBlockConfiguration", PUBLIC_ACCESS),
        root: "PublicAccessBlockConfiguration",
    }),
    Operation::bucket("GetPublicAccessBlock", "GET", "publicAccessBlock")
        .gives(Output::Payload("PublicAccessBlockConfiguration", PUBLIC_ACCESS)),
    Operation::bucket("DeletePublicAccessBlock", "DELETE", "publicAccessBlock"),
    Operation::bucket("PutBucketOwnershipControls", "PUT", "ownershipControls")
        .takes(Input::Document { member: &structure("OwnershipControls", OWNERSHIP), root: "OwnershipControls" }),
    Operation::bucket("GetBucketOwnershipControls", "GET", "ownershipControls")
        .gives(Output::Payload("OwnershipControls", OWNERSHIP)),
    Operation::bucket("DeleteBucketOwnershipControls", "DELETE", "ownershipControls"),
    Operation::bucket("PutBucketNotificationConfiguration", "PUT", "notification")
        .headers(&[("SkipDestinationValidation", "x-amz-skip-destination-validation")])
        .takes(Input::Document {
            member: &structure("NotificationConfiguration", NOTIFICATIONS),
            root: "NotificationConfiguration",
        }),
    Operation::bucket("GetBucketNotificationConfiguration", "GET", "notification")
        .gives(Output::Members(NOTIFICATIONS)),
    Operation::bucket("PutBucketEncryption", "PUT", "encryption").takes(Input::Document {
        member: &structure("ServerSideEncryptionConfiguration", ENCRYPTION),
        root: "ServerSideEncryptionConfiguration",
    }),
    Operation::bucket("GetBucketEncryption", "GET", "encryption")
        .gives(Output::Payload("ServerSideEncryptionConfiguration", ENCRYPTION)),
    Operation::bucket("DeleteBucketEncryption", "DELETE", "encryption"),
    Operation::bucket("GetBucketVersioning", "GET", "versioning").gives(Output::Members(&[text("Status")])),
    Operation::bucket("PutBucketVersioning", "PUT", "versioning").takes(Input::Document {
        member: &structure("VersioningConfiguration", &[text("MFADelete"), text("Status")]),
        root: "VersioningConfiguration",
    }),
    Operation::bucket("PutBucketLifecycleConfiguration", "PUT", "lifecycle")
        .headers(&[("TransitionDefaultMinimumObjectSize", "x-amz-transition-default-minimum-object-size")])
        .takes(Input::Document {
            member: &structure("LifecycleConfiguration", &[LIFECYCLE_RULES]),
            root: "LifecycleConfiguration",
        }),
    Operation::bucket("GetBucketLifecycleConfiguration", "GET", "lifecycle").gives(Output::Members(&[LIFECYCLE_RULES])),
    Operation::bucket("DeleteBucketLifecycle", "DELETE", "lifecycle"),
    Operation::bucket("PutObjectLockConfiguration", "PUT", "object-lock").takes(Input::Document {
        member: &structure("ObjectLockConfiguration", LOCK),
        root: "ObjectLockConfiguration",
    }),
    Operation::bucket("GetObjectLockConfiguration", "GET", "object-lock")
        .gives(Output::Payload("ObjectLockConfiguration", LOCK)),
    Operation::bucket("PutBucketLogging", "PUT", "logging")
        .takes(Input::Document { member: &structure("BucketLoggingStatus", &[LOGGING]), root: "BucketLoggingStatus" }),
    Operation::bucket("GetBucketLogging", "GET", "logging").gives(Output::Members(&[LOGGING])),
    Operation::bucket("PutBucketInventoryConfiguration", "PUT", "inventory").parameters(INVENTORY_ID).takes(
        Input::Document { member: &structure("InventoryConfiguration", INVENTORY), root: "InventoryConfiguration" },
    ),
    Operation::bucket("GetBucketInventoryConfiguration", "GET", "inventory")
        .parameters(INVENTORY_ID)
        .gives(Output::Payload("InventoryConfiguration", INVENTORY)),
    Operation::bucket("DeleteBucketInventoryConfiguration", "DELETE", "inventory").parameters(INVENTORY_ID),
    Operation::bucket("ListObjects", "GET", "")
        .parameters(&[
            ("Delimiter", "delimiter"),
            ("EncodingType", "encoding-type"),
            ("Marker", "marker"),
            ("MaxKeys", "max-keys"),
            ("Prefix", "prefix"),
        ])
        .gives(Output::Members(&[
            flag("IsTruncated"),
            text("Marker"),
            text("NextMarker"),
            flat("Contents", "Contents", OBJECT),
            text("Name"),
            text("Prefix"),
            text("Delimiter"),
            number("MaxKeys"),
            PREFIXES,
            text("EncodingType"),
        ])),
    Operation::bucket("ListObjectsV2", "GET", "list-type=2")
        .parameters(&[
            ("ContinuationToken", "continuation-token"),
            ("Delimiter", "delimiter"),
            ("EncodingType", "encoding-type"),
            ("FetchOwner", "fetch-owner"),
            ("MaxKeys", "max-keys"),
            ("Prefix", "prefix"),
            ("StartAfter", "start-after"),
        ])
        .gives(Output::Members(&[
            flag("IsTruncated"),
            flat("Contents", "Contents", OBJECT),
            text("Name"),
            text("Prefix"),
            text("Delimiter"),
            number("MaxKeys"),
            PREFIXES,
            text("EncodingType"),
            number("KeyCount"),
            text("ContinuationToken"),
            text("NextContinuationToken"),
            text("StartAfter"),
        ])),
    Operation::object("PutObject", "PUT").headers(WRITE_HEADERS).with_metadata().takes(Input::Body),
    Operation::object("GetObject", "GET").parameters(READ_PARAMETERS).headers(READ_HEADERS).gives(Output::Object),
    Operation::object("HeadObject", "HEAD").parameters(READ_PARAMETERS).headers(READ_HEADERS),
    Operation::object("CopyObject", "PUT")
        .headers(COPY_HEADERS)
        .with_metadata()
        .gives(Output::Payload("CopyObjectResult", COPIED)),
    Operation::object("DeleteObject", "DELETE").parameters(VERSION).headers(&[("IfMatch", "if-match")]),
    Operation::bucket("DeleteObjects", "POST", "delete")
        .takes(Input::Document {
            member: &structure(
                "Delete",
                &[flat("Objects", "Object", &[text("Key"), text("VersionId"), text("ETag")]), flag("Quiet")],
            ),
            root: "Delete",
        })
        .gives(Output::Members(&[
            flat("Deleted", "Deleted", &[text("Key"), text("VersionId")]),
            flat("Errors", "Error", &[text("Key"), text("VersionId"), text("Code"), text("Message")]),
        ])),
    Operation::new("PutObjectTagging", "PUT", Target::Object, "tagging")
        .parameters(VERSION)
        .takes(Input::Document { member: &TAGGING, root: "Tagging" }),
    Operation::new("GetObjectTagging", "GET", Target::Object, "tagging").parameters(VERSION).gives(TAG_SET),
    Operation::new("DeleteObjectTagging", "DELETE", Target::Object, "tagging").parameters(VERSION),
];
