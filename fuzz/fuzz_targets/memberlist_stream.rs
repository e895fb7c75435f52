//! `memberlist_stream` for libFuzzer.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| swim_fuzz_targets::memberlist_stream(data));
