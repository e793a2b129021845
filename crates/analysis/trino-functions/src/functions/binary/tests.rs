use crate::functions::testing::check;

#[test]
fn hashes() {
    check(&[
        ("to_hex(md5(to_utf8('hello')))", "5D41402ABC4B2A76B9719D911017C592"),
        ("to_hex(sha1(to_utf8('hello')))", "AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D"),
        ("to_hex(sha256(to_utf8('')))", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"),
        ("substr(to_hex(sha512(to_utf8('abc'))), 1, 16)", "DDAF35A193617ABA"),
        ("crc32(to_utf8('hello'))", "907060870"),
        ("to_hex(xxhash64(to_utf8('')))", "EF46DB3751D8E999"),
        ("to_hex(xxhash64(to_utf8('abc')))", "44BC2CF5AD770999"),
        ("to_hex(xxhash64(to_utf8('Nobody inspects the spammish repetition')))", "FBCEA83C8A378BF1"),
        ("to_hex(murmur3(to_utf8('hashme')))", "93192FE805BE23041C8318F67EC4F2BC"),
        ("to_hex(spooky_hash_v2_32(to_utf8('')))", "6BF50919"),
        ("to_hex(spooky_hash_v2_64(to_utf8('')))", "232706FC6BF50919"),
        ("md5(CAST(NULL AS varbinary))", "NULL"),
    ]);
}

#[test]
fn keyed_hashes() {
    let text = "to_utf8('The quick brown fox jumps over the lazy dog'), to_utf8('key')";
    for (name, expected) in [
        ("hmac_md5", "80070713463E7749B90C2DC24911E275"),
        ("hmac_sha1", "DE7C9B85B8B78AA6BC8A7A36F70A90701C9DB4D9"),
        ("hmac_sha256", "F7BC83F430538424B13298E6AA6FB143EF4D59A14946175997479DBC2D1A3CD8"),
    ] {
        check(&[(&format!("to_hex({name}({text}))"), expected)]);
    }
}

#[test]
fn encodings() {
    check(&[
        ("to_hex(X'0aff')", "0AFF"),
        ("from_hex('0aFf')", "0a ff"),
        ("from_hex('0')", "INVALID_FUNCTION_ARGUMENT: invalid input length 1"),
        ("to_base64(X'fbff')", "+/8="),
        ("to_base64url(X'fbff')", "-_8="),
        ("from_base64('+/8')", "fb ff"),
        ("from_base64url('-_8=')", "fb ff"),
        ("from_base64(to_utf8('+/8='))", "fb ff"),
        ("to_base32(to_utf8('foobar'))", "MZXW6YTBOI======"),
        ("from_utf8(from_base32('MZXW6YTBOI======'))", "foobar"),
        ("from_base32('M1')", "INVALID_FUNCTION_ARGUMENT: Unrecognized character: 1"),
        ("to_big_endian_64(258)", "00 00 00 00 00 00 01 02"),
        ("from_big_endian_64(X'ffffffffffffffff')", "-1"),
        ("from_big_endian_64(X'ff')", "INVALID_FUNCTION_ARGUMENT: expected 8-byte input, but got instead: 1"),
        ("from_big_endian_32(to_big_endian_32(-7))", "-7"),
        ("to_hex(to_ieee754_64(1e0))", "3FF0000000000000"),
        ("from_ieee754_32(to_ieee754_32(REAL '1.5'))", "1.5"),
    ]);
    assert!(crate::functions::testing::eval("from_base64('*')").starts_with("INVALID_FUNCTION_ARGUMENT"));
}

#[test]
fn bytes() {
    check(&[
        ("length(X'0a0b')", "2"),
        ("reverse(X'0a0b')", "0b 0a"),
        ("concat(X'0a', X'0b', X'')", "0a 0b"),
        ("substr(X'0a0b0c', 2)", "0b 0c"),
        ("substr(X'0a0b0c', -2, 1)", "0b"),
        ("substr(X'0a0b0c', 4)", ""),
        ("lpad(X'0a', 3, X'0102')", "01 02 0a"),
        ("rpad(X'0a0b', 1, X'00')", "0a"),
        ("rpad(X'0a', 3, X'')", "INVALID_FUNCTION_ARGUMENT: Padding bytes must not be empty"),
    ]);
}
