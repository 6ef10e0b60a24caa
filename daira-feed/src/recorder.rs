//! Pages served, collected in memory and written in batches.
//!
//! Every page is remembered for "Why this?", for letting seen items sink and for counting impressions. Writing each one
//! in its request would double what reading costs, so pages gather here and [`PageRecorder::flush`] writes them, about
//! once a second: a killed process loses at most what was served since, and nothing else rests on it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use daira_core::error::Result;
use daira_core::event::Event;
use daira_core::id::{Id, PostId, ProfileId};
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

    /// Writes what has gathered, with the event that counts impressions. When the write fails the pages wait for the next
    /// flush. Answers how many pages were written.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn flush(&self, ports: &Ports) -> Result<usize> {
        let pages = std::mem::take(&mut self.lock().pages);
        if pages.is_empty() {
            return Ok(0);
        }
        let event = Event::from(impressions(&pages, i64::from_be_bytes(ports.ids.bytes())));
        let outcome = ports
            .transact(&Actor::System("page-recorder"), |mut unit| {
                let (pages, event) = (&pages, &event);
                Box::pin(async move {
                    unit.feed().record_pages(pages).await?;
                    unit.journal().append(std::slice::from_ref(event)).await
                })
            })
            .await;
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

fn impressions(pages: &[PageServed], batch_id: i64) -> v1::PagesServed {
    let mut counts: HashMap<PostId, i64> = HashMap::new();
    for (post, _) in pages.iter().flat_map(|p| &p.items) {
        *counts.entry(*post).or_default() += 1;
    }
    let mut impressions: Vec<_> =
        counts.into_iter().map(|(post, count)| v1::Impression { post_id: post.raw(), count }).collect();
    impressions.sort_by_key(|i| i.post_id);
    v1::PagesServed { impressions, batch_id }
}
