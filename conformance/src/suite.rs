//! The list of all cases, the macros that make tests of them, and the proof that none is missing.

use std::{collections::BTreeSet, env, process::Command};

macro_rules! suite {
    (($d:tt) $list:ident $conform:ident $($room:ident { $($case:ident)* })*) => {
        /// The cases by module and name.
        pub const $list: &[&str] =
            &[$($(concat!(stringify!($room), "::", stringify!($case))),*),*];

        /// Makes a test of each case, on one platform. Within a module of its own.
        #[macro_export]
        macro_rules! $conform {
            ($d platform:ty) => {
                $(mod $room {
                    $(#[test]
                    fn $case() {
                        swim_conformance::run_case::<$d platform>(
                            concat!(module_path!(), "::", stringify!($case)),
                            stringify!($list),
                            || swim_conformance::tests::$room::$case::<$d platform>(),
                        );
                    })*
                })*
            };
        }
    };
}

suite! { ($) TOGETHER conform
    cancelling {
        no_event_is_lost_between_dropped_reads
        commands_run_though_their_futures_are_dropped
        a_dropped_join_is_cancelled
        a_dropped_leave_goes_on
        a_dropped_shutdown_goes_on
        a_future_that_was_never_polled_does_nothing
    }
    dropping {
        every_command_at_every_await
        what_was_begun_happens_once
        joins_at_every_await
        leaves_at_every_await
        stops_at_every_await
        reads_of_events_at_every_await
        starts_at_every_await
        calls_of_another_machine_at_every_await
    }
    cluster {
        two_nodes_find_each_other
        a_crash_is_a_failure_for_the_others
        a_leave_is_heard_and_ends_in_silence
        metadata_and_broadcasts_reach_everybody
        messages_of_both_kinds_and_pings_reach_one_member
        a_ping_without_answer_and_a_message_to_nobody_say_so
        names_are_seeds_and_bad_seeds_say_why
        a_node_alone_with_itself_as_seed_has_joined
        ipv6_works_like_ipv4
        dropping_the_last_handle_stops_the_node
        a_shutdown_ends_what_is_under_way
        many_tasks_call_at_once
        a_policy_that_panics_stops_its_node_alone
    }
    driving {
        large_transfers_arrive_whole_in_bounded_chunks
        what_was_written_before_a_close_arrives_though_nobody_reads_the_answer
        an_aborted_stream_fails_for_the_peer
        dials_fail_or_are_given_up
        packets_go_both_ways_and_errors_are_counted
        the_newest_timer_replaces_the_earlier_and_never_fires_early
        requests_end_with_their_event
        a_panic_stops_everything_and_leaves_nobody_waiting
        a_command_that_panics_stops_the_node
        a_shutdown_ends_open_streams_and_frees_the_port
        a_last_answer_goes_out_though_the_node_shuts_down
        many_streams_at_once_are_all_served
    }
    ending {
        a_runtime_that_ends_takes_the_node_with_it
        a_runtime_that_has_ended_starts_nothing_that_lasts
    }
    lagging {
        a_reader_that_lags_is_told_once_and_resumes_exactly
        a_reader_that_is_gone_holds_nobody_up
    }
    sealed {
        other_keys_and_labels_stay_outside
        what_is_sent_with_a_key_is_sealed
        keys_are_rotated_while_running
        without_a_keyring_there_are_no_keys
    }
    starting {
        both_protocols_have_the_chosen_port
        an_address_that_is_taken_is_named_with_advice
        mistakes_are_told_with_what_was_given
        the_advertised_address_may_differ_from_the_bound_one
        all_addresses_are_never_advertised
        a_later_start_has_a_later_life
        every_preset_starts
    }
}

suite! { ($) ALONE conform_alone
    leaks {
        files_and_threads_stay_as_they_are
        a_thousand_joins_and_leaves_leave_nothing
        idle_nodes_wake_up_for_protocol_timers_only
        m1_who_asks_for_tables_and_does_not_read_them_has_few_kept
    }
}

/// Runs a case. Those that count what the whole process has run in a process of their own.
pub fn run_case<P: crate::platform::Platform>(path: &str, list: &str, case: impl AsyncFnOnce()) {
    #[expect(clippy::disallowed_methods, reason = "a test that starts itself again tells so")]
    let is_alone = env::var_os(IS_ALONE).is_some();
    if list == "TOGETHER" || is_alone {
        return P::block_on(case());
    }
    let (_, name) = path.split_once("::").expect("a test stands in a crate");
    let output = Command::new(env::current_exe().expect("this program has a path"))
        .args(["--exact", name, "--test-threads=1", "--nocapture"])
        .env(IS_ALONE, "1")
        .output()
        .expect("this program can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    eprintln!("{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "see above");
}

/// Holds this program to the list: each of the modules `platforms` has a test of every case.
///
/// # Panics
///
/// When a case is missing, or a test is in none of the lists.
pub fn assert_complete(list: &[&str], platforms: &[&str]) {
    let output = Command::new(env::current_exe().expect("this program has a path"))
        .args(["--list", "--format=terse"])
        .output()
        .expect("this program can be run");
    let listed = String::from_utf8(output.stdout).expect("names are text");
    let there: BTreeSet<String> = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .filter(|name| name.contains("::"))
        .map(String::from)
        .collect();
    let wanted: BTreeSet<String> = platforms
        .iter()
        .flat_map(|platform| list.iter().map(move |case| format!("{platform}::{case}")))
        .collect();
    assert!(!wanted.is_empty());
    assert_eq!(there, wanted);
}

const IS_ALONE: &str = "SWIM_CONFORMANCE_ALONE";
