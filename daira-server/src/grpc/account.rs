//! `daira.account.v1.AccountService`.

use async_trait::async_trait;
use daira_core::account::{ChangePassword, Entry, LogIn, Register, VerifyEmail};
use daira_core::error::Error;
use daira_core::locale::Locale;
use daira_core::port::store::Access;
use daira_core::proto::account::v1::account_service_server::AccountService;
use daira_core::proto::account::v1::{
    AddPasskeyRequest, AddPasskeyResponse, BeginAuthenticatorRequest, BeginAuthenticatorResponse,
    BeginPasskeyLogInRequest, BeginPasskeyLogInResponse, BeginPasskeyProofRequest, BeginPasskeyProofResponse,
    BeginPasskeyRequest, BeginPasskeyResponse, CancelDeletionRequest, CancelDeletionResponse, ChangeEmailRequest,
    ChangeEmailResponse, ChangePasswordRequest, ChangePasswordResponse, ConfirmAuthenticatorRequest,
    ConfirmAuthenticatorResponse, ConfirmEmailRequest, ConfirmEmailResponse, GetProfileRequest, GetProfileResponse,
    GetSecondFactorRequest, GetSecondFactorResponse, ListPasskeysRequest, ListPasskeysResponse, ListSessionsRequest,
    ListSessionsResponse, LogInRequest, LogInResponse, LogInWithPasskeyRequest, LogInWithPasskeyResponse,
    LogOutRequest, LogOutResponse, ProveWithPasskeyRequest, ProveWithPasskeyResponse, ReauthenticateRequest,
    ReauthenticateResponse, RefreshSessionRequest, RefreshSessionResponse, RegisterRequest, RegisterResponse,
    RemoveAuthenticatorRequest, RemoveAuthenticatorResponse, RemovePasskeyRequest, RemovePasskeyResponse,
    RenamePasskeyRequest, RenamePasskeyResponse, RenewRecoveryCodesRequest, RenewRecoveryCodesResponse,
    RequestDeletionRequest, RequestDeletionResponse, RequestPasswordResetRequest, RequestPasswordResetResponse,
    ResetPasswordRequest, ResetPasswordResponse, RevokeSessionRequest, RevokeSessionResponse, SecondFactorChallenge,
    Session, VerifyEmailRequest, VerifyEmailResponse, VerifySecondFactorRequest, VerifySecondFactorResponse,
    get_profile_request::By,
};
use daira_core::secret::Secret;
use daira_core::text::Handle;
use tonic::{Request, Response, Status};

use super::caller::{id, key};
use super::{Grpc, convert};

