//! Searching by beginnings: stage after stage, page after page.

use daira_core::Ports;
use daira_core::account::Profile;
use daira_core::actor::Actor;
use daira_core::error::{CommonRefusal, Error, Result};
use daira_core::hashtag::Hashtag;
use daira_core::page::{Connection, Limit};
use daira_core::port::store::Access;

use crate::query::{Kinds, Stage, stages};

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hit {
    /// A person.
    Profile(Box<Profile>),
    /// A hashtag.
    Hashtag(Hashtag),
}

impl Hit {
    fn key(&self) -> &str {
        match self {
            Self::Profile(profile) => profile.handle.as_str(),
            Self::Hashtag(tag) => tag.key.as_str(),
        }
    }
}

/// Searches over the store.
#[derive(Debug, Clone)]
pub struct SearchService {
    ports: Ports,
}

impl SearchService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Finds what begins with the query: first people by handle, then hashtags by key.
    ///
    /// # Errors
    /// For an empty or overlong query, and a cursor of another one.
    pub async fn search(
        &self,
        actor: &Actor,
        query: &str,
        kinds: Kinds,
        first: Limit,
        after: Option<&str>,
    ) -> Result<Connection<Hit>> {
        let stages = stages(query, kinds)?;
        let list = format!("search/{stages:?}");
        let cursors = &self.ports.keys.cursors;
        let (start, mut after_key) = match after {
            None => (0, None),
            Some(after) => {
                let bytes = cursors.open(&list, after)?;
                let place = bytes
                    .split_first()
                    .and_then(|(stage, key)| Some((usize::from(*stage), core::str::from_utf8(key).ok()?)));
                let (stage, key) = place.ok_or_else(|| Error::from(CommonRefusal::Cursor).on_field("after"))?;
                (stage, Some(key.to_owned()))
            }
        };
        let mut view = self.ports.store.read(actor, Access::Read).await?;
        let mut items: Vec<(Hit, String)> = Vec::with_capacity(first.get());
        let mut has_next = false;
        for (number, stage) in stages.iter().enumerate().skip(start) {
            // One more than is wanted, so that the last page knows that it is the last.
            while items.len() <= first.get() {
                let page = match stage {
                    Stage::Handles(prefix) => view
                        .search()
                        .handles(prefix, after_key.as_deref(), first)
                        .await?
                        .map(|p| Hit::Profile(Box::new(p))),
                    Stage::Tags(prefix) => {
                        view.search().tags(prefix, after_key.as_deref(), first).await?.map(Hit::Hashtag)
                    }
                };
                after_key = page.items.last().map(|hit| hit.key().to_owned());
                let go_on = page.has_next;
                let earlier = stages.get(..number).unwrap_or_default();
                for hit in page.items.into_iter().filter(|hit| !found_earlier(hit, earlier)) {
                    let mut place = vec![u8::try_from(number).unwrap_or(u8::MAX)];
                    place.extend_from_slice(hit.key().as_bytes());
                    items.push((hit, cursors.seal(&list, &place)));
                }
                if !go_on {
                    break;
                }
            }
            after_key = None;
            if items.len() > first.get() {
                has_next = true;
                items.truncate(first.get());
                break;
            }
        }
        Ok(Connection { items, has_next })
    }
}

/// Whether an earlier stage has shown it: one beginning can be the beginning of another.
fn found_earlier(hit: &Hit, earlier: &[Stage]) -> bool {
    matches!(hit, Hit::Hashtag(_))
        && earlier.iter().any(|stage| matches!(stage, Stage::Tags(prefix) if hit.key().starts_with(prefix.as_str())))
}
