//! Embeds `console/dist/site` if it is there. It never builds it: that takes Node.js, and is `cargo xtask console`'s task.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = manifest.join("../../../console/dist");
    // The folder is always there, so that a missing site makes nothing stale.
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=build.rs");
    let site = dist.canonicalize()?.join("site");
    let mut files = Vec::new();
    if site.is_dir() {
        collect(&site, &mut files)?;
    }
    let mut table = String::from("[\n");
    let mut lines = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&site).map_err(io::Error::other)?.to_string_lossy().into_owned();
        // What `cargo xtask console` and the tests note about the build is not for browsers.
        if ["stamp", "manifest.json", "manifest.json.br"].contains(&name.as_str()) {
            continue;
        }
        let (name, packed) = match name.strip_suffix(".br") {
            Some(name) => (name.to_owned(), true),
            None if files.contains(&packed(file)) => continue,
            None => (name, false),
        };
        lines.push((name, packed, file));
    }
    lines.sort();
    for (name, packed, file) in lines {
        writeln!(table, "    File {{ name: {name:?}, packed: {packed}, bytes: include_bytes!({file:?}) }},")
            .map_err(io::Error::other)?;
    }
    table.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("files.rs"), table)
}

fn packed(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".br");
    name.into()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