#[async_trait]
impl AccountService for Grpc {
    async fn register(&self, request: Request<RegisterRequest>) -> Result<Response<RegisterResponse>, Status> {
        let stranger = self.stranger(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(stranger.told())?;
        let input = Register {
            email: r.email,
            password: Secret::new(r.password),
            handle: r.handle,
            name: r.name,
            birth_date: r.birth_date,
            locale: Locale::from_tag(&r.locale).unwrap_or_default(),
        };
        let id = self.services.accounts.register(&stranger.client, input, key).await.map_err(stranger.told())?;
        Ok(Response::new(RegisterResponse { registration_id: id.to_string() }))
    }

    async fn verify_email(
        &self,
        request: Request<VerifyEmailRequest>,
    ) -> Result<Response<VerifyEmailResponse>, Status> {
        let stranger = self.stranger(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key).map_err(stranger.told())?;
        let registration = id(&r.registration_id, "registration_id").map_err(stranger.told())?;
        let input = VerifyEmail { registration, code: Secret::new(r.code), device: r.device };
        let done = self.services.accounts.verify_email(&stranger.client, input).await.map_err(stranger.told())?;
        let (profile_id, tokens) = (done.member.profile.to_string(), Some(convert::tokens(&done.tokens)));
        let device_token = done.device.expose().to_owned();
        Ok(Response::new(VerifyEmailResponse { profile_id, tokens, device_token }))
    }

    async fn log_in(&self, request: Request<LogInRequest>) -> Result<Response<LogInResponse>, Status> {
        let mut stranger = self.stranger(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(stranger.told())?;
        stranger.client.known_device = Some(r.device_token).filter(|token| !token.is_empty()).map(Secret::new);
        let input = LogIn { email: r.email, password: Secret::new(r.password), device: r.device };
        let entry = self.services.accounts.log_in(&stranger.client, input, key).await.map_err(stranger.told())?;
        Ok(Response::new(match entry {
            Entry::In(done) => LogInResponse {
                profile_id: done.member.profile.to_string(),
                tokens: Some(convert::tokens(&done.tokens)),
                device_token: done.device.expose().to_owned(),
                second_factor: None,
            },
            Entry::Waits(waited) => LogInResponse {
                second_factor: Some(SecondFactorChallenge {
                    challenge: waited.challenge.expose().to_owned(),
                    expires_at: waited.expires_at.to_string(),
                    authenticator: waited.authenticator,
                    passkey: waited.passkey,
                }),
                ..LogInResponse::default()
            },
        }))
    }

    async fn verify_second_factor(
        &self,
        request: Request<VerifySecondFactorRequest>,
    ) -> Result<Response<VerifySecondFactorResponse>, Status> {
        let mut stranger = self.stranger(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key).map_err(stranger.told())?;
        stranger.client.known_device = Some(r.device_token).filter(|token| !token.is_empty()).map(Secret::new);
        let (challenge, code) = (Secret::new(r.challenge), Secret::new(r.code));
        let entered = self.services.accounts.verify_second_factor(&stranger.client, &challenge, &code).await;
        let done = entered.map_err(stranger.told())?;
        let (profile_id, tokens) = (done.member.profile.to_string(), Some(convert::tokens(&done.tokens)));
        let device_token = done.device.expose().to_owned();
        Ok(Response::new(VerifySecondFactorResponse { profile_id, tokens, device_token }))
    }

    async fn reauthenticate(
        &self,
        request: Request<ReauthenticateRequest>,
    ) -> Result<Response<ReauthenticateResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key).map_err(caller.told())?;
        let (password, code) = (Secret::new(r.password), Some(r.code).filter(|code| !code.is_empty()).map(Secret::new));
        let proved = self.services.accounts.reauthenticate(&caller.actor, &password, code.as_ref()).await;
        Ok(Response::new(ReauthenticateResponse { proven_until: proved.map_err(caller.told())?.to_string() }))
    }

    async fn get_second_factor(
        &self,
        request: Request<GetSecondFactorRequest>,
    ) -> Result<Response<GetSecondFactorResponse>, Status> {
        let caller = self.caller(&request).await?;
        let status = self.services.accounts.second_factor(&caller.actor).await.map_err(caller.told())?;
        Ok(Response::new(GetSecondFactorResponse {
            authenticator_since: status.authenticator_since.map(|at| at.to_string()).unwrap_or_default(),
            recovery_codes_left: u32::try_from(status.recovery_codes).unwrap_or(u32::MAX),
            passkeys: u32::try_from(status.passkeys).unwrap_or(u32::MAX),
        }))
    }

    async fn begin_authenticator(
        &self,
        request: Request<BeginAuthenticatorRequest>,
    ) -> Result<Response<BeginAuthenticatorResponse>, Status> {
        let caller = self.caller(&request).await?;
        key(request.into_inner().idempotency_key).map_err(caller.told())?;
        let begun = self.services.accounts.begin_authenticator(&caller.actor).await.map_err(caller.told())?;
        let [secret, address] = [begun.secret, begun.address].map(|text| text.expose().to_owned());
        Ok(Response::new(BeginAuthenticatorResponse { secret, address }))
    }

