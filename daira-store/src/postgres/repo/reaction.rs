//! Reactions: one per person and target.

use async_trait::async_trait;
use daira_core::error::Result;
use daira_core::graph::Edge;
use daira_core::id::{Id, ProfileId};
use daira_core::page::{Limit, Page};
use daira_core::port::store::{EdgeKey, ReactionReads, ReactionRepository};
use daira_core::reaction::{Reaction, ReactionKind, Target};

use super::super::error::fault;
use super::super::unit::PgUnit;
use super::super::view::PgView;
use super::graph_reads::place;
use super::rows::{instant, reaction_kind, stored};

fn on_comment(target: Target) -> bool {
    matches!(target, Target::Comment(_))
}

#[async_trait]
impl ReactionRepository for PgUnit {
    async fn put(&mut self, reaction: &Reaction) -> Result<Option<ReactionKind>> {
        let (target, on_comment, by) = (reaction.target.raw(), on_comment(reaction.target), reaction.by.raw());
        loop {
            let done = sqlx::query!(
                "insert into daira.reaction (target, on_comment, by, kind, at) values ($1, $2, $3, $4, $5) on conflict do nothing",
                target,
                on_comment,
                by,
                reaction.kind.code(),
                stored(reaction.at)
            )
            .execute(self.connection())
            .await;
            if self.check("reaction.put", done)?.rows_affected() > 0 {
                return Ok(None);
            }
            // It was there; the lock makes what it was hold until it is changed.
            let before = sqlx::query_scalar!(
                "select kind from daira.reaction where target = $1 and on_comment = $2 and by = $3 for no key update",
                target,
                on_comment,
                by
            )
            .fetch_optional(self.connection())
            .await;
            // Taken back in between: it is set as if it had never been there, unless somebody is first again.
            let Some(before) = self.check("reaction.put", before)? else { continue };
            let done = sqlx::query!(
                "update daira.reaction set kind = $4, at = $5 where target = $1 and on_comment = $2 and by = $3",
                target,
                on_comment,
                by,
                reaction.kind.code(),
                stored(reaction.at)
            )
            .execute(self.connection())
            .await;
            self.check("reaction.put", done)?;
            return reaction_kind(before).map(Some);
        }
    }

    async fn remove(&mut self, by: ProfileId, target: Target) -> Result<Option<ReactionKind>> {
        let removed = sqlx::query_scalar!(
            "delete from daira.reaction where target = $1 and on_comment = $2 and by = $3 returning kind",
            target.raw(),
            on_comment(target),
            by.raw()
        )
        .fetch_optional(self.connection())
        .await;
        self.check("reaction.remove", removed)?.map(reaction_kind).transpose()
    }
}

#[async_trait]
impl ReactionReads for PgView {
    async fn reactors(
        &mut self,
        target: Target,
        after: Option<EdgeKey>,
        limit: Limit,
    ) -> Result<Page<(Edge, ReactionKind)>> {
        let (at, profile) = place(after);
        let rows = sqlx::query!(
            r#"select r.by, r.at, r.kind
               from daira.reaction r
               where r.target = $1 and r.on_comment = $2
                 and (select case when $2 then exists (select from daira.visible_comment where id = $1)
                             else exists (select from daira.visible_post where id = $1) end)
                 and (r.at, r.by) < ((select coalesce($3, 'infinity'::timestamptz)), (select coalesce($4, 9223372036854775807)))
                 and exists (select from daira.visible_profile p where p.id = r.by offset 0)
               order by r.at desc, r.by desc
               limit $5"#,
            target.raw(),
            on_comment(target),
            at,
            profile,
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("reaction.list", e))?;
        let reactions = rows.into_iter().map(|row| {
            let edge = Edge { profile: ProfileId::from_raw(row.by), at: instant(row.at) };
            Ok((edge, reaction_kind(row.kind)?))
        });
        Ok(Page::cut(reactions.collect::<Result<_>>()?, limit))
    }
}
