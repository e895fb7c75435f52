//! What is read, what is refused, and that the table of verbs says what serde reads.

use std::time::Duration;

use serde_json::{Map, Value, json};
use swim_core::{Dialect, Options};

use crate::{
    action::{Action, Timed},
    host::{addr, name},
};

use super::{
    Expectation, Scenario, Wire,
    verbs::{ACTIONS, ASSERTIONS, Field, Kind, RESTART, Verb, WIRE},
};

#[test]
fn a_scenario_is_read() {
    let text = r#"
        nodes = 10
        [settings]
        gossip_nodes = 5
        [wire]
        dialect = "memberlist"
        encrypted = true
        label = "west"
        [network]
        latency = "10ms"
        loss = "1%"
        [[do]]
        at = "1s"
        do = "crash"
        host = "3-4"
        spread = "500ms"
        [[do]]
        at = "5s"
        every = "1s"
        times = 2
        do = "restart"
        host = 1
        [[do]]
        at = "9s"
        do = "start"
        host = 12
        [[expect]]
        that = "agree"
        at = "9s"
        within = "5s"
    "#;
    let scenario = Scenario::parse(text).unwrap();
    let second = Duration::from_secs(1);
    assert_eq!(scenario.network.loss, Some(0.01));
    let mut options = Options::lan(name(1), addr(1));
    scenario.set(&mut options);
    assert!(matches!(options.dialect, Dialect::Memberlist(_)));
    assert!(options.keyring.is_some());
    assert_eq!((&*options.label, options.gossip_nodes), ("west", 5));
    assert_eq!(scenario.actions.len(), 7);
    let second_crash = Timed { at: second * 3 / 2, action: Action::Crash { host: 4 } };
    assert_eq!(scenario.actions[1], second_crash);
    let restart = Action::Start { host: 1, seeds: vec![0, 2], forgetful: false };
    assert_eq!(scenario.actions[3], Timed { at: second * 6, action: restart });
    assert_eq!(scenario.length, second * 24);
    let agree = Expectation::Agree { among: vec![], at: second * 9, within: second * 5 };
    assert_eq!(scenario.expected[0].what, agree);
}

#[test]
fn all_that_is_listed_of_the_wire_is_read() {
    let read = |field: &Field, example: &str| {
        let text = format!("nodes = 3\n[wire]\n{} = {example}", field.name);
        Scenario::parse(&text).unwrap_or_else(|fault| panic!("{text}\n{fault}")).wire
    };
    for field in WIRE {
        let examples = field.kind.example().split(" or ");
        let is_other = |example| read(field, example) != Wire::default();
        assert_eq!(examples.map(is_other).filter(|is_other| *is_other).count(), 1, "{field:?}");
    }
}

#[test]
fn a_label_that_no_node_can_have_is_refused() {
    let text = format!("nodes = 3\n[wire]\nlabel = {:?}", "x".repeat(65));
    let fault = Scenario::parse(&text).unwrap_err().to_string();
    assert!(fault.contains("line 2: `wire`: ") && fault.contains("label: "), "{fault}");
}

