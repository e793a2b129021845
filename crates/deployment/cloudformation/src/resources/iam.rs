//! AWS::IAM: roles, users, groups, managed and inline policies.

use serde_json::{Value, json};

use super::shapes::{added, document, removed_tags, when, with};
use super::subject::Subject;
use super::{Call, Naming, Read, ResourceType, by_name, call, calls, plain, ready};

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::IAM::Role",
        schema: "RoleName^ Path^ AssumeRolePolicyDocument!:j Description ManagedPolicyArns[] MaxSessionDuration:i \
                 PermissionsBoundary Policies[{PolicyName! PolicyDocument!:j}] Tags[{Key! Value!}]",
        naming: Naming::Property("RoleName", plain(64)),
        create: &[
            call!("iam", "CreateRole", |s| with(
                s.pick(&["Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags"]),
                json!({"RoleName": s.name, "AssumeRolePolicyDocument": document(&s.get("AssumeRolePolicyDocument"))}),
            )),
            calls!("iam", "PutRolePolicy", |s| inline(s, "RoleName", s.items("Policies").iter().collect())),
            calls!("iam", "AttachRolePolicy", |s| attached(
                s,
                "RoleName",
                s.items("ManagedPolicyArns").iter().collect()
            )),
        ],
        update: &[
            calls!("iam", "UpdateAssumeRolePolicy", |s| when(s.changed(&["AssumeRolePolicyDocument"]), || {
                json!({"RoleName": s.name, "PolicyDocument": document(&s.get("AssumeRolePolicyDocument"))})
            })),
            calls!("iam", "UpdateRole", |s| when(s.changed(&["Description", "MaxSessionDuration"]), || json!({
                "RoleName": s.name,
                "Description": s.text("Description"),
                "MaxSessionDuration": s.properties.get("MaxSessionDuration").cloned().unwrap_or(json!(3600)),
            }))),
            calls!("iam", "PutRolePermissionsBoundary", |s| boundary_set(s, "RoleName")),
            calls!("iam", "DeleteRolePermissionsBoundary", |s| boundary_gone(s, "RoleName")),
            calls!("iam", "PutRolePolicy", |s| inline(
                s,
                "RoleName",
                added(s.items("Policies"), s.old_items("Policies"))
            )),
            calls!("iam", "DeleteRolePolicy", |s| inline_gone(s, "RoleName")),
            calls!("iam", "AttachRolePolicy", |s| attached(
                s,
                "RoleName",
                added(s.items("ManagedPolicyArns"), s.old_items("ManagedPolicyArns")),
            )),
            calls!("iam", "DetachRolePolicy", |s| attached(
                s,
                "RoleName",
                added(s.old_items("ManagedPolicyArns"), s.items("ManagedPolicyArns")),
            )),
            calls!("iam", "TagRole", |s| tagged(s, "RoleName")),
            calls!("iam", "UntagRole", |s| untagged(s, "RoleName")),
        ],
        delete: &[
            calls!("iam", "DetachRolePolicy", |s| attached(
                s,
                "RoleName",
                s.items("ManagedPolicyArns").iter().collect()
            )),
            calls!("iam", "DeleteRolePolicy", |s| inline_names(s, "RoleName")),
            call!("iam", "DeleteRole", |s| json!({"RoleName": s.name})),
        ],
        read: Some(Read { service: "iam", operation: "GetRole", input: |s| json!({"RoleName": s.name}), state: ready }),
        physical: by_name,
        attributes: &[("Arn", |s| s.answered("/Role/Arn")), ("RoleId", |s| s.answered("/Role/RoleId"))],
    },
    ResourceType {
        name: "AWS::IAM::User",
        schema: "UserName^ Path^ Groups[] ManagedPolicyArns[] PermissionsBoundary \
                 Policies[{PolicyName! PolicyDocument!:j}] Tags[{Key! Value!}]",
        naming: Naming::Property("UserName", plain(64)),
        create: &[
            call!("iam", "CreateUser", |s| with(
                s.pick(&["Path", "PermissionsBoundary", "Tags"]),
                json!({"UserName": s.name}),
            )),
            calls!("iam", "AddUserToGroup", |s| member_of(s, s.items("Groups").iter().collect())),
            calls!("iam", "PutUserPolicy", |s| inline(s, "UserName", s.items("Policies").iter().collect())),
            calls!("iam", "AttachUserPolicy", |s| attached(
                s,
                "UserName",
                s.items("ManagedPolicyArns").iter().collect()
            )),
        ],
        update: &[
            calls!("iam", "AddUserToGroup", |s| member_of(s, added(s.items("Groups"), s.old_items("Groups")))),
            calls!("iam", "RemoveUserFromGroup", |s| member_of(s, added(s.old_items("Groups"), s.items("Groups")))),
            calls!("iam", "PutUserPermissionsBoundary", |s| boundary_set(s, "UserName")),
            calls!("iam", "DeleteUserPermissionsBoundary", |s| boundary_gone(s, "UserName")),
            calls!("iam", "PutUserPolicy", |s| inline(
                s,
                "UserName",
                added(s.items("Policies"), s.old_items("Policies"))
            )),
            calls!("iam", "DeleteUserPolicy", |s| inline_gone(s, "UserName")),
            calls!("iam", "AttachUserPolicy", |s| attached(
                s,
                "UserName",
                added(s.items("ManagedPolicyArns"), s.old_items("ManagedPolicyArns")),
            )),
            calls!("iam", "DetachUserPolicy", |s| attached(
                s,
                "UserName",
                added(s.old_items("ManagedPolicyArns"), s.items("ManagedPolicyArns")),
            )),
            calls!("iam", "TagUser", |s| tagged(s, "UserName")),
            calls!("iam", "UntagUser", |s| untagged(s, "UserName")),
        ],
        delete: &[
            calls!("iam", "RemoveUserFromGroup", |s| member_of(s, s.items("Groups").iter().collect())),
            calls!("iam", "DetachUserPolicy", |s| attached(
                s,
                "UserName",
                s.items("ManagedPolicyArns").iter().collect()
            )),
            calls!("iam", "DeleteUserPolicy", |s| inline_names(s, "UserName")),
            call!("iam", "DeleteUser", |s| json!({"UserName": s.name})),
        ],
        read: Some(Read { service: "iam", operation: "GetUser", input: |s| json!({"UserName": s.name}), state: ready }),
        physical: by_name,
        attributes: &[("Arn", |s| s.answered("/User/Arn"))],
    },
    ResourceType {
        name: "AWS::IAM::Group",
        schema: "GroupName^ Path^ ManagedPolicyArns[] Policies[{PolicyName! PolicyDocument!:j}]",
        naming: Naming::Property("GroupName", plain(128)),
        create: &[
            call!("iam", "CreateGroup", |s| with(s.pick(&["Path"]), json!({"GroupName": s.name}))),
            calls!("iam", "PutGroupPolicy", |s| inline(s, "GroupName", s.items("Policies").iter().collect())),
            calls!("iam", "AttachGroupPolicy", |s| attached(
                s,
                "GroupName",
                s.items("ManagedPolicyArns").iter().collect()
            )),
        ],
        update: &[
            calls!("iam", "PutGroupPolicy", |s| inline(
                s,
                "GroupName",
                added(s.items("Policies"), s.old_items("Policies"))
            )),
            calls!("iam", "DeleteGroupPolicy", |s| inline_gone(s, "GroupName")),
            calls!("iam", "AttachGroupPolicy", |s| attached(
                s,
                "GroupName",
                added(s.items("ManagedPolicyArns"), s.old_items("ManagedPolicyArns")),
            )),
            calls!("iam", "DetachGroupPolicy", |s| attached(
                s,
                "GroupName",
                added(s.old_items("ManagedPolicyArns"), s.items("ManagedPolicyArns")),
            )),
        ],
        delete: &[
            calls!("iam", "DetachGroupPolicy", |s| attached(
                s,
                "GroupName",
                s.items("ManagedPolicyArns").iter().collect()
            )),
            calls!("iam", "DeleteGroupPolicy", |s| inline_names(s, "GroupName")),
            call!("iam", "DeleteGroup", |s| json!({"GroupName": s.name})),
        ],
        read: Some(Read {
            service: "iam",
            operation: "GetGroup",
            input: |s| json!({"GroupName": s.name}),
            state: ready,
        }),
        physical: by_name,
        attributes: &[("Arn", |s| s.answered("/Group/Arn"))],
    },
    ResourceType {
        name: "AWS::IAM::ManagedPolicy",
        schema: "ManagedPolicyName^ Path^ Description^ PolicyDocument!:j Roles[] Users[] Groups[]",
        naming: Naming::Property("ManagedPolicyName", plain(128)),
        create: &[
            call!("iam", "CreatePolicy", |s| with(
                s.pick(&["Path", "Description"]),
                json!({"PolicyName": s.name, "PolicyDocument": document(&s.get("PolicyDocument"))}),
            )),
            attach_to("AttachRolePolicy", |s| holders(s, "Roles", "RoleName", s.items("Roles").iter().collect())),
            attach_to("AttachUserPolicy", |s| holders(s, "Users", "UserName", s.items("Users").iter().collect())),
            attach_to("AttachGroupPolicy", |s| holders(s, "Groups", "GroupName", s.items("Groups").iter().collect())),
        ],
        update: &[
            calls!("iam", "CreatePolicyVersion", |s| when(s.changed(&["PolicyDocument"]), || json!({
                "PolicyArn": s.physical,
                "PolicyDocument": document(&s.get("PolicyDocument")),
                "SetAsDefault": true,
            }))),
            // A policy has five versions at most: the one that was the default until now goes.
            calls!("iam", "DeletePolicyVersion", |s| when(s.changed(&["PolicyDocument"]), || json!({
                "PolicyArn": s.physical,
                "VersionId": s.answered("/Policy/DefaultVersionId"),
            }))),
            attach_to("AttachRolePolicy", |s| {
                holders(s, "Roles", "RoleName", added(s.items("Roles"), s.old_items("Roles")))
            }),
            attach_to("DetachRolePolicy", |s| {
                holders(s, "Roles", "RoleName", added(s.old_items("Roles"), s.items("Roles")))
            }),
            attach_to("AttachUserPolicy", |s| {
                holders(s, "Users", "UserName", added(s.items("Users"), s.old_items("Users")))
            }),
            attach_to("DetachUserPolicy", |s| {
                holders(s, "Users", "UserName", added(s.old_items("Users"), s.items("Users")))
            }),
            attach_to("AttachGroupPolicy", |s| {
                holders(s, "Groups", "GroupName", added(s.items("Groups"), s.old_items("Groups")))
            }),
            attach_to("DetachGroupPolicy", |s| {
                holders(s, "Groups", "GroupName", added(s.old_items("Groups"), s.items("Groups")))
            }),
        ],
        delete: &[
            attach_to("DetachRolePolicy", |s| holders(s, "Roles", "RoleName", s.items("Roles").iter().collect())),
            attach_to("DetachUserPolicy", |s| holders(s, "Users", "UserName", s.items("Users").iter().collect())),
            attach_to("DetachGroupPolicy", |s| holders(s, "Groups", "GroupName", s.items("Groups").iter().collect())),
            call!("iam", "DeletePolicy", |s| json!({"PolicyArn": policy_arn(s)})),
        ],
        read: Some(Read {
            service: "iam",
            operation: "GetPolicy",
            input: |s| json!({"PolicyArn": policy_arn(s)}),
            state: ready,
        }),
        physical: |s| Some(policy_arn(s)),
        attributes: &[("PolicyArn", |s| s.answered("/Policy/Arn")), ("PolicyId", |s| s.answered("/Policy/PolicyId"))],
    },
    ResourceType {
        name: "AWS::IAM::Policy",
        schema: "PolicyName!^ PolicyDocument!:j Roles[] Users[] Groups[]",
        naming: Naming::Generated(plain(128)),
        create: &[
            calls!("iam", "PutRolePolicy", |s| put_on(s, "Roles", "RoleName", s.items("Roles").iter().collect())),
            calls!("iam", "PutUserPolicy", |s| put_on(s, "Users", "UserName", s.items("Users").iter().collect())),
            calls!("iam", "PutGroupPolicy", |s| put_on(s, "Groups", "GroupName", s.items("Groups").iter().collect())),
        ],
        update: &[
            calls!("iam", "PutRolePolicy", |s| put_on(s, "Roles", "RoleName", s.items("Roles").iter().collect())),
            calls!("iam", "PutUserPolicy", |s| put_on(s, "Users", "UserName", s.items("Users").iter().collect())),
            calls!("iam", "PutGroupPolicy", |s| put_on(s, "Groups", "GroupName", s.items("Groups").iter().collect())),
            calls!("iam", "DeleteRolePolicy", |s| taken_from(
                s,
                "RoleName",
                added(s.old_items("Roles"), s.items("Roles"))
            )),
            calls!("iam", "DeleteUserPolicy", |s| taken_from(
                s,
                "UserName",
                added(s.old_items("Users"), s.items("Users"))
            )),
            calls!("iam", "DeleteGroupPolicy", |s| {
                taken_from(s, "GroupName", added(s.old_items("Groups"), s.items("Groups")))
            }),
        ],
        delete: &[
            calls!("iam", "DeleteRolePolicy", |s| taken_from(s, "RoleName", s.items("Roles").iter().collect())),
            calls!("iam", "DeleteUserPolicy", |s| taken_from(s, "UserName", s.items("Users").iter().collect())),
            calls!("iam", "DeleteGroupPolicy", |s| taken_from(s, "GroupName", s.items("Groups").iter().collect())),
        ],
        read: None,
        physical: by_name,
        attributes: &[],
    },
    ResourceType {
        name: "AWS::IAM::RolePolicy",
        schema: "PolicyName!^ RoleName!^ PolicyDocument:j",
        naming: Naming::Property("PolicyName", plain(128)),
        create: &[call!("iam", "PutRolePolicy", |s| role_policy(s))],
        update: &[call!("iam", "PutRolePolicy", |s| role_policy(s))],
        delete: &[call!("iam", "DeleteRolePolicy", |s| json!({"RoleName": s.text("RoleName"), "PolicyName": s.name}))],
        read: None,
        physical: |s| Some(format!("{}|{}", s.name, s.text("RoleName"))),
        attributes: &[],
    },
];

