//! What collections take on the heap at most, by how many things are in them: what the bound on a
//! node's memory is made of. Sums never wrap: a bound too large to be told is told as the largest
//! number.

/// A number of bytes or things as bounds are reckoned in.
pub(crate) const fn wide(n: usize) -> u64 {
    n as u64 // Never truncates: no machine has longer words.
}

/// `n` things of this size, and nothing beside them.
pub(crate) const fn exact(n: u64, size: usize) -> u64 {
    n.saturating_mul(wide(size))
}

/// A vector or queue that grew to `n` elements one by one: room is doubled when there is none left,
/// and begins with eight bytes or four elements.
pub(crate) const fn vec(n: u64, size: usize) -> u64 {
    exact(n, size).saturating_mul(2).saturating_add(8 + 4 * wide(size))
}

/// A hash table that has had `n` elements. Of its places, a power of two, seven eighths are used at
/// most before it doubles; where elements come and go it may double once more. While it grows the
/// smaller one is still there. Each place has a byte beside it, and a group of 16 ends them.
pub(crate) const fn hash_table(n: u64, size: usize) -> u64 {
    const GROUP: u64 = 16;
    let places = n.saturating_mul(2).saturating_add(1).saturating_mul(8).div_ceil(7);
    let places = if places > 1 << 62 { u64::MAX } else { places.next_power_of_two() };
    let bytes = exact(places, size + 1).saturating_add(2 * GROUP);
    bytes.saturating_add(bytes / 2)
}

/// An ordered map or set of `n` entries, key and value together of this size. A node has room for
/// eleven and holds five at least, but for the root; each that is no leaf points to twelve more.
pub(crate) const fn btree(n: u64, size: usize) -> u64 {
    const ROOM: usize = 11;
    const LEAST: u64 = 5;
    const HEAD: usize = 16; // The parent, the place in it, the length.
    const EDGES: usize = 12 * 8;
    // Keys and values stand in two arrays, each rounded up to a word.
    let leaf = ROOM * size + HEAD + 2 * 8;
    let leaves = n / LEAST + 1;
    let inner = leaves / LEAST + 1;
    exact(leaves, leaf).saturating_add(exact(inner, leaf + EDGES))
}

/// The bytes behind a shared pointer: two counts and the bytes, rounded up to words.
pub(crate) const fn shared(len: usize) -> u64 {
    wide(2 * 8 + len.next_multiple_of(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_bounds_do_not_wrap() {
        assert_eq!(vec(u64::MAX, 100), u64::MAX);
        assert_eq!(hash_table(u64::MAX, 100), u64::MAX);
        assert_eq!(btree(u64::MAX, usize::MAX / 16), u64::MAX);
    }
}
