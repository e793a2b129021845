/** The actions that policies may name, of the services that the platform has. */

const NAMES: Record<string, string> = {
  apigateway:
    'DELETE GET PATCH POST PUT',
  athena:
    'BatchGetNamedQuery BatchGetPreparedStatement BatchGetQueryExecution CreateNamedQuery CreatePreparedStatement CreateWorkGroup DeleteNamedQuery ' +
    'DeletePreparedStatement DeleteWorkGroup GetDataCatalog GetDatabase GetNamedQuery GetPreparedStatement GetQueryExecution GetQueryResults ' +
    'GetQueryRuntimeStatistics GetTableMetadata GetWorkGroup ListDataCatalogs ListDatabases ListEngineVersions ListNamedQueries ListPreparedStatements ' +
    'ListQueryExecutions ListTableMetadata ListTagsForResource ListWorkGroups StartQueryExecution StopQueryExecution TagResource UntagResource ' +
    'UpdateNamedQuery UpdatePreparedStatement UpdateWorkGroup',
  cloudformation:
    'CreateChangeSet CreateStack DeleteChangeSet DeleteStack DescribeChangeSet DescribeStackEvents DescribeStackResource DescribeStackResources ' +
    'DescribeStacks ExecuteChangeSet GetTemplate GetTemplateSummary ListChangeSets ListExports ListImports ListStackResources ListStacks UpdateStack ' +
    'UpdateTerminationProtection ValidateTemplate',
  cloudtrail:
    'LookupEvents',
  events:
    'CreateEventBus DeleteEventBus DeleteRule DescribeEventBus DescribeRule DisableRule EnableRule ListEventBuses ListRuleNamesByTarget ListRules ' +
    'ListTagsForResource ListTargetsByRule PutEvents PutPermission PutRule PutTargets RemovePermission RemoveTargets TagResource TestEventPattern ' +
    'UntagResource UpdateEventBus',
  firehose:
    'CreateDeliveryStream DeleteDeliveryStream DescribeDeliveryStream ListDeliveryStreams ListTagsForDeliveryStream PutRecord PutRecordBatch ' +
    'TagDeliveryStream UntagDeliveryStream UpdateDestination',
  glue:
    'BatchCreatePartition BatchDeletePartition BatchDeleteTable BatchDeleteTableVersion BatchGetCrawlers BatchGetJobs BatchGetPartition BatchStopJobRun ' +
    'BatchUpdatePartition CreateClassifier CreateCrawler CreateDatabase CreateJob CreatePartition CreateTable DeleteClassifier ' +
    'DeleteColumnStatisticsForPartition DeleteColumnStatisticsForTable DeleteCrawler DeleteDatabase DeleteJob DeletePartition DeleteResourcePolicy ' +
    'DeleteTable DeleteTableVersion GetClassifier GetClassifiers GetColumnStatisticsForPartition GetColumnStatisticsForTable GetCrawler GetCrawlerMetrics ' +
    'GetCrawlers GetDatabase GetDatabases GetJob GetJobBookmark GetJobRun GetJobRuns GetJobs GetPartition GetPartitions GetResourcePolicies ' +
    'GetResourcePolicy GetTable GetTableVersion GetTableVersions GetTables GetTags ListCrawlers ListCrawls ListJobs PutResourcePolicy ResetJobBookmark ' +
    'SearchTables StartCrawler StartJobRun StopCrawler TagResource UntagResource UpdateClassifier UpdateColumnStatisticsForPartition ' +
    'UpdateColumnStatisticsForTable UpdateCrawler UpdateDatabase UpdateJob UpdatePartition UpdateTable',
  iam:
    'AddClientIDToOpenIDConnectProvider AddRoleToInstanceProfile AddUserToGroup AttachGroupPolicy AttachRolePolicy AttachUserPolicy CreateAccessKey ' +
    'CreateAccountAlias CreateGroup CreateInstanceProfile CreateOpenIDConnectProvider CreatePolicy CreatePolicyVersion CreateRole CreateServiceLinkedRole ' +
    'CreateUser DeleteAccessKey DeleteAccountAlias DeleteAccountPasswordPolicy DeleteGroup DeleteGroupPolicy DeleteInstanceProfile ' +
    'DeleteOpenIDConnectProvider DeletePolicy DeletePolicyVersion DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DeleteServiceLinkedRole ' +
    'DeleteUser DeleteUserPermissionsBoundary DeleteUserPolicy DetachGroupPolicy DetachRolePolicy DetachUserPolicy GenerateCredentialReport ' +
    'GenerateServiceLastAccessedDetails GetAccessKeyLastUsed GetAccountAuthorizationDetails GetAccountPasswordPolicy GetAccountSummary ' +
    'GetContextKeysForCustomPolicy GetContextKeysForPrincipalPolicy GetCredentialReport GetGroup GetGroupPolicy GetInstanceProfile GetOpenIDConnectProvider ' +
    'GetPolicy GetPolicyVersion GetRole GetRolePolicy GetServiceLastAccessedDetails GetServiceLinkedRoleDeletionStatus GetUser GetUserPolicy ListAccessKeys ' +
    'ListAccountAliases ListAttachedGroupPolicies ListAttachedRolePolicies ListAttachedUserPolicies ListEntitiesForPolicy ListGroupPolicies ListGroups ' +
    'ListGroupsForUser ListInstanceProfileTags ListInstanceProfiles ListInstanceProfilesForRole ListOpenIDConnectProviderTags ListOpenIDConnectProviders ' +
    'ListPolicies ListPoliciesGrantingServiceAccess ListPolicyTags ListPolicyVersions ListRolePolicies ListRoleTags ListRoles ListUserPolicies ListUserTags ' +
    'ListUsers PassRole PutGroupPolicy PutRolePermissionsBoundary PutRolePolicy PutUserPermissionsBoundary PutUserPolicy ' +
    'RemoveClientIDFromOpenIDConnectProvider RemoveRoleFromInstanceProfile RemoveUserFromGroup SetDefaultPolicyVersion SimulateCustomPolicy ' +
    'SimulatePrincipalPolicy TagInstanceProfile TagOpenIDConnectProvider TagPolicy TagRole TagUser UntagInstanceProfile UntagOpenIDConnectProvider ' +
    'UntagPolicy UntagRole UntagUser UpdateAccessKey UpdateAccountPasswordPolicy UpdateAssumeRolePolicy UpdateGroup UpdateOpenIDConnectProviderThumbprint ' +
    'UpdateRole UpdateRoleDescription UpdateUser',
  lambda:
    'AddPermission CreateAlias CreateEventSourceMapping CreateFunction DeleteAlias DeleteEventSourceMapping DeleteFunction DeleteFunctionConcurrency ' +
    'DeleteFunctionEventInvokeConfig DeleteLayerVersion GetAccountSettings GetAlias GetEventSourceMapping GetFunction GetFunctionConcurrency ' +
    'GetFunctionConfiguration GetFunctionEventInvokeConfig GetLayerVersion GetPolicy InvokeFunction ListAliases ListEventSourceMappings ' +
    'ListFunctionEventInvokeConfigs ListFunctions ListLayerVersions ListLayers ListTags ListVersionsByFunction PublishLayerVersion PublishVersion ' +
    'PutFunctionConcurrency PutFunctionEventInvokeConfig RemovePermission TagResource UntagResource UpdateAlias UpdateEventSourceMapping UpdateFunctionCode ' +
    'UpdateFunctionConfiguration UpdateFunctionEventInvokeConfig',
  logs:
    'CreateLogGroup CreateLogStream DeleteLogGroup DeleteLogStream DeleteResourcePolicy DeleteRetentionPolicy DescribeLogGroups DescribeLogStreams ' +
    'DescribeResourcePolicies FilterLogEvents GetLogEvents ListTagsForResource PutLogEvents PutResourcePolicy PutRetentionPolicy TagResource UntagResource',
  s3:
    'AbortMultipartUpload BypassGovernanceRetention CreateBucket DeleteBucket DeleteBucketPolicy DeleteObject DeleteObjectTagging DeleteObjectVersion ' +
    'DeleteObjectVersionTagging GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging GetBucketNotification GetBucketObjectLockConfiguration ' +
    'GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketTagging GetBucketVersioning ' +
    'GetEncryptionConfiguration GetInventoryConfiguration GetLifecycleConfiguration GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold ' +
    'GetObjectRetention GetObjectTagging GetObjectVersion GetObjectVersionAcl GetObjectVersionTagging ListAllMyBuckets ListBucket ' +
    'ListBucketMultipartUploads ListBucketVersions ListMultipartUploadParts PutBucketAcl PutBucketCORS PutBucketLogging PutBucketNotification ' +
    'PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging PutBucketVersioning ' +
    'PutEncryptionConfiguration PutInventoryConfiguration PutLifecycleConfiguration PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention ' +
    'PutObjectTagging RestoreObject',
  scheduler:
    'CreateSchedule CreateScheduleGroup DeleteSchedule DeleteScheduleGroup GetSchedule GetScheduleGroup ListScheduleGroups ListSchedules ' +
    'ListTagsForResource TagResource UntagResource UpdateSchedule',
  sqs:
    'AddPermission CancelMessageMoveTask ChangeMessageVisibility CreateQueue DeleteMessage DeleteQueue GetQueueAttributes GetQueueUrl ' +
    'ListDeadLetterSourceQueues ListMessageMoveTasks ListQueueTags ListQueues PurgeQueue ReceiveMessage RemovePermission SendMessage SetQueueAttributes ' +
    'StartMessageMoveTask TagQueue UntagQueue',
  states:
    'CreateActivity CreateStateMachine CreateStateMachineAlias DeleteActivity DeleteStateMachine DeleteStateMachineAlias DeleteStateMachineVersion ' +
    'DescribeActivity DescribeExecution DescribeStateMachine DescribeStateMachineAlias DescribeStateMachineForExecution GetActivityTask GetExecutionHistory ' +
    'ListActivities ListExecutions ListStateMachineAliases ListStateMachineVersions ListStateMachines ListTagsForResource PublishStateMachineVersion ' +
    'RedriveExecution SendTaskFailure SendTaskHeartbeat SendTaskSuccess StartExecution StartSyncExecution StopExecution TagResource TestState UntagResource ' +
    'UpdateStateMachine UpdateStateMachineAlias ValidateStateMachineDefinition',
  sts:
    'AssumeRole AssumeRoleWithWebIdentity DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity GetFederationToken GetSessionToken',
};

/** All of them, as `s3:GetObject`. */
export const ACTIONS: readonly string[] = Object.entries(NAMES).flatMap(([service, names]) => names.split(' ').map((name) => `${service}:${name}`));
