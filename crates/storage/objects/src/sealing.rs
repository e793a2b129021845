//! Encryption at rest: AES-256-GCM in chunks, so that a range is read without the rest.
//!
//! Each object has a data key of its own, which its record holds wrapped by the store's master key. Each run of bytes (an
//! object, or a part of one) is encrypted with a key derived from that and from the run's id, so that no key meets a number
//! twice. A chunk's nonce says its place and whether it is the last one: chunks can be neither moved nor left out.
//!
//! The master key is a file of the store's directory that only its owner can read. Whoever has the whole directory can
//! read everything; what this protects are the content files and the index by themselves.

use std::fmt;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use parking_lot::Mutex;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Durability;
use crate::buffers::Buffer;
use crate::error::{Error, Result};
use crate::files::Files;

const KEY_BYTES: usize = 32;
const TAG_BYTES: u64 = 16;
/// A sealed chunk is as long as a block with a checksum, so that a read touches no more blocks than it must.
const SEALED_CHUNK: u64 = 64 << 10;
pub(crate) const CHUNK: u64 = SEALED_CHUNK - TAG_BYTES;
pub(crate) const FILE: &str = "master.key";
/// What the keys of runs are derived with, beside the data key.
const PURPOSE: &[u8] = b"boathouse objects: a run of bytes";

/// Who says how the data key of an object is wrapped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyHolder {
    /// Nobody: by the master key.
    #[default]
    Store,
    /// By the master key together with the name of a key, which who reads must have the right to.
    Named {
        /// The name.
        key_id: String,
        /// What else the key is bound to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<String>,
    },
    /// The client: by a key that is not kept.
    Client,
}

impl KeyHolder {
    fn is_store(&self) -> bool {
        *self == Self::Store
    }

    /// What a wrapped key is bound to.
    fn bound_to(&self) -> Vec<u8> {
        match self {
            Self::Store | Self::Client => Vec::new(),
            Self::Named { key_id, context } => {
                [key_id.as_bytes(), &[0], context.as_deref().unwrap_or_default().as_bytes()].concat()
            }
        }
    }
}

/// A key that a client sends with each of its requests. It is never kept.
#[derive(Clone)]
pub struct ClientKey(Arc<[u8; KEY_BYTES]>);

impl ClientKey {
    /// The key of these bytes.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Arc::new(bytes))
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientKey(***)")
    }
}

/// Whether what is written is encrypted, and how.
#[derive(Debug, Clone, Default)]
pub enum Seal {
    /// As the bucket wants it.
    #[default]
    AsBucket,
    /// With a key of the store.
    Store,
    /// With a key of the store under a name.
    Named {
        /// The name.
        key_id: String,
        /// What else the key is bound to.
        context: Option<String>,
    },
    /// With a key of the client.
    Client(ClientKey),
}

impl From<KeyHolder> for Seal {
    /// A holder that is the client is nobody here: its key is not known.
    fn from(holder: KeyHolder) -> Self {
        match holder {
            KeyHolder::Store => Self::Store,
            KeyHolder::Named { key_id, context } => Self::Named { key_id, context },
            KeyHolder::Client => Self::AsBucket,
        }
    }
}

/// How an object's bytes are encrypted: its data key, wrapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// `nonce (12) | key (32) | tag (16)` in base64.
    key: String,
    /// Who says how it is wrapped.
    #[serde(default, skip_serializing_if = "KeyHolder::is_store")]
    pub holder: KeyHolder,
}

/// The master key of a store.
pub(crate) struct Keys {
    dir: PathBuf,
    files: Files,
    durability: Durability,
    master: Mutex<Option<Arc<LessSafeKey>>>,
}

