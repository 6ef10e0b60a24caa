//! Apps of others: registering them, letting them in, shutting them out.

use async_graphql::{Context, ID, Object, Result};
use daira_core::oauth::{AppSettings, RegisteredApp};

use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::app::OwnApp;

inputs! {
    /// A new app.
    RegisterAppInput {
        /// What people see it as, 1 to 60 characters.
        name: String,
        /// Where answers may be sent, 1 to 10 addresses, met exactly: with https, of the own machine, or of a scheme of the app's own.
        redirect_uris: Vec<String>,
        /// Whether it can keep a secret: it runs on a server, not in a browser or on a phone.
        is_confidential: bool,
    }
    /// A change of an app.
    UpdateAppInput {
        /// One of the own apps.
        app_id: ID,
        /// What people see it as, 1 to 60 characters.
        name: String,
        /// Where answers may be sent, 1 to 10 addresses.
        redirect_uris: Vec<String>,
    }
    /// A wish for another secret.
    RotateAppSecretInput {
        /// One of the own apps.
        app_id: ID,
    }
    /// The end of an app.
    DeleteAppInput {
        /// One of the own apps.
        app_id: ID,
    }
    /// Consent to what an app wants.
    AuthorizeAppInput {
        /// The query of the address that the app sent the browser to.
        request: String,
    }
    /// The end of an app's permission.
    DisconnectAppInput {
        /// The app.
        app_id: ID,
        /// The own profile that it acts as; the one that asks when left out.
        profile_id: Option<ID>,
    }
}

payloads! {
    /// What registering an app came to.
    RegisterAppPayload {
        /// The app.
        app: OwnApp,
        /// Its secret, where it has one. It is shown this once.
        secret: String,
    }
    /// What changing an app came to.
    UpdateAppPayload {
        /// The app.
        app: OwnApp,
    }
    /// What asking for another secret came to.
    RotateAppSecretPayload {
        /// The app.
        app: OwnApp,
        /// The secret; the one before is worth nothing any more. It is shown this once.
        secret: String,
    }
    /// What deleting an app came to.
    DeleteAppPayload {
        /// The app that is gone.
        app_id: ID,
    }
    /// What consent came to.
    AuthorizeAppPayload {
        /// Where the person is sent, with a code for the app.
        redirect_to: String,
    }
    /// What shutting an app out came to.
    DisconnectAppPayload {
        /// Whether it was in.
        changed: bool,
    }
}

/// Apps of others.
#[derive(Debug, Default)]
pub(super) struct AppMutation;

fn parts(registered: RegisteredApp) -> (Option<OwnApp>, Option<String>) {
    (Some(registered.app.into()), registered.secret.map(|secret| secret.expose().to_owned()))
}

/// Apps of others: registering them, letting them in, shutting them out.
#[Object]
impl AppMutation {
    /// Registers an app that others may let act as them.
    async fn register_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The app.")] input: RegisterAppInput,
    ) -> Result<Option<RegisterAppPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let settings = AppSettings { name: input.name, redirects: input.redirect_uris };
            let oauth = &scope.services.oauth;
            let registered = oauth.register_app(&scope.actor, settings, input.is_confidential, key).await?;
            let (app, secret) = parts(registered);
            Ok(RegisterAppPayload { app, secret, ..Default::default() })
        })
        .await
    }

    /// Changes what an app is called and where it is answered.
    async fn update_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateAppInput,
    ) -> Result<Option<UpdateAppPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let settings = AppSettings { name: input.name, redirects: input.redirect_uris };
            let app = id(&input.app_id, "appId")?;
            let app = scope.services.oauth.update_app(&scope.actor, app, settings, key).await?;
            Ok(UpdateAppPayload { app: Some(app.into()), ..Default::default() })
        })
        .await
    }

    /// Gives an app another secret.
    async fn rotate_app_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The app.")] input: RotateAppSecretInput,
    ) -> Result<Option<RotateAppSecretPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let rotated = scope.services.oauth.rotate_secret(&scope.actor, id(&input.app_id, "appId")?, key).await?;
            let (app, secret) = parts(rotated);
            Ok(RotateAppSecretPayload { app, secret, ..Default::default() })
        })
        .await
    }

    /// Deletes an app. It gets no tokens any more, and those it has end within a quarter of an hour.
    async fn delete_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The app.")] input: DeleteAppInput,
    ) -> Result<Option<DeleteAppPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            scope.services.oauth.delete_app(&scope.actor, id(&input.app_id, "appId")?, key).await?;
            Ok(DeleteAppPayload { app_id: Some(input.app_id.clone()), ..Default::default() })
        })
        .await
    }

    /// Lets an app act as the profile that asks, to do what `appRequest` shows.
    async fn authorize_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The request.")] input: AuthorizeAppInput,
    ) -> Result<Option<AuthorizeAppPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let redirect_to = scope.services.oauth.authorize(&scope.actor, &input.request, key).await?;
            Ok(AuthorizeAppPayload { redirect_to: Some(redirect_to), ..Default::default() })
        })
        .await
    }

    /// Shuts an app out of one of the own profiles. Its tokens are worth nothing at once.
    async fn disconnect_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The app.")] input: DisconnectAppInput,
    ) -> Result<Option<DisconnectAppPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let (app, profile) = (id(&input.app_id, "appId")?, input.profile_id.as_ref());
            let profile = profile.map(|profile| id(profile, "profileId")).transpose()?;
            let changed = scope.services.oauth.disconnect(&scope.actor, app, profile, key).await?;
            Ok(DisconnectAppPayload { changed: Some(changed), ..Default::default() })
        })
        .await
    }
}