#[test]
fn mistakes_are_named_with_their_line() {
    let cases = [
        ("nodes = 3\nnode = 4", "line 2: a scenario has no key `node`; did you mean `nodes`?"),
        ("title = \"x\"", "line 1: a scenario needs `nodes`"),
        ("nodes = 0", "line 1: `nodes`: a cluster has 1 to"),
        ("nodes = \"many\"", "\"many\" is not a whole number"),
        ("nodes = 3\n\nbegin = \"hot\"", "line 3: `begin`: \"hot\" is no beginning"),
        ("nodes = 3\nprofile = \"fast\"", "line 2: `profile`: \"fast\" is not a profile"),
        ("nodes = 3\n[settings]\ngossip_node = 1", "line 3: `settings` has no key `gossip_node`"),
        ("nodes = 3\n[settings]\nprobe_interval = \"1ms\"", "settings: "),
        ("nodes = 3\n[wire]\ndialect = \"nativ\"", "line 3: `dialect`: there is no dialect"),
        ("nodes = 3\n[wire]\nkey = \"x\"", "line 3: `wire` has no key `key`"),
        ("nodes = 3\n[wire]\nencrypted = \"yes\"", "line 3: `encrypted`: "),
        ("nodes = 3\n[network]\nloss = 5", "line 3: `loss`: 5 is not a share"),
        ("nodes = 3\n[network]\nlatency = \"5\"", "line 3: `latency`: '5' is no span of time"),
        ("nodes = 3\n[network]\nlatency = [\"5ms\"]", "the shortest and the longest"),
        ("nodes = 3\n[[do]]\nat = \"1s\"", "line 2: an action needs `do`"),
        ("nodes = 3\n[[do]]\nat = \"1s\"\ndo = \"crush\"", "did you mean `crash`?"),
        ("nodes = 3\n[[do]]\nat = \"1s\"\ndo = \"crash\"", "line 2: `crash` needs `host`"),
        ("nodes = 3\n[[do]]\nat = \"1s\"\ndo = \"crash\"\nhost = 3", "there is no host 3"),
        ("nodes = 3\n[[do]]\nat = \"1s\"\ndo = \"crash\"\nhost = \"x\"", "names no hosts"),
        (
            "nodes = 3\n[[do]]\nat = \"1s\"\ndo = \"crash\"\nhost = 1\nspan = \"1s\"",
            "line 6: `crash` has no key `span`",
        ),
        (
            "nodes = 3\n[[do]]\nat = \"1s\"\ndo = \"crash\"\nhost = 1\nevery = \"1s\"",
            "`crash` with `every` needs `times`",
        ),
        ("nodes = 3\n[[expect]]\nthat = \"agreed\"\nwithin = \"1s\"", "did you mean `agree`?"),
        ("nodes = 3\n[[expect]]\nthat = \"agree\"", "line 2: `agree` needs `within`"),
        (
            "nodes = 3\nlength = \"5s\"\n[[expect]]\nthat = \"agree\"\nwithin = \"6s\"",
            "line 3: looks until 6s, but the run ends at 5s",
        ),
        (
            "nodes = 3\n[[expect]]\nthat = \"traffic\"\nper_node_at_most = \"much\"",
            "line 4: `per_node_at_most`: \"much\" is no rate",
        ),
        ("nodes = ", "line 1: "),
    ];
    for (text, expected) in cases {
        let fault = Scenario::parse(text).unwrap_err().to_string();
        assert!(fault.contains(expected), "{text}\n{fault}");
    }
}

#[test]
fn what_has_no_end_or_no_time_is_refused() {
    let cases = [
        (
            "nodes = 3\n[[expect]]\nthat = \"traffic\"\nper_node_at_most = 1\nfrom = \"5s\"\n\
             until = \"5s\"",
            "line 2: there is no time from 5s until 5s",
        ),
        (
            "nodes = 3\n[[expect]]\nthat = \"no-false-failure\"\nfrom = \"9s\"\nuntil = \"5s\"",
            "line 2: there is no time from 9s until 5s",
        ),
        (
            "nodes = 3\nlength = \"5s\"\n\
             [[expect]]\nthat = \"no-false-failure\"\nfrom = \"5s\"",
            "line 3: looks from 5s, but the run ends at 5s",
        ),
        (
            "nodes = 3\nlength = \"5s\"\n[[expect]]\nthat = \"no-false-failure\"\nuntil = \"9s\"",
            "line 3: looks until 9s, but the run ends at 5s",
        ),
        (
            "nodes = 3\n[[expect]]\nthat = \"broadcasts-delivered\"\nwithin = \"5s\"\nshare = 0",
            "line 2: a `share` of nothing is always delivered",
        ),
        (
            "nodes = 3\n[[do]]\nat = \"1s\"\ndo = \"update\"\nhost = 1\nevery = \"9years\"\n\
             times = 100000",
            "no run takes ten years",
        ),
        (
            "nodes = 3\n[[do]]\nat = \"1s\"\ndo = \"update\"\nhost = \"0-99\"\nevery = \"1s\"\n\
             times = 100000",
            "`update` is done more than 1000000 times",
        ),
    ];
    for (text, expected) in cases {
        let fault = Scenario::parse(text).unwrap_err().to_string();
        assert!(fault.contains(expected), "{text}\n{fault}");
    }
}

