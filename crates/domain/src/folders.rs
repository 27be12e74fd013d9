//! Folders of templates: a tree in each service.

use crate::ids::FolderId;

/// A folder and where it lies; `None`: at the top.
pub type Placed = (FolderId, Option<FolderId>);

/// Why a folder can't go where it is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderRefusal {
    /// There is no such folder in the service.
    NotFound,
    /// Into itself.
    IntoItself,
    /// Into a folder that lies in it.
    IntoItsOwn,
}

/// Whether a folder may be moved into another, or to the top. `all` are the service's folders.
pub fn may_move(
    all: &[Placed],
    moved: FolderId,
    into: Option<FolderId>,
) -> Result<(), FolderRefusal> {
    let parent_of = |id: FolderId| {
        let found = all.iter().find(|(known, _)| *known == id);
        found.map(|(_, parent)| *parent)
    };
    if parent_of(moved).is_none() {
        return Err(FolderRefusal::NotFound);
    }
    let Some(into) = into else {
        return Ok(());
    };
    if into == moved {
        return Err(FolderRefusal::IntoItself);
    }
    let mut above = parent_of(into).ok_or(FolderRefusal::NotFound)?;
    // A tree is no deeper than it has folders.
    for _ in 0..all.len() {
        match above {
            None => return Ok(()),
            Some(id) if id == moved => return Err(FolderRefusal::IntoItsOwn),
            Some(id) => above = parent_of(id).flatten(),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_folder_goes_anywhere_but_into_itself_and_what_lies_in_it() {
        let id = |n: u128| FolderId::new(Uuid::from_u128(n));
        // 1 holds 2, 2 holds 3; 4 lies at the top.
        let all = [
            (id(1), None),
            (id(2), Some(id(1))),
            (id(3), Some(id(2))),
            (id(4), None),
        ];
        for (moved, into, want) in [
            (1, Some(4), Ok(())),
            (1, None, Ok(())),
            (3, Some(1), Ok(())),
            (3, None, Ok(())),
            (4, Some(3), Ok(())),
            (1, Some(1), Err(FolderRefusal::IntoItself)),
            (1, Some(2), Err(FolderRefusal::IntoItsOwn)),
            (1, Some(3), Err(FolderRefusal::IntoItsOwn)),
            (2, Some(3), Err(FolderRefusal::IntoItsOwn)),
            (9, None, Err(FolderRefusal::NotFound)),
            (1, Some(9), Err(FolderRefusal::NotFound)),
        ] {
            let got = may_move(&all, id(moved), into.map(id));
            assert_eq!(got, want, "{moved} into {into:?}");
        }
    }
}
