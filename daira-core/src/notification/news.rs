//! What is new in a list of groups since it was last looked at: pure, so that a stream only has to look.

use super::{NotificationGroup, NotificationKind};
use crate::id::{CommentId, PostId};
use crate::time::Timestamp;

/// What somebody who watches was told already: the newest page of groups as it was last seen.
#[derive(Debug, Clone)]
pub struct News {
    seen: Vec<(Key, i64, i64)>,
    /// Nothing that last happened at or before this is news; all of it is known before the first look without one.
    floor: Option<Timestamp>,
    looked: bool,
}

type Key = (NotificationKind, Option<PostId>, Option<CommentId>);

fn key(group: &NotificationGroup) -> Key {
    (group.kind, group.post, group.comment)
}

impl News {
    /// For somebody who knows everything up to an instant; without one, everything that is there at the first look.
    pub fn since(floor: Option<Timestamp>) -> Self {
        Self { seen: Vec::new(), floor, looked: false }
    }

    /// The groups of the newest page that somebody joined since it was last looked at, oldest first. `page` holds the newest
    /// groups in order; `is_whole` says whether there are no others.
    pub fn update(&mut self, page: &[NotificationGroup], is_whole: bool) -> Vec<NotificationGroup> {
        let is_news = |group: &&NotificationGroup| {
            let known = self.seen.iter().find(|(known, ..)| *known == key(group));
            match known {
                // Somebody may have left as well: what grew, or was joined later, is news; what only shrank is none.
                Some((_, count, latest)) => group.count > *count || group.latest_event > *latest,
                None => self.floor.is_some_and(|floor| group.latest_at > floor),
            }
        };
        let mut news: Vec<_> = page.iter().filter(is_news).cloned().collect();
        news.reverse();
        self.seen = page.iter().map(|group| (key(group), group.count, group.latest_event)).collect();
        // From now on whatever comes into sight is news, however late it was committed; but for what lies beyond a full
        // page and comes into sight when something before it goes.
        let beyond = page.last().filter(|_| !is_whole).map_or(Timestamp::EPOCH, |last| last.latest_at);
        self.floor = Some(self.floor.filter(|_| self.looked).map_or(beyond, |floor| floor.max(beyond)));
        self.looked = true;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Id, ProfileId};

    /// A group about a post: who many joined, and the latest event, which is its instant as well.
    fn group(post: i64, count: i64, event: i64) -> NotificationGroup {
        NotificationGroup {
            kind: NotificationKind::Reacted,
            post: Some(PostId::from_raw(post)),
            comment: None,
            actors: vec![ProfileId::from_raw(1)],
            count,
            latest_at: Timestamp::from_seconds(event),
            latest_event: event,
            unread: true,
        }
    }

    const NOTHING: [i64; 0] = [];

    fn told(news: &mut News, page: &[NotificationGroup]) -> Vec<i64> {
        news.update(page, page.len() < 3).iter().filter_map(|group| Some(group.post?.raw())).collect()
    }

    #[test]
    fn what_was_before_is_no_news_and_what_comes_is() {
        let mut news = News::since(None);
        assert_eq!(told(&mut news, &[group(2, 1, 20), group(1, 1, 10)]), NOTHING);
        assert_eq!(told(&mut news, &[group(2, 1, 20), group(1, 1, 10)]), NOTHING);
        assert_eq!(told(&mut news, &[group(1, 2, 30), group(2, 1, 20)]), [1], "somebody joined an old line");
        assert_eq!(told(&mut news, &[group(3, 1, 31), group(1, 2, 30), group(2, 1, 20)]), [3]);
    }

    #[test]
    fn whoever_comes_back_hears_what_was_missed_in_order() {
        let mut news = News::since(Some(Timestamp::from_seconds(15)));
        assert_eq!(told(&mut news, &[group(3, 1, 30), group(2, 1, 20), group(1, 1, 10)]), [2, 3]);
    }

    #[test]
    fn a_late_event_is_told_though_a_later_one_was_before() {
        let mut news = News::since(Some(Timestamp::from_seconds(35)));
        assert_eq!(told(&mut news, &[group(1, 1, 40)]), [1]);
        assert_eq!(told(&mut news, &[group(1, 1, 40), group(2, 1, 30)]), [2], "committed late");
        assert_eq!(told(&mut news, &[group(1, 2, 40), group(2, 1, 30)]), [1], "joined late");
    }

    #[test]
    fn what_goes_away_is_no_news() {
        let mut news = News::since(Some(Timestamp::EPOCH));
        told(&mut news, &[group(4, 3, 40), group(3, 1, 30), group(2, 1, 20)]);
        assert_eq!(told(&mut news, &[group(4, 2, 35), group(3, 1, 30), group(2, 1, 20)]), NOTHING, "somebody left");
        assert_eq!(
            told(&mut news, &[group(3, 1, 30), group(2, 1, 20), group(1, 1, 10)]),
            NOTHING,
            "one came up from below"
        );
    }
}
