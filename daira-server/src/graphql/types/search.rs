//! What a search finds.

use async_graphql::{Enum, Union};
use daira_search::{Hit, Kinds};

use super::hashtag::Hashtag;
use super::profile::Profile;

/// Something that was found.
#[derive(Union)]
pub(crate) enum SearchResult {
    /// A person.
    Profile(Profile),
    /// A hashtag.
    Hashtag(Hashtag),
}

/// A kind of thing to search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SearchType {
    /// People, by handle.
    Profile,
    /// Hashtags.
    Hashtag,
}

impl SearchType {
    /// The kinds to look for; all when nothing is said.
    pub fn kinds(types: Option<Vec<Self>>) -> Kinds {
        match types {
            None => Kinds::ALL,
            Some(types) => Kinds { profiles: types.contains(&Self::Profile), hashtags: types.contains(&Self::Hashtag) },
        }
    }
}

impl SearchResult {
    /// As it is shown; nothing for a kind that this schema does not know yet.
    pub(crate) fn of(hit: Hit) -> Option<Self> {
        match hit {
            Hit::Profile(profile) => Some(Self::Profile(Profile::Alone((*profile).into()))),
            Hit::Hashtag(tag) => Some(Self::Hashtag(Hashtag { key: tag.key, spelling: tag.spelling })),
            _ => None,
        }
    }
}
