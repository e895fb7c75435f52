//! Checksums put right, so that what was changed on purpose gets past them: a fuzzer finds no
//! CRC by chance, and everything behind it would stay untried.

/// What a plain native packet or frame begins with: version, flags, the label's hash, checksum.
const HEADER_LEN: usize = 10;

/// Where in the header the checksum stands.
const CHECKSUM_AT: usize = 6;

/// The length of a frame's length.
const PREFIX_LEN: usize = 4;

/// What surrounds a frame: its direction, its number, and its binding, which is blank where
/// nothing is sealed.
const CONTEXT_LEN: usize = 1 + 4 + 12;

/// The packet with the version and the label that a receiver expects, and the checksum it needs.
pub(crate) fn packet(bytes: &[u8], label: &str) -> Vec<u8> {
    let mut packet = bytes.to_vec();
    mend(&mut packet, label, &[]);
    packet
}

/// The same for each frame of a stream that a dialer sends; its end, where it has no whole frame,
/// stays as it is.
pub(crate) fn stream(bytes: &[u8], label: &str) -> Vec<u8> {
    let mut stream = bytes.to_vec();
    let (mut at, mut index) = (0, 0_u32);
    while let Some(prefix) = stream[at..].first_chunk::<PREFIX_LEN>() {
        let len = u32::from_le_bytes(*prefix) as usize;
        let begin = at + PREFIX_LEN;
        if len < HEADER_LEN || stream.len() - begin < len {
            break;
        }
        let mut context = [0; CONTEXT_LEN];
        context[1..5].copy_from_slice(&index.to_le_bytes());
        mend(&mut stream[begin..begin + len], label, &context);
        (at, index) = (begin + len, index + 1);
    }
    stream
}

fn mend(bytes: &mut [u8], label: &str, context: &[u8]) {
    let Some((header, body)) = bytes.split_first_chunk_mut::<HEADER_LEN>() else { return };
    header[0] = VERSION;
    header[CHECKSUM_AT..].fill(0);
    let mut sum = crc32fast::Hasher::new();
    for part in [&header[..], label.as_bytes(), context, body] {
        sum.update(part);
    }
    header[CHECKSUM_AT..].copy_from_slice(&sum.finalize().to_le_bytes());
}

const VERSION: u8 = 0x81;
