//! The command line of `swim-peer`, which is that of the Go program beside it.

use std::{error::Error, time::Duration};

use lexopt::{Arg, Parser, ValueExt};
use swim_tokio::{
    Builder, Dialect, Key, Keyring, MemberlistOptions, VersionRange, settings::Setting,
};

/// What the command line asks for.
pub(crate) struct Flags {
    /// The node, ready to start.
    pub(crate) builder: Builder,
    /// Whom to join.
    pub(crate) seed: Option<String>,
    /// What goes along with every exchange.
    pub(crate) state: String,
    /// What goes along with every ack.
    pub(crate) ack: String,
    /// Whether broadcasts of others are passed on, each once, as Serf does.
    pub(crate) relay: bool,
}

/// Reads the command line.
pub(crate) fn read() -> Result<Flags, Box<dyn Error>> {
    let (mut name, mut seed, mut meta, mut keys) = (String::new(), None, String::new(), Vec::new());
    let (mut bind, mut advertise) = (String::from("127.0.0.1:0"), None);
    let (mut state, mut ack, mut settings) = (String::new(), String::new(), Vec::new());
    let (mut dialect, mut relay) = (MemberlistOptions::default(), false);
    let mut application = VersionRange::default();
    let mut parser = Parser::from_env();
    while let Some(arg) = parser.next()? {
        let Arg::Long(flag) = arg else { return Err(arg.unexpected().into()) };
        let flag = flag.to_owned();
        let value = parser.value()?;
        match flag.as_str() {
            "name" => name = value.string()?,
            "bind" => bind = value.string()?,
            "advertise" => advertise = Some(value.string()?),
            "join" => seed = Some(value.string()?),
            "key" => keys.insert(0, Key::from_base64(&value.string()?)?),
            "keys" => {
                for key in value.string()?.split(',') {
                    keys.push(Key::from_base64(key)?);
                }
            }
            "protocol" => {
                let current = value.parse()?;
                dialect.protocol = VersionRange { current, ..dialect.protocol };
            }
            "compression" => dialect.compression = value.parse()?,
            "verify-incoming" => dialect.verify_incoming = value.parse()?,
            "verify-outgoing" => dialect.verify_outgoing = value.parse()?,
            "meta" => meta = value.string()?,
            "state" => state = value.string()?,
            "ack" => ack = value.string()?,
            "application" => application = versions(&value.string()?)?,
            "relay" => relay = value.parse()?,
            "set" => settings.push(value.string()?),
            _ => return Err(format!("there is no flag --{flag}").into()),
        }
    }
    let mut builder = Builder::local(name).bind(bind).meta(meta).options(|options| {
        options.dialect = Dialect::Memberlist(dialect);
        options.report_probes = true;
        options.application = application;
    });
    if let Some(advertise) = advertise {
        builder = builder.advertise(advertise);
    }
    if let Some(keyring) = keyring(keys)? {
        builder = builder.keyring(keyring);
    }
    for text in settings {
        builder = change(builder, &text)?;
    }
    Ok(Flags { builder, seed, state, ack, relay })
}

/// The first key seals.
fn keyring(keys: Vec<Key>) -> Result<Option<Keyring>, Box<dyn Error>> {
    let mut keys = keys.into_iter();
    let Some(primary) = keys.next() else { return Ok(None) };
    let mut keyring = Keyring::new(primary);
    for key in keys {
        keyring.add(key)?;
    }
    Ok(Some(keyring))
}

/// Changes one setting, given as `name=value`.
fn change(builder: Builder, text: &str) -> Result<Builder, Box<dyn Error>> {
    let (name, value) = text.split_once('=').ok_or("a setting is name=value")?;
    let setting = Setting::named(name).ok_or_else(|| format!("there is no setting {name}"))?;
    let change = setting.read(value, span)?;
    Ok(builder.options(|options| change.apply(options)))
}

/// Versions, given as lowest, highest and present one: `2,5,5`.
fn versions(text: &str) -> Result<VersionRange, Box<dyn Error>> {
    let mut numbers = text.split(',').map(str::parse);
    let mut next = || numbers.next().ok_or("versions are three numbers");
    Ok(VersionRange { min: next()??, max: next()??, current: next()?? })
}

fn span(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| error.to_string())
}
