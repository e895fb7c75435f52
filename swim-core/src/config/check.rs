//! The checks that turn options into a configuration: all faults at once, each in plain words.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{net::IpAddr, time::Duration};

use super::{Config, ConfigError, Fault, Options};
use crate::{
    dialect::{Dialect, PROTOCOL_RANGE},
    label::{Label, NATIVE_LABEL_LEN_MAX},
    limits,
    name::{Meta, Name},
    stamp::LIFE_MAX,
    time::DURATION_MAX,
};

impl Options {
    /// Checks everything at once.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] lists every fault, not only the first.
    pub fn build(self) -> Result<Config, ConfigError> {
        let faults = faults(&self);
        if !faults.is_empty() {
            return Err(ConfigError { faults });
        }
        let name = Name::new(&self.name).expect("the name was just checked");
        let meta = Meta::new(self.meta.clone()).expect("the metadata was just checked");
        let label = Label::new(&self.label).expect("the label was just checked");
        Ok(Config { options: self, name, meta, label })
    }
}

/// Everything that is wrong with `options`.
fn faults(options: &Options) -> Vec<Fault> {
    let mut check = Checklist::default();
    check.identity(options);
    check.durations(options);
    check.numbers(options);
    check.dialect(options);
    check.faults
}

#[derive(Default)]
struct Checklist {
    faults: Vec<Fault>,
}

impl Checklist {
    fn identity(&mut self, o: &Options) {
        if let Err(error) = Name::new(&o.name) {
            self.fault("name", error.to_string());
        }
        if o.addr.ip().is_unspecified() || o.addr.ip().is_multicast() || o.addr.port() == 0 {
            self.fault("addr", format!("{} is no address that others could reach", o.addr));
        }
        if matches!(o.addr.ip(), IpAddr::V6(ip) if ip.is_unicast_link_local()) {
            // A scope means something on one host only, so that claims carry none.
            let addr = o.addr;
            self.fault("addr", format!("{addr} is of one link only: take an address of a site"));
        }
        if o.allow.as_ref().is_some_and(|list| !list.allows(o.addr.ip())) {
            let ip = o.addr.ip();
            self.fault("allow", format!("does not have this node's own address, {ip}"));
        }
        if o.life.0 == 0 || o.life.0 >= LIFE_MAX {
            self.fault("life", format!("{} is not within 1 and {}", o.life, LIFE_MAX - 1));
        }
        if let Err(error) = Meta::new(o.meta.clone()) {
            self.fault("meta", error.to_string());
        }
        if let Err(error) = Label::new(&o.label) {
            self.fault("label", error.to_string());
        } else if o.dialect.is_native() && o.label.len() > NATIVE_LABEL_LEN_MAX {
            let (len, max) = (o.label.len(), NATIVE_LABEL_LEN_MAX);
            self.fault("label", format!("{len} bytes are too many: natively the limit is {max}"));
        }
        if !o.application.is_valid() {
            self.fault("application", "the current version is not within min and max".into());
        }
    }

    fn durations(&mut self, o: &Options) {
        let millis = Duration::from_millis;
        let hour = Duration::from_secs(60 * 60);
        self.span("probe_interval", o.probe_interval, millis(10), hour);
        self.span("probe_timeout", o.probe_timeout, millis(1), hour);
        if o.probe_timeout >= o.probe_interval {
            self.fault(
                "probe_timeout",
                format!(
                    "{:?} is not less than the probe_interval of {:?}, so that no helper could \
                     be asked in time",
                    o.probe_timeout, o.probe_interval
                ),
            );
        }
        if !o.gossip_interval.is_zero() {
            self.span("gossip_interval", o.gossip_interval, millis(1), hour);
        }
        self.span("gossip_to_dead", o.gossip_to_dead, Duration::ZERO, DURATION_MAX);
        if !o.push_pull_interval.is_zero() {
            self.span("push_pull_interval", o.push_pull_interval, millis(10), DURATION_MAX);
        }
        self.span("reap_after", o.reap_after, millis(1), DURATION_MAX);
        if let Some(reclaim_after) = o.reclaim_after {
            self.span("reclaim_after", reclaim_after, Duration::ZERO, DURATION_MAX);
        }
        if !o.reconnect_interval.is_zero() {
            self.span("reconnect_interval", o.reconnect_interval, millis(10), DURATION_MAX);
        }
        self.span("remember_for", o.remember_for, Duration::ZERO, DURATION_MAX);
        self.span("stream_timeout", o.stream_timeout, millis(1), hour);
        self.span("broadcast_lifetime", o.broadcast_lifetime, millis(10), hour);
    }

