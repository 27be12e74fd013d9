//! An ordered list of line numbers with search, insertion and removal in the middle.
//!
//! A list of short lists: the standard library's trees can't be searched with a comparison that
//! only holds at the current point of the pass, and moving one long list is quadratic.

/// Numbers in one chunk before it is split: a chunk is moved within the first-level cache.
const CHUNK_MAX: usize = 256;

/// The list; no chunk is ever empty.
#[derive(Debug, Default)]
pub(crate) struct Status {
    chunks: Vec<Vec<usize>>,
}

/// A place in the list: before the number it names, or the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    chunk: usize,
    slot: usize,
}

impl Status {
    /// The first place whose number isn't `before`; those that are must all come first.
    pub fn seek(&self, before: impl Fn(usize) -> bool) -> Cursor {
        let chunk = self.chunks.partition_point(|chunk| before(chunk[0]));
        let Some(previous) = chunk.checked_sub(1) else {
            return Cursor { chunk: 0, slot: 0 };
        };
        let slot = self.chunks[previous].partition_point(|&id| before(id));
        if slot == self.chunks[previous].len() {
            Cursor { chunk, slot: 0 }
        } else {
            Cursor {
                chunk: previous,
                slot,
            }
        }
    }

    /// The number at a place; `None` at the end.
    pub fn at(&self, cursor: Cursor) -> Option<usize> {
        self.chunks.get(cursor.chunk)?.get(cursor.slot).copied()
    }

    /// The number before a place; `None` at the start.
    pub fn before(&self, cursor: Cursor) -> Option<usize> {
        match cursor.slot.checked_sub(1) {
            Some(slot) => self.chunks.get(cursor.chunk)?.get(slot).copied(),
            None => self
                .chunks
                .get(cursor.chunk.checked_sub(1)?)?
                .last()
                .copied(),
        }
    }

    /// The next place; the end stays the end.
    pub fn after(&self, cursor: Cursor) -> Cursor {
        match self.chunks.get(cursor.chunk) {
            Some(chunk) if cursor.slot + 1 < chunk.len() => Cursor {
                slot: cursor.slot + 1,
                ..cursor
            },
            Some(_) => Cursor {
                chunk: cursor.chunk + 1,
                slot: 0,
            },
            None => cursor,
        }
    }

    /// Puts a number before the one at a place. Cursors from before are void.
    pub fn insert(&mut self, cursor: Cursor, id: usize) {
        let (index, slot) = match cursor.chunk.checked_sub(1) {
            Some(previous) if cursor.slot == 0 => (previous, self.chunks[previous].len()),
            _ => (cursor.chunk, cursor.slot),
        };
        match self.chunks.get_mut(index) {
            None => self.chunks.push(vec![id]),
            Some(chunk) => {
                chunk.insert(slot, id);
                if chunk.len() > CHUNK_MAX {
                    let tail = chunk.split_off(CHUNK_MAX / 2);
                    self.chunks.insert(index + 1, tail);
                }
            }
        }
    }

    /// Takes out the number at a place; returns the place of what stood behind it. Other cursors
    /// are void.
    pub fn remove(&mut self, cursor: Cursor) -> Cursor {
        let Some(chunk) = self.chunks.get_mut(cursor.chunk) else {
            return cursor;
        };
        chunk.remove(cursor.slot);
        if chunk.is_empty() {
            self.chunks.remove(cursor.chunk);
            Cursor {
                chunk: cursor.chunk,
                slot: 0,
            }
        } else if cursor.slot == chunk.len() {
            Cursor {
                chunk: cursor.chunk + 1,
                slot: 0,
            }
        } else {
            cursor
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_does_what_a_plain_sorted_list_does(
            steps in proptest::collection::vec((0_usize..600, any::<bool>()), 0..3_000)
        ) {
            let (mut list, mut plain) = (Status::default(), Vec::<usize>::new());
            for (id, adds) in steps {
                let place = plain.partition_point(|&other| other < id);
                let cursor = list.seek(|other| other < id);
                prop_assert_eq!(list.at(cursor), plain.get(place).copied());
                prop_assert_eq!(list.before(cursor), place.checked_sub(1).map(|p| plain[p]));
                prop_assert_eq!(list.at(list.after(cursor)), plain.get(place + 1).copied());
                if adds {
                    list.insert(cursor, id);
                    plain.insert(place, id);
                } else if place < plain.len() {
                    let next = list.remove(cursor);
                    plain.remove(place);
                    prop_assert_eq!(list.at(next), plain.get(place).copied());
                    prop_assert_eq!(list.before(next), place.checked_sub(1).map(|p| plain[p]));
                }
            }
            let flat: Vec<usize> = list.chunks.concat();
            prop_assert_eq!(flat, plain);
        }
    }
}
