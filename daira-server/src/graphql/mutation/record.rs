//! What somebody consents to, and having everything that is kept of them.

use async_graphql::{Context, ID, Object, Result};
use daira_core::error::Error;
use daira_core::record::{RecordRefusal, SetConsent};

use crate::graphql::input::inputs;
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::record::{Consent, Purpose};

inputs! {
    /// What somebody says of a purpose.
    SetConsentInput {
        /// The purpose.
        purpose: Purpose,
        /// The version of its text that they have before them: the one in force, as `me { consents }` tells it.
        version: i32,
        /// Whether they consent, or take it back.
        given: bool,
    }
    /// A wish to have everything that is kept of oneself.
    RequestExportInput {}
}

payloads! {
    /// What saying it came to.
    SetConsentPayload {
        /// How all purposes stand now.
        consents: Vec<Consent>,
    }
    /// What asking for an export came to.
    RequestExportPayload {
        /// The export, which `me { exports }` shows.
        export_id: ID,
    }
}

/// What somebody consents to, and having everything that is kept of them.
#[derive(Debug, Default)]
pub(super) struct RecordMutation;

/// What somebody consents to, and having everything that is kept of them.
#[Object]
impl RecordMutation {
    /// Gives or takes back consent to a purpose. Taken back, nothing is processed for it any more.
    async fn set_consent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The purpose, and what is said of it.")] input: SetConsentInput,
    ) -> Result<Option<SetConsentPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let no_such_text = || Error::from(RecordRefusal::TextChanged).on_field("version");
            let version = u16::try_from(input.version).map_err(|_| no_such_text())?;
            let said = [SetConsent::new(input.purpose.into(), version, input.given)];
            let service = &scope.services.consents;
            service.set_consents(&scope.actor, &said, key).await?;
            let consents = service.consents(&scope.actor).await?.into_iter().map(Into::into).collect();
            Ok(SetConsentPayload { consents: Some(consents), ..Default::default() })
        })
        .await
    }

    /// Asks for everything that is kept of the account, all its profiles included. It takes a fresh proof of who one is; a mail
    /// says when it is ready.
    async fn request_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "That it is wished for.")] input: RequestExportInput,
    ) -> Result<Option<RequestExportPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let id = scope.services.exports.request(&scope.actor, key).await?;
            Ok(RequestExportPayload { export_id: Some(id.to_string().into()), ..Default::default() })
        })
        .await
    }
}
