//! Pages served, collected in memory and written in batches.
//!
//! Every page is remembered for "Why this?", for letting seen items sink and for counting impressions. Writing each one
//! in its request would double what reading costs, so pages gather here and [`PageRecorder::write_pages`] writes them, about
//! once a second. Impressions gather longer, because many readers see the same posts: [`PageRecorder::flush`] writes both,
//! about every ten seconds. A killed process loses at most what was served since, and nothing else rests on it.

use std::sync::{Mutex, PoisonError};

use daira_core::error::Result;
use daira_core::event::Event;
use daira_core::id::{Id, IdMap, PostId, ProfileId};
use daira_core::port::store::PageServed;
use daira_core::proto::event::v1;
use daira_core::time::Timestamp;
use daira_core::{Actor, Ports};

/// More pages than this wait for no flush: the oldest are dropped, and counted.
const CAPACITY: usize = 50_000;

/// Collects pages served.
#[derive(Debug, Default)]
pub struct PageRecorder {
    inner: Mutex<Buffer>,
}

#[derive(Debug, Default)]
struct Buffer {
    pages: Vec<PageServed>,
    /// How often posts were on pages that are written already.
    impressions: IdMap<PostId, i64>,
    dropped: u64,
}

impl PageRecorder {
    /// Remembers a page.
    pub fn record(&self, page: PageServed) {
        let mut buffer = self.lock();
        if buffer.pages.len() >= CAPACITY {
            buffer.dropped += 1;
        } else {
            buffer.pages.push(page);
        }
    }

    /// Why a post was on a page that waits to be written, and when that page was served.
    pub fn find(&self, viewer: ProfileId, post: PostId) -> Option<(Timestamp, Vec<u8>)> {
        let buffer = self.lock();
        let page = buffer.pages.iter().rev().find(|p| p.viewer == viewer && p.items.iter().any(|i| i.0 == post))?;
        page.items.iter().find(|i| i.0 == post).map(|i| (page.at, i.1.clone()))
    }

    /// Writes the pages that have gathered, and keeps their impressions for the next flush. When the write fails the pages wait.
    /// Answers how many were written.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn write_pages(&self, ports: &Ports) -> Result<usize> {
        let pages = std::mem::take(&mut self.lock().pages);
        if pages.is_empty() {
            return Ok(0);
        }
        let outcome = write(ports, &pages, None).await;
        if outcome.is_ok() {
            count(&mut self.lock().impressions, &pages);
        }
        self.settle(pages, outcome)
    }

    /// Writes everything that has gathered: pages, and the event that counts impressions. When the write fails all of it waits
    /// for the next time. Answers how many pages were written.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn flush(&self, ports: &Ports) -> Result<usize> {
        let (pages, earlier) = {
            let mut buffer = self.lock();
            (std::mem::take(&mut buffer.pages), std::mem::take(&mut buffer.impressions))
        };
        if pages.is_empty() && earlier.is_empty() {
            return Ok(0);
        }
        let mut impressions = earlier.clone();
        count(&mut impressions, &pages);
        let event = event(impressions, i64::from_be_bytes(ports.ids.bytes()));
        let outcome = write(ports, &pages, Some(&event)).await;
        if outcome.is_err() {
            let mut buffer = self.lock();
            for (post, count) in earlier {
                *buffer.impressions.entry(post).or_default() += count;
            }
        }
        self.settle(pages, outcome)
    }

    /// What becomes of pages after a write: when it failed they wait, before those that came since.
    fn settle(&self, pages: Vec<PageServed>, outcome: Result<()>) -> Result<usize> {
        let written = pages.len();
        if outcome.is_err() {
            let mut buffer = self.lock();
            let newer = std::mem::replace(&mut buffer.pages, pages);
            buffer.pages.extend(newer);
        }
        outcome.map(|()| written)
    }

    /// How many pages were dropped because too many waited.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Buffer> {
        // A panic while the lock was held leaves at worst a page missing.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(ports: &Ports, pages: &[PageServed], event: Option<&Event>) -> Result<()> {
    ports
        .transact(&Actor::System("page-recorder"), |mut unit| {
            Box::pin(async move {
                unit.feed().record_pages(pages).await?;
                unit.journal().append(event.map_or(&[], std::slice::from_ref)).await
            })
        })
        .await
}

fn count(impressions: &mut IdMap<PostId, i64>, pages: &[PageServed]) {
    for (post, _) in pages.iter().flat_map(|page| &page.items) {
        *impressions.entry(*post).or_default() += 1;
    }
}

fn event(impressions: IdMap<PostId, i64>, batch_id: i64) -> Event {
    let mut impressions: Vec<_> =
        impressions.into_iter().map(|(post, count)| v1::Impression { post_id: post.raw(), count }).collect();
    impressions.sort_by_key(|i| i.post_id);
    Event::from(v1::PagesServed { impressions, batch_id })
}
