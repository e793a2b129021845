//! [`Identity`]: whose key is this, may they do that, who is a service when it acts for a role.

use std::path::Path;
use std::sync::Arc;

use boathouse_aws::access::{Credential, CredentialError, CredentialStore, Secret};
use boathouse_aws::principal::Session as PrincipalSession;
use boathouse_aws::{Clock, Principal};
use boathouse_metadata::{Key, Metadata, MetadataError};
use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;

use crate::aws_managed;
use crate::credentials::KeyPair;
use crate::entities::{AccessKey, Group, ManagedPolicy, Policies, Role, User};
use crate::error::IamError;
use crate::iam::input;
use crate::oidc::Oidc;
use crate::policy::{MalformedPolicy, Policy, PolicyKind};
use crate::seal::{MasterKey, Sealer};
use crate::session::{Session, Subject};
use crate::store::{Derived, Holder, Store};
use crate::usage::Usage;

/// How many keys, sessions and principals are kept ready.
const CACHED: usize = 10_000;
/// How many parsed policy texts are kept ready.
const CACHED_POLICIES: usize = 4_096;
/// Holds a text sealed with the key file, to tell whether the file is the one that the rows were sealed with.
const SETTINGS: &str = "iam-settings";
const KEY_CHECK: &str = "key-check";

/// Why the identity room can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The key file can't be read or made.
    #[error("identity key: {0}")]
    KeyFile(#[from] std::io::Error),
    /// The store holds secrets that were sealed with another key file.
    #[error("the identity key is missing or not the one that sealed the stored access keys; restore identity.key")]
    WrongKey,
    /// The store can't be read or written.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

/// Users, roles, policies, keys and sessions of the account.
pub struct Identity {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) secrets: Sealer,
    pub(crate) tokens: Sealer,
    pub(crate) usage: Usage,
    pub(crate) oidc: Oidc,
    root_keys: Vec<KeyPair>,
    root: Arc<Principal>,
    keys: Derived<LongTermKey>,
    sessions: Derived<OpenSession>,
    users: Derived<Grants>,
    roles: Derived<Grants>,
    resource_policies: Cache<String, Parsed<Arc<Policy>>>,
    session_policies: Cache<String, Parsed<Arc<Vec<Arc<Policy>>>>>,
}

/// What a policy's text turned out to be.
type Parsed<T> = Result<T, MalformedPolicy>;

/// An active key of a user.
struct LongTermKey {
    secret: Secret,
    principal: Arc<Principal>,
}

/// A session whose token has been opened.
struct OpenSession {
    access_key_id: String,
    secret: Secret,
    expires: DateTime<Utc>,
    principal: Arc<Principal>,
}

/// What a user's or role's own policies say.
pub(crate) struct Grants {
    /// The unique id; a later user or role of the same name has another.
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) policies: Vec<Arc<Policy>>,
    pub(crate) boundary: Option<Arc<Policy>>,
}

