//! What one operation reads: a single view of the truth, and batches over it.
//!
//! All resolvers of an operation share one [`ReadView`], opened when the first of them needs it: one connection, one
//! snapshot. Whoever needs a thing by its key says so with [`Reads::load`], lets all others say so too, and then one of
//! them fetches for all; what was fetched is kept until the operation ends. So the number of look-ups depends on what is
//! asked for, never on how many items a page has.
//!
//! Nothing is spawned and no timer runs: when the operation is cancelled, all of this stops with it. (That is why the
//! GraphQL library's own loader is not used.)

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use daira_core::Actor;
use daira_core::account::{Profile, ProfileCounters};
use daira_core::comment::CommentCard;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::graph::Relation;
use daira_core::id::{CommentId, MediaId, PostId, ProfileId};
use daira_core::media::Media;
use daira_core::port::store::{Access, AccountReads, ReadView, Store};
use daira_core::post::PostCard;
use tokio::sync::{MappedMutexGuard, MutexGuard as ViewGuard};

use crate::state::Services;

/// The open view, held by one resolver at a time.
pub(super) type View<'a> = MappedMutexGuard<'a, Opened>;

/// A view that is open. (A type of its own, because guards over trait objects do not get through `async` resolvers.)
pub(super) struct Opened(Box<dyn ReadView>);

impl Opened {
    /// The view itself.
    pub(super) fn as_mut(&mut self) -> &mut dyn ReadView {
        self.0.as_mut()
    }

    /// People.
    pub(super) fn accounts(&mut self) -> &mut dyn AccountReads {
        self.0.accounts()
    }
}

/// What one operation reads.
pub(super) struct Reads {
    store: Arc<dyn Store>,
    services: Arc<Services>,
    actor: Actor,
    view: tokio::sync::Mutex<Option<Opened>>,
    shelves: Shelves,
}

/// A kind of thing that is looked up by its key, many at once.
#[async_trait]
pub(super) trait Batch: Copy + Eq + Hash + Send + Sync + 'static {
    /// What is found.
    type Value: Clone + Send + Sync + 'static;
    /// Where it is kept.
    fn shelf(shelves: &Shelves) -> &Shelf<Self, Self::Value>;
    /// Looks up all at once; what is missing or hidden is left out.
    async fn fetch(services: &Services, view: &mut dyn ReadView, keys: &[Self]) -> Result<Vec<(Self, Self::Value)>>;
}

/// The counters of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CountersOf(pub ProfileId);

/// How the actor stands to a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RelationTo(pub ProfileId);

/// Whether a profile is active, as far as the actor may know: found when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ActiveNow(pub ProfileId);

/// What was fetched of each kind.
#[derive(Default)]
pub(super) struct Shelves {
    profiles: Shelf<ProfileId, Arc<Profile>>,
    counters: Shelf<CountersOf, ProfileCounters>,
    relations: Shelf<RelationTo, Relation>,
    active: Shelf<ActiveNow, ()>,
    posts: Shelf<PostId, Arc<PostCard>>,
    comments: Shelf<CommentId, Arc<CommentCard>>,
    media: Shelf<MediaId, Arc<Media>>,
}

/// Things of one kind: those asked for, and those known (to be missing, too).
pub(super) struct Shelf<K, V>(Mutex<Contents<K, V>>);

/// What a look-up found, if anything.
struct Found<V>(Option<V>);

struct Contents<K, V> {
    wanted: Vec<K>,
    known: HashMap<K, Option<V>>,
    /// A look-up failed: whoever waited for it and all that follow are told so, nobody tries again.
    failed: Option<(ErrorKind, &'static str)>,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Contents { wanted: Vec::new(), known: HashMap::new(), failed: None }))
    }
}

impl<K: Copy + Eq + Hash, V: Clone> Shelf<K, V> {
    fn contents(&self) -> MutexGuard<'_, Contents<K, V>> {
        // Whoever panicked while holding it left at worst a key unasked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clear(&self) {
        *self.contents() = Contents { wanted: Vec::new(), known: HashMap::new(), failed: None };
    }
}

impl<K: Copy + Eq + Hash, V: Clone> Contents<K, V> {
    /// What is known of a key: nothing yet, or what was found, or that there is nothing to be found.
    fn get(&self, key: K) -> Result<Option<Found<V>>> {
        match self.failed {
            Some((kind, operation)) => Err(Error::new(kind, operation)),
            None => Ok(self.known.get(&key).cloned().map(Found)),
        }
    }
}

impl Reads {
    /// For one actor; nothing is opened yet.
    pub(super) fn new(store: Arc<dyn Store>, services: Arc<Services>, actor: Actor) -> Self {
        Self { store, services, actor, view: tokio::sync::Mutex::default(), shelves: Shelves::default() }
    }

