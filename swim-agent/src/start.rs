//! From flags to a node that runs, or to what is wrong with them, in the words of the command line.

use std::net::SocketAddr;

use swim_tokio::{Builder, Events, Handle, Keyring, Name, StartError, settings::Setting};

use crate::{args::AgentArgs, failure::Failure, join, keys};

/// A node that runs.
pub(crate) struct Started {
    pub(crate) handle: Handle,
    pub(crate) events: Events,
    pub(crate) is_encrypted: bool,
}

/// Starts the node. What can be said at once is said first; name servers are asked last. The key
/// goes with the node: once it is removed there, nothing of it may be left here. (X17)
///
/// # Errors
///
/// When a flag can't be followed, or the machine does not have what it asks for.
pub(crate) async fn start(args: &mut AgentArgs) -> Result<Started, Failure> {
    let node = match &args.node {
        Some(name) => name.clone(),
        None => host_name()?,
    };
    let mut builder = Builder::preset(args.profile, &*node)
        .bind(args.bind.as_str())
        .label(args.label.as_str())
        .meta(args.meta.clone().into_bytes())
        .options(|options| {
            options.dialect = args.dialect;
            options.application = args.application;
            args.settings.iter().for_each(|change| change.apply(options));
        });
    if let Some(addr) = &args.advertise {
        builder = builder.advertise(addr.as_str());
    }
    let bind = builder.bind_address().map_err(|error| failure(args, error))?;
    let given = args.encrypt.take().map(Keyring::new);
    let keyring = keys::keyring(given, args.keyring.as_deref())?;
    if keyring.is_none() && !args.insecure_plaintext && is_exposed(bind) {
        return Err(Failure::Usage(format!(
            "other machines can reach {}, and without a key anybody there could join and read \
             along: give a key (--keyring, {} or --encrypt; `swim keygen` makes one), or say \
             --insecure-plaintext",
            args.bind,
            keys::ENV,
        )));
    }
    let is_encrypted = keyring.is_some();
    if let Some(keyring) = keyring {
        builder = builder.keyring(keyring);
    }
    // The address that was looked at: by now, an interface may have another one.
    let started = builder.bind(bind.to_string()).start().await;
    let (handle, events) = started.map_err(|error| failure(args, error))?;
    join::check(&args.join).await.map_err(Failure::Runtime)?;
    Ok(Started { handle, events, is_encrypted })
}

/// Whether somebody outside this machine may reach `bind`.
fn is_exposed(bind: SocketAddr) -> bool {
    !bind.ip().is_loopback()
}

fn host_name() -> Result<Name, Failure> {
    let name = gethostname::gethostname();
    let name = name.to_string_lossy();
    Name::new(&name).map_err(|error| {
        Failure::Runtime(format!("the host name cannot be the node's name: {error}; give --node"))
    })
}

/// The same in terms of flags, and whether it is the command line or the machine that must change.
fn failure(args: &AgentArgs, error: StartError) -> Failure {
    match error {
        StartError::Address { setting, given, problem } => {
            Failure::Usage(format!("--{setting} {given:?}: {problem}; see `swim help agent`"))
        }
        StartError::Interface { name, known } => Failure::Runtime(format!(
            "--bind {name:?}: it is no IP address, and no interface of this machine with a usable \
             address; there are {}",
            known.join(", ")
        )),
        StartError::Advertise { given, problem } if args.advertise.is_some() => {
            Failure::Runtime(format!("--advertise {given:?}: {problem}"))
        }
        StartError::Advertise { .. } => Failure::Runtime(format!(
            "--bind {:?}: this means all addresses, and no interface that is up has a private one \
             that the others could be told; say with --advertise where they reach this node",
            args.bind
        )),
        StartError::Config(error) => {
            let faults = error.faults.iter().map(|fault| {
                let problem = &fault.problem;
                match (fault.field, &args.advertise) {
                    ("addr", Some(given)) => format!("--advertise {given:?}: {problem}"),
                    ("addr", None) => format!("--bind {:?}: {problem}", args.bind),
                    ("name", _) => format!("--node: {problem}"),
                    (field, _) if Setting::named(field).is_some() => {
                        format!("--set {field}: {problem}")
                    }
                    (field, _) => format!("--{field}: {problem}"),
                }
            });
            let faults = faults.collect::<Vec<_>>().join("; ");
            Failure::Usage(format!("{faults}; see `swim help agent`"))
        }
        error => Failure::Runtime(format!("cannot start: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(bind: &str) -> SocketAddr {
        Builder::local("a").bind(bind).bind_address().unwrap()
    }

    #[test]
    fn x1_only_loopback_is_not_exposed() {
        for bind in ["127.0.0.1", "127.0.0.9:0", "::1", "[::1]:7946", "lo", "lo:0"] {
            assert!(!is_exposed(bound(bind)), "{bind}");
        }
        for bind in ["0.0.0.0", "0.0.0.0:7946", "::", "[::]:7946", "10.0.0.1:0", "[fd00::1]:1"] {
            assert!(is_exposed(bound(bind)), "{bind}");
        }
    }

    #[test]
    fn an_address_that_is_missing_is_asked_for_by_its_flag() {
        let unknown =
            || StartError::Advertise { given: "host".into(), problem: "nobody knows it".into() };
        let mut args = AgentArgs { bind: "0.0.0.0".into(), ..AgentArgs::default() };
        let message = failure(&args, unknown()).to_string();
        assert!(message.starts_with("--bind \"0.0.0.0\": "), "{message}");
        assert!(message.contains("say with --advertise where"), "{message}");
        args.advertise = Some("host".into());
        let message = failure(&args, unknown()).to_string();
        assert_eq!(message, "--advertise \"host\": nobody knows it");
    }
}