impl Identity {
    /// Opens the identities in `metadata`. `data_dir` holds the file `identity.key` that seals their secrets; it is made
    /// at the first start. `root_keys` stand for root: the installation's own and, for throwaway servers,
    /// [`KeyPair::test`]. With `dev`, identity providers on loopback addresses may speak HTTP without TLS.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub fn open(
        metadata: Metadata,
        data_dir: &Path,
        root_keys: Vec<KeyPair>,
        clock: Arc<dyn Clock>,
        dev: bool,
    ) -> Result<Arc<Self>, IdentityError> {
        let master = master_key(&metadata, &data_dir.join("identity.key"))?;
        Ok(Arc::new(Self {
            usage: Usage::new(metadata.clone()),
            oidc: Oidc::new(dev),
            store: Store::new(metadata),
            clock,
            secrets: master.sealer("access keys"),
            tokens: master.sealer("session tokens"),
            root_keys,
            root: Arc::new(Principal::root()),
            keys: Derived::new(CACHED),
            sessions: Derived::new(CACHED),
            users: Derived::new(CACHED),
            roles: Derived::new(CACHED),
            resource_policies: Cache::new(CACHED_POLICIES),
            session_policies: Cache::new(CACHED_POLICIES),
        }))
    }

    /// Whether the key is one of root's.
    pub(crate) fn is_root_key(&self, access_key_id: &str) -> bool {
        self.root_keys.iter().any(|pair| pair.access_key_id == access_key_id)
    }

    /// The installation's own root key.
    pub(crate) fn root_key_id(&self) -> Option<&str> {
        self.root_keys.first().map(|pair| pair.access_key_id.as_str())
    }

    /// The parsed policy of a resource.
    pub(crate) fn resource_policy(&self, text: &str) -> Parsed<Arc<Policy>> {
        remembered(&self.resource_policies, text, || Policy::parse(text, PolicyKind::Resource).map(Arc::new))
    }

    /// The parsed policies of a session: one document or a list of them.
    pub(crate) fn session_policies(&self, text: &str) -> Parsed<Arc<Vec<Arc<Policy>>>> {
        let parse = || Policy::parse_list(text, PolicyKind::Identity);
        remembered(&self.session_policies, text, || Ok(Arc::new(parse()?.into_iter().map(Arc::new).collect())))
    }

    /// The document of a managed policy in its default version, AWS's or a customer's.
    pub(crate) fn managed_document(&self, arn: &str) -> Result<Option<String>, IamError> {
        if let Some(policy) = aws_managed::find(arn) {
            return Ok(Some(policy.document.to_owned()));
        }
        let name = arn.rsplit('/').next().unwrap_or_default();
        let found = self.store.find::<ManagedPolicy>(name)?.filter(|policy| policy.arn() == arn);
        Ok(found.and_then(|policy| policy.document().map(str::to_owned)))
    }

    /// The parsed policies of a holder.
    fn own_policies(&self, held: &Policies) -> Result<Vec<Arc<Policy>>, IamError> {
        let mut policies = Vec::new();
        for document in held.inline.values() {
            policies.push(identity_policy(document)?);
        }
        for arn in &held.attached {
            if let Some(document) = self.managed_document(arn)? {
                policies.push(identity_policy(&document)?);
            }
        }
        Ok(policies)
    }

    fn grants_of<H: Holder>(&self, holder: &H) -> Result<Grants, IamError> {
        let boundary = match &holder.policies().boundary {
            Some(arn) => {
                // A boundary that can't be found must bound everything, not nothing.
                let document = self.managed_document(arn)?.ok_or_else(|| IamError::no_such("policy", arn))?;
                Some(identity_policy(&document)?)
            }
            None => None,
        };
        let policies = self.own_policies(holder.policies())?;
        Ok(Grants { id: holder.id().to_owned(), arn: holder.arn(), policies, boundary })
    }

    /// The grants of the user of this name.
    pub(crate) fn user_grants(&self, name: &str) -> Result<Option<Arc<Grants>>, IamError> {
        self.users.get(&self.store, name, || {
            let Some(user) = self.store.find::<User>(name)? else { return Ok(None) };
            let mut grants = self.grants_of(&user)?;
            for group in &user.groups {
                let group: Group = self.store.get(group)?;
                grants.policies.extend(self.own_policies(&group.policies)?);
            }
            Ok(Some(grants))
        })
    }

    /// The grants of the role of this name.
    pub(crate) fn role_grants(&self, name: &str) -> Result<Option<Arc<Grants>>, IamError> {
        self.roles
            .get(&self.store, name, || self.store.find::<Role>(name)?.map(|role| self.grants_of(&role)).transpose())
    }

    fn load_key(&self, access_key_id: &str) -> Result<Option<LongTermKey>, IamError> {
        let Some(key) = self.store.find::<AccessKey>(access_key_id)?.filter(|key| key.active) else { return Ok(None) };
        // Rows are found without regard to case, keys are not.
        if key.id != access_key_id {
            return Ok(None);
        }
        let Some(user) = self.store.find::<User>(&key.user)? else { return Ok(None) };
        let secret = self.open_secret(&key)?;
        Ok(Some(LongTermKey { secret, principal: Arc::new(user_principal(&user)) }))
    }

    fn open_secret(&self, key: &AccessKey) -> Result<Secret, IamError> {
        let sealed = hex::decode(&key.sealed_secret).ok();
        let plain = sealed.and_then(|sealed| self.secrets.open(&key.id, &sealed));
        let text = plain.and_then(|plain| String::from_utf8(plain).ok());
        text.map(Secret::new).ok_or(IamError::Sealing("an access key's secret can't be opened"))
    }

    fn load_session(&self, access_key_id: &str, token: &str) -> Result<Option<OpenSession>, IamError> {
        let Some(session) = Session::open(&self.tokens, access_key_id, token) else { return Ok(None) };
        let Some(mut principal) = self.session_principal(&session)? else { return Ok(None) };
        input::override_tags(&mut principal.tags, session.tags);
        let role_arn = principal.session.as_ref().and_then(|began| began.role_arn.clone());
        principal.session = Some(Arc::new(PrincipalSession {
            issued: at(session.issued),
            role_arn,
            source_identity: session.source_identity,
            transitive_tag_keys: session.transitive_tag_keys,
            federated_provider: session.federated_provider,
            federated_keys: session.federated_keys,
            signed_in: session.signed_in.map(at),
        }));
        Ok(Some(OpenSession {
            access_key_id: access_key_id.to_owned(),
            secret: Secret::new(session.secret),
            expires: at(session.expires),
            principal: Arc::new(principal),
        }))
    }

    /// The principal of a session, if its user or role is still the one that it began with.
    fn session_principal(&self, session: &Session) -> Result<Option<Principal>, IamError> {
        match &session.subject {
            Subject::Root => Ok(Some(Principal::root())),
            Subject::User { name, id } => {
                let user = self.store.find::<User>(name)?.filter(|user| user.id == *id);
                Ok(user.as_ref().map(user_principal))
            }
            Subject::Role { name, id, session: session_name } => {
                let Some(role) = self.store.find::<Role>(name)?.filter(|role| role.id == *id) else { return Ok(None) };
                let policy = self.passed_policies(session)?;
                Ok(Some(role_principal(&role, session_name, policy, at(session.issued))))
            }
            Subject::Federated { name, user } => self.federated_principal(session, name, user.as_ref()),
        }
    }

    fn federated_principal(
        &self,
        session: &Session,
        name: &str,
        user: Option<&(String, String)>,
    ) -> Result<Option<Principal>, IamError> {
        let policy = self.passed_policies(session)?;
        let Some((user_name, id)) = user else { return Ok(Some(Principal::federated_user(name, None, policy))) };
        let Some(user) = self.store.find::<User>(user_name)?.filter(|user| user.id == *id) else { return Ok(None) };
        let mut principal = Principal::federated_user(name, Some((&user.name, &user.id)), policy);
        principal.tags.clone_from(&user.tags);
        Ok(Some(principal))
    }

    /// The policies that narrow a session, as one JSON list; none if it was given none.
    fn passed_policies(&self, session: &Session) -> Result<Option<Arc<str>>, IamError> {
        if session.policy.is_none() && session.policy_arns.is_empty() {
            return Ok(None);
        }
        let mut documents: Vec<_> = session.policy.iter().cloned().collect();
        for arn in &session.policy_arns {
            documents.extend(self.managed_document(arn)?);
        }
        Ok(Some(format!("[{}]", documents.join(",")).into()))
    }
}

