//! Sealing secrets: AES-256-GCM under keys derived from one key file of the data directory.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::IamError;

const KEY_LENGTH: usize = 32;

/// Seals and opens one sort of secret.
pub(crate) struct Sealer {
    key: LessSafeKey,
    random: SystemRandom,
}

/// The installation's key, from which the sealers' keys are derived.
pub(crate) struct MasterKey([u8; KEY_LENGTH]);

impl MasterKey {
    /// Reads the key in `path`; none if there is no file.
    pub(crate) fn load(path: &Path) -> io::Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut key = [0; KEY_LENGTH];
        hex::decode_to_slice(text.trim(), &mut key)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the identity key is not 64 hex digits"))?;
        Ok(Some(Self(key)))
    }

    /// Makes a key in `path`, readable by its owner only, written aside and renamed so that a crash leaves no half file.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut key = [0; KEY_LENGTH];
        SystemRandom::new().fill(&mut key).map_err(|_| io::Error::other("the source of random numbers failed"))?;
        write_private(path, &hex::encode(key))?;
        Ok(Self(key))
    }

    /// The sealer for one sort of secret.
    pub(crate) fn sealer(&self, purpose: &'static str) -> Sealer {
        let secret = Salt::new(HKDF_SHA256, b"boathouse-identity").extract(&self.0);
        let key = secret
            .expand(&[purpose.as_bytes()], &AES_256_GCM)
            .map(UnboundKey::from)
            .expect("invariant: an AES-256 key is shorter than HKDF's limit");
        Sealer { key: LessSafeKey::new(key), random: SystemRandom::new() }
    }
}

/// Writes a file that its owner alone can read, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

impl Sealer {
    /// Seals `plain` so that it opens only with the same `context`.
    pub(crate) fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, IamError> {
        let failed = |_| IamError::Sealing("sealing a secret failed");
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(failed)?;
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut sealed)
            .map_err(failed)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`Self::seal`] made; none if it was made with another key or context, or changed since.
    pub(crate) fn open(&self, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut body = body.to_vec();
        let plain = self.key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context), &mut body).ok()?;
        Some(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_sealed_opens_only_whole_and_in_its_context() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity.key");
        assert!(MasterKey::load(&path).unwrap().is_none());
        let made = MasterKey::create(&path).unwrap().sealer("a");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut sealed = made.seal("AKIA1", b"secret").unwrap();
        let loaded = MasterKey::load(&path).unwrap().unwrap();
        assert_eq!(loaded.sealer("a").open("AKIA1", &sealed).unwrap(), b"secret");
        assert!(loaded.sealer("b").open("AKIA1", &sealed).is_none());
        assert!(made.open("AKIA2", &sealed).is_none());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(made.open("AKIA1", &sealed).is_none());
        assert!(made.open("AKIA1", &sealed[..5]).is_none());
    }

    #[test]
    fn a_broken_key_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity.key");
        std::fs::write(&path, "abc").unwrap();
        assert!(MasterKey::load(&path).is_err());
    }
}
