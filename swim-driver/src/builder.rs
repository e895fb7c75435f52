//! Setting up a node and starting it.

use core::{fmt, net::SocketAddr, time::Duration};
use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;

use swim_core::{Config, Dialect, Instant, Key, Keyring, Life, Node, Options, Policy, Profile};

use crate::{
    bind::{self, PORT_DEFAULT, Sockets},
    clock::{Clock, WallClock},
    driver::{Driver, Parts},
    error::StartError,
    events::{Capacity, Events},
    handle::Handle,
    host::HostPort,
    interface,
    lookup::{Found, Terms, look_up, look_up_literal},
    machine::Machine,
    remote::{Identity, Remote, Shared},
    runtime::Runtime,
};

/// A node that is being set up.
///
/// Start from a preset, change what must be changed, then [`start`](Self::start).
#[derive(Clone)]
#[must_use = "a node does nothing until it is started"]
pub struct Builder<R> {
    options: Options,
    bind: String,
    advertise: Option<String>,
    events: Capacity,
    runtime: Option<R>,
}

impl<R: Runtime> Builder<R> {
    /// For one data centre: detection in seconds. Listens on all IPv4 addresses, port 7946.
    pub fn lan(name: impl Into<String>) -> Self {
        Self::preset(Profile::Lan, name)
    }

    /// For clusters across the internet. Listens on all IPv4 addresses, port 7946.
    pub fn wan(name: impl Into<String>) -> Self {
        Self::preset(Profile::Wan, name)
    }

    /// For one machine and for tests: fast. Listens on 127.0.0.1, port 7946.
    pub fn local(name: impl Into<String>) -> Self {
        Self::preset(Profile::Local, name)
    }

    /// The preset of this profile.
    pub fn preset(profile: Profile, name: impl Into<String>) -> Self {
        // The address stands in for the one that is known at the start.
        let addr = SocketAddr::from(([127, 0, 0, 1], PORT_DEFAULT));
        let bind = match profile {
            Profile::Lan | Profile::Wan => "0.0.0.0",
            Profile::Local => "127.0.0.1",
        };
        Self {
            options: Options::preset(profile, name, addr),
            bind: bind.into(),
            advertise: None,
            events: Capacity { events: EVENTS_DEFAULT, bytes: EVENTS_BYTES_DEFAULT },
            runtime: None,
        }
    }

    /// Where to listen, by UDP and TCP alike: an IP address or the name of an interface, with or
    /// without a port, such as `10.0.0.7`, `[::1]:7946`, `0.0.0.0:0` or `eth0:7946`. Without a port
    /// it is 7946; with port 0 the system chooses one.
    pub fn bind(mut self, addr: impl Into<String>) -> Self {
        self.bind = addr.into();
        self
    }

    /// The address that [`bind`](Self::bind) stands for at this moment. Nothing is bound yet.
    ///
    /// # Errors
    ///
    /// [`StartError::Address`] when it is no address; [`StartError::Interface`] when no interface
    /// has this name; [`StartError::Interfaces`] when they can't be listed.
    pub fn bind_address(&self) -> Result<SocketAddr, StartError> {
        bind::address(&self.bind)
    }

    /// Where the others reach this node, if that is not where it listens: an IP address or a name,
    /// which is resolved once at the start, with or without a port. Without a port it is the bound
    /// one. A node that listens on all addresses and is told nothing here advertises its first
    /// private address.
    pub fn advertise(mut self, addr: impl Into<String>) -> Self {
        self.advertise = Some(addr.into());
        self
    }

    /// Seals everything with this key and refuses what is not sealed. The same as a
    /// [`keyring`](Self::keyring) of this one key.
    pub fn key(self, key: Key) -> Self {
        self.keyring(Keyring::new(key))
    }

    /// Seals everything with the first key of the keyring, opens with all of them, and refuses what
    /// is not sealed.
    pub fn keyring(mut self, keyring: Keyring) -> Self {
        self.options.keyring = Some(keyring);
        self
    }

