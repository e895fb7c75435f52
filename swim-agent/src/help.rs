//! What `swim` says about itself. Every flag that is understood is explained here.

/// Printed by `swim --help`.
pub(crate) const SWIM: &str = "\
Cluster membership and failure detection by gossip.

Usage: swim <COMMAND>

Commands:
  agent          Run a member of a cluster and print what happens to the others
  decode         Explain captured packets and streams
  keygen         Print a new key to encrypt a cluster with
  help [COMMAND] Print this, or all about a command

Options:
  -h, --help     Print this
  -V, --version  Print the version

Examples:
  swim agent                       a cluster of one, on this machine only
  swim help agent                  all about running an agent
  swim keygen                      a key to encrypt a cluster with
";

/// Printed by `swim help decode`.
pub(crate) const DECODE: &str = "\
Explain a captured packet or stream, layer by layer, with one line of JSON for each message.

Usage: swim decode [OPTIONS] HEX|FILE|-
       swim decode [OPTIONS] --stream REQUEST [ANSWER]

What is explained is hexadecimal digits (with colons and spaces wherever), a file with such digits
or with the bytes themselves, or - for standard input. A file named like digits is ./cafe.
A pcap file (Ethernet, Linux cooked, raw IP) is explained frame by frame, with time, transport,
source and destination; streams of TCP are put together, and stand at the end.

Options:
      --dialect DIALECT  native, or memberlist: what HashiCorp's memberlist and Serf speak
                         [default: native]
      --label LABEL      The label of the cluster
      --skip-inbound-label-check
                         In memberlist's dialect: somebody took the labels off before
      --key KEY          A key in base64. May be repeated; whichever fits is taken
      --keyring FILE     File with a JSON array of keys, as for an agent; SWIM_ENCRYPT is read too
      --stream           It is all that one side of a TCP connection sent: the one who dialed, and
                         then the other one. \"\" is a request that was not captured
      --port PORT        Of a pcap file, only what comes from this port or goes to it
  -h, --help             Print this

Messages have kind, at (where they begin, in bytes), layers (what is around them) and fields. What
a node with this label and these keys would refuse has the kind refused, and refused (the reason in
a word), layer, at and reason; a message of memberlist's that can be read all the same stands before
that. Only whom it is for, how old it is, whether it came before and, in memberlist's dialect,
whether it had to be sealed does not matter here.

Examples:
  swim decode --dialect memberlist 0b81a55365714e6f07
  swim decode --label prod --keyring keys.json packet.bin
  tcpdump -i any -w - port 7946 -c 100 | swim decode --keyring keys.json -

Exit status: 0 when all was understood, 1 when something was refused, 2 when the command line is
wrong.
";

/// Printed by `swim help keygen`.
pub(crate) const KEYGEN: &str = "\
Print a new key, in base64, from the system's randomness.

Usage: swim keygen [--bits 128|192|256]

Options:
      --bits BITS  Length of the key [default: 256]
  -h, --help       Print this