    async fn confirm_authenticator(
        &self,
        request: Request<ConfirmAuthenticatorRequest>,
    ) -> Result<Response<ConfirmAuthenticatorResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key).map_err(caller.told())?;
        let confirmed = self.services.accounts.confirm_authenticator(&caller.actor, &Secret::new(r.code)).await;
        let recovery_codes = convert::texts(&confirmed.map_err(caller.told())?);
        Ok(Response::new(ConfirmAuthenticatorResponse { recovery_codes }))
    }

    async fn remove_authenticator(
        &self,
        request: Request<RemoveAuthenticatorRequest>,
    ) -> Result<Response<RemoveAuthenticatorResponse>, Status> {
        let caller = self.caller(&request).await?;
        let key = key(request.into_inner().idempotency_key).map_err(caller.told())?;
        let changed = self.services.accounts.remove_authenticator(&caller.actor, key).await;
        Ok(Response::new(RemoveAuthenticatorResponse { changed: changed.map_err(caller.told())? }))
    }

    async fn renew_recovery_codes(
        &self,
        request: Request<RenewRecoveryCodesRequest>,
    ) -> Result<Response<RenewRecoveryCodesResponse>, Status> {
        let caller = self.caller(&request).await?;
        key(request.into_inner().idempotency_key).map_err(caller.told())?;
        let renewed = self.services.accounts.renew_recovery_codes(&caller.actor).await;
        let recovery_codes = convert::texts(&renewed.map_err(caller.told())?);
        Ok(Response::new(RenewRecoveryCodesResponse { recovery_codes }))
    }

    async fn begin_passkey(
        &self,
        request: Request<BeginPasskeyRequest>,
    ) -> Result<Response<BeginPasskeyResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key).map_err(caller.told())?;
        let begun = self.services.accounts.begin_passkey(&caller.actor).await.map_err(caller.told())?;
        let (ceremony, expires_at) = (begun.ceremony.expose().to_owned(), begun.expires_at.to_string());
        Ok(Response::new(BeginPasskeyResponse { ceremony, options: begun.options, expires_at }))
    }

    async fn add_passkey(&self, request: Request<AddPasskeyRequest>) -> Result<Response<AddPasskeyResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key).map_err(caller.told())?;
        let (ceremony, answer) = (Secret::new(r.ceremony), Secret::new(r.answer));
        let added = self.services.accounts.add_passkey(&caller.actor, &ceremony, &answer, &r.name).await;
        let added = added.map_err(caller.told())?;
        let (passkey, recovery_codes) = (Some(convert::passkey(&added.passkey)), convert::texts(&added.recovery_codes));
        Ok(Response::new(AddPasskeyResponse { passkey, recovery_codes }))
    }

    async fn list_passkeys(
        &self,
        request: Request<ListPasskeysRequest>,
    ) -> Result<Response<ListPasskeysResponse>, Status> {
        let caller = self.caller(&request).await?;
        let passkeys = self.services.accounts.passkeys(&caller.actor).await.map_err(caller.told())?;
        Ok(Response::new(ListPasskeysResponse { passkeys: passkeys.iter().map(convert::passkey).collect() }))
    }

    async fn rename_passkey(
        &self,
        request: Request<RenamePasskeyRequest>,
    ) -> Result<Response<RenamePasskeyResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let passkey = id(&r.passkey_id, "passkey_id").map_err(caller.told())?;
        let renamed = self.services.accounts.rename_passkey(&caller.actor, passkey, &r.name, key).await;
        renamed.map_err(caller.told())?;
        Ok(Response::new(RenamePasskeyResponse {}))
    }

    async fn remove_passkey(
        &self,
        request: Request<RemovePasskeyRequest>,
    ) -> Result<Response<RemovePasskeyResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let passkey = id(&r.passkey_id, "passkey_id").map_err(caller.told())?;
        self.services.accounts.remove_passkey(&caller.actor, passkey, key).await.map_err(caller.told())?;
        Ok(Response::new(RemovePasskeyResponse {}))
    }

    async fn begin_passkey_log_in(
        &self,
        request: Request<BeginPasskeyLogInRequest>,
    ) -> Result<Response<BeginPasskeyLogInResponse>, Status> {
        let stranger = self.stranger(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key).map_err(stranger.told())?;
        let challenge = Some(r.challenge).filter(|challenge| !challenge.is_empty()).map(Secret::new);
        let begun = self.services.accounts.begin_passkey_log_in(&stranger.client, challenge.as_ref()).await;
        let begun = begun.map_err(stranger.told())?;
        let (ceremony, expires_at) = (begun.ceremony.expose().to_owned(), begun.expires_at.to_string());
        Ok(Response::new(BeginPasskeyLogInResponse { ceremony, options: begun.options, expires_at }))
    }

    async fn log_in_with_passkey(
        &self,
        request: Request<LogInWithPasskeyRequest>,
    ) -> Result<Response<LogInWithPasskeyResponse>, Status> {
        let mut stranger = self.stranger(&request).await?;
        let r = request.into_inner();
        stranger.client.known_device = Some(r.device_token).filter(|token| !token.is_empty()).map(Secret::new);
        key(r.idempotency_key).map_err(stranger.told())?;
        let (ceremony, answer) = (Secret::new(r.ceremony), Secret::new(r.answer));
        let accounts = &self.services.accounts;
        let entered = accounts.log_in_with_passkey(&stranger.client, &ceremony, &answer, &r.device).await;
        let done = entered.map_err(stranger.told())?;
        let (profile_id, tokens) = (done.member.profile.to_string(), Some(convert::tokens(&done.tokens)));
        let device_token = done.device.expose().to_owned();
        Ok(Response::new(LogInWithPasskeyResponse { profile_id, tokens, device_token }))
    }

    async fn begin_passkey_proof(
        &self,
        request: Request<BeginPasskeyProofRequest>,
    ) -> Result<Response<BeginPasskeyProofResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key).map_err(caller.told())?;
        let begun = self.services.accounts.begin_passkey_proof(&caller.actor).await.map_err(caller.told())?;
        let (ceremony, expires_at) = (begun.ceremony.expose().to_owned(), begun.expires_at.to_string());
        Ok(Response::new(BeginPasskeyProofResponse { ceremony, options: begun.options, expires_at }))
    }

    async fn prove_with_passkey(
        &self,
        request: Request<ProveWithPasskeyRequest>,
    ) -> Result<Response<ProveWithPasskeyResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key).map_err(caller.told())?;
        let (ceremony, answer) = (Secret::new(r.ceremony), Secret::new(r.answer));
        let proved = self.services.accounts.prove_with_passkey(&caller.actor, &ceremony, &answer).await;
        Ok(Response::new(ProveWithPasskeyResponse { proven_until: proved.map_err(caller.told())?.to_string() }))
    }

    async fn refresh_session(
        &self,
        request: Request<RefreshSessionRequest>,
    ) -> Result<Response<RefreshSessionResponse>, Status> {
        let stranger = self.stranger(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key).map_err(stranger.told())?;
        let refresh = Secret::new(r.refresh_token);
        let tokens = self.services.accounts.refresh(&stranger.client, &refresh).await.map_err(stranger.told())?;
        Ok(Response::new(RefreshSessionResponse { tokens: Some(convert::tokens(&tokens)) }))
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<Response<ChangePasswordResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let input = ChangePassword { current: Secret::new(r.current_password), new: Secret::new(r.password) };
        let changed = self.services.accounts.change_password(&caller.actor, &input, key).await;
        Ok(Response::new(ChangePasswordResponse { ended_sessions: changed.map_err(caller.told())? }))
    }

    async fn request_password_reset(
        &self,
        request: Request<RequestPasswordResetRequest>,
    ) -> Result<Response<RequestPasswordResetResponse>, Status> {
        let stranger = self.stranger(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(stranger.told())?;
        let locale = Locale::from_tag(&r.locale).unwrap_or_default();
        let asked = self.services.accounts.request_password_reset(&stranger.client, &r.email, locale, key).await;
        asked.map_err(stranger.told())?;
        Ok(Response::new(RequestPasswordResetResponse {}))
    }

    async fn reset_password(
        &self,
        request: Request<ResetPasswordRequest>,
    ) -> Result<Response<ResetPasswordResponse>, Status> {
        let stranger = self.stranger(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key).map_err(stranger.told())?;
        let (token, password) = (Secret::new(r.token), Secret::new(r.password));
        let reset = self.services.accounts.reset_password(&stranger.client, &token, &password).await;
        reset.map_err(stranger.told())?;
        Ok(Response::new(ResetPasswordResponse {}))
    }

    async fn change_email(
        &self,
        request: Request<ChangeEmailRequest>,
    ) -> Result<Response<ChangeEmailResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let current = Secret::new(r.current_password);
        let asked = self.services.accounts.change_email(&caller.actor, &r.email, &current, key).await;
        Ok(Response::new(ChangeEmailResponse { challenge_id: asked.map_err(caller.told())?.to_string() }))
    }

    async fn confirm_email(
        &self,
        request: Request<ConfirmEmailRequest>,
    ) -> Result<Response<ConfirmEmailResponse>, Status> {
        let caller = self.caller(&request).await?;
        let client = caller.client.clone();
        let r = request.into_inner();
        key(r.idempotency_key).map_err(caller.told())?;
        let challenge = id(&r.challenge_id, "challenge_id").map_err(caller.told())?;
        let code = Secret::new(r.code);
        let moved = self.services.accounts.confirm_email(&caller.actor, &client, challenge, &code).await;
        moved.map_err(caller.told())?;
        Ok(Response::new(ConfirmEmailResponse {}))
    }

    async fn log_out(&self, request: Request<LogOutRequest>) -> Result<Response<LogOutResponse>, Status> {
        let caller = self.caller(&request).await?;
        key(request.into_inner().idempotency_key).map_err(caller.told())?;
        self.services.accounts.log_out(&caller.actor).await.map_err(caller.told())?;
        Ok(Response::new(LogOutResponse {}))
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        let caller = self.caller(&request).await?;
        let current = caller.actor.member().map_err(caller.told())?.session;
        let sessions = self.services.accounts.sessions(&caller.actor).await.map_err(caller.told())?;
        let sessions = sessions.into_iter().map(|s| Session {
            id: s.id.to_string(),
            profile_id: s.profile.to_string(),
            device: s.device,
            created_at: s.created_at.to_string(),
            last_used_at: s.last_used_at.to_string(),
            current: s.id == current,
            place: s.place.map(|place| place.to_string()).unwrap_or_default(),
            known_device: s.known_device,
        });
        Ok(Response::new(ListSessionsResponse { sessions: sessions.collect() }))
    }

    async fn revoke_session(
        &self,
        request: Request<RevokeSessionRequest>,
    ) -> Result<Response<RevokeSessionResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let session = id(&r.session_id, "session_id").map_err(caller.told())?;
        self.services.accounts.revoke_session(&caller.actor, session, key).await.map_err(caller.told())?;
        Ok(Response::new(RevokeSessionResponse {}))
    }

    async fn get_profile(&self, request: Request<GetProfileRequest>) -> Result<Response<GetProfileResponse>, Status> {
        let caller = self.caller(&request).await?;
        let nobody = || caller.told()(Error::not_found());
        let (profile, handle) = match request.into_inner().by {
            Some(By::Id(text)) => (id(&text, "id").map_err(caller.told())?, None),
            Some(By::Handle(text)) => {
                // A text that is no handle is nobody's handle.
                let handle = Handle::existing(&text).map_err(|_| nobody())?;
                let bearer = self.services.accounts.bearer(&handle).await.map_err(caller.told())?;
                (bearer.ok_or_else(nobody)?, Some(handle))
            }
            None => return Err(nobody()),
        };
        let mut view = self.ports.store.read(&caller.actor, Access::Read).await.map_err(caller.told())?;
        let found = match handle {
            None => view.accounts().profiles(&[profile]).await.map(|mut found| found.pop()),
            Some(handle) => self.services.accounts.profile_of(&mut *view, &handle, profile).await,
        };
        let profile = found.map_err(caller.told())?.ok_or_else(nobody)?;
        let counters = view.accounts().profile_counters(&[profile.id]).await.map_err(caller.told())?;
        let counters = counters.first().map(|c| c.1).unwrap_or_default();
        Ok(Response::new(GetProfileResponse { profile: Some(convert::profile(&profile, counters)) }))
    }

    async fn request_deletion(
        &self,
        request: Request<RequestDeletionRequest>,
    ) -> Result<Response<RequestDeletionResponse>, Status> {
        let caller = self.caller(&request).await?;
        let key = key(request.into_inner().idempotency_key).map_err(caller.told())?;
        let asked = self.services.accounts.request_deletion(&caller.actor, key).await;
        Ok(Response::new(RequestDeletionResponse { leaving_at: asked.map_err(caller.told())?.to_string() }))
    }

    async fn cancel_deletion(
        &self,
        request: Request<CancelDeletionRequest>,
    ) -> Result<Response<CancelDeletionResponse>, Status> {
        let caller = self.caller(&request).await?;
        let key = key(request.into_inner().idempotency_key).map_err(caller.told())?;
        self.services.accounts.cancel_deletion(&caller.actor, key).await.map_err(caller.told())?;
        Ok(Response::new(CancelDeletionResponse {}))
    }
}
