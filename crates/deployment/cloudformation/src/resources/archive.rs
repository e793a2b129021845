//! Zip archives of one stored file, for Lambda code that stands in a template ("ZipFile").

use flate2::Crc;

/// An archive that holds `content` under `name`. The same input gives the same bytes.
pub(crate) fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let size = u32::try_from(content.len()).expect("template text is far smaller than 4 GiB");
    let common = |out: &mut Vec<u8>| {
        out.extend(20u16.to_le_bytes()); // version needed
        out.extend([0; 4]); // no flags; stored
        out.extend([0, 0, 0x21, 0]); // 1980-01-01: an archive has no date before
        out.extend(crc.sum().to_le_bytes());
        out.extend(size.to_le_bytes());
        out.extend(size.to_le_bytes());
        out.extend((name.len() as u16).to_le_bytes());
        out.extend([0; 2]); // no extra field
    };
    let mut out = b"PK\x03\x04".to_vec();
    common(&mut out);
    out.extend(name.as_bytes());
    out.extend(content);
    let directory = out.len();
    out.extend(b"PK\x01\x02");
    out.extend([20, 3]); // made by version 2.0 on Unix
    common(&mut out);
    out.extend([0; 6]); // no comment, disk 0, binary
    out.extend((0o100_644u32 << 16).to_le_bytes());
    out.extend([0; 4]); // the file's header is at the beginning
    out.extend(name.as_bytes());
    let length = (out.len() - directory) as u32;
    out.extend(b"PK\x05\x06");
    out.extend([0, 0, 0, 0, 1, 0, 1, 0]);
    out.extend(length.to_le_bytes());
    out.extend((directory as u32).to_le_bytes());
    out.extend([0; 2]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_its_three_parts() {
        let archive = zip("index.py", b"print(1)");
        assert!(archive.starts_with(b"PK\x03\x04"));
        assert_eq!(&archive[30..38], b"index.py");
        assert_eq!(&archive[38..46], b"print(1)");
        let end = &archive[archive.len() - 22..];
        assert!(end.starts_with(b"PK\x05\x06"));
        let directory = u32::from_le_bytes(end[16..20].try_into().unwrap()) as usize;
        assert_eq!(&archive[directory..directory + 4], b"PK\x01\x02");
        assert_eq!(archive[directory + 4 + 42..directory + 46 + 8], *b"index.py");
    }
}