    /// Names the cluster, so that packets of another one are refused. At most 64 bytes.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.options.label = label.into();
        self
    }

    /// What the node says about itself. At most 512 bytes.
    pub fn meta(mut self, meta: impl Into<Bytes>) -> Self {
        self.options.meta = meta.into();
        self
    }

    /// Decisions that belong to the application.
    pub fn policy(mut self, policy: impl Policy + 'static) -> Self {
        self.options.policy = Arc::new(policy);
        self
    }

    /// How many events may wait to be read before some are dropped and the reader is told so; at
    /// least 1.
    pub fn events_capacity(mut self, events: usize) -> Self {
        self.events.events = events;
        self
    }

    /// How many bytes of messages, broadcasts and application states may wait to be read, beside
    /// the number of events, before some are dropped and the reader is told so; 64 MiB unless it
    /// is said here. With 0, one event with a payload may wait at a time: any one has room if no
    /// other is there, however long it is. What came in pieces may take twice its length.
    pub fn events_bytes(mut self, bytes: usize) -> Self {
        self.events.bytes = bytes;
        self
    }

    /// Where the node runs, if that is not the runtime of whoever starts it.
    pub fn runtime(mut self, runtime: R) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Changes any other option, at once. At the start, `addr` and `unix_time` are replaced by what
    /// is then known, and `life` by the wall clock unless it was changed here.
    pub fn options(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// Starts the node. It runs in the background until the last handle is dropped.
    ///
    /// Dropping the future starts nothing.
    ///
    /// # Errors
    ///
    /// [`StartError`] says what is wrong and what to do about it; nothing is left behind.
    pub async fn start(self) -> Result<(Handle, Events), StartError> {
        let (remote, events) = self.start_machine(Node::new).await?;
        Ok((Handle::new(remote), events))
    }

    /// Starts another machine instead of a bare node: one that is made of the same configuration,
    /// seed and time.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start).
    pub async fn start_machine<M: Machine>(
        mut self,
        make: impl FnOnce(Config, [u8; 32], Instant) -> M,
    ) -> Result<(Remote<M>, Events<M::Event>), StartError> {
        let clock = Clock::start();
        let unable = |source| StartError::Runtime { source };
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => R::current().map_err(unable)?,
        };
        runtime.check().map_err(unable)?;
        let Sockets { udp, tcp, addr: bound_addr } = bind::bind(self.bind_address()?)?;
        self.options.addr = advertised(self.advertise.as_deref(), bound_addr, clock).await?;

        if let Dialect::Memberlist(memberlist) = &mut self.options.dialect {
            memberlist.bind_port.get_or_insert(bound_addr.port());
        }
        let wall = WallClock::start(clock.now());
        self.options.unix_time = wall.unix_time();
        if let (Life(1), Some(unix_time)) = (self.options.life, self.options.unix_time) {
            self.options.life = Life(u64::try_from(unix_time.as_millis()).unwrap_or(u64::MAX));
        }
        let config = self.options.build()?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| StartError::Random { source: error.into() })?;

        let identity = Identity { name: config.name().clone(), addr: config.addr, bound_addr };
        let close_timeout = config.stream_timeout;
        let sockets = |source| StartError::Bind { addr: bound_addr, source };
        let (queue, events) = Events::channel(self.events);
        let shared = Arc::new(Shared::new(identity, clock, queue));
        let driver = Driver::new(Parts {
            sender: udp.try_clone().map_err(sockets)?,
            udp: runtime.udp(udp).map_err(unable)?,
            listener: runtime.listener(tcp).map_err(unable)?,
            runtime: runtime.clone(),
            machine: make(config, seed, clock.now()),
            wall,
            close_timeout,
            shared: Arc::clone(&shared),
        });
        runtime.spawn(driver.run());
        Ok((Remote::new(shared), events))
    }
}

impl<R> fmt::Debug for Builder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("options", &self.options)
            .field("bind", &self.bind)
            .field("advertise", &self.advertise)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

/// The address that the others are told.
async fn advertised(
    given: Option<&str>,
    bound: SocketAddr,
    clock: Clock,
) -> Result<SocketAddr, StartError> {
    let Some(given) = given else {
        return if bound.ip().is_unspecified() { first_private(bound) } else { Ok(bound) };
    };
    HostPort::parse(given).map_err(|problem| StartError::Address {
        setting: "advertise",
        given: given.into(),
        problem,
    })?;
    let terms =
        Terms { port: bound.port(), is_ipv4: bound.is_ipv4(), limit: LOOKUP_TIMEOUT, clock };
    let unusable = |problem| StartError::Advertise { given: given.into(), problem };
    let found = match look_up_literal(given, terms) {
        Some(found) => Some(found),
        None => look_up(vec![given.into()], terms).await.pop(),
    };
    let Some(Found { result, .. }) = found else { unreachable!("what was asked is answered") };
    let addrs = result.map_err(unusable)?;
    addrs.first().copied().ok_or_else(|| unusable("there is no address".into()))
}

fn first_private(bound: SocketAddr) -> Result<SocketAddr, StartError> {
    let known = interface::interfaces().map_err(|source| StartError::Interfaces { source })?;
    let ip: Option<IpAddr> = interface::private_ip(&known, bound.is_ipv4());
    let ip = ip.ok_or_else(|| StartError::Advertise {
        given: bound.to_string(),
        problem: "the node listens on all addresses, and no interface that is up has a private \
                  one that the others could be told; say which with `advertise`, or bind one"
            .into(),
    })?;
    Ok(SocketAddr::new(ip, bound.port()))
}

/// A reader may fall behind by a change of every member of a large cluster, at some 250 bytes each.
const EVENTS_DEFAULT: usize = 4_096;

/// Four of the longest messages that are taken if no option says otherwise, and more than as many
/// broadcasts as may wait. Without a limit, one peer could have gigabytes wait for a slow reader.
/// (M1)
const EVENTS_BYTES_DEFAULT: usize = 64 << 20;

/// How long the name to advertise may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);
