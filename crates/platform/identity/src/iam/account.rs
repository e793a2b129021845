//! The account as a whole: its alias, the password policy, what is in it, the credential report.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::protocol::query::Entries;
use boathouse_aws::{Arn, Ctx, ServiceTable};
use boathouse_metadata::Key;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input;
use super::now;
use super::output::{self, Empty, Paging};
use super::table::{Target, add};
use crate::entities::{AccessKey, Group, InstanceProfile, ManagedPolicy, OidcProvider, Role, Timestamp, User};
use crate::error::{IamError, ReportError};
use crate::identity::Identity;
use crate::usage::KeyUse;

/// `(what)` → its value.
const ACCOUNT: &str = "iam-account";
const ALIAS: &str = "alias";
const PASSWORDS: &str = "password-policy";
const REPORT: &str = "credential-report";
/// How long a credential report is good for.
const REPORT_LIFE: TimeDelta = TimeDelta::hours(4);

#[derive(Deserialize)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alias {
    account_alias: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    marker: Option<String>,
    max_items: Option<u32>,
}

/// The rules for passwords. There are no passwords yet, so nothing is held to them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PasswordPolicy {
    #[serde(default = "PasswordPolicy::shortest")]
    minimum_password_length: u32,
    #[serde(default)]
    require_symbols: bool,
    #[serde(default)]
    require_numbers: bool,
    #[serde(default)]
    require_uppercase_characters: bool,
    #[serde(default)]
    require_lowercase_characters: bool,
    #[serde(default)]
    allow_users_to_change_password: bool,
    max_password_age: Option<u32>,
    password_reuse_prevention: Option<u32>,
    #[serde(default)]
    hard_expiry: bool,
}

impl PasswordPolicy {
    fn shortest() -> u32 {
        6
    }
}

#[derive(Serialize, Deserialize)]
struct Report {
    made: Timestamp,
    text: String,
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    fn all<I>(_: &Ctx, _: &Identity, _: &I) -> Result<Target, IamError> {
        Ok(Target::new("*".into()))
    }
    let table = add(table, state, "CreateAccountAlias", all, create_alias);
    let table = add(table, state, "DeleteAccountAlias", all, delete_alias);
    let table = add(table, state, "ListAccountAliases", all, list_aliases);
    let table = add(table, state, "GetAccountPasswordPolicy", all, get_passwords);
    let table = add(table, state, "UpdateAccountPasswordPolicy", all, update_passwords);
    let table = add(table, state, "DeleteAccountPasswordPolicy", all, delete_passwords);
    let table = add(table, state, "GetAccountSummary", all, summary);
    let table = add(table, state, "GenerateCredentialReport", all, generate_report);
    add(table, state, "GetCredentialReport", all, get_report)
}

fn check_alias(alias: &str) -> Result<(), IamError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = (3..=63).contains(&alias.len())
        && alias.chars().all(plain)
        && !alias.starts_with('-')
        && !alias.ends_with('-')
        && !alias.contains("--");
    let pattern = "Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$";
    if fits { Ok(()) } else { Err(IamError::constraint(alias, "accountAlias", pattern)) }
}

/// The new alias takes the present one's place, as on AWS.
async fn create_alias(_: Ctx, identity: Arc<Identity>, input: Alias) -> Result<Empty, IamError> {
    check_alias(&input.account_alias)?;
    let put = move |tx: &boathouse_metadata::Transaction<'_>| {
        tx.put_json(ACCOUNT, &Key::new([ALIAS]), &input.account_alias)?;
        Ok(Empty {})
    };
    identity.store.write(put).await
}

async fn delete_alias(_: Ctx, identity: Arc<Identity>, input: Alias) -> Result<Empty, IamError> {
    let delete = move |tx: &boathouse_metadata::Transaction<'_>| {
        let present: Option<String> = tx.get_json(ACCOUNT, &Key::new([ALIAS]))?;
        if present.as_ref() != Some(&input.account_alias) {
            let message = format!("The account alias {} cannot be found.", input.account_alias);
            return Err(IamError::NoSuchEntity(message));
        }
        tx.delete(ACCOUNT, &Key::new([ALIAS]))?;
        Ok(Empty {})
    };
    identity.store.write(delete).await
}

