//! Where keys come from: a flag, the environment, a keyring file, or the system's randomness.
//!
//! No message here quotes what it could not read: half a key is still a secret, and stderr often
//! ends in a log that more people can read than the key. And the text of a key is wiped once it was
//! read, as the key itself is when it is dropped. (X17)

use std::{
    env::{self, VarError},
    fs::File,
    io::{self, Read},
    path::Path,
};

use swim_tokio::{Key, Keyring};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The environment variable that holds a key.
pub(crate) const ENV: &str = "SWIM_ENCRYPT";

/// The keyring to run with, or none if there is no key. What was `given` outranks the environment.
///
/// # Errors
///
/// When a source is named and gives no key. There is no falling back to plaintext.
pub(crate) fn keyring(
    given: Option<Keyring>,
    file: Option<&Path>,
) -> Result<Option<Keyring>, Failure> {
    if given.is_some() {
        return Ok(given);
    }
    if let Some(path) = file {
        let shown = path.display();
        let ring =
            read(path).map_err(|why| Failure::Runtime(format!("--keyring {shown}: {why}")))?;
        return Ok(Some(ring));
    }
    match from_environment() {
        Ok(text) => {
            let key = key(&text).map_err(|why| Failure::Runtime(format!("{ENV}: {why}")))?;
            Ok(Some(Keyring::new(key)))
        }
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Failure::Runtime(format!("{ENV}: is no text"))),
    }
}

/// A new key of `bits` bits from the system's randomness.
///
/// # Errors
///
/// When the system has none to give.
pub(crate) fn generate(bits: usize) -> Result<Key, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    let bytes = &mut bytes[..bits / 8];
    getrandom::fill(bytes)
        .map_err(|error| Failure::Runtime(format!("cannot get random bytes: {error}")))?;
    Key::new(bytes).map_err(|error| Failure::Runtime(error.to_string()))
}

#[expect(clippy::disallowed_methods, reason = "a key must not have to stand in the process list")]
fn from_environment() -> Result<Zeroizing<String>, VarError> {
    env::var(ENV).map(Zeroizing::new)
}

/// Reads a key in base64.
///
/// # Errors
///
/// What is wrong with it, quoting nothing of it.
pub(crate) fn key(text: &str) -> Result<Key, String> {
    if text.trim().is_empty() {
        return Err("is empty; leave it out to run without a key".into());
    }
    Key::from_base64(text.trim()).map_err(|error| format!("{error}; `swim keygen` makes a key"))
}

/// Adds `key` to `ring`, whose first one seals.
///
/// # Errors
///
/// When the ring is full, or has another key of the same id.
pub(crate) fn add(ring: &mut Option<Keyring>, key: Key) -> Result<(), String> {
    match ring {
        None => *ring = Some(Keyring::new(key)),
        Some(ring) => {
            ring.add(key).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Keyring, String> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{error}; `swim help keygen` shows how to make one"),
        _ => error.to_string(),
    })?;
    // Before its mode: nobody should take away the right to enter a directory.
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err("is a directory; name the file in it that has the keys".into());
    }
    check_mode(&file)?;
    // With room for all of it: where a text grows, it leaves a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(FILE_LEN_MAX as usize + 2));
    file.take(FILE_LEN_MAX + 1).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => "is no text".into(),
        _ => error.to_string(),
    })?;
    if text.len() as u64 > FILE_LEN_MAX {
        return Err(format!("is longer than {FILE_LEN_MAX} bytes"));
    }
    parse(&text)
}

/// Keys that other users can read are no secret. That the group can read them may be meant: it is
/// how secrets are handed to containers.
#[cfg(unix)]
fn check_mode(file: &File) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;

    let mode = file.metadata().map_err(|error| error.to_string())?.mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(format!("is open to every user (mode {mode:03o}): run `chmod 600` on it"));
    }
    if mode & 0o070 != 0 {
        tracing::warn!(mode = %format_args!("{mode:03o}"), "the keyring file is open to its group");
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &File) -> Result<(), String> {
    tracing::warn!("nobody checks here whether other users can read the keyring file: see to it");
    Ok(())
}

/// Reads a JSON array of keys in base64, as Serf keeps it. (Serf: `keyring_file`)
pub(crate) fn parse(text: &str) -> Result<Keyring, String> {
    let texts: Vec<String> = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("is no JSON array of strings (line {line}, column {column})")
    })?;
    let mut ring = None;
    for (place, text) in (1..).zip(&*Zeroizing::new(texts)) {
        let added = key(text).and_then(|key| add(&mut ring, key));
        added.map_err(|why| format!("key {place}: {why}"))?;
    }
    ring.ok_or_else(|| "has no keys".into())
}

/// A full ring takes less than 2 KiB.
const FILE_LEN_MAX: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "AAECAwQFBgcICQoLDA0ODw==";
    const B: &str = "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8=";

    #[test]
    fn the_first_key_of_a_file_is_primary() {
        let ring = parse(&format!(r#"[ "{A}", "{B}" ]"#)).unwrap();
        let alone = Keyring::new(Key::from_base64(A).unwrap());
        assert_eq!(ring.primary(), alone.primary());
    }

    #[test]
    fn x20_a_bad_file_says_where_and_quotes_no_key() {
        let cases = [
            ("", "is no JSON array of strings (line 1, column 0)"),
            (r#"{"keys": []}"#, "is no JSON array of strings (line 1, column 0)"),
            ("[]", "has no keys"),
            (r#"[""]"#, "key 1: is empty"),
            (&format!(r#"["{A}", "c2VjcmV0"]"#), "key 2: "),
            (r#"["sec!ret"]"#, "key 1: "),
        ];
        for (text, expected) in cases {
            let why = parse(text).expect_err(text);
            assert!(why.starts_with(expected), "{text}: {why}");
            assert!(!why.contains("c2VjcmV0") && !why.contains("sec!ret"), "{why}");
        }
    }

    #[test]
    fn x20_a_file_is_read_so_far_and_no_further() {
        let path = env::temp_dir().join(format!("swim-keys-{}", std::process::id()));
        let read_from = |text: &[u8]| {
            std::fs::write(&path, text).unwrap();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            }
            let read = read(&path);
            std::fs::remove_file(&path).unwrap();
            read
        };
        assert!(read_from(format!(r#"["{A}"]"#).as_bytes()).is_ok());
        assert_eq!(read_from(b"\xff\xfe").unwrap_err(), "is no text");
        let long = [b"[".as_slice(), &vec![b' '; 65_536], b"]"].concat();
        assert_eq!(read_from(&long).unwrap_err(), "is longer than 65536 bytes");
    }

    #[test]
    fn new_keys_have_their_length_and_differ() {
        for bits in [128, 192, 256] {
            let (one, other) = (generate(bits).unwrap(), generate(bits).unwrap());
            assert_ne!(one.to_base64().to_string(), other.to_base64().to_string());
        }
    }
}