    fn numbers(&mut self, o: &Options) {
        self.range("indirect_probes", o.indirect_probes, 0, limits::INDIRECT_PROBES_MAX);
        self.range("health_max", o.health_max as usize, 0, 63);
        self.range("suspicion_mult", o.suspicion_mult as usize, 1, 32);
        self.range("suspicion_max_mult", o.suspicion_max_mult as usize, 1, 32);
        self.range("gossip_nodes", o.gossip_nodes, 0, limits::GOSSIP_NODES_MAX);
        self.range("retransmit_mult", o.retransmit_mult as usize, 1, 16);
        self.range("members_max", o.members_max, 1, limits::MEMBERS_MAX);
        self.range("streams_max", o.streams_max, 1, limits::STREAMS_MAX);
        self.range("streams_per_addr_max", o.streams_per_addr_max, 1, limits::STREAMS_MAX);
        self.range("state_len_max", o.state_len_max, 0, limits::TRANSFER_MAX);
        self.range("message_len_max", o.message_len_max, 0, limits::TRANSFER_MAX);
        let (min, max) = (limits::PACKET_LEN_MIN, limits::PACKET_LEN_MAX);
        self.range("packet_len_max", o.packet_len_max, min, max);
        // Natively a label travels as its hash.
        let label_len = if o.dialect.is_native() { 0 } else { o.label.len() };
        let needed = limits::packet_len_needed(o.name.len(), o.meta.len()) + label_len;
        if o.packet_len_max < needed {
            self.fault(
                "packet_len_max",
                format!(
                    "{} bytes can't hold this node's own claim: with a name of {}, metadata of {} \
                     and a label of {} bytes it may need {needed}",
                    o.packet_len_max,
                    o.name.len(),
                    o.meta.len(),
                    o.label.len()
                ),
            );
        }
    }

    fn dialect(&mut self, o: &Options) {
        let Dialect::Memberlist(options) = o.dialect else { return };
        let [min, max] = PROTOCOL_RANGE;
        let protocol = options.protocol;
        if !protocol.is_valid() || protocol.min < min || protocol.max > max {
            let problem = format!("memberlist's protocol has the versions {min} to {max}");
            self.fault("dialect", problem);
        }
        let (min, max) = (limits::MEMBERLIST_PACKET_LEN_MIN, limits::PACKET_LEN_MAX);
        self.range("packet_len_max", o.packet_len_max, min, max);
        let max = limits::MEMBERLIST_TRANSFER_MAX;
        self.range("state_len_max", o.state_len_max, 0, max);
        self.range("message_len_max", o.message_len_max, 0, max);
    }

    fn span(&mut self, field: &'static str, value: Duration, min: Duration, max: Duration) {
        if value < min || value > max {
            self.fault(field, format!("{value:?} is not within {min:?} and {max:?}"));
        }
    }

    fn range(&mut self, field: &'static str, value: usize, min: usize, max: usize) {
        if value < min || value > max {
            self.fault(field, format!("{value} is not within {min} and {max}"));
        }
    }

    fn fault(&mut self, field: &'static str, problem: String) {
        self.faults.push(Fault { field, problem });
    }
}

#[cfg(test)]
mod tests {
    use core::net::SocketAddr;

    use bytes::Bytes;

    use super::*;
    use crate::{
        config::Profile, dialect::MemberlistOptions, member::VersionRange, policy::AllowList,
    };

    fn addr() -> SocketAddr {
        "127.0.0.1:7946".parse().unwrap()
    }