#[test]
fn every_action_is_in_the_table_with_every_field() {
    for verb in ACTIONS.iter().filter(|verb| verb.name != RESTART) {
        let json = sample(verb, "do");
        let action: Action = serde_json::from_value(json.clone()).expect(verb.name);
        // What serde writes again is what was read: no field has another name.
        let written = serde_json::to_value(&action).unwrap();
        for field in verb.fields {
            assert!(written.get(field.name).is_some(), "{}: {}", verb.name, field.name);
        }
        let written = written.as_object().unwrap();
        assert_eq!(written.len(), verb.fields.len() + 1, "{}: {written:?}", verb.name);
        assert_eq!(name_of(&action), verb.name);
    }
    assert_eq!(ACTIONS.len(), ACTION_KINDS + 1, "an action is missing in the table");
}

#[test]
fn every_assertion_is_in_the_table_with_every_field() {
    for verb in ASSERTIONS {
        let what: Expectation = serde_json::from_value(sample(verb, "that")).expect(verb.name);
        let written = serde_json::to_value(&what).unwrap();
        let written = written.as_object().unwrap();
        assert_eq!(written.len(), verb.fields.len() + 1, "{}: {written:?}", verb.name);
        assert_eq!(written["that"], verb.name);
    }
}

fn sample(verb: &Verb, tag: &str) -> Value {
    let mut map = Map::new();
    map.insert(tag.into(), json!(verb.name));
    for field in verb.fields {
        let value = match field.kind {
            Kind::EachHost | Kind::Host => json!(1),
            Kind::Hosts => json!([1, 2]),
            Kind::Groups => json!([[1], [2]]),
            Kind::Span => json!("1s"),
            Kind::Spans => json!(["1s", "2s"]),
            Kind::Share => json!(0.5),
            Kind::Count | Kind::Whole | Kind::Rate => json!(3),
            Kind::Flag => json!(true),
            Kind::Belief => json!("dead"),
            Kind::Dialect => json!("memberlist"),
            Kind::Text => json!("a name"),
        };
        map.insert(field.name.into(), value);
    }
    Value::Object(map)
}

/// How many arms the next function has: it does not compile when an action is added, and whoever
/// mends it sees this line.
const ACTION_KINDS: usize = 25;

fn name_of(action: &Action) -> &'static str {
    match action {
        Action::Replays { .. } => "replays",
        Action::Garbage { .. } => "garbage",
        // Only exploration does these.
        Action::Send { .. }
        | Action::Misuse { .. }
        | Action::Rotate { .. }
        | Action::Forge { .. }
        | Action::Assault { .. }
        | Action::Flood { .. }
        | Action::Intrude { .. } => "",
        Action::Start { .. } => "start",
        Action::Crash { .. } => "crash",
        Action::Leave { .. } => "leave",
        Action::Join { .. } => "join",
        Action::Remove { .. } => "remove",
        Action::Update { .. } => "update",
        Action::Broadcast { .. } => "broadcast",
        Action::Freeze { .. } => "freeze",
        Action::Hold { .. } => "hold",
        Action::Starve { .. } => "starve",
        Action::Slow { .. } => "slow",
        Action::Drift { .. } => "drift",
        Action::Jump { .. } => "jump",
        Action::SetClock { .. } => "set-clock",
        Action::Partition { .. } => "partition",
        Action::Cut { .. } => "cut",
        Action::CutPackets { .. } => "cut-packets",
        Action::Clog { .. } => "clog",
        Action::Mend => "mend",
        Action::Heal => "heal",
        Action::Links { .. } => "links",
        Action::Link { .. } => "link",
        Action::Ends { .. } => "ends",
    }
}

fn outcome(text: &str) -> super::Outcome {
    Scenario::parse(text).unwrap().run(1, &mut |_| {}, &mut |_| {})
}

