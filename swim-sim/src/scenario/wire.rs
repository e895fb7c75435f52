//! What a cluster's bytes are like, as scenarios and command lines write it.

use swim_core::{Dialect, Keyring, MemberlistOptions, Options};

use crate::{host, near, world::key};

use super::fields::{Fault, Value};

/// What a cluster's bytes are like. All its nodes have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// Whose bytes they are.
    pub dialect: Dialect,
    /// Whether they are sealed, with a key that the simulation makes up: which one it is changes
    /// nothing but the bytes.
    pub is_encrypted: bool,
    /// The label of the cluster.
    pub label: String,
}

impl Wire {
    /// Makes a node speak like this.
    pub fn set(&self, options: &mut Options) {
        options.dialect = self.dialect;
        options.keyring = self.is_encrypted.then(|| Keyring::new(key(0)));
        options.label.clone_from(&self.label);
    }

    /// Whether nodes can speak like this.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        let mut options = Options::lan(host::name(0), host::addr(0));
        self.set(&mut options);
        options.build().map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Reads the name of a dialect.
///
/// # Errors
///
/// What names there are.
pub fn dialect(name: &str) -> Result<Dialect, String> {
    match name {
        "native" => Ok(Dialect::Native),
        "memberlist" => Ok(Dialect::Memberlist(MemberlistOptions::default())),
        _ => {
            let hint = near::hint(name, ["native", "memberlist"].into_iter());
            Err(format!("there is no dialect {name:?}{hint}; write native or memberlist"))
        }
    }
}

/// Reads the table `[wire]`.
pub(super) fn read(value: &Value<'_>) -> Result<Wire, Fault> {
    let mut table = value.table("`wire`")?;
    let mut wire = Wire::default();
    if let Some(value) = table.take("dialect") {
        wire.dialect = dialect(value.text()?).map_err(|what| value.fault(what))?;
    }
    if let Some(value) = table.take("encrypted") {
        wire.is_encrypted = value.flag()?;
    }
    if let Some(value) = table.take("label") {
        value.text()?.clone_into(&mut wire.label);
    }
    table.end()?;
    wire.check().map_err(|what| value.fault(what))?;
    Ok(wire)
}
