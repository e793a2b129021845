//! The root key pair.

use std::io;
use std::path::Path;

use boathouse_aws::access::Secret;
use ring::rand::{SecureRandom, SystemRandom};

use crate::seal::write_private;

/// What access key ids are written with.
const ID_LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// What secrets are written with.
const SECRET_LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// An access key id and its secret.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// Such as `AKIA…`, 20 characters.
    pub access_key_id: String,
    /// 40 characters.
    pub secret: Secret,
}

/// Why there is no root key pair.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsFileError {
    /// The file can't be read or written.
    #[error("credentials file: {0}")]
    Io(#[from] io::Error),
    /// The file holds no key pair.
    #[error("the credentials file has no aws_access_key_id or no aws_secret_access_key")]
    Incomplete,
    /// The system gives no random numbers.
    #[error("the system's source of random numbers failed")]
    Random,
}

impl KeyPair {
    /// The key that every example uses, for throwaway servers on loopback.
    pub fn test() -> Self {
        Self { access_key_id: "test".into(), secret: Secret::new("test") }
    }

    /// Reads the root key pair from `path` (AWS's shared credentials format, readable by its owner only); makes both if
    /// there is no file.
    ///
    /// # Errors
    /// See [`CredentialsFileError`].
    pub fn load_or_create(path: &Path) -> Result<Self, CredentialsFileError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).ok_or(CredentialsFileError::Incomplete),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(error.into()),
        }
    }

    fn create(path: &Path) -> Result<Self, CredentialsFileError> {
        let pair = Self { access_key_id: unique_id("AKIA", 16)?, secret: new_secret()? };
        let (id, secret) = (&pair.access_key_id, pair.secret.expose());
        write_private(path, &format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}"))?;
        Ok(pair)
    }

    fn parse(text: &str) -> Option<Self> {
        let member = |name| {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let access_key_id = member("aws_access_key_id")?.to_owned();
        Some(Self { access_key_id, secret: Secret::new(member("aws_secret_access_key")?) })
    }
}

/// An id of IAM's sort: a prefix that tells what it names, and `length` random letters.
pub(crate) fn unique_id(prefix: &str, length: usize) -> Result<String, CredentialsFileError> {
    Ok(format!("{prefix}{}", random_text(length, ID_LETTERS)?))
}

/// A secret access key.
pub(crate) fn new_secret() -> Result<Secret, CredentialsFileError> {
    Ok(Secret::new(random_text(40, SECRET_LETTERS)?))
}

fn random_text(length: usize, letters: &[u8]) -> Result<String, CredentialsFileError> {
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).map_err(|_| CredentialsFileError::Random)?;
    // Both alphabets' lengths divide 256, so every letter is equally likely.
    Ok(bytes.into_iter().map(|byte| char::from(letters[usize::from(byte) % letters.len()])).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_pair_is_made_once_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("credentials");
        let made = KeyPair::load_or_create(&path).unwrap();
        assert_eq!((made.access_key_id.len(), made.secret.expose().len()), (20, 40));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let loaded = KeyPair::load_or_create(&path).unwrap();
        assert_eq!(loaded.access_key_id, made.access_key_id);
        assert!(loaded.secret == made.secret);
        assert!(!format!("{made:?}").contains(made.secret.expose()));
    }

    #[test]
    fn a_broken_file_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("credentials");
        std::fs::write(&path, "[default]\naws_access_key_id = AKIA\n").unwrap();
        assert!(matches!(KeyPair::load_or_create(&path), Err(CredentialsFileError::Incomplete)));
        assert!(std::fs::read_to_string(&path).unwrap().contains("AKIA"));
    }
}
