//! Prefix search: byte-ordered ranges on the handles and on the keys of tags, never LIKE.

use async_trait::async_trait;
use daira_core::account::Profile;
use daira_core::error::Result;
use daira_core::hashtag::Hashtag;
use daira_core::page::{Limit, Page};
use daira_core::port::store::SearchReads;
use daira_core::text::{TagKey, prefix_range};

use super::super::error::fault;
use super::super::view::PgView;
use super::rows::{ProfileRow, models};

#[async_trait]
impl SearchReads for PgView {
    async fn handles(&mut self, prefix: &str, after: Option<&str>, limit: Limit) -> Result<Page<Profile>> {
        let (low, high) = prefix_range(prefix);
        let rows = sqlx::query_as!(
            ProfileRow,
            r#"select p.id as "id!", p.account as "account!", p.handle as "handle!", p.name as "name!", p.bio as "bio!",
                      p.links as "links!", p.avatar, p.kind as "kind!", p.private as "private!", p.standing as "standing!",
                      p.created_at as "created_at!", p.version as "version!"
               from daira.visible_profile p
               where p.handle >= $1 and p.handle < coalesce($2, '~') and p.handle > coalesce($3, '') and p.standing < 2
               order by p.handle
               limit $4"#,
            low,
            high,
            after,
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("search.handles", e))?;
        Ok(Page::cut(models(rows)?, limit))
    }

    async fn tags(&mut self, prefix: &str, after: Option<&str>, limit: Limit) -> Result<Page<Hashtag>> {
        let (low, high) = prefix_range(prefix);
        let rows = sqlx::query!(
            "select key, spelling
             from daira.hashtag
             where key >= $1 and key < coalesce($2, chr(1114111)) and key > coalesce($3, '')
             order by key
             limit $4",
            low,
            high,
            after,
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("search.tags", e))?;
        let tags = rows.into_iter().map(|row| Hashtag { key: TagKey::from_stored(row.key), spelling: row.spelling });
        Ok(Page::cut(tags.collect(), limit))
    }
}
