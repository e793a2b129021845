use proptest::prelude::*;

use super::*;
use crate::sigv4::sha256_hex;

const SUM: HeaderName = HeaderName::from_static("x-amz-checksum-crc32");

/// What a client sends for these chunks.
fn encode(chunks: &[Vec<u8>], signed: bool, trailer: bool) -> Vec<u8> {
    let mut signer = ChunkSigner::test();
    let mut out = Vec::new();
    for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()).chain([&Vec::new()]) {
        out.extend(format!("{:x}", chunk.len()).bytes());
        if signed {
            let covered = format!("{}\n{}", sha256_hex(b""), sha256_hex(chunk));
            out.extend(format!(";chunk-signature={}", signer.sign("AWS4-HMAC-SHA256-PAYLOAD", &covered)).bytes());
        }
        out.extend(b"\r\n");
        if !chunk.is_empty() {
            out.extend(chunk);
            out.extend(b"\r\n");
        }
    }
    if trailer {
        out.extend(b"x-amz-checksum-crc32:AAAAAA==\r\n");
        if signed {
            let covered = sha256_hex(b"x-amz-checksum-crc32:AAAAAA==\n");
            let signature = signer.sign("AWS4-HMAC-SHA256-TRAILER", &covered);
            out.extend(format!("x-amz-trailer-signature:{signature}\r\n").bytes());
        }
    }
    out.extend(b"\r\n");
    out
}

fn decode(pieces: &[&[u8]], length: usize, signed: bool, trailer: bool) -> Result<(Vec<u8>, HeaderMap), ChunkError> {
    let signer = signed.then(ChunkSigner::test);
    let mut decoder = Decoder::new(length as u64, signer, trailer.then(|| vec![SUM]));
    let mut out = Vec::new();
    for piece in pieces {
        let mut input = Bytes::copy_from_slice(piece);
        while let Some(data) = decoder.next(&mut input)? {
            out.extend_from_slice(&data);
        }
    }
    Ok((out, decoder.finish()?))
}

proptest! {
    #[test]
    fn any_split_decodes_to_the_same(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4),
        signed: bool,
        trailer: bool,
    ) {
        let (plain, coded) = (chunks.concat(), encode(&chunks, signed, trailer));
        for at in 0..=coded.len() {
            let (out, trailers) = decode(&[&coded[..at], &coded[at..]], plain.len(), signed, trailer).unwrap();
            prop_assert_eq!(&out, &plain);
            prop_assert_eq!(trailers.contains_key(SUM), trailer);
        }
    }

    #[test]
    fn a_changed_byte_of_a_signed_body_is_an_error(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 1..4),
        at: prop::sample::Index,
        bit in 0u8..8,
    ) {
        let length = chunks.concat().len();
        let mut coded = encode(&chunks, true, true);
        let at = at.index(coded.len());
        coded[at] ^= 1 << bit;
        // Some changes say the same in other letters: upper-case hexadecimal digits and header names, the line's end.
        let same_words = |text: &[u8]| String::from_utf8_lossy(text).to_ascii_lowercase();
        prop_assume!(same_words(&coded) != same_words(&encode(&chunks, true, true)));
        match decode(&[&coded], length, true, true) {
            Err(_) => {}
            Ok((out, trailers)) => {
                prop_assert_eq!(out, chunks.concat());
                prop_assert_eq!(&trailers[SUM], "AAAAAA==");
            }
        }
    }

    #[test]
    fn a_body_cut_off_is_an_error(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 1..4),
        signed: bool,
        trailer: bool,
        at: prop::sample::Index,
    ) {
        let coded = encode(&chunks, signed, trailer);
        let at = at.index(coded.len());
        prop_assert!(decode(&[&coded[..at]], chunks.concat().len(), signed, trailer).is_err());
    }

    #[test]
    fn garbage_never_panics(garbage in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&[&garbage], 10, true, true);
        let _ = decode(&[&garbage], 10, false, true);
    }
}

#[test]
fn lengths_and_trailers_are_held_to_what_was_announced() {
    let coded = encode(&[b"hello".to_vec()], false, true);
    assert_eq!(decode(&[&coded], 4, false, true), Err(ChunkError::Incomplete));
    assert_eq!(decode(&[&coded], 6, false, true), Err(ChunkError::Incomplete));
    assert_eq!(decode(&[&coded], 5, false, false), Err(ChunkError::Trailer));
    let bare = encode(&[b"hello".to_vec()], false, false);
    assert_eq!(decode(&[&bare], 5, false, true), Err(ChunkError::Trailer));
    let unsigned_trailer = [&encode(&[], true, false)[..], b""].concat();
    assert_eq!(decode(&[&unsigned_trailer], 0, true, true), Err(ChunkError::Trailer));
    assert_eq!(decode(&[&coded, b"more"], 5, false, true), Err(ChunkError::Malformed));
}

#[test]
fn announced_trailers_are_split() {
    let mut headers = HeaderMap::new();
    headers.append("x-amz-trailer", HeaderValue::from_static("X-Amz-Checksum-Crc32, x-amz-meta-a"));
    assert_eq!(announced(&headers), [SUM, HeaderName::from_static("x-amz-meta-a")]);
    assert_eq!(announced(&HeaderMap::new()), Vec::<HeaderName>::new());
}