impl Keys {
    /// The keys of a store; the master key is made when it is needed for the first time.
    pub(crate) fn open(dir: &Path, files: Files, durability: Durability) -> Result<Self> {
        let master = match std::fs::read(dir.join(FILE)) {
            Ok(bytes) => Some(Arc::new(master(&bytes)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { dir: dir.to_owned(), files, durability, master: Mutex::new(master) })
    }

    /// Where the master key is, once there is one.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    /// A new data key.
    pub(crate) fn new_key(&self, holder: KeyHolder, client: Option<&ClientKey>) -> Result<(Encryption, DataKey)> {
        let wrapping = match (&holder, client) {
            (KeyHolder::Client, Some(client)) => Arc::new(cipher(&client.0[..])?),
            (KeyHolder::Client, None) => return Err(Error::ClientKeyMissing),
            _ => self.master_or_new()?,
        };
        let (key, nonce): ([u8; KEY_BYTES], [u8; NONCE_LEN]) = (random()?, random()?);
        let mut sealed = key.to_vec();
        wrapping
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(holder.bound_to()), &mut sealed)
            .map_err(|_| unsealable())?;
        let wrapped = STANDARD.encode([&nonce[..], &sealed].concat());
        Ok((Encryption { key: wrapped, holder }, DataKey::new(&key)))
    }

    /// The data key of an object. A client's key must be given where the client holds it, and nowhere else.
    pub(crate) fn unwrap(&self, encryption: &Encryption, client: Option<&ClientKey>) -> Result<DataKey> {
        let wrapping = match (&encryption.holder, client) {
            (KeyHolder::Client, Some(client)) => Arc::new(cipher(&client.0[..])?),
            (KeyHolder::Client, None) => return Err(Error::ClientKeyMissing),
            (_, Some(_)) => return Err(Error::ClientKeyUnwanted),
            (_, None) => {
                let master = self.master.lock().clone();
                master.ok_or_else(|| Error::Corrupt(format!("an object is encrypted, and {FILE} is missing")))?
            }
        };
        let wrapped = STANDARD.decode(&encryption.key).ok();
        let opened = wrapped.and_then(|mut wrapped| {
            let (nonce, sealed) = wrapped.split_first_chunk_mut::<NONCE_LEN>()?;
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let key = wrapping.open_in_place(nonce, Aad::from(encryption.holder.bound_to()), sealed).ok()?;
            Some(DataKey::new(key))
        });
        opened.ok_or_else(|| match encryption.holder {
            KeyHolder::Client => Error::ClientKeyWrong,
            _ => Error::Corrupt(format!("the key of an object does not open with {FILE}")),
        })
    }

    /// The data key of an object that may be encrypted.
    pub(crate) fn open_for(
        &self,
        encryption: Option<&Encryption>,
        client: Option<&ClientKey>,
    ) -> Result<Option<DataKey>> {
        match (encryption, client) {
            (Some(encryption), client) => self.unwrap(encryption, client).map(Some),
            (None, Some(_)) => Err(Error::ClientKeyUnwanted),
            (None, None) => Ok(None),
        }
    }

    /// The master key; a new one is durable before anything is encrypted with it.
    fn master_or_new(&self) -> Result<Arc<LessSafeKey>> {
        let mut held = self.master.lock();
        if let Some(master) = held.as_ref() {
            return Ok(Arc::clone(master));
        }
        let key: [u8; KEY_BYTES] = random()?;
        let (path, fresh) = (self.dir.join(FILE), self.dir.join(format!("{FILE}.new")));
        let mut file = self.files.create_private(&fresh)?;
        file.write_all(hex::encode(key).as_bytes())?;
        if self.durability == Durability::Strict {
            file.sync()?;
        }
        self.files.rename(&fresh, &path)?;
        if self.durability == Durability::Strict {
            self.files.sync_dir(&self.dir)?;
        }
        let made = Arc::new(cipher(&key)?);
        *held = Some(Arc::clone(&made));
        Ok(made)
    }
}

fn master(text: &[u8]) -> Result<LessSafeKey> {
    let key = hex::decode(text.trim_ascii()).ok().filter(|key| key.len() == KEY_BYTES);
    cipher(&key.ok_or_else(|| Error::Corrupt(format!("{FILE} holds no key")))?)
}

fn cipher(key: &[u8]) -> Result<LessSafeKey> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(|_| unsealable())?))
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map(|()| bytes).map_err(|_| std::io::Error::other("the system has no random numbers").into())
}

fn unsealable() -> Error {
    std::io::Error::other("the bytes can't be encrypted").into()
}

/// What the runs of one object are encrypted with.
pub(crate) struct DataKey(Prk);

impl DataKey {
    fn new(key: &[u8]) -> Self {
        Self(Salt::new(HKDF_SHA256, PURPOSE).extract(key))
    }

    /// The key of one run of bytes.
    pub(crate) fn of(&self, id: Uuid) -> Result<RunKey> {
        let derived = self.0.expand(&[id.as_bytes()], &AES_256_GCM).map_err(|_| unsealable())?.into();
        Ok(RunKey(Box::new(LessSafeKey::new(derived))))
    }
}

/// What one run of bytes is encrypted with.
pub(crate) struct RunKey(Box<LessSafeKey>);

impl fmt::Debug for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunKey(***)")
    }
}