type Inputs = Vec<Value>;

/// Calls that attach or detach the managed policy in hand.
const fn attach_to(operation: &'static str, inputs: fn(&Subject<'_>) -> Result<Vec<Value>, String>) -> Call {
    Call { service: "iam", operation, inputs }
}

fn policy_arn(s: &Subject<'_>) -> String {
    if s.physical.starts_with("arn:") {
        return s.physical.to_owned();
    }
    let path = s.properties.get("Path").and_then(Value::as_str).unwrap_or("/");
    format!("arn:aws:iam::{}:policy{path}{}", s.account(), s.name)
}

fn holders(s: &Subject<'_>, _: &str, holder: &str, names: Vec<&Value>) -> Result<Inputs, String> {
    Ok(names.into_iter().map(|name| json!({holder: name, "PolicyArn": policy_arn(s)})).collect())
}

fn put_on(s: &Subject<'_>, _: &str, holder: &str, names: Vec<&Value>) -> Inputs {
    let text = document(&s.get("PolicyDocument"));
    let one = |name: &Value| json!({holder: name, "PolicyName": s.text("PolicyName"), "PolicyDocument": text});
    names.into_iter().map(one).collect()
}

fn taken_from(s: &Subject<'_>, holder: &str, names: Vec<&Value>) -> Inputs {
    names.into_iter().map(|name| json!({holder: name, "PolicyName": s.text("PolicyName")})).collect()
}