fn identity_policy(document: &str) -> Parsed<Arc<Policy>> {
    Policy::parse(document, PolicyKind::Identity).map(Arc::new)
}

/// The outcome of parsing `text`, which is parsed once.
fn remembered<V: Clone>(cache: &Cache<String, V>, text: &str, parse: impl FnOnce() -> V) -> V {
    if let Some(known) = cache.get(text) {
        return known;
    }
    let parsed = parse();
    cache.insert(text.to_owned(), parsed.clone());
    parsed
}

/// The principal of a user's keys and sessions.
pub(crate) fn user_principal(user: &User) -> Principal {
    let mut principal = Principal::user(&user.name, user.arn(), user.id.clone());
    principal.tags.clone_from(&user.tags);
    principal
}

/// The parsed trust policy of a role.
pub(crate) fn trust_policy(role: &Role) -> Result<Policy, MalformedPolicy> {
    Ok(Policy::parse(&role.trust, PolicyKind::Trust)?.bound_to(&role.trusted_ids))
}

/// The principal of a session of a role.
pub(crate) fn role_principal(role: &Role, session: &str, policy: Option<Arc<str>>, issued: DateTime<Utc>) -> Principal {
    let mut principal = Principal::assumed_role(&role.name, &role.id, session, policy);
    principal.tags.clone_from(&role.tags);
    let began = PrincipalSession { issued, role_arn: Some(role.arn()), ..PrincipalSession::default() };
    principal.session = Some(Arc::new(began));
    principal
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

fn master_key(metadata: &Metadata, path: &Path) -> Result<MasterKey, IdentityError> {
    let check = metadata.get(SETTINGS, &Key::new([KEY_CHECK]))?;
    let key = match (MasterKey::load(path)?, &check) {
        (Some(key), _) => key,
        (None, None) => MasterKey::create(path)?,
        (None, Some(_)) => return Err(IdentityError::WrongKey),
    };
    let sealer = key.sealer(KEY_CHECK);
    match check {
        Some(check) => sealer.open(KEY_CHECK, &check.value).map(drop).ok_or(IdentityError::WrongKey)?,
        None => {
            let sealed = sealer
                .seal(KEY_CHECK, b"boathouse")
                .map_err(|_| std::io::Error::other("the source of random numbers failed"))?;
            metadata.transaction_blocking::<_, MetadataError, _>(move |tx| {
                tx.put(SETTINGS, &Key::new([KEY_CHECK]), &sealed)
            })?;
        }
    }
    Ok(key)
}

/// A store that can't be read must not let anybody in, and says so in the log.
fn unreadable(error: &IamError) -> CredentialError {
    tracing::error!(%error, "credentials can't be read");
    CredentialError::Unknown
}

impl CredentialStore for Identity {
    fn find(&self, access_key_id: &str, session_token: Option<&str>) -> Result<Credential, CredentialError> {
        if let Some(pair) = self.root_keys.iter().find(|pair| pair.access_key_id == access_key_id) {
            return match session_token {
                Some(_) => Err(CredentialError::InvalidToken),
                None => Ok(Credential { secret: pair.secret.clone(), principal: Arc::clone(&self.root) }),
            };
        }
        match session_token {
            None => {
                if access_key_id.starts_with("ASIA") {
                    return Err(CredentialError::InvalidToken);
                }
                let key = self.keys.get(&self.store, access_key_id, || self.load_key(access_key_id));
                let key = key.map_err(|error| unreadable(&error))?.ok_or(CredentialError::Unknown)?;
                Ok(Credential { secret: key.secret.clone(), principal: Arc::clone(&key.principal) })
            }
            Some(token) => {
                let session = self.sessions.get(&self.store, token, || self.load_session(access_key_id, token));
                let session = session
                    .map_err(|error| unreadable(&error))?
                    .filter(|session| session.access_key_id == access_key_id)
                    .ok_or(CredentialError::InvalidToken)?;
                if session.expires <= self.clock.now() {
                    return Err(CredentialError::Expired);
                }
                Ok(Credential { secret: session.secret.clone(), principal: Arc::clone(&session.principal) })
            }
        }
    }

    fn used(&self, access_key_id: &str, service: &str, region: &str) {
        if !access_key_id.starts_with("ASIA") {
            self.usage.note_key(access_key_id, service, region, self.clock.now());
        }
    }
}
