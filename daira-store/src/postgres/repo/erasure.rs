//! Erasing accounts. What programs may not take away themselves goes through functions that do it for deleted accounts alone.

use async_trait::async_trait;
use daira_core::account::AccountState;
use daira_core::error::Result;
use daira_core::id::{AccountId, CommentId, Id, PostId, ProfileId};
use daira_core::media::Variant;
use daira_core::port::store::{Erased, ErasureRepository, Gone};
use daira_core::reaction::Target;
use daira_core::time::Timestamp;
use sqlx::types::Json;

use super::super::error::corrupt;
use super::super::unit::PgUnit;
use super::media::MediaRow;
use super::rows::{instant, limit, reaction_kind, state_code, stored};

/// How many rows, or files, may hang on one post or picture for each row that goes by itself.
const HEAVY: u32 = 10;

#[async_trait]
impl ErasureRepository for PgUnit {
    async fn due(
        &mut self,
        now: Timestamp,
        after: Option<(Timestamp, AccountId)>,
        most: u32,
    ) -> Result<Vec<(Timestamp, AccountId)>> {
        // Before everything, where there is none to come after: the oldest id is of that instant.
        let (since, id) = after.unwrap_or((Timestamp::from_micros(0), AccountId::from_raw(0)));
        let due = sqlx::query!(
            r#"select leaving_at as "leaving_at!", id from daira.account
               where leaving_at <= $1 and (leaving_at, id) > ($2, $3) order by leaving_at, id limit $4"#,
            stored(now),
            stored(since),
            id.raw(),
            limit(most)
        )
        .fetch_all(self.connection())
        .await;
        let due = self.check("erasure.due", due)?.into_iter();
        Ok(due.map(|row| (instant(row.leaving_at), AccountId::from_raw(row.id))).collect())
    }

    async fn erase(&mut self, account: AccountId, most: u32, now: Timestamp) -> Result<Erased> {
        let mut gone = self.erase_told(account, most, now).await?;
        if gone.is_empty() {
            gone = self.erase_posts(account, most.div_ceil(HEAVY)).await?;
        }
        if gone.is_empty() {
            gone = self.erase_pictures(account, most.div_ceil(HEAVY)).await?;
        }
        if !gone.is_empty() {
            return Ok(Erased { gone, done: false });
        }
        let faces = sqlx::query_scalar!("select id from daira.profile where account = $1 order by id", account.raw())
            .fetch_all(self.connection())
            .await;
        let faces = self.check("erasure.faces", faces)?;
        let rows = i32::try_from(most).unwrap_or(i32::MAX);
        let done = sqlx::query_scalar!(r#"select daira.erase_rest($1, $2) as "done!""#, account.raw(), rows)
            .fetch_one(self.connection())
            .await;
        let done = self.check("erasure.rest", done)?;
        let gone =
            if done { faces.into_iter().map(|face| Gone::Face(ProfileId::from_raw(face))).collect() } else { gone };
        Ok(Erased { gone, done })
    }
}

impl PgUnit {
    /// Edges, reactions and comments. Refuses an account that is not deleted, and whoever is not the platform.
    async fn erase_told(&mut self, account: AccountId, most: u32, now: Timestamp) -> Result<Vec<Gone>> {
        let rows = sqlx::query!(
            r#"select what as "what!", one as "one!", two as "two!", three as "three!", four as "four!", flag as "flag!"
               from daira.erase_told($1, $2, $3)"#,
            account.raw(),
            i32::try_from(most).unwrap_or(i32::MAX),
            stored(now)
        )
        .fetch_all(self.connection())
        .await;
        let face = ProfileId::from_raw;
        let known = |id: i64| Some(id).filter(|id| *id != 0);
        let gone = self.check("erasure.told", rows)?.into_iter().map(|row| {
            Ok(match row.what {
                1 => Gone::Follow { follower: face(row.one), followee: face(row.two) },
                2 => Gone::Block { blocker: face(row.one), blocked: face(row.two) },
                3 => Gone::Reaction {
                    by: face(row.one),
                    target: if row.flag {
                        Target::Comment(CommentId::from_raw(row.two))
                    } else {
                        Target::Post(PostId::from_raw(row.two))
                    },
                    owner: known(row.three).map(face),
                    kind: reaction_kind(i16::try_from(row.four).unwrap_or_default())?,
                },
                4 => Gone::Comment {
                    id: CommentId::from_raw(row.one),
                    post: PostId::from_raw(row.two),
                    parent: known(row.three).map(CommentId::from_raw),
                    author: face(row.four),
                    uncounted: row.flag,
                },
                other => return Err(corrupt("erasure.told", other.to_string())),
            })
        });
        gone.collect()
    }

    async fn erase_posts(&mut self, account: AccountId, most: u32) -> Result<Vec<Gone>> {
        let doomed = sqlx::query!(
            r#"select id, author, (deleted_at is null and taken_down_at is null and visibility in (1, 6)) as "open!"
               from daira.post
               where author = any(array(select p.id from daira.profile p join daira.account a on a.id = p.account
                                        where a.id = $1 and a.state = $2))
               order by id limit $3 for update"#,
            account.raw(),
            state_code(AccountState::Deleted).0,
            limit(most)
        )
        .fetch_all(self.connection())
        .await;
        let doomed = self.check("erasure.posts", doomed)?;
        self.remove_posts("erasure.posts", &doomed.iter().map(|post| post.id).collect::<Vec<_>>()).await?;
        let gone = doomed.into_iter().map(|post| Gone::Post {
            id: PostId::from_raw(post.id),
            author: ProfileId::from_raw(post.author),
            open: post.open,
        });
        Ok(gone.collect())
    }

    async fn erase_pictures(&mut self, account: AccountId, most: u32) -> Result<Vec<Gone>> {
        let gone = sqlx::query_as!(
            MediaRow,
            r#"delete from daira.media m
               where m.id = any(array(select x.id from daira.media x join daira.profile p on p.id = x.owner
                                      join daira.account a on a.id = p.account
                                      where a.id = $1 and a.state = $2 limit $3))
               returning m.id, m.owner, m.width, m.height, m.blurhash, m.alt, m.variants as "variants: Json<Vec<Variant>>", m.post, m.attached, m.created_at"#,
            account.raw(),
            state_code(AccountState::Deleted).0,
            limit(most)
        )
        .fetch_all(self.connection())
        .await;
        self.check("erasure.pictures", gone)?.into_iter().map(|row| Ok(Gone::Picture(row.try_into()?))).collect()
    }
}