    /// The view, for a page of a list. Everybody else waits until it is given back.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn view(&self) -> Result<View<'_>> {
        let mut slot = self.view.lock().await;
        if slot.is_none() {
            *slot = Some(Opened(self.store.read(&self.actor, Access::Read).await?));
        }
        ViewGuard::try_map(slot, Option::as_mut).map_err(|_| Error::new(ErrorKind::Internal, "graphql.view"))
    }

    /// Runs what opens a view or a unit of its own, with ours closed: an operation never waits for a connection while it
    /// holds one, else many of them could wait for each other for good.
    pub(super) async fn apart<T>(&self, work: impl Future<Output = T>) -> T {
        let mut slot = self.view.lock().await;
        *slot = None;
        work.await
    }

    /// Forgets everything: what follows sees the truth as it is then.
    pub(super) async fn renew(&self) {
        *self.view.lock().await = None;
        let Shelves { profiles, counters, relations, active, posts, comments, media } = &self.shelves;
        profiles.clear();
        counters.clear();
        relations.clear();
        active.clear();
        posts.clear();
        comments.clear();
        media.clear();
    }

    /// One thing by its key, fetched together with all that are asked for meanwhile; nothing when it is missing or hidden.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn load<K: Batch>(&self, key: K) -> Result<Option<K::Value>> {
        let shelf = K::shelf(&self.shelves);
        {
            let mut contents = shelf.contents();
            if let Some(Found(found)) = contents.get(key)? {
                return Ok(found);
            }
            contents.wanted.push(key);
        }
        // Once around: every resolver that can run now gets to say what it wants.
        tokio::task::yield_now().await;
        let mut view = self.view().await?;
        let keys = {
            let mut contents = shelf.contents();
            if let Some(Found(found)) = contents.get(key)? {
                return Ok(found);
            }
            let mut keys = std::mem::take(&mut contents.wanted);
            let mut seen = std::collections::HashSet::with_capacity(keys.len());
            keys.retain(|key| seen.insert(*key));
            keys
        };
        let fetched = K::fetch(&self.services, view.as_mut(), &keys).await;
        let mut contents = shelf.contents();
        match fetched {
            Ok(found) => {
                contents.known.extend(keys.into_iter().map(|key| (key, None)));
                contents.known.extend(found.into_iter().map(|(key, value)| (key, Some(value))));
                Ok(contents.get(key)?.and_then(|found| found.0))
            }
            Err(error) => {
                contents.failed = Some((error.kind(), error.operation()));
                Err(error)
            }
        }
    }

    /// Many things by their keys, in the keys' order, without those that are missing or hidden.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn load_all<K: Batch>(&self, keys: impl IntoIterator<Item = K>) -> Result<Vec<K::Value>> {
        let keys: Vec<K> = keys.into_iter().collect();
        let Some((last, others)) = keys.split_last() else { return Ok(Vec::new()) };
        K::shelf(&self.shelves).contents().wanted.extend_from_slice(others);
        self.load(*last).await?;
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            values.extend(self.load(key).await?);
        }
        Ok(values)
    }
}

#[async_trait]
impl Batch for ProfileId {
    type Value = Arc<Profile>;
    fn shelf(shelves: &Shelves) -> &Shelf<Self, Self::Value> {
        &shelves.profiles
    }
    async fn fetch(_: &Services, view: &mut dyn ReadView, keys: &[Self]) -> Result<Vec<(Self, Self::Value)>> {
        Ok(view.accounts().profiles(keys).await?.into_iter().map(|profile| (profile.id, Arc::new(profile))).collect())
    }
}

#[async_trait]
impl Batch for CountersOf {
    type Value = ProfileCounters;
    fn shelf(shelves: &Shelves) -> &Shelf<Self, Self::Value> {
        &shelves.counters
    }
    async fn fetch(_: &Services, view: &mut dyn ReadView, keys: &[Self]) -> Result<Vec<(Self, Self::Value)>> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = view.accounts().profile_counters(&ids).await?;
        Ok(found.into_iter().map(|(id, counters)| (CountersOf(id), counters)).collect())
    }
}

#[async_trait]
impl Batch for RelationTo {
    type Value = Relation;
    fn shelf(shelves: &Shelves) -> &Shelf<Self, Self::Value> {
        &shelves.relations
    }
    async fn fetch(services: &Services, view: &mut dyn ReadView, keys: &[Self]) -> Result<Vec<(Self, Self::Value)>> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = services.graph.relations(view, &ids).await?;
        Ok(found.into_iter().map(|(id, relation)| (RelationTo(id), relation)).collect())
    }
}

#[async_trait]
impl Batch for ActiveNow {
    type Value = ();
    fn shelf(shelves: &Shelves) -> &Shelf<Self, Self::Value> {
        &shelves.active
    }
    async fn fetch(services: &Services, view: &mut dyn ReadView, keys: &[Self]) -> Result<Vec<(Self, Self::Value)>> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(services.activity.of(view, &ids).await?.into_iter().map(|id| (ActiveNow(id), ())).collect())
    }
}

#[async_trait]
impl Batch for PostId {
    type Value = Arc<PostCard>;
    fn shelf(shelves: &Shelves) -> &Shelf<Self, Self::Value> {
        &shelves.posts
    }
    async fn fetch(_: &Services, view: &mut dyn ReadView, keys: &[Self]) -> Result<Vec<(Self, Self::Value)>> {
        Ok(view.posts().cards(keys).await?.into_iter().map(|card| (card.post.id, Arc::new(card))).collect())
    }
}

#[async_trait]
impl Batch for CommentId {
    type Value = Arc<CommentCard>;
    fn shelf(shelves: &Shelves) -> &Shelf<Self, Self::Value> {
        &shelves.comments
    }
    async fn fetch(_: &Services, view: &mut dyn ReadView, keys: &[Self]) -> Result<Vec<(Self, Self::Value)>> {
        Ok(view.comments().cards(keys).await?.into_iter().map(|card| (card.comment.id, Arc::new(card))).collect())
    }
}

#[async_trait]
impl Batch for MediaId {
    type Value = Arc<Media>;
    fn shelf(shelves: &Shelves) -> &Shelf<Self, Self::Value> {
        &shelves.media
    }
    async fn fetch(_: &Services, view: &mut dyn ReadView, keys: &[Self]) -> Result<Vec<(Self, Self::Value)>> {
        Ok(view.media().media(keys).await?.into_iter().map(|media| (media.id, Arc::new(media))).collect())
    }
}
