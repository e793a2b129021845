//! Wire types of the operations ("AWS CloudFormation API: Actions"). Options that AWS has and Boathouse has not are read, so
//! that they can be refused by name.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Declares wire types: AWS's member names, absent members left out.
macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
            #[serde(rename_all = "PascalCase")]
            pub(crate) struct $name { $($(#[$attr])* pub(crate) $field: $kind),* }
        )*
    };
}

wire! {
    /// A stack's tag.
    Tag {
        key: String,
        value: String,
    }

    /// A parameter's value, or that it stays what it is.
    Parameter {
        parameter_key: String,
        parameter_value: Option<String>,
        use_previous_value: Option<bool>,
        resolved_value: Option<String>,
    }

    /// CreateStack, UpdateStack and CreateChangeSet have most of their members in common.
    StackInput {
        #[serde(default)]
        stack_name: String,
        template_body: Option<String>,
        #[serde(rename = "TemplateURL")]
        template_url: Option<String>,
        use_previous_template: Option<bool>,
        #[serde(default)]
        parameters: Vec<Parameter>,
        #[serde(default)]
        capabilities: Vec<String>,
        #[serde(rename = "RoleARN")]
        role_arn: Option<String>,
        tags: Option<Vec<Tag>>,
        client_request_token: Option<String>,
        disable_rollback: Option<bool>,
        on_failure: Option<String>,
        enable_termination_protection: Option<bool>,
        timeout_in_minutes: Option<u32>,
        #[serde(default, rename = "NotificationARNs")]
        notification_arns: Vec<String>,
        #[serde(default)]
        resource_types: Vec<String>,
        rollback_configuration: Option<Value>,
        stack_policy_body: Option<String>,
        #[serde(rename = "StackPolicyURL")]
        stack_policy_url: Option<String>,
        retain_except_on_create: Option<bool>,
        change_set_name: Option<String>,
        change_set_type: Option<String>,
        description: Option<String>,
        client_token: Option<String>,
        include_nested_stacks: Option<bool>,
        on_stack_failure: Option<String>,
        resources_to_import: Option<Value>,
        import_existing_resources: Option<bool>,
        deployment_mode: Option<String>,
    }

    /// DeleteStack.
    DeleteStack {
        stack_name: String,
        #[serde(default)]
        retain_resources: Vec<String>,
        #[serde(rename = "RoleARN")]
        role_arn: Option<String>,
        client_request_token: Option<String>,
        deletion_mode: Option<String>,
    }

    /// DescribeStacks, DescribeStackEvents, ListStackResources.
    StackPage {
        stack_name: Option<String>,
        next_token: Option<String>,
    }

    /// ListStacks.
    ListStacks {
        next_token: Option<String>,
        #[serde(default)]
        stack_status_filter: Vec<String>,
    }

    /// DescribeStackResources, DescribeStackResource.
    StackResource {
        stack_name: Option<String>,
        logical_resource_id: Option<String>,
        physical_resource_id: Option<String>,
    }

    /// GetTemplate.
    GetTemplate {
        stack_name: Option<String>,
        change_set_name: Option<String>,
        template_stage: Option<String>,
    }

    /// ValidateTemplate, GetTemplateSummary.
    TemplateInput {
        template_body: Option<String>,
        #[serde(rename = "TemplateURL")]
        template_url: Option<String>,
        stack_name: Option<String>,
    }

    /// DescribeChangeSet, DeleteChangeSet.
    ChangeSetInput {
        change_set_name: String,
        stack_name: Option<String>,
        next_token: Option<String>,
        include_property_values: Option<bool>,
    }

    /// ExecuteChangeSet.
    ExecuteChangeSet {
        change_set_name: String,
        stack_name: Option<String>,
        client_request_token: Option<String>,
        disable_rollback: Option<bool>,
        retain_except_on_create: Option<bool>,
    }

    /// UpdateTerminationProtection.
    TerminationProtection {
        stack_name: String,
        enable_termination_protection: bool,
    }

    /// ListExports.
    ListExports {
        next_token: Option<String>,
    }

    /// ListImports.
    ListImports {
        export_name: String,
        next_token: Option<String>,
    }

    /// ListChangeSets.
    ListChangeSets {
        stack_name: String,
        next_token: Option<String>,
    }
}

/// An answer without members.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Empty {}
