//! Managed policies of AWS's own names. The documents are Boathouse's, and grant what the names promise.

use boathouse_aws::sigv4::sha256_hex;

/// A policy that belongs to AWS.
#[derive(Debug)]
pub(crate) struct AwsPolicy {
    /// The ARN's part after `policy`, such as `/service-role/AWSGlueServiceRole`.
    pub(crate) resource: &'static str,
    pub(crate) description: &'static str,
    pub(crate) document: &'static str,
}

const ARN_PREFIX: &str = "arn:aws:iam::aws:policy";

impl AwsPolicy {
    /// The policy's ARN.
    pub(crate) fn arn(&self) -> String {
        format!("{ARN_PREFIX}{}", self.resource)
    }

    /// The last part of the ARN.
    pub(crate) fn name(&self) -> &'static str {
        self.resource.rsplit('/').next().unwrap_or_default()
    }

    /// What is before the name.
    pub(crate) fn path(&self) -> &'static str {
        self.resource.strip_suffix(self.name()).unwrap_or("/")
    }

    /// An id that stays the same from start to start.
    pub(crate) fn id(&self) -> String {
        format!("ANPA{}", sha256_hex(self.resource.as_bytes())[..17].to_ascii_uppercase())
    }
}

/// The policy of this ARN.
pub(crate) fn find(arn: &str) -> Option<&'static AwsPolicy> {
    let resource = arn.strip_prefix(ARN_PREFIX)?;
    ALL.iter().find(|policy| policy.resource == resource)
}

macro_rules! allow {
    ($actions:literal) => {
        allow!($actions, "\"*\"")
    };
    ($actions:literal, $resources:literal) => {
        concat!("{\"Effect\": \"Allow\", \"Action\": [", $actions, "], \"Resource\": [", $resources, "]}")
    };
}

macro_rules! document {
    ($($statement:expr),+) => {
        concat!("{\"Version\": \"2012-10-17\", \"Statement\": [", document!(@list $($statement),+), "]}")
    };
    (@list $first:expr $(, $more:expr)*) => {
        concat!($first $(, ", ", $more)*)
    };
}

