//! Files. What is written is there whole or not at all, and whether it can be written is found out
//! before anything runs. Nobody waits an hour for a report that has no place.
//!
//! What is not finished stands beside the file, with `.part` behind its name, and takes its name in
//! the end. A device or a pipe is written to directly.

use std::{
    cell::RefCell,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process,
    rc::Rc,
};

use super::failure::Failure;

/// Makes sure that a file can be written, and leaves all as it was.
pub(crate) fn check(flag: &str, path: &Path) -> Result<(), Failure> {
    let fail = |why: &dyn std::fmt::Display| {
        let path = path.display();
        Failure::Usage(format!("--{flag}: cannot write {path}: {why}"))
    };
    if path.is_dir() {
        return Err(fail(&"it is a folder: name a file in it"));
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(fail(&format!("there is no folder {folder}: make it, or name another")));
    }
    let opened = match kind(path) {
        Kind::New => Ok(()),
        Kind::Regular => OpenOptions::new().write(true).open(path).map(|_| ()),
        // Opening a pipe waits for its reader, and closing it sends him away.
        Kind::Special => return Ok(()),
    };
    let part = part_of(path);
    let made = opened.and_then(|()| File::create(&part)).and_then(|_| fs::remove_file(&part));
    made.map_err(|error| fail(&format!("{error}: choose another place")))
}

/// Reads a file of text.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    if path.is_dir() {
        return Err(Failure::Usage(format!("cannot read {shown}: it is a folder: name a file")));
    }
    fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("cannot read {shown}: {error}")))
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let (part, mut file) = Part::create(path)?;
    // What goes wrong is kept, and told by `finish`.
    let _ = file.write_all(text.as_bytes());
    drop(file);
    part.finish()
}

/// Whether two paths are the same file, which at least one of them is already.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| {
        let folder = fs::canonicalize(folder_of(path)).ok()?;
        Some(fs::canonicalize(path).unwrap_or(folder.join(path.file_name()?)))
    };
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Part {
    path: PathBuf,
    /// What is written, and becomes the file in the end; none if it is the file itself.
    part: Option<PathBuf>,
    error: Rc<RefCell<Option<io::Error>>>,
}

impl Part {
    /// Begins a file. It is [finished](Self::finish) when the writer is gone.
    pub(crate) fn create(path: &Path) -> Result<(Self, Writer), Failure> {
        // A link stays one: what it points at is written.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let part = (kind(&path) != Kind::Special).then(|| part_of(&path));
        let file = match &part {
            Some(part) => File::create(part),
            None => OpenOptions::new().write(true).open(&path),
        };
        let file = file.map_err(|error| cannot(&path, &error))?;
        let error = Rc::default();
        let writer = Writer { file: BufWriter::new(file), error: Rc::clone(&error) };
        Ok((Self { path, part, error }, writer))
    }

    /// Gives the file its name, if all of it could be written.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        if let Some(error) = self.error.take() {
            return Err(cannot(&self.path, &error));
        }
        let Some(part) = self.part.take() else { return Ok(()) };
        fs::rename(part, &self.path).map_err(|error| cannot(&self.path, &error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            let _ = fs::remove_file(part);
        }
    }
}

/// Writes, and keeps the first error for whoever finishes the file.
#[derive(Debug)]
pub(crate) struct Writer {
    file: BufWriter<File>,
    error: Rc<RefCell<Option<io::Error>>>,
}

impl Writer {
    fn kept<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            self.error.borrow_mut().get_or_insert(error);
            kind.into()
        })
    }
}

impl Write for Writer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.file.write(data);
        self.kept(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.file.flush();
        self.kept(flushed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    New,
    Regular,
    Special,
}

fn kind(path: &Path) -> Kind {
    match fs::metadata(path) {
        Err(_) => Kind::New,
        Ok(it) if it.is_file() => Kind::Regular,
        Ok(_) => Kind::Special,
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}

/// Two processes that write the same file do not write into each other's.
fn part_of(path: &Path) -> PathBuf {
    let mut name: OsString = path.file_name().unwrap_or_default().into();
    name.push(format!(".{}.part", process::id()));
    path.with_file_name(name)
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    Failure::Runtime(format!("cannot write {}: {error}", path.display()))
}
