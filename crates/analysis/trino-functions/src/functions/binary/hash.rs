//! Hashes and checksums of bytes.

use arrow::datatypes::Int64Type;
use crc_fast::CrcAlgorithm;
use md5::{Digest, Md5};
use ring::{digest, hmac};

use super::super::Table;
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

const PRIMES: [u64; 5] =
    [0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63, 0x27D4_EB2F_1656_67C5];

/// XXH64 with seed 0, after its specification.
fn xxhash64(value: &[u8]) -> u64 {
    let [p1, p2, p3, p4, p5] = PRIMES;
    let round = |lane: u64, input: u64| lane.wrapping_add(input.wrapping_mul(p2)).rotate_left(31).wrapping_mul(p1);
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    let stripes = value.chunks_exact(32);
    let mut rest = stripes.remainder();
    let mut hash = p5;
    if value.len() >= 32 {
        let mut lanes = [p1.wrapping_add(p2), p2, 0, 0_u64.wrapping_sub(p1)];
        for stripe in stripes {
            for (lane, input) in lanes.iter_mut().zip(stripe.chunks_exact(8)) {
                *lane = round(*lane, word(input));
            }
        }
        let turns = [1, 7, 12, 18];
        hash = lanes.iter().zip(turns).fold(0, |hash, (lane, turn)| hash.wrapping_add(lane.rotate_left(turn)));
        for lane in lanes {
            hash = (hash ^ round(0, lane)).wrapping_mul(p1).wrapping_add(p4);
        }
    }
    hash = hash.wrapping_add(value.len() as u64);
    while let Some((eight, after)) = rest.split_first_chunk::<8>() {
        hash = (hash ^ round(0, word(eight))).rotate_left(27).wrapping_mul(p1).wrapping_add(p4);
        rest = after;
    }
    if let Some((four, after)) = rest.split_first_chunk::<4>() {
        hash = (hash ^ word(four).wrapping_mul(p1)).rotate_left(23).wrapping_mul(p2).wrapping_add(p3);
        rest = after;
    }
    for byte in rest {
        hash = (hash ^ u64::from(*byte).wrapping_mul(p5)).rotate_left(11).wrapping_mul(p1);
    }
    hash = (hash ^ hash >> 33).wrapping_mul(p2);
    hash = (hash ^ hash >> 29).wrapping_mul(p3);
    hash ^ hash >> 32
}