#[test]
fn what_is_expected_is_found_out() {
    let text = r#"
        nodes = 10
        length = "60s"
        [[do]]
        at = "5s"
        do = "crash"
        host = 4
        [[do]]
        at = "6s"
        do = "broadcast"
        host = 2
        [[do]]
        at = "7s"
        do = "leave"
        host = 9
        [[expect]]
        that = "failed-somewhere"
        hosts = 4
        at = "5s"
        within = "20s"
        [[expect]]
        that = "failed-everywhere"
        hosts = 4
        at = "5s"
        within = "20s"
        [[expect]]
        that = "agree"
        at = "5s"
        within = "20s"
        [[expect]]
        that = "no-false-failure"
        [[expect]]
        that = "left-not-failed"
        hosts = 9
        at = "7s"
        within = "3s"
        [[expect]]
        that = "broadcasts-delivered"
        within = "2s"
        [[expect]]
        that = "traffic"
        per_node_at_most = "2 KB/s"
        [[expect]]
        that = "agree"
        at = "5s"
        within = "100ms"
        [[expect]]
        that = "failed-everywhere"
        hosts = 3
        at = "5s"
        within = "1s"
        [[expect]]
        that = "traffic"
        per_node_at_most = 1
        [[expect]]
        that = "broadcasts-delivered"
        within = "50us"
        [[expect]]
        that = "left-not-failed"
        hosts = 4
        at = "5s"
        within = "30s"
    "#;
    let outcome = outcome(text);
    let met: Vec<bool> = outcome.verdicts.iter().map(|verdict| verdict.is_met).collect();
    let expected = [[true; 7].as_slice(), &[false; 5]].concat();
    assert_eq!(met, expected, "{:#?}", outcome.verdicts);
}

#[test]
fn a_false_failure_is_told_from_a_true_one() {
    // Nothing comes back from host 4: the others take it for failed, and it runs.
    let cut = r#"
        nodes = 8
        [[do]]
        at = "1s"
        do = "ends"
        host = 4
        loss_sent = 1
        [[do]]
        at = "60s"
        do = "heal"
        [[expect]]
        that = "no-false-failure"
        [[expect]]
        that = "no-false-failure"
        except = 4
        until = "20s"
    "#;
    let verdicts = outcome(cut).verdicts;
    assert_eq!((verdicts[0].is_met, verdicts[1].is_met), (false, true), "{verdicts:#?}");
    for (action, more) in [("freeze", "span = \"60s\""), ("crash", "")] {
        let text = format!(
            "nodes = 8\n[[do]]\nat = \"1s\"\ndo = \"{action}\"\nhost = 4\n{more}\n[[expect]]\n\
             that = \"no-false-failure\"\nuntil = \"50s\"\n"
        );
        let outcome = outcome(&text);
        assert!(outcome.is_passed(), "{action}: {:#?}", outcome.verdicts);
        assert!(!outcome.record.failures.is_empty(), "{action}");
    }
}

/// What becomes of assertions about nothing, in the order in which they are written.
fn found(text: &str) -> Vec<(bool, String)> {
    outcome(text).verdicts.into_iter().map(|it| (it.is_met, it.found)).collect()
}

/// Assertions that nothing could make false, each alone in this world, and what is said of each.
#[track_caller]
fn assert_empty(world: &str, cases: &[(&str, &str)]) {
    for (assertion, expected) in cases {
        let verdicts = found(&format!("{world}\n[[expect]]\n{assertion}\n"));
        let [(is_met, found)] = &verdicts[..] else { panic!("{verdicts:?}") };
        assert!(!is_met, "{assertion}: {found}");
        assert!(found.contains(expected), "{assertion}: {found}");
    }
}