async fn list_aliases(_: Ctx, identity: Arc<Identity>, input: Listing) -> Result<Value, IamError> {
    let alias: Option<String> = identity.store.value(ACCOUNT, &Key::new([ALIAS]))?;
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    output::page("AccountAliases", alias.into_iter().collect(), &paging, String::clone, |alias| json!(alias))
}

fn no_passwords() -> IamError {
    IamError::NoSuchEntity("The Password Policy with domain name 000000000000 cannot be found.".into())
}

async fn get_passwords(_: Ctx, identity: Arc<Identity>, _: Nothing) -> Result<Value, IamError> {
    let policy: Option<PasswordPolicy> = identity.store.value(ACCOUNT, &Key::new([PASSWORDS]))?;
    let policy = policy.ok_or_else(no_passwords)?;
    let expires = policy.max_password_age.is_some_and(|days| days > 0);
    let mut shape = json!(policy);
    shape["ExpirePasswords"] = expires.into();
    Ok(json!({"PasswordPolicy": shape}))
}

async fn update_passwords(_: Ctx, identity: Arc<Identity>, input: PasswordPolicy) -> Result<Empty, IamError> {
    input::within(input.minimum_password_length, "minimumPasswordLength", 6, 128)?;
    input.max_password_age.map(|days| input::within(days, "maxPasswordAge", 1, 1095)).transpose()?;
    input.password_reuse_prevention.map(|count| input::within(count, "passwordReusePrevention", 1, 24)).transpose()?;
    let put = move |tx: &boathouse_metadata::Transaction<'_>| {
        tx.put_json(ACCOUNT, &Key::new([PASSWORDS]), &input)?;
        Ok(Empty {})
    };
    identity.store.write(put).await
}

async fn delete_passwords(_: Ctx, identity: Arc<Identity>, _: Nothing) -> Result<Empty, IamError> {
    let delete = |tx: &boathouse_metadata::Transaction<'_>| {
        if tx.delete(ACCOUNT, &Key::new([PASSWORDS]))? { Ok(Empty {}) } else { Err(no_passwords()) }
    };
    identity.store.write(delete).await
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    summary_map: Entries<usize>,
}

async fn summary(_: Ctx, identity: Arc<Identity>, _: Nothing) -> Result<Summary, IamError> {
    let store = &identity.store;
    let policies = store.all::<ManagedPolicy>()?;
    let counts = [
        ("Users", store.all::<User>()?.len()),
        ("UsersQuota", 5000),
        ("Groups", store.all::<Group>()?.len()),
        ("GroupsQuota", 300),
        ("Roles", store.all::<Role>()?.len()),
        ("RolesQuota", 1000),
        ("Policies", policies.len()),
        ("PoliciesQuota", 1500),
        ("PolicyVersionsInUse", policies.iter().map(|policy| policy.versions.len()).sum()),
        ("PolicyVersionsInUseQuota", 10_000),
        ("VersionsPerPolicyQuota", 5),
        ("PolicySizeQuota", 6144),
        ("InstanceProfiles", store.all::<InstanceProfile>()?.len()),
        ("InstanceProfilesQuota", 1000),
        ("Providers", store.all::<OidcProvider>()?.len()),
        ("UserPolicySizeQuota", 2048),
        ("GroupPolicySizeQuota", 5120),
        ("RolePolicySizeQuota", 10_240),
        ("AssumeRolePolicySizeQuota", 2048),
        ("AccessKeysPerUserQuota", 2),
        ("GroupsPerUserQuota", 10),
        ("AttachedPoliciesPerUserQuota", 10),
        ("AttachedPoliciesPerGroupQuota", 10),
        ("AttachedPoliciesPerRoleQuota", 10),
        ("SigningCertificatesPerUserQuota", 2),
        ("ServerCertificates", 0),
        ("ServerCertificatesQuota", 20),
        ("MFADevices", 0),
        ("MFADevicesInUse", 0),
        ("AccountMFAEnabled", 0),
        ("AccountAccessKeysPresent", 1),
        ("AccountSigningCertificatesPresent", 0),
        ("AccountPasswordPresent", 0),
        ("GlobalEndpointTokenVersion", 2),
    ];
    let counts: BTreeMap<String, usize> = counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    Ok(Summary { summary_map: Entries(counts) })
}

