//! Writes files out, into a new folder that appears whole or not at all.
//!
//! Every path is checked before the first byte is written: a repository can name files that no folder should get (A22).

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::native::to_native;
use super::{Repository, StoreError, large};
use crate::domain::{EntryKind, Mode, ObjectId, RepoPath};

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutFile {
    /// Where, below the folder.
    pub path: RepoPath,
    /// Git's mode.
    pub mode: Mode,
    /// The content.
    pub blob: ObjectId,
}

/// Writes files below `target`, which must not exist or be empty.
///
/// # Errors
/// `GB-PATH-UNSAFE` where a path leaves the folder or two paths would be one on some file system, `GB-USE-OUTPUT`
/// where the folder is in use, and where an object is missing or the disk cannot be written.
pub fn write_out(repository: &Repository, files: &[OutFile], target: &Path) -> Result<(), StoreError> {
    check_paths(files)?;
    let shown = target.display().to_string().escape_debug().to_string();
    let in_use = |why: &str| StoreError::new("GB-USE-OUTPUT", format!("\"{shown}\" {why}"));
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(in_use(&error.to_string())),
        Ok(found) if !found.is_dir() => return Err(in_use("is no folder")),
        Ok(_) => match fs::read_dir(target).map(|mut entries| entries.next().is_some()) {
            Ok(false) => {}
            Ok(true) => return Err(in_use("is not empty")),
            Err(error) => return Err(in_use(&error.to_string())),
        },
    }
    let failed = |error: io::Error| StoreError::new("GB-REPO-IO", format!("\"{shown}\" cannot be written: {error}"));
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(failed)?;
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let temporary = parent.join(format!(".{name}.{}.partial", std::process::id()));
    let written = fs::create_dir(&temporary).map_err(failed).and_then(|()| {
        for file in files {
            write_one(repository, file, &temporary).map_err(|error| match error {
                Failed::Io(error) => failed(error),
                Failed::Store(error) => error,
            })?;
        }
        // An empty folder may stand at the target; rename replaces it on every system that we write on.
        if target.exists() {
            fs::remove_dir(target).map_err(failed)?;
        }
        fs::rename(&temporary, target).map_err(failed)
    });
    if written.is_err() {
        // The first failure is what counts; a remnant carries "partial" in its name.
        let _ = fs::remove_dir_all(&temporary);
    }
    written
}

enum Failed {
    Io(io::Error),
    Store(StoreError),
}

fn write_one(repository: &Repository, file: &OutFile, root: &Path) -> Result<(), Failed> {
    let place: PathBuf = root.join(to_native(&file.path).map_err(Failed::Store)?);
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).map_err(Failed::Io)?;
    }
    // A link is written as a plain file that holds its target: nothing that is written here leads anywhere.
    let mut out = fs::OpenOptions::new().write(true).create_new(true).open(&place).map_err(Failed::Io)?;
    match repository.blob(file.blob) {
        Ok(bytes) => out.write_all(&bytes).map_err(Failed::Io)?,
        Err(error) if error.code() == "GB-OBJ-TOO-LARGE" => {
            let mut unwritten = None;
            let streamed = large::stream(&repository.git, file.blob, &mut |piece| {
                out.write_all(piece).map_err(|error| {
                    let kind = error.kind();
                    unwritten = Some(error);
                    kind.into()
                })
            });
            streamed.map_err(|error| unwritten.map_or(Failed::Store(error), Failed::Io))?;
        }
        Err(error) => return Err(Failed::Store(error)),
    }
    if file.mode == Mode::EXECUTABLE {
        make_executable(&place).map_err(Failed::Io)?;
    }
    Ok(())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn check_paths(files: &[OutFile]) -> Result<(), StoreError> {
    let mut folded: BTreeSet<Vec<u8>> = BTreeSet::new();
    let unsafe_path =
        |path: &RepoPath, why: &str| StoreError::new("GB-PATH-UNSAFE", format!("{path} is not written: {why}"));
    for file in files {
        if file.mode.kind() == EntryKind::Gitlink {
            return Err(unsafe_path(&file.path, "it is a submodule"));
        }
        for name in file.path.as_bytes().split(|byte| *byte == b'/') {
            if let Some(why) = defect(name) {
                return Err(unsafe_path(&file.path, why));
            }
        }
        let lower = String::from_utf8_lossy(file.path.as_bytes()).to_lowercase().into_bytes();
        if !folded.insert(lower) {
            return Err(unsafe_path(&file.path, "another file has the same name where case is folded"));
        }
    }
    for path in &folded {
        let inner = |at: usize| path.get(..at).is_some_and(|folder| folded.contains(folder));
        if path.iter().enumerate().any(|(at, byte)| *byte == b'/' && inner(at)) {
            return Err(unsafe_path(&RepoPath::new(path.clone()), "a file stands where its folder should be"));
        }
    }
    Ok(())
}

/// Says why a name must not be written on one of the systems that people use.
fn defect(name: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(name).to_lowercase();
    let stem = text.split('.').next().unwrap_or_default().trim_end();
    let device = matches!(stem, "con" | "prn" | "aux" | "nul" | "conin$" | "conout$")
        || (stem.len() == 4
            && (stem.starts_with("com") || stem.starts_with("lpt"))
            && stem.ends_with(|c: char| c.is_ascii_digit()));
    // HFS+ ignores these characters, so that ".g\u{200c}it" is ".git" there.
    let visible: String = text
        .chars()
        .filter(
            |c| !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'),
        )
        .collect();
    match visible.trim_end_matches(['.', ' ']) {
        "" => Some("an empty name, or one that leads upwards"),
        ".git" | "git~1" => Some("Git's own folder"),
        _ if device => Some("a device's name"),
        _ if text.ends_with(['.', ' ']) => Some("a name that ends in a dot or a space"),
        _ if text.contains(['\\', ':']) => Some("a backslash or a colon"),
        _ if text.chars().any(char::is_control) => Some("a control character"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(paths: &[&str]) -> Result<(), &'static str> {
        let file = |path: &&str| OutFile { path: (*path).into(), mode: Mode::FILE, blob: ObjectId::Sha1([0; 20]) };
        check_paths(&paths.iter().map(file).collect::<Vec<_>>()).map_err(|error| error.code())
    }

    #[test]
    fn ordinary_paths_are_written() {
        assert_eq!(code(&["a", "b/c.pem", ".github/x", ".gitignore", "ü/ß", "a..b"]), Ok(()));
    }

    #[test]
    fn paths_that_leave_the_folder_or_mean_something_else_are_refused() {
        for bad in [
            "../a",
            "a/../../b",
            "/etc/passwd",
            ".git/hooks/x",
            "a/.GIT/config",
            "git~1",
            "a\\b",
            "CON",
            "nul.txt",
            "com1",
            "a.",
            "a ",
            "a:b",
            "a\nb",
            ".g\u{200c}it/x",
            "a//b",
            "./a",
            "",
        ] {
            assert_eq!(code(&[bad]), Err("GB-PATH-UNSAFE"), "{bad:?}");
        }
        assert_eq!(code(&["a", "A"]), Err("GB-PATH-UNSAFE"));
        assert_eq!(code(&["a", "a/x"]), Err("GB-PATH-UNSAFE"));
    }
}
