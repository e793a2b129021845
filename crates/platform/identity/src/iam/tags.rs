//! Tags of users, roles, policies, instance profiles and OpenID Connect providers.

use std::sync::Arc;

use boathouse_aws::{Ctx, ServiceTable};
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{self, Tag};
use super::instance_profiles;
use super::managed::{self, no_policy};
use super::output::{self, Empty, Paging};
use super::providers;
use super::table::{Target, add};
use crate::entities::{InstanceProfile, ManagedPolicy, OidcProvider, Role, Tags, User};
use crate::error::IamError;
use crate::identity::Identity;
use crate::store::{Entity, Rows};

/// An entity with tags, and how requests name it.
pub(super) trait Tagged: Entity {
    /// Its tags, to change.
    fn tags_mut(&mut self) -> &mut Tags;
    /// What authorisation is asked for.
    fn target(identity: &Identity, name: &str) -> Result<Target, IamError>;
    /// The row name that a request's name or ARN means.
    fn found_by(given: &str) -> &str;
    /// Refuses an entity that has the row name and is not the one that the request means.
    fn check(&self, given: &str) -> Result<(), IamError>;
}

macro_rules! tagged_holder {
    ($($holder:ty),*) => {$(
        impl Tagged for $holder {
            fn tags_mut(&mut self) -> &mut Tags {
                &mut self.tags
            }

            fn target(identity: &Identity, name: &str) -> Result<Target, IamError> {
                Target::holder::<$holder>(identity, name)
            }

            fn found_by(given: &str) -> &str {
                given
            }

            fn check(&self, _: &str) -> Result<(), IamError> {
                Ok(())
            }
        }
    )*};
}

tagged_holder!(User, Role);

impl Tagged for ManagedPolicy {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }

    fn target(identity: &Identity, arn: &str) -> Result<Target, IamError> {
        managed::target(identity, arn)
    }

    fn found_by(arn: &str) -> &str {
        arn.rsplit('/').next().unwrap_or_default()
    }

    fn check(&self, arn: &str) -> Result<(), IamError> {
        if self.arn() == arn { Ok(()) } else { Err(no_policy(arn)) }
    }
}

impl Tagged for InstanceProfile {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }

    fn target(identity: &Identity, name: &str) -> Result<Target, IamError> {
        instance_profiles::target(identity, name)
    }

    fn found_by(given: &str) -> &str {
        given
    }

    fn check(&self, _: &str) -> Result<(), IamError> {
        Ok(())
    }
}

impl Tagged for OidcProvider {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }

    fn target(identity: &Identity, arn: &str) -> Result<Target, IamError> {
        providers::target(identity, arn)
    }

    fn found_by(arn: &str) -> &str {
        providers::name_of(arn)
    }

    fn check(&self, arn: &str) -> Result<(), IamError> {
        if self.arn() == arn { Ok(()) } else { Err(providers::missing(arn)) }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddTags {
    #[serde(alias = "UserName", alias = "RoleName", alias = "PolicyArn", alias = "InstanceProfileName")]
    #[serde(alias = "OpenIDConnectProviderArn")]
    name: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemoveTags {
    #[serde(alias = "UserName", alias = "RoleName", alias = "PolicyArn", alias = "InstanceProfileName")]
    #[serde(alias = "OpenIDConnectProviderArn")]
    name: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTags {
    #[serde(alias = "UserName", alias = "RoleName", alias = "PolicyArn", alias = "InstanceProfileName")]
    #[serde(alias = "OpenIDConnectProviderArn")]
    name: String,
    marker: Option<String>,
    max_items: Option<u32>,
}

fn on_add<T: Tagged>(_: &Ctx, identity: &Identity, input: &AddTags) -> Result<Target, IamError> {
    Ok(T::target(identity, &input.name)?.with_tags(&input.tags))
}

fn on_remove<T: Tagged>(_: &Ctx, identity: &Identity, input: &RemoveTags) -> Result<Target, IamError> {
    Ok(T::target(identity, &input.name)?.with_tag_keys(&input.tag_keys))
}

fn on_list<T: Tagged>(_: &Ctx, identity: &Identity, input: &ListTags) -> Result<Target, IamError> {
    T::target(identity, &input.name)
}

macro_rules! tagged {
    ($table:expr, $state:expr, $entity:ty, $sort:literal) => {{
        let table = add($table, $state, concat!("Tag", $sort), on_add::<$entity>, tag::<$entity>);
        let table = add(table, $state, concat!("Untag", $sort), on_remove::<$entity>, untag::<$entity>);
        add(table, $state, concat!("List", $sort, "Tags"), on_list::<$entity>, list::<$entity>)
    }};
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let table = tagged!(table, state, User, "User");
    let table = tagged!(table, state, Role, "Role");
    let table = tagged!(table, state, ManagedPolicy, "Policy");
    let table = tagged!(table, state, InstanceProfile, "InstanceProfile");
    tagged!(table, state, OidcProvider, "OpenIDConnectProvider")
}

async fn tag<T: Tagged>(_: Ctx, identity: Arc<Identity>, input: AddTags) -> Result<Empty, IamError> {
    let more = input::tags(input.tags)?;
    identity
        .store
        .write(move |tx| {
            tx.change(T::found_by(&input.name), |entity: &mut T| {
                entity.check(&input.name)?;
                input::add_tags(entity.tags_mut(), more)
            })
        })
        .await?;
    Ok(Empty {})
}

async fn untag<T: Tagged>(_: Ctx, identity: Arc<Identity>, input: RemoveTags) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            tx.change(T::found_by(&input.name), |entity: &mut T| {
                entity.check(&input.name)?;
                entity.tags_mut().retain(|key, _| !input.tag_keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
                Ok(())
            })
        })
        .await?;
    Ok(Empty {})
}

async fn list<T: Tagged>(_: Ctx, identity: Arc<Identity>, input: ListTags) -> Result<Value, IamError> {
    let mut entity: T = identity.store.get(T::found_by(&input.name))?;
    entity.check(&input.name)?;
    let tags: Vec<_> = std::mem::take(entity.tags_mut()).into_iter().collect();
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    output::page("Tags", tags, &paging, |(key, _)| key.clone(), |(key, value)| json!({"Key": key, "Value": value}))
}