#[test]
fn an_assertion_about_hosts_that_never_ran_does_not_hold() {
    let world = "nodes=6\nbegin = \"empty\"\n[[do]]\nat = \"1s\"\ndo = \"start\"\nhost = \"0-3\"\n\
                 [[do]]\nat = \"10s\"\ndo = \"crash\"\nhost = 3\n";
    let when = "at = \"15s\"\nwithin = \"20s\"";
    let cases = [
        ("that = \"failed-everywhere\"\nhosts = 5", "host 5 never ran"),
        ("that = \"failed-everywhere\"\nhosts = \"3-5\"", "hosts 4-5 never ran"),
        ("that = \"failed-somewhere\"\nhosts = 4", "nobody knows that host 4 failed"),
        ("that = \"left-not-failed\"\nhosts = 4", "host 4 never ran"),
        ("that = \"agree\"\namong = \"4-5\"", "hosts 4-5 never ran"),
        ("that = \"agree\"\namong = \"0-4\"", "host 4 never ran"),
        ("that = \"believed\"\nas = \"unknown\"\nhosts = 4", "host 4 never ran"),
        ("that = \"believed\"\nas = \"dead\"\nhosts = 3\nby = 4", "host 4 never ran"),
    ];
    let cases = cases.map(|(what, said)| (format!("{what}\n{when}"), said));
    let cases: Vec<_> = cases.iter().map(|(what, said)| (what.as_str(), *said)).collect();
    assert_empty(world, &cases);
}

#[test]
fn an_assertion_that_nobody_could_be_asked_about_does_not_hold() {
    let world = "nodes = 4\n[[do]]\nat = \"1s\"\ndo = \"crash\"\nhost = \"1-3\"\n";
    let when = "at = \"3s\"\nwithin = \"1s\"";
    let cases = [
        ("that = \"agree\"\namong = \"1-2\"", "none of them takes part"),
        ("that = \"agree\"\namong = 0", "only host 0 takes part"),
        ("that = \"believed\"\nas = \"dead\"\nhosts = 0", "nobody else takes part"),
        (
            "that = \"believed\"\nas = \"alive\"\nhosts = 0\nby = \"1-2\"",
            "none of those takes part",
        ),
        ("that = \"failed-everywhere\"\nhosts = 0", "nobody else takes part"),
    ];
    let cases = cases.map(|(what, said)| (format!("{what}\n{when}"), said));
    let cases: Vec<_> = cases.iter().map(|(what, said)| (what.as_str(), *said)).collect();
    assert_empty(world, &cases);
    let what = format!("that = \"agree\"\n{when}");
    assert_empty("nodes = 1\n", &[(&what, "only host 0 takes part")]);
    assert_empty("nodes = 1\nbegin = \"empty\"\n", &[(&what, "none of them takes part")]);
    // Host 3 runs alone and nobody hears of it: that nobody knows it is no sign of its failure.
    let unheard = "nodes = 4\nbegin = \"empty\"\n\
                   [[do]]\nat = \"1s\"\ndo = \"start\"\nhost = \"0-2\"\n\
                   [[do]]\nat = \"1s\"\ndo = \"cut\"\nfrom = \"0-2\"\nto = 3\n\
                   [[do]]\nat = \"1s\"\ndo = \"cut\"\nfrom = 3\nto = \"0-2\"\n\
                   [[do]]\nat = \"2s\"\ndo = \"start\"\nhost = 3\n";
    let crash = format!("{unheard}[[do]]\nat = \"4s\"\ndo = \"crash\"\nhost = 3\n");
    let what = format!("that = \"failed-everywhere\"\nhosts = 3\n{when}");
    assert_empty(&crash, &[(&what, "nobody ever knew that host 3 failed")]);
    let leave = format!("{unheard}[[do]]\nat = \"3s\"\ndo = \"leave\"\nhost = 3\n");
    let what = format!("that = \"left-not-failed\"\nhosts = 3\n{when}");
    assert_empty(&leave, &[(&what, "nobody ever knew that host 3 left")]);
}

#[test]
fn who_never_left_did_not_leave() {
    // Host 1 forgets the dead soon: it believes nothing of host 2, which did not leave.
    let world = "nodes = 3\n[settings]\nreap_after = \"30s\"\n[[do]]\nat = \"1s\"\ndo = \"crash\"\n\
                 host = 2\n";
    let left = "that = \"left-not-failed\"\nhosts = 2\nat = \"0s\"\nwithin = \"60s\"";
    assert_empty(world, &[(left, "for failed")]);
    let cut = "nodes=3\n[[do]]\nat = \"1s\"\ndo = \"crash\"\nhost = \"0-1\"\n[[do]]\nat = \"3s\"\n\
               do = \"start\"\nhost = 0\nseeds = 1\n";
    let left = "that = \"left-not-failed\"\nhosts = 1\nat = \"4s\"\nwithin = \"1s\"";
    assert_empty(cut, &[(left, "host 1")]);
}