async fn generate_report(ctx: Ctx, identity: Arc<Identity>, _: Nothing) -> Result<Value, IamError> {
    let present: Option<Report> = identity.store.value(ACCOUNT, &Key::new([REPORT]))?;
    if present.is_some_and(|report| ctx.now() - report.made.0 < REPORT_LIFE) {
        return Ok(json!({"State": "COMPLETE"}));
    }
    let report = Report { made: now(&ctx), text: report(&identity)? };
    let put = move |tx: &boathouse_metadata::Transaction<'_>| {
        tx.put_json(ACCOUNT, &Key::new([REPORT]), &report)?;
        Ok(())
    };
    identity.store.write(put).await?;
    Ok(json!({"State": "STARTED", "Description": "No report exists. Starting a new report generation task"}))
}

async fn get_report(ctx: Ctx, identity: Arc<Identity>, _: Nothing) -> Result<Value, IamError> {
    let report: Option<Report> = identity.store.value(ACCOUNT, &Key::new([REPORT]))?;
    let report = report.ok_or(IamError::Report(ReportError::NotPresent))?;
    if ctx.now() - report.made.0 >= REPORT_LIFE {
        return Err(IamError::Report(ReportError::Expired));
    }
    let content = STANDARD.encode(report.text);
    Ok(json!({"Content": content, "ReportFormat": "text/csv", "GeneratedTime": report.made}))
}

const COLUMNS: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
                       password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
                       access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
                       access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,\
                       access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,\
                       cert_2_active,cert_2_last_rotated";

/// The report: names and ARNs hold neither commas nor quotes.
fn report(identity: &Identity) -> Result<String, IamError> {
    let mut text = format!("{COLUMNS}\n");
    let root = Arn::iam("root");
    let _ = write!(
        text,
        "<root_account>,{root},N/A,not_supported,not_supported,not_supported,not_supported,false,true,N/A"
    );
    let used = identity.root_key_id().map(|id| identity.usage.last(id)).transpose()?.flatten();
    let _ = write!(text, ",{}", used_columns(used.as_ref()));
    text.push_str(",false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n");
    for user in identity.store.all::<User>()? {
        let created = written(user.created);
        let _ = write!(text, "{},{},{created},false,N/A,N/A,N/A,false", user.name, user.arn());
        let mut keys = user.keys.iter();
        for _ in 0..2 {
            match keys.next() {
                Some(id) => {
                    let key: AccessKey = identity.store.get(id)?;
                    let used = identity.usage.last(id)?;
                    let _ = write!(text, ",{},{},{}", key.active, written(key.created), used_columns(used.as_ref()));
                }
                None => text.push_str(",false,N/A,N/A,N/A,N/A"),
            }
        }
        text.push_str(",false,N/A,false,N/A\n");
    }
    Ok(text)
}

fn written(time: Timestamp) -> String {
    time.0.to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}

fn used_columns(used: Option<&KeyUse>) -> String {
    match used {
        None => "N/A,N/A,N/A".to_owned(),
        Some(KeyUse::Time(time)) => format!("{},N/A,N/A", written(*time)),
        Some(KeyUse::At { time, service, region }) => format!("{},{region},{service}", written(*time)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_have_their_letters() {
        assert!(check_alias("data-platform-1").is_ok());
        for wrong in ["ab", "-abc", "abc-", "a--b", "Abc", "a_b"] {
            assert!(check_alias(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_row_of_a_report_has_its_columns() {
        assert_eq!(COLUMNS.split(',').count(), 22);
        assert_eq!(used_columns(None).split(',').count(), 3);
    }
}