    #[test]
    fn presets_are_valid() {
        for profile in [Profile::Lan, Profile::Wan, Profile::Local] {
            let built = Options::preset(profile, "a", addr()).build();
            assert!(built.is_ok(), "{profile}: {built:?}");
        }
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let mut options = Options::lan("", "0.0.0.0:0".parse().unwrap());
        options.probe_timeout = options.probe_interval;
        options.suspicion_mult = 0;
        options.packet_len_max = 100;
        options.remember_for = Duration::MAX;
        let error = options.build().unwrap_err();
        let fields: Vec<_> = error.faults.iter().map(|fault| fault.field).collect();
        let expected = [
            "name",
            "addr",
            "probe_timeout",
            "remember_for",
            "suspicion_mult",
            "packet_len_max",
            "packet_len_max",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn what_others_would_refuse_is_a_fault_here() {
        let mut options = Options::lan("a", addr());
        options.application = VersionRange { min: 2, max: 5, current: 6 };
        options.allow = Some(AllowList::new(alloc::vec!["10.0.0.0/8".parse().unwrap()]));
        let error = options.clone().build().unwrap_err();
        let fields: Vec<_> = error.faults.iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["allow", "application"]);
        options.application.current = 5;
        options.addr = "10.1.2.3:7946".parse().unwrap();
        assert!(options.build().is_ok());
    }

    #[test]
    fn an_address_of_one_link_is_no_address() {
        // Claims carry no scope, and packets from such an address come with one.
        let options = Options::lan("a", "[fe80::1]:7946".parse().unwrap());
        let error = options.build().unwrap_err();
        assert_eq!(error.faults.len(), 1);
        assert!(error.to_string().contains("[fe80::1]:7946 is of one link only"), "{error}");
        assert!(Options::lan("a", "[fd00::1]:7946".parse().unwrap()).build().is_ok());
    }

    #[test]
    fn probing_cannot_be_turned_off_and_all_else_can() {
        let hour = Duration::from_secs(60 * 60);
        let nano = Duration::from_nanos(1);
        let with_interval = |probe_interval| {
            let mut options = Options::lan("a", addr());
            options.probe_timeout = Duration::from_millis(1);
            options.probe_interval = probe_interval;
            options
        };
        for interval in [Duration::ZERO, Duration::from_millis(10) - nano, hour + nano] {
            let error = with_interval(interval).build().unwrap_err();
            assert!(error.faults.iter().any(|fault| fault.field == "probe_interval"), "{error}");
        }
        for interval in [Duration::from_millis(10), hour] {
            assert!(with_interval(interval).build().is_ok(), "{interval:?}");
        }
        let mut options = Options::lan("a", addr());
        options.gossip_interval = Duration::ZERO;
        options.push_pull_interval = Duration::ZERO;
        options.reconnect_interval = Duration::ZERO;
        options.indirect_probes = 0;
        options.stream_pings = false;
        options.health_max = 0;
        assert!(options.build().is_ok());
    }

    #[test]
    fn a_label_is_as_long_as_the_dialect_has_room_for() {
        let memberlist = Dialect::Memberlist(MemberlistOptions::default());
        for (dialect, len, is_valid) in [
            (Dialect::Native, 64, true),
            (Dialect::Native, 65, false),
            (memberlist, 255, true),
            (memberlist, 256, false),
        ] {
            let mut options = Options::lan("a", addr());
            options.dialect = dialect;
            options.label = "x".repeat(len);
            let built = options.build();
            assert_eq!(built.is_ok(), is_valid, "{len}: {built:?}");
        }
        // It stands before every packet, and leaves less room for what is in it.
        let mut options = Options::lan("x".repeat(128), addr());
        options.dialect = memberlist;
        options.meta = Bytes::from(alloc::vec![0; 512]);
        options.packet_len_max = 1_100;
        assert!(options.clone().build().is_ok());
        options.label = "x".repeat(255);
        let error = options.build().unwrap_err();
        assert_eq!(error.faults.len(), 1);
        assert_eq!(error.faults[0].field, "packet_len_max");
        assert!(error.to_string().contains("a label of 255 bytes"), "{error}");
    }

    #[test]
    fn w1_a_packet_must_hold_the_own_claim() {
        let mut options = Options::lan("x".repeat(128), addr());
        options.meta = Bytes::from(alloc::vec![0; 512]);
        options.packet_len_max = 576;
        assert_eq!(options.clone().build().unwrap_err().faults.len(), 1);
        options.packet_len_max = 1232;
        assert!(options.build().is_ok());
    }
}
