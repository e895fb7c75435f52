//! What a cluster's bytes are like, as scenarios and command lines write it.

use std::fmt;

use serde_json::{Map, Value};
use swim_core::{Dialect, Keyring, MemberlistOptions, Options};

use crate::{host, near, world::key};

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
    /// What the table `[wire]` says, each value of which was read as one of its kind.
    pub(super) fn of(table: &Map<String, Value>) -> Self {
        let text = |key: &str| table.get(key).and_then(Value::as_str);
        Self {
            dialect: text("dialect").and_then(|name| dialect(name).ok()).unwrap_or_default(),
            is_encrypted: table.get("encrypted").and_then(Value::as_bool).unwrap_or_default(),
            label: text("label").unwrap_or_default().to_owned(),
        }
    }

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

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.dialect {
            Dialect::Native => "native",
            Dialect::Memberlist(_) => "memberlist",
        })?;
        f.write_str(if self.is_encrypted { ", encrypted" } else { "" })?;
        match &*self.label {
            "" => Ok(()),
            label => write!(f, ", label {label:?}"),
        }
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