fn role_policy(s: &Subject<'_>) -> Value {
    json!({
        "RoleName": s.text("RoleName"),
        "PolicyName": s.name,
        "PolicyDocument": document(&s.get("PolicyDocument")),
    })
}

fn inline(s: &Subject<'_>, holder: &str, policies: Vec<&Value>) -> Inputs {
    let one = |policy: &Value| {
        json!({
            holder: s.name,
            "PolicyName": policy["PolicyName"],
            "PolicyDocument": document(&policy["PolicyDocument"]),
        })
    };
    policies.into_iter().map(one).collect()
}

/// The inline policies whose name the new properties lack.
fn inline_gone(s: &Subject<'_>, holder: &str) -> Inputs {
    let kept: Vec<&Value> = s.items("Policies").iter().map(|policy| &policy["PolicyName"]).collect();
    let gone = s.old_items("Policies").iter().map(|policy| &policy["PolicyName"]).filter(|name| !kept.contains(name));
    gone.map(|name| json!({holder: s.name, "PolicyName": name})).collect()
}

fn inline_names(s: &Subject<'_>, holder: &str) -> Inputs {
    s.items("Policies").iter().map(|policy| json!({holder: s.name, "PolicyName": policy["PolicyName"]})).collect()
}

fn attached(s: &Subject<'_>, holder: &str, arns: Vec<&Value>) -> Inputs {
    arns.into_iter().map(|arn| json!({holder: s.name, "PolicyArn": arn})).collect()
}

fn member_of(s: &Subject<'_>, groups: Vec<&Value>) -> Inputs {
    groups.into_iter().map(|group| json!({"UserName": s.name, "GroupName": group})).collect()
}

fn boundary_set(s: &Subject<'_>, holder: &str) -> Inputs {
    let given = s.properties.contains_key("PermissionsBoundary") && s.changed(&["PermissionsBoundary"]);
    when(given, || json!({holder: s.name, "PermissionsBoundary": s.get("PermissionsBoundary")}))
}

fn boundary_gone(s: &Subject<'_>, holder: &str) -> Inputs {
    let gone = !s.properties.contains_key("PermissionsBoundary") && s.old.contains_key("PermissionsBoundary");
    when(gone, || json!({holder: s.name}))
}

fn tagged(s: &Subject<'_>, holder: &str) -> Inputs {
    let changed = s.changed(&["Tags"]) && !s.items("Tags").is_empty();
    when(changed, || json!({holder: s.name, "Tags": s.get("Tags")}))
}

fn untagged(s: &Subject<'_>, holder: &str) -> Inputs {
    let gone = removed_tags(s);
    when(!gone.is_empty(), || json!({holder: s.name, "TagKeys": gone}))
}