#[test]
fn what_was_not_measured_does_not_hold() {
    let idle = "nodes = 3\nlength = \"20s\"\n";
    let gone = "nodes = 3\nlength = \"20s\"\n[[do]]\nat = \"5s\"\ndo = \"crash\"\nhost = \"0-2\"\n";
    let nobody = "nodes = 3\nbegin = \"empty\"\nlength = \"20s\"\n";
    let delivered = "that = \"broadcasts-delivered\"\nwithin = \"5s\"";
    let traffic = "that = \"traffic\"\nper_node_at_most = \"9 MB/s\"";
    let late = format!("{traffic}\nfrom = \"10s\"");
    let short = format!("{traffic}\nfrom = \"5s\"\nuntil = \"5001ms\"");
    let calm = "that = \"no-false-failure\"";
    assert_empty(
        idle,
        &[
            (delivered, "nothing was broadcast"),
            (&short, "nothing was measured from 5s until 5.001s"),
            ("that = \"no-false-failure\"\nexcept = \"all\"", "nobody took part"),
        ],
    );
    let shouted = format!("{gone}[[do]]\nat = \"4s\"\ndo = \"broadcast\"\nhost = 1\n");
    assert_empty(&shouted, &[(delivered, "nobody took part, from a broadcast until the end")]);
    assert_empty(
        gone,
        &[
            (&late, "nothing was measured from 10s until 20s"),
            ("that = \"no-false-failure\"\nfrom = \"10s\"", "nobody took part from 10s until 20s"),
        ],
    );
    assert_empty(nobody, &[(traffic, "nothing was measured"), (calm, "nobody took part")]);
    assert_empty("nodes = 1\nlength = \"20s\"\n", &[(calm, "nobody took part")]);
    // The counterparts, about something.
    for (what, more) in
        [(traffic, "until = \"4s\""), (calm, "until = \"4s\""), (calm, "except = 0")]
    {
        let text = format!("{gone}\n[[expect]]\n{what}\n{more}\n");
        assert_eq!(found(&text).len(), 1);
        assert!(found(&text)[0].0, "{text}: {:?}", found(&text));
    }
}

#[test]
fn a_host_that_starts_late_is_nobody_before() {
    let world = "nodes = 3\nlength = \"20s\"\n[[do]]\nat = \"15s\"\ndo = \"start\"\nhost = 9\n";
    let early = "that = \"failed-everywhere\"\nhosts = 9\nat = \"1s\"\nwithin = \"5s\"";
    assert_empty(world, &[(early, "host 9 never ran")]);
    let joined = "that = \"believed\"\nas = \"alive\"\nhosts = 9\nat = \"1s\"\nwithin = \"18s\"";
    let verdicts = found(&format!("{world}[[expect]]\n{joined}\n"));
    assert!(verdicts[0].0, "{verdicts:?}");
}

/// Who comes back with a clock an hour ahead begins a life that nobody believes yet. (X7)
#[test]
fn clocks_on_the_wall_can_be_set() {
    let leave_and_join = "[[do]]\nat = \"5s\"\ndo = \"leave\"\nhost = 1\n[[do]]\nat = \"20s\"\n\
                          do = \"join\"\nhost = 1\nseeds = 0\n";
    let agree = "[[expect]]\nthat = \"agree\"\nat = \"20s\"\nwithin = \"20s\"\n";
    let set = "[[do]]\nat = \"1s\"\ndo = \"set-clock\"\nhost = 1\nspan = \"1h\"\n";
    for (set, is_met) in [(set, false), ("", true)] {
        let verdicts = found(&format!("nodes = 3\n{set}{leave_and_join}{agree}"));
        assert_eq!(verdicts[0].0, is_met, "{set}: {verdicts:?}");
    }
}
