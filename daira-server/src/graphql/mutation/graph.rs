//! Following, shutting out, muting.

use async_graphql::{Context, Enum, ID, Object, Result};
use daira_core::graph::{self, MuteWhat};
use daira_core::id::ProfileId;

use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::profile::Profile;

inputs! {
    /// A profile that something is done with.
    ProfileActionInput {
        /// The profile.
        profile_id: ID,
    }
    /// What to mute of a profile; nothing at all lifts the mute.
    MuteInput {
        /// The profile.
        profile_id: ID,
        /// Keep its posts out of feeds; yes when left out.
        posts: Option<bool>,
        /// Keep its stories out of the rail; yes when left out.
        stories: Option<bool>,
        /// Make no notifications of what it does; yes when left out.
        notifications: Option<bool>,
    }
}

/// What following somebody came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "graph::FollowOutcome")]
pub enum FollowOutcome {
    /// They are followed now.
    Following,
    /// They were asked, because they approve their followers.
    Requested,
    /// They were followed before.
    AlreadyFollowing,
    /// They had been asked before.
    AlreadyRequested,
}

payloads! {
    /// What following somebody came to.
    FollowPayload {
        /// What it came to.
        outcome: FollowOutcome,
        /// The profile as it is now.
        profile: Profile,
    }
    /// What something done with a profile came to.
    ProfileActionPayload {
        /// Whether anything changed; repeating it changes nothing.
        changed: bool,
        /// The profile as the reader sees it now; null when they do not any more.
        profile: Profile,
    }
}

/// Following, shutting out, muting.
#[derive(Debug, Default)]
pub(super) struct GraphMutation;

macro_rules! profile_action {
    ($ctx:ident, $input:ident, $use_case:ident) => {{
        let scope = $ctx.scope();
        change($ctx, $input.client_mutation_id, async {
            let key = scope.key($input.idempotency_key)?;
            let profile: ProfileId = id(&$input.profile_id, "profileId")?;
            let changed = scope.services.graph.$use_case(&scope.actor, profile, key).await?;
            let profile = Profile::load(scope, profile).await?;
            Ok(ProfileActionPayload { changed: Some(changed), profile, ..Default::default() })
        })
        .await
    }};
}

/// Following, shutting out, muting. All of it can be repeated without harm.
#[Object]
impl GraphMutation {
    /// Follows somebody, or asks to when they approve their followers.
    async fn follow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: ProfileActionInput,
    ) -> Result<Option<FollowPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let profile = id(&input.profile_id, "profileId")?;
            let outcome = scope.services.graph.follow(&scope.actor, profile, key).await?;
            let profile = Profile::load(scope, profile).await?;
            Ok(FollowPayload { outcome: Some(outcome.into()), profile, ..Default::default() })
        })
        .await
    }

    /// Ends the own follow.
    async fn unfollow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: ProfileActionInput,
    ) -> Result<Option<ProfileActionPayload>> {
        profile_action!(ctx, input, unfollow)
    }

    /// Withdraws the own request to follow.
    async fn cancel_follow_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: ProfileActionInput,
    ) -> Result<Option<ProfileActionPayload>> {
        profile_action!(ctx, input, cancel_request)
    }

    /// Lets somebody follow who asked to.
    async fn approve_follow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who asked.")] input: ProfileActionInput,
    ) -> Result<Option<ProfileActionPayload>> {
        profile_action!(ctx, input, approve_request)
    }

    /// Turns somebody's request down; they are not told.
    async fn refuse_follow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who asked.")] input: ProfileActionInput,
    ) -> Result<Option<ProfileActionPayload>> {
        profile_action!(ctx, input, refuse_request)
    }

    /// Takes a follower away, who is not told, and takes them out of the own circles.
    async fn remove_follower(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: ProfileActionInput,
    ) -> Result<Option<ProfileActionPayload>> {
        profile_action!(ctx, input, remove_follower)
    }

    /// Shuts somebody out: neither sees or reaches the other any more.
    async fn block(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: ProfileActionInput,
    ) -> Result<Option<ProfileActionPayload>> {
        profile_action!(ctx, input, block)
    }

    /// Lifts a block; what it ended does not come back.
    async fn unblock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: ProfileActionInput,
    ) -> Result<Option<ProfileActionPayload>> {
        profile_action!(ctx, input, unblock)
    }

    /// Sets what is muted of somebody, who never learns of it.
    async fn mute(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and what of them.")] input: MuteInput,
    ) -> Result<Option<ProfileActionPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let profile = id(&input.profile_id, "profileId")?;
            let what = MuteWhat {
                posts: input.posts.unwrap_or(true),
                stories: input.stories.unwrap_or(true),
                notifications: input.notifications.unwrap_or(true),
            };
            scope.services.graph.mute(&scope.actor, profile, what, key).await?;
            let profile = Profile::load(scope, profile).await?;
            Ok(ProfileActionPayload { changed: Some(true), profile, ..Default::default() })
        })
        .await
    }
}