Examples:
  SWIM_ENCRYPT=$(swim keygen) swim agent --bind eth0
  (umask 077; printf '[\"%s\"]' \"$(swim keygen)\" > keys.json)
";

/// Printed by `swim help agent`.
pub(crate) const AGENT: &str = "\
Run a member of a cluster and print what happens to the others.

Usage: swim agent [OPTIONS]

Who and where:
      --node NAME        Name of this node, unique in the cluster [default: the host name]
      --bind ADDR        IP address or network interface to listen on, by UDP and TCP, with or
                         without a port; port 0 picks a free one [default: 127.0.0.1:7946]
      --advertise ADDR   Where the others reach this node, if not where it listens
      --meta TEXT        What this node says about itself, at most 512 bytes

Which cluster:
      --join ADDR        A member to join through: HOST or HOST:PORT; without a port, the own one
                         is meant. May be repeated; one that answers is enough, and all are tried
                         again until one does
      --label TEXT       Name of the cluster; members with another label are refused
      --profile PROFILE  How fast to probe and gossip: lan (one data centre), wan (the internet)
                         or local (one machine) [default: lan]
      --set NAME=VALUE   What is different from the profile, as reap_after=1h or gossip_nodes=4;
                         names are those of the library's options. May be repeated

Which language:
      --dialect DIALECT  native, or memberlist: what HashiCorp's memberlist and Serf speak, to be a
                         member of a cluster of theirs [default: native]
      --application MIN,MAX,CURRENT
                         Versions of what is built on top, as announced to the others; members of
                         a Serf cluster must have 2,5,5 [default: 0,0,0]
  Only with --dialect memberlist, under memberlist's own names:
      --protocol N       Version of its protocol to speak, 1 to 5; with 1, all members must listen
                         on the same port [default: 2]
      --compression on|off
                         Whether to compress what is sent [default: on]
      --gossip-verify-incoming on|off
      --gossip-verify-outgoing on|off
                         With a key: whether only what is sealed is taken, and whether what is sent
                         is sealed; off while a key is rolled out [default: on]
      --skip-inbound-label-check
                         Somebody before this node takes labels off
      --accept-padded    With a key: take the padded envelopes of members that speak protocol 1,
                         also where this one speaks another

Encryption, with at most one of these; without, only loopback addresses are listened on:
      --keyring FILE     File with a JSON array of keys in base64: the first seals, all open.
                         Nobody else may be able to read it, which is checked on Unix only
      SWIM_ENCRYPT=KEY   A key in the environment
      --encrypt KEY      A key that everybody can see in the list of processes
      --insecure-plaintext
                         Listen to everybody without any key

Input and output:
      --output FORMAT    Events on stdout as text or json [default: text]
      --events WHICH     members: those listed below; all: everything the node notices, numbered
                         without gaps [default: members]
      --log-level LEVEL  Log on stderr: off, error, warn, info, debug or trace [default: info]
      --control stdin    Read commands from standard input, and answer on stdout
  -h, --help             Print this

Examples:
  A cluster of two on one machine:
    swim agent --node a --profile local
    swim agent --node b --profile local --bind 127.0.0.1:7947 --join 127.0.0.1:7946

  A cluster of machines:
    (umask 077; printf '[\"%s\"]' \"$(swim keygen)\" > keys.json)
    swim agent --bind eth0 --keyring keys.json --join seed-1.example.org

  A cluster in containers:
    SWIM_ENCRYPT=... swim agent --bind 0.0.0.0 --join members.example.internal --output json

Events, one per line of stdout:
  member-join, member-update, member-failed, member-leave, member-reap,
  name-conflict, user (a broadcast), message, events-lost (stdout was too slow).
  With --events all also member-suspect, member-recover and others, and life and incarnation.
  In JSON each has time, event, seq, node and addr, and where it applies state, reason, meta,
  payload. Bytes that are no UTF-8 come as meta_base64 or payload_base64; of a payload of more than
  32 KiB there is only payload_len, its length.

Log, on stderr:
  What others can cause as often as they like (suspicions, refusals and the like) is logged line by
  line at first, and then now and then, with left_out: how many of the kind came without a line
  since the one before. With --events all, they are events on stdout.

Commands, with --control stdin, one per line:
  broadcast TEXT   send TEXT to all other members, which print it as a user event
  meta TEXT        say TEXT about this node from now on
  members          one line per known member, then how many there are
  keys list        the ids of the keys; the first seals
  keys add KEY     open with KEY (base64) too; then, once all nodes do:
  keys use KEY     seal with it; then, once all nodes do, with the old key:
  keys remove KEY  refuse it
  stats            what this node has counted so far
  leave            leave the cluster and exit, as on SIGTERM
  Answers are lines with `answer` where events have `event`, and say whether it is `ok`.

Signals:
  SIGINT, SIGTERM  leave the cluster, then exit; a second one exits at once
  SIGHUP           leave too, if run from a terminal (it was closed); otherwise ignored

  The own member-leave is printed when the leave is over. If nobody confirmed it, the log says so.

Exit status: 0 after leaving, 1 when something failed, 2 when the command line is wrong, 101 after
a bug: what watches over it should start it anew.
";
