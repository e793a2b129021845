//! Hashes and checksums of bytes.

use arrow::datatypes::Int64Type;
use crc_fast::CrcAlgorithm;
use md5::{Digest, Md5};
use ring::{digest, hmac};

use super::super::Table;
use super::super::hashing::{murmur3, spooky, xxhash64};
use super::super::support::{Computed, binaries, bytes, primitives};
use crate::kernel::Call;

/// The block size that HMAC works with for MD5.
const BLOCK: usize = 64;

pub(super) fn register(table: &mut Table) {
    table.kernel("md5(varbinary) -> varbinary", "The MD5 hash.", |call| hash(call, md5));
    table.kernel("sha1(varbinary) -> varbinary", "The SHA-1 hash.", |call| {
        hash(call, |value| digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, value))
    });
    table.kernel("sha256(varbinary) -> varbinary", "The SHA-256 hash.", |call| {
        hash(call, |value| digest::digest(&digest::SHA256, value))
    });
    table.kernel("sha512(varbinary) -> varbinary", "The SHA-512 hash.", |call| {
        hash(call, |value| digest::digest(&digest::SHA512, value))
    });
    table.kernel("xxhash64(varbinary) -> varbinary", "The XXH64 hash.", |call| {
        hash(call, |value| xxhash64(value).to_be_bytes())
    });
    table.kernel("murmur3(varbinary) -> varbinary", "The MurmurHash3 hash of 128 bits.", |call| {
        hash(call, |value| {
            let halves = murmur3(value).map(u64::to_le_bytes);
            halves.concat()
        })
    });
    table.kernel("spooky_hash_v2_32(varbinary) -> varbinary", "The SpookyHash V2 hash of 32 bits.", |call| {
        hash(call, |value| (spooky(value) as u32).to_be_bytes())
    });
    table.kernel("spooky_hash_v2_64(varbinary) -> varbinary", "The SpookyHash V2 hash of 64 bits.", |call| {
        hash(call, |value| spooky(value).to_be_bytes())
    });
    table.kernel("crc32(varbinary) -> bigint", "The CRC-32 checksum.", |call| {
        let values = bytes(call, 0)?;
        primitives::<Int64Type>(call, |row| {
            Ok(Some(crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, values.value(row)) as i64))
        })
    });
    let text = "The hash of the bytes with a key.";
    table.kernel("hmac_md5(varbinary, varbinary) -> varbinary", text, |call| {
        let (values, keys) = (bytes(call, 0)?, bytes(call, 1)?);
        binaries(call, |row| Ok(hmac_md5(keys.value(row), values.value(row))))
    });
    table.kernel("hmac_sha1(varbinary, varbinary) -> varbinary", text, |call| {
        sign(call, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY)
    });
    table.kernel("hmac_sha256(varbinary, varbinary) -> varbinary", text, |call| sign(call, hmac::HMAC_SHA256));
    table.kernel("hmac_sha512(varbinary, varbinary) -> varbinary", text, |call| sign(call, hmac::HMAC_SHA512));
}

fn hash<H: AsRef<[u8]>>(call: &Call<'_>, hash: fn(&[u8]) -> H) -> Computed {
    let values = bytes(call, 0)?;
    binaries(call, |row| Ok(hash(values.value(row))))
}

fn sign(call: &Call<'_>, algorithm: hmac::Algorithm) -> Computed {
    let (values, keys) = (bytes(call, 0)?, bytes(call, 1)?);
    binaries(call, |row| Ok(hmac::sign(&hmac::Key::new(algorithm, keys.value(row)), values.value(row))))
}

fn md5(value: &[u8]) -> [u8; 16] {
    Md5::digest(value).into()
}

/// RFC 2104 over MD5.
fn hmac_md5(key: &[u8], value: &[u8]) -> [u8; 16] {
    let mut block = [0; BLOCK];
    match key.len() > BLOCK {
        true => block[..16].copy_from_slice(&md5(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let inner = Md5::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(value).finalize();
    Md5::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}
