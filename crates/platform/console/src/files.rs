//! The pages' files: embedded, or read from a folder while one works on them.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

/// What people see whose binary was built without the pages.
const MISSING: &str = include_str!("missing.html");

/// An embedded file.
struct File {
    name: &'static str,
    /// Whether the bytes are compressed with Brotli.
    packed: bool,
    bytes: &'static [u8],
}

static EMBEDDED: &[File] = &include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Where the files come from.
#[derive(Debug, Clone)]
pub enum Files {
    /// Out of the binary.
    Embedded,
    /// Out of a folder, each time anew.
    Folder(PathBuf),
}

/// A file as it goes out.
#[derive(Debug, PartialEq, Eq)]
pub struct Served {
    /// What is sent.
    pub bytes: Cow<'static, [u8]>,
    /// Whether that is compressed with Brotli.
    pub packed: bool,
}

impl Files {
    /// The folder's files, or the embedded ones.
    pub fn new(folder: Option<PathBuf>) -> Self {
        folder.map_or(Self::Embedded, Self::Folder)
    }

    /// Whether the pages are embedded in this binary.
    pub fn embedded() -> bool {
        !EMBEDDED.is_empty()
    }

    /// The file `name`, such as `assets/index-1a2b.js`; compressed if it is kept so and `brotli` may be sent.
    ///
    /// # Errors
    /// What reading the folder ends with, but that there is no such file.
    pub fn find(&self, name: &str, brotli: bool) -> io::Result<Option<Served>> {
        match self {
            Self::Folder(folder) => read(folder, name),
            Self::Embedded => {
                let Ok(place) = EMBEDDED.binary_search_by(|file| file.name.cmp(name)) else { return Ok(None) };
                let File { packed, bytes, .. } = EMBEDDED[place];
                let unpack = packed && !brotli;
                let bytes = if unpack { Cow::Owned(unpacked(bytes)?) } else { Cow::Borrowed(bytes) };
                Ok(Some(Served { bytes, packed: packed && !unpack }))
            }
        }
    }

    /// The page that all addresses begin with, uncompressed; one that says how to build it where it is missing.
    ///
    /// # Errors
    /// What reading the folder ends with.
    pub fn index(&self) -> io::Result<String> {
        let Some(found) = self.find("index.html", false)? else { return Ok(MISSING.to_owned()) };
        String::from_utf8(found.bytes.into_owned()).map_err(io::Error::other)
    }
}

fn read(folder: &Path, name: &str) -> io::Result<Option<Served>> {
    let below = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !below || name.is_empty() {
        return Ok(None);
    }
    match fs::read(folder.join(name)) {
        Ok(bytes) => Ok(Some(Served { bytes: bytes.into(), packed: false })),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
        Err(error) => Err(error),
    }
}

fn unpacked(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    brotli::Decompressor::new(bytes, 64 << 10).read_to_end(&mut plain)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_files_are_sorted_and_can_be_unpacked() {
        assert!(EMBEDDED.is_sorted_by(|a, b| a.name < b.name));
        for file in EMBEDDED {
            let plain = Files::Embedded.find(file.name, false).unwrap().unwrap();
            assert!(!plain.packed && !plain.bytes.is_empty(), "{}", file.name);
            assert_eq!(Files::Embedded.find(file.name, true).unwrap().unwrap().packed, file.packed);
        }
        assert_eq!(Files::Embedded.find("assets/none.js", true).unwrap(), None);
    }

    #[test]
    fn a_folder_gives_what_is_below_it_and_nothing_else() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("site");
        fs::create_dir_all(folder.join("assets")).unwrap();
        fs::write(around.path().join("secret"), "s").unwrap();
        fs::write(folder.join("assets/a.js"), "a").unwrap();
        let files = Files::new(Some(folder));
        assert_eq!(&*files.find("assets/a.js", true).unwrap().unwrap().bytes, b"a");
        for name in ["", "assets", "assets/a.js/b", "../secret", "assets/../../secret", "/etc/passwd", "./assets/a.js"]
        {
            assert_eq!(files.find(name, true).unwrap(), None, "{name}");
        }
        assert!(files.index().unwrap().contains("cargo xtask console"));
    }
}