/// Every AWS managed policy that Boathouse knows.
pub(crate) static ALL: &[AwsPolicy] = &[
    AwsPolicy {
        resource: "/AdministratorAccess",
        description: "Provides full access to AWS services and resources.",
        document: document!(allow!("\"*\"")),
    },
    AwsPolicy {
        resource: "/PowerUserAccess",
        description: "Provides full access to AWS services and resources, but does not allow management of users and groups.",
        document: document!(
            "{\"Effect\": \"Allow\", \"NotAction\": [\"iam:*\", \"organizations:*\", \"account:*\"], \"Resource\": \"*\"}",
            allow!("\"iam:CreateServiceLinkedRole\", \"iam:DeleteServiceLinkedRole\", \"iam:ListRoles\"")
        ),
    },
    AwsPolicy {
        resource: "/ReadOnlyAccess",
        description: "Provides read-only access to AWS services and resources.",
        document: document!(allow!(
            "\"athena:BatchGet*\", \"athena:Get*\", \"athena:List*\", \"glue:BatchGet*\", \"glue:Get*\", \"glue:List*\", \"glue:QuerySchemaVersionMetadata\", \"glue:SearchTables\", \"iam:Get*\", \"iam:List*\", \"iam:Simulate*\", \"kinesis:Describe*\", \"kinesis:Get*\", \"kinesis:List*\", \"firehose:Describe*\", \"firehose:List*\", \"lambda:Get*\", \"lambda:List*\", \"logs:Describe*\", \"logs:FilterLogEvents\", \"logs:Get*\", \"s3:Get*\", \"s3:List*\", \"s3:Head*\", \"states:Describe*\", \"states:Get*\", \"states:List*\", \"sts:GetAccessKeyInfo\", \"sts:GetCallerIdentity\", \"sts:GetSessionToken\""
        )),
    },
    AwsPolicy {
        resource: "/IAMFullAccess",
        description: "Provides full access to IAM.",
        document: document!(allow!("\"iam:*\"")),
    },
    AwsPolicy {
        resource: "/IAMReadOnlyAccess",
        description: "Provides read only access to IAM.",
        document: document!(allow!("\"iam:Get*\", \"iam:List*\", \"iam:Simulate*\"")),
    },
    AwsPolicy {
        resource: "/AmazonS3FullAccess",
        description: "Provides full access to all buckets.",
        document: document!(allow!("\"s3:*\", \"s3-object-lambda:*\"")),
    },
    AwsPolicy {
        resource: "/AmazonS3ReadOnlyAccess",
        description: "Provides read only access to all buckets.",
        document: document!(allow!(
            "\"s3:Get*\", \"s3:List*\", \"s3:Describe*\", \"s3-object-lambda:Get*\", \"s3-object-lambda:List*\""
        )),
    },
    AwsPolicy {
        resource: "/AWSGlueConsoleFullAccess",
        description: "Provides full access to AWS Glue.",
        document: document!(
            allow!(
                "\"glue:*\", \"s3:ListAllMyBuckets\", \"s3:ListBucket\", \"s3:GetBucketAcl\", \"s3:GetBucketLocation\", \"iam:ListRoles\", \"iam:GetRole\", \"iam:GetRolePolicy\", \"iam:ListRolePolicies\", \"iam:ListAttachedRolePolicies\", \"logs:GetLogEvents\", \"cloudwatch:GetMetricData\", \"cloudwatch:ListDashboards\""
            ),
            allow!(
                "\"s3:GetObject\", \"s3:PutObject\"",
                "\"arn:aws:s3:::aws-glue-*/*\", \"arn:aws:s3:::*/*aws-glue-*/*\""
            ),
            allow!("\"s3:CreateBucket\", \"s3:PutBucketPublicAccessBlock\"", "\"arn:aws:s3:::aws-glue-*\""),
            "{\"Effect\": \"Allow\", \"Action\": [\"iam:PassRole\"], \"Resource\": [\"arn:aws:iam::*:role/AWSGlueServiceRole*\", \"arn:aws:iam::*:role/service-role/AWSGlueServiceRole*\"], \"Condition\": {\"StringLike\": {\"iam:PassedToService\": [\"glue.amazonaws.com\"]}}}"
        ),
    },
    AwsPolicy {
        resource: "/AmazonAthenaFullAccess",
        description: "Provides full access to Amazon Athena and to what queries need.",
        document: document!(
            allow!("\"athena:*\""),
            allow!(
                "\"glue:CreateDatabase\", \"glue:DeleteDatabase\", \"glue:GetCatalog\", \"glue:GetCatalogs\", \"glue:GetDatabase\", \"glue:GetDatabases\", \"glue:UpdateDatabase\", \"glue:CreateTable\", \"glue:DeleteTable\", \"glue:BatchDeleteTable\", \"glue:UpdateTable\", \"glue:GetTable\", \"glue:GetTables\", \"glue:BatchCreatePartition\", \"glue:CreatePartition\", \"glue:DeletePartition\", \"glue:BatchDeletePartition\", \"glue:UpdatePartition\", \"glue:GetPartition\", \"glue:GetPartitions\", \"glue:BatchGetPartition\", \"glue:StartColumnStatisticsTaskRun\", \"glue:GetColumnStatisticsTaskRun\", \"glue:GetColumnStatisticsTaskRuns\""
            ),
            allow!(
                "\"s3:GetBucketLocation\", \"s3:GetObject\", \"s3:ListBucket\", \"s3:ListBucketMultipartUploads\", \"s3:ListMultipartUploadParts\", \"s3:AbortMultipartUpload\", \"s3:CreateBucket\", \"s3:PutObject\", \"s3:PutBucketPublicAccessBlock\"",
                "\"arn:aws:s3:::aws-athena-query-results-*\""
            ),
            allow!("\"s3:GetObject\", \"s3:ListBucket\"", "\"arn:aws:s3:::athena-examples*\""),
            allow!("\"s3:ListBucket\", \"s3:GetBucketLocation\", \"s3:ListAllMyBuckets\""),
            allow!("\"lakeformation:GetDataAccess\"")
        ),
    },
    AwsPolicy {
        resource: "/service-role/AWSGlueServiceRole",
        description: "Lets AWS Glue's jobs and crawlers reach the catalog, its buckets and its logs.",
        document: document!(
            allow!(
                "\"glue:*\", \"s3:GetBucketLocation\", \"s3:ListBucket\", \"s3:ListAllMyBuckets\", \"s3:GetBucketAcl\", \"iam:ListRolePolicies\", \"iam:GetRole\", \"iam:GetRolePolicy\", \"cloudwatch:PutMetricData\""
            ),
            allow!("\"s3:CreateBucket\", \"s3:PutBucketPublicAccessBlock\"", "\"arn:aws:s3:::aws-glue-*\""),
            allow!(
                "\"s3:GetObject\", \"s3:PutObject\", \"s3:DeleteObject\"",
                "\"arn:aws:s3:::aws-glue-*/*\", \"arn:aws:s3:::*/*aws-glue-*/*\""
            ),
            allow!("\"s3:GetObject\"", "\"arn:aws:s3:::crawler-public*\", \"arn:aws:s3:::aws-glue-*\""),
            allow!(
                "\"logs:CreateLogGroup\", \"logs:CreateLogStream\", \"logs:PutLogEvents\"",
                "\"arn:aws:logs:*:*:*:/aws-glue/*\""
            )
        ),
    },
    AwsPolicy {
        resource: "/service-role/AWSLambdaBasicExecutionRole",
        description: "Lets Lambda functions write their logs.",
        document: document!(allow!("\"logs:CreateLogGroup\", \"logs:CreateLogStream\", \"logs:PutLogEvents\"")),
    },
    AwsPolicy {
        resource: "/AWSLambda_FullAccess",
        description: "Provides full access to AWS Lambda.",
        document: document!(allow!(
            "\"lambda:*\", \"logs:DescribeLogStreams\", \"logs:GetLogEvents\", \"logs:FilterLogEvents\", \"iam:GetRole\", \"iam:ListRoles\", \"iam:GetPolicy\", \"iam:GetPolicyVersion\", \"iam:ListAttachedRolePolicies\", \"iam:ListRolePolicies\""
        )),
    },
    AwsPolicy {
        resource: "/AmazonKinesisFullAccess",
        description: "Provides full access to all streams.",
        document: document!(allow!("\"kinesis:*\"")),
    },
    AwsPolicy {
        resource: "/AmazonKinesisFirehoseFullAccess",
        description: "Provides full access to all delivery streams.",
        document: document!(allow!("\"firehose:*\"")),
    },
    AwsPolicy {
        resource: "/AWSStepFunctionsFullAccess",
        description: "Provides full access to AWS Step Functions.",
        document: document!(allow!("\"states:*\"")),
    },
    AwsPolicy {
        resource: "/CloudWatchLogsFullAccess",
        description: "Provides full access to CloudWatch Logs.",
        document: document!(allow!("\"logs:*\"")),
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::policy::{Policy, PolicyKind};

    #[test]
    fn every_document_is_valid_and_found_by_its_arn() {
        let mut ids = BTreeSet::new();
        for policy in ALL {
            Policy::parse(policy.document, PolicyKind::Identity).unwrap();
            assert_eq!(find(&policy.arn()).unwrap().resource, policy.resource);
            assert!(ids.insert(policy.id()));
        }
        let glue = find("arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole").unwrap();
        assert_eq!((glue.path(), glue.name(), glue.id().len()), ("/service-role/", "AWSGlueServiceRole", 21));
        assert!(find("arn:aws:iam::aws:policy/Nothing").is_none());
    }
}
