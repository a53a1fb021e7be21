use std::time::SystemTime;

/// A file that could be evicted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) bytes: u64,
    pub(super) used: SystemTime,
    pub(super) leased: bool,
}

/// Which entries to evict.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Eviction {
    /// Indices of entries, the least recently used first.
    pub(super) evicted: Vec<usize>,
    /// Whether they free as much as is needed.
    pub(super) enough: bool,
}

/// Chooses entries that together free at least `needed` bytes: the least recently used ones that
/// are not leased, and no more of them than necessary.
pub(super) fn choose(entries: &[Entry], needed: u64) -> Eviction {
    let mut free: Vec<(usize, &Entry)> = entries.iter().enumerate().filter(|(_, entry)| !entry.leased).collect();
    free.sort_by_key(|(index, entry)| (entry.used, *index));
    let mut freed = 0u64;
    let mut evicted = Vec::new();
    for (index, entry) in free {
        if freed >= needed {
            break;
        }
        freed = freed.saturating_add(entry.bytes);
        evicted.push(index);
    }
    Eviction { evicted, enough: freed >= needed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let entry = (0u64..1000, 0u64..50, any::<bool>()).prop_map(|(bytes, seconds, leased)| Entry {
            bytes,
            used: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            leased,
        });
        proptest::collection::vec(entry, 0..20)
    }

    proptest! {
        #[test]
        fn the_oldest_free_entries_go_and_no_more_than_necessary(entries in entries(), needed in 0u64..8000) {
            let Eviction { evicted, enough } = choose(&entries, needed);
            let bytes = |indices: &[usize]| indices.iter().map(|index| entries[*index].bytes).sum::<u64>();
            prop_assert!(evicted.iter().all(|index| !entries[*index].leased));
            prop_assert_eq!(enough, bytes(&evicted) >= needed);
            if let Some((_, all_but_last)) = evicted.split_last() {
                prop_assert!(bytes(all_but_last) < needed);
            }
            let stays = |index: &usize| !evicted.contains(index) && !entries[*index].leased;
            let oldest_that_stays = (0..entries.len()).filter(stays).map(|index| entries[index].used).min();
            let newest_that_goes = evicted.iter().map(|index| entries[*index].used).max();
            if let (Some(stays), Some(goes)) = (oldest_that_stays, newest_that_goes) {
                prop_assert!(goes <= stays);
            }
            // It falls short only if nothing free is left.
            if !enough {
                prop_assert!((0..entries.len()).filter(stays).count() == 0);
            }
        }
    }
}