fn nonce(index: u64, last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[3] = u8::from(last);
    bytes[4..].copy_from_slice(&index.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn chunks(size: u64) -> u64 {
    size.div_ceil(CHUNK).max(1)
}

/// How long a run of `size` bytes is when it is sealed.
pub(crate) fn sealed_bytes(size: u64) -> u64 {
    size + chunks(size) * TAG_BYTES
}

/// Where the sealed chunks of a range lie, in a run of `size` bytes.
pub(crate) fn sealed_range(size: u64, range: &Range<u64>) -> Range<u64> {
    let (first, last) = (range.start / CHUNK, range.end.saturating_sub(1) / CHUNK);
    first * SEALED_CHUNK..((last + 1) * SEALED_CHUNK).min(sealed_bytes(size))
}

impl RunKey {
    /// The bytes of a range from the sealed chunks that it lies in. They are opened where they are, each chunk moving up to
    /// the one before it as it is decrypted.
    pub(crate) fn unseal(&self, size: u64, range: &Range<u64>, mut sealed: Buffer) -> Result<Bytes> {
        let first = range.start / CHUNK;
        let length = sealed.as_ref().len();
        let mut opened = 0;
        for (start, index) in (0..length).step_by(SEALED_CHUNK as usize).zip(first..) {
            let end = length.min(start + SEALED_CHUNK as usize);
            let nonce = nonce(index, index + 1 == chunks(size));
            let place = &mut sealed.as_mut()[opened..end];
            let plain = self.0.open_within(nonce, Aad::empty(), place, start - opened..);
            opened += plain.map_err(|_| Error::Corrupt(format!("chunk {index} of an encrypted run")))?.len();
        }
        let start = (range.start - first * CHUNK) as usize;
        let end = (range.end - first * CHUNK) as usize;
        match end <= opened {
            true => Ok(sealed.freeze().slice(start..end)),
            false => Err(Error::Corrupt("an encrypted run is shorter than its record says".into())),
        }
    }

    /// A whole run at once.
    pub(crate) fn seal(self, chunks: &[Bytes]) -> Result<Vec<Bytes>> {
        let mut sealer = Sealer::new(self);
        let mut sealed = Vec::new();
        for chunk in chunks {
            sealed.extend(sealer.update(chunk)?);
        }
        sealed.push(sealer.finish()?);
        Ok(sealed)
    }
}

/// Encrypts a run of bytes as they come.
pub(crate) struct Sealer {
    key: RunKey,
    index: u64,
    held: Vec<u8>,
}

impl Sealer {
    pub(crate) fn new(key: RunKey) -> Self {
        Self { key, index: 0, held: Vec::new() }
    }

    /// The chunks that are full and not the last one.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) -> Result<Vec<Bytes>> {
        let mut sealed = Vec::new();
        while !bytes.is_empty() {
            if self.held.len() == CHUNK as usize {
                sealed.push(self.next(false)?);
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK as usize - self.held.len()));
            self.held.reserve_exact(SEALED_CHUNK as usize - self.held.len());
            self.held.extend_from_slice(now);
            bytes = later;
        }
        Ok(sealed)
    }

    /// The last chunk.
    pub(crate) fn finish(mut self) -> Result<Bytes> {
        self.next(true)
    }

    fn next(&mut self, last: bool) -> Result<Bytes> {
        let mut chunk = std::mem::take(&mut self.held);
        let nonce = nonce(self.index, last);
        self.key.0.seal_in_place_append_tag(nonce, Aad::empty(), &mut chunk).map_err(|_| unsealable())?;
        self.index += 1;
        Ok(chunk.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run() -> (tempfile::TempDir, Keys, Encryption, Uuid) {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(dir.path(), Files::default(), Durability::None).unwrap();
        let (encryption, _) = keys.new_key(KeyHolder::Store, None).unwrap();
        (dir, keys, encryption, Uuid::from_u128(7))
    }

    fn sealed(key: RunKey, bytes: &[u8], piece: usize) -> Vec<u8> {
        let pieces: Vec<Bytes> = bytes.chunks(piece.max(1)).map(Bytes::copy_from_slice).collect();
        key.seal(&pieces).unwrap().concat()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn ranges_come_back(
            size in prop_oneof![0..3_u64, CHUNK - 1..CHUNK + 2, 2 * CHUNK - 1..2 * CHUNK + 2, 0..300_000_u64],
            (a, b) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
            piece in 1..200_000_usize,
        ) {
            let (_dir, keys, encryption, id) = run();
            let bytes: Vec<u8> = (0..size).map(|at| (at * 31 % 251) as u8).collect();
            let run = sealed(keys.unwrap(&encryption, None).unwrap().of(id).unwrap(), &bytes, piece);
            prop_assert_eq!(run.len() as u64, sealed_bytes(size));
            let (a, b) = (a.index(size as usize + 1) as u64, b.index(size as usize + 1) as u64);
            let range = a.min(b)..a.max(b);
            prop_assume!(!range.is_empty());
            let part = sealed_range(size, &range);
            let key = keys.unwrap(&encryption, None).unwrap().of(id).unwrap();
            let read = key.unseal(size, &range, Buffer::of(&run[part.start as usize..part.end as usize])).unwrap();
            prop_assert!(read == bytes[range.start as usize..range.end as usize]);
        }
    }

    #[test]
    fn what_was_changed_moved_or_cut_is_found() {
        let (_dir, keys, encryption, id) = run();
        let key = |id| keys.unwrap(&encryption, None).unwrap().of(id).unwrap();
        let size = 2 * CHUNK + 5;
        let run = sealed(key(id), &vec![7; size as usize], 1 << 20);
        let open = |id, run: &[u8], size| key(id).unseal(size, &(0..size), Buffer::of(run));
        assert!(open(id, &run, size).is_ok());
        let mut flipped = run.clone();
        flipped[70_000] ^= 1;
        let chunk = SEALED_CHUNK as usize;
        let swapped = [&run[chunk..2 * chunk], &run[..chunk], &run[2 * chunk..]].concat();
        for (id, run, size) in [
            (id, &flipped[..], size),
            (id, &swapped[..], size),
            (id, &run[..2 * chunk], 2 * CHUNK),
            (Uuid::from_u128(8), &run[..], size),
        ] {
            assert!(matches!(open(id, run, size), Err(Error::Corrupt(_))));
        }
    }

    #[test]
    fn the_master_key_is_the_owners_and_no_other_opens() {
        use std::os::unix::fs::PermissionsExt as _;
        let (dir, keys, encryption, _) = run();
        let path = dir.path().join(FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Keys::open(dir.path(), Files::default(), Durability::None).unwrap().unwrap(&encryption, None).is_ok());
        assert!(keys.unwrap(&Encryption { key: "AAAA".into(), holder: KeyHolder::Store }, None).is_err());
        std::fs::remove_file(&path).unwrap();
        let lost = Keys::open(dir.path(), Files::default(), Durability::None).unwrap();
        assert!(matches!(lost.unwrap(&encryption, None), Err(Error::Corrupt(text)) if text.contains("is missing")));
        lost.new_key(KeyHolder::Store, None).unwrap();
        assert!(matches!(lost.unwrap(&encryption, None), Err(Error::Corrupt(_))));
        std::fs::write(&path, "nonsense").unwrap();
        assert!(Keys::open(dir.path(), Files::default(), Durability::None).is_err());
    }

    #[test]
    fn keys_open_only_for_their_holder() {
        let (_dir, keys, plain, _) = run();
        let named = |key_id: &str| KeyHolder::Named { key_id: key_id.into(), context: Some("c".into()) };
        let (encryption, _) = keys.new_key(named("a"), None).unwrap();
        assert!(keys.unwrap(&encryption, None).is_ok());
        let renamed = Encryption { holder: named("b"), ..encryption };
        assert!(matches!(keys.unwrap(&renamed, None), Err(Error::Corrupt(_))), "a key is bound to its name");
        let (client, other) = (ClientKey::new([1; 32]), ClientKey::new([2; 32]));
        let (encryption, _) = keys.new_key(KeyHolder::Client, Some(&client)).unwrap();
        assert!(keys.unwrap(&encryption, Some(&client)).is_ok());
        assert!(matches!(keys.unwrap(&encryption, Some(&other)), Err(Error::ClientKeyWrong)));
        assert!(matches!(keys.unwrap(&encryption, None), Err(Error::ClientKeyMissing)));
        assert!(matches!(keys.unwrap(&plain, Some(&client)), Err(Error::ClientKeyUnwanted)));
        assert!(matches!(keys.new_key(KeyHolder::Client, None), Err(Error::ClientKeyMissing)));
    }

    #[test]
    fn keys_from_before_there_were_holders_are_read() {
        let old: Encryption = serde_json::from_str(r#"{"key":"AAAA"}"#).unwrap();
        assert_eq!(old.holder, KeyHolder::Store);
        assert_eq!(serde_json::to_string(&old).unwrap(), r#"{"key":"AAAA"}"#);
    }
}
