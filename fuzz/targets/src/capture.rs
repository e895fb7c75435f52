//! Bytes as a file that tcpdump wrote: nothing panics, and each line about it is JSON.

use swim_agent::untrusted;
use swim_core::{Dialect, MemberlistOptions};

/// A capture in both dialects.
///
/// # Panics
///
/// When something doesn't hold.
pub fn capture(data: &[u8]) {
    for dialect in [Dialect::Native, Dialect::Memberlist(MemberlistOptions::default())] {
        let Ok(Some(lines)) = untrusted::capture(data, dialect) else { continue };
        let lines = String::from_utf8(lines).expect("JSON is text");
        for line in lines.lines() {
            let read: Result<serde_json::Value, _> = serde_json::from_str(line);
            assert!(read.is_ok_and(|value| value.is_object()), "{line}");
        }
    }
}
