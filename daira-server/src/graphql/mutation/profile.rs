//! Changing what others see of the own profile.

use async_graphql::{Context, ID, MaybeUndefined, Object, Result};
use daira_core::account::UpdateProfile;

use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::me::Tokens;
use crate::graphql::types::profile::Profile;

inputs! {
    /// What to change of the own profile; what is left out stays.
    UpdateProfileInput {
        /// The display name, 1 to 100 characters.
        name: Option<String>,
        /// What the profile says of itself, up to 500 characters.
        bio: Option<String>,
        /// All links, in order; up to five.
        links: Option<Vec<String>>,
        /// The picture, one of the own uploads; null takes it away.
        avatar_id: MaybeUndefined<ID>,
        /// Whether followers need approval. Opening up accepts everybody who asks.
        is_private: Option<bool>,
        /// Whether those whom the profile follows may see that it is active.
        shows_activity: Option<bool>,
        /// The version that the change is based on; with none it goes on top of whatever is there.
        version: Option<i32>,
    }
    /// A new face.
    CreateProfileInput {
        /// The handle: 3 to 30 of a–z, 0–9, dot and underscore.
        handle: String,
        /// The display name, 1 to 100 characters.
        name: String,
    }
    /// The face to move to.
    SwitchProfileInput {
        /// One of the own profiles.
        profile_id: ID,
        /// What the session is to be shown as, up to 100 characters.
        device: Option<String>,
    }
    /// A new handle.
    ChangeHandleInput {
        /// The handle: 3 to 30 of a–z, 0–9, dot and underscore.
        handle: String,
    }
}

payloads! {
    /// What changing the profile came to.
    UpdateProfilePayload {
        /// The profile as it is now.
        profile: Profile,
    }
    /// What making a face came to.
    CreateProfilePayload {
        /// The new profile.
        profile: Profile,
    }
    /// What moving to another face came to.
    SwitchProfilePayload {
        /// The tokens of the session that began as that face. Those of the session that asked hold on.
        tokens: Tokens,
        /// The profile they act as.
        profile: Profile,
    }
    /// What changing the handle came to.
    ChangeHandlePayload {
        /// The profile as it is now.
        profile: Profile,
    }
}

/// Changing the own profile.
#[derive(Debug, Default)]
pub(super) struct ProfileMutation;

/// Changing the own profile.
#[Object]
impl ProfileMutation {
    /// Changes what others see of the acting profile.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateProfileInput,
    ) -> Result<Option<UpdateProfilePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let avatar = match input.avatar_id {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(None),
                MaybeUndefined::Value(avatar) => Some(Some(id(&avatar, "avatarId")?)),
            };
            let (name, bio, links, version) = (input.name, input.bio, input.links, input.version);
            let (private, shows_activity) = (input.is_private, input.shows_activity);
            let update = UpdateProfile { name, bio, links, avatar, private, shows_activity, version };
            let profile = scope.services.accounts.update_profile(&scope.actor, update, key).await?;
            Ok(UpdateProfilePayload { profile: Profile::load(scope, profile).await?, ..Default::default() })
        })
        .await
    }

    /// Makes another profile of the own account, up to five. Nobody can tell that one person is behind them.
    async fn create_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its handle and name.")] input: CreateProfileInput,
    ) -> Result<Option<CreateProfilePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let made = scope.services.accounts.create_profile(&scope.actor, &input.handle, &input.name, key).await?;
            Ok(CreateProfilePayload { profile: Profile::load(scope, made).await?, ..Default::default() })
        })
        .await
    }

    /// Begins a session as another of the own profiles, without logging in again.
    async fn switch_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: SwitchProfileInput,
    ) -> Result<Option<SwitchProfilePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let (to, device) = (id(&input.profile_id, "profileId")?, input.device.unwrap_or_default());
            let (_, tokens) = scope.services.accounts.switch_profile(&scope.actor, to, &device, key).await?;
            let profile = Profile::load(scope, to).await?;
            Ok(SwitchProfilePayload { tokens: Some(tokens.into()), profile, ..Default::default() })
        })
        .await
    }

    /// Takes a new handle for the acting profile. The old one stays reserved for it for a while.
    async fn change_handle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new handle.")] input: ChangeHandleInput,
    ) -> Result<Option<ChangeHandlePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let profile = scope.services.accounts.change_handle(&scope.actor, &input.handle, key).await?;
            Ok(ChangeHandlePayload { profile: Profile::load(scope, profile).await?, ..Default::default() })
        })
        .await
    }
}
