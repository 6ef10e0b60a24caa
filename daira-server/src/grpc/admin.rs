//! `daira.admin.v1.AdminService`.

use async_trait::async_trait;
use daira_core::account::{AccountState, Email, ProfileKind};
use daira_core::error::{Error, Result as Outcome};
use daira_core::proto::admin::v1::admin_service_server::AdminService;
use daira_core::proto::admin::v1::{
    self as admin, AppointRequest, AppointResponse, EndPersonSessionsRequest, EndPersonSessionsResponse,
    LiftSanctionRequest, LiftSanctionResponse, ListStaffRequest, ListStaffResponse, LookUpPersonRequest,
    LookUpPersonResponse, PersonSession, PresentProfileRequest, PresentProfileResponse, PutBackRequest,
    PutBackResponse, SanctionPersonRequest, SanctionPersonResponse, TakeDownRequest, TakeDownResponse,
    look_up_person_request::By,
};
use daira_core::staff::{
    LookUp, Measure, PersonFile, PersonName, PrivateField, Reason, Reference, Role, StaffRefusal, StaffRole, Target,
    Why,
};
use daira_core::time::Timestamp;
use tonic::{Request, Response, Status};

use super::Grpc;
use super::caller::{id, key};

/// What a word stands for.
fn word<T>(found: Option<T>, field: &'static str) -> Outcome<T> {
    found.ok_or_else(|| Error::from(StaffRefusal::WordUnknown).on_field(field))
}

fn why(given: Option<admin::Why>) -> Outcome<Why> {
    let given = given.unwrap_or_default();
    let reason = word(Reason::from_code(&given.reason), "reason")?;
    let reference = Some(given.reference).filter(|text| !text.is_empty());
    Ok(Why { reason, reference: reference.map(|text| Reference::new(&text)).transpose()? })
}

fn target(kind: &str, text: &str) -> Outcome<Target> {
    Ok(match kind {
        "post" => Target::Post(id(text, "target_id")?),
        "comment" => Target::Comment(id(text, "target_id")?),
        "name" => Target::Name(id(text, "target_id")?),
        "picture" => Target::Picture(id(text, "target_id")?),
        _ => return word(None, "kind"),
    })
}

fn measure(name: &str, until: &str) -> Outcome<Measure> {
    let needed = || Error::from(StaffRefusal::UntilInvalid).on_field("until");
    match (name, until) {
        ("restrict", "") => Ok(Measure::Restrict),
        ("ban", "") => Ok(Measure::Ban),
        ("suspend", until) => Timestamp::parse(until).map(Measure::Suspend).map_err(|_| needed()),
        ("restrict" | "ban", _) => Err(needed()),
        _ => word(None, "measure"),
    }
}

fn looked_for(r: LookUpPersonRequest) -> Outcome<LookUp> {
    let whom = match r.by {
        Some(By::ProfileId(profile)) => PersonName::Profile(id(&profile, "profile_id")?),
        Some(By::Handle(handle)) => PersonName::Handle(handle),
        Some(By::Email(email)) => PersonName::Email(email),
        None => return Err(Error::not_found()),
    };
    let fields = r.fields.iter().map(|name| word(PrivateField::from_code(name), "fields")).collect::<Outcome<_>>()?;
    Ok(LookUp { whom, fields, why: why(r.why)? })
}

fn shown(person: &PersonFile) -> LookUpPersonResponse {
    let until = match person.state {
        AccountState::Suspended(until) => until.to_string(),
        _ => String::new(),
    };
    let session = |session: &daira_core::account::Session| PersonSession {
        id: session.id.to_string(),
        device: session.device.clone(),
        created_at: session.created_at.to_string(),
        last_used_at: session.last_used_at.to_string(),
    };
    LookUpPersonResponse {
        profile_id: person.profile.id.to_string(),
        handle: person.profile.handle.as_str().to_owned(),
        state: person.state.name().to_owned(),
        suspended_until: until,
        joined_at: person.joined_at.to_string(),
        role: person.role.map_or("", StaffRole::name).to_owned(),
        email: person.email.as_ref().map_or("", Email::as_str).to_owned(),
        birth_date: person.birth_date.map(|date| date.to_string()).unwrap_or_default(),
        face_ids: person.faces.iter().flatten().map(|face| face.id.to_string()).collect(),
        sessions: person.sessions.iter().flatten().map(session).collect(),
        authenticator: person.guards.is_some_and(|guards| guards.authenticator),
        passkeys: person.guards.map_or(0, |guards| u32::try_from(guards.passkeys).unwrap_or(u32::MAX)),
        sanction_reason: person.sanction.as_ref().map_or("", |s| s.why.reason.code()).to_owned(),
    }
}

#[async_trait]
impl AdminService for Grpc {
    async fn look_up_person(
        &self,
        request: Request<LookUpPersonRequest>,
    ) -> Result<Response<LookUpPersonResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        key(r.idempotency_key.clone()).map_err(caller.told())?;
        let wish = looked_for(r).map_err(caller.told())?;
        let person = Box::pin(self.services.staff.look_up(&caller.actor, &wish)).await.map_err(caller.told())?;
        Ok(Response::new(shown(&person)))
    }

    async fn sanction_person(
        &self,
        request: Request<SanctionPersonRequest>,
    ) -> Result<Response<SanctionPersonResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let whom = id(&r.profile_id, "profile_id").map_err(caller.told())?;
        let measure = measure(&r.measure, &r.until).map_err(caller.told())?;
        let why = why(r.why).map_err(caller.told())?;
        let done = Box::pin(self.services.staff.sanction(&caller.actor, whom, measure, &why, key)).await;
        done.map_err(caller.told())?;
        Ok(Response::new(SanctionPersonResponse {}))
    }

    async fn lift_sanction(
        &self,
        request: Request<LiftSanctionRequest>,
    ) -> Result<Response<LiftSanctionResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let whom = id(&r.profile_id, "profile_id").map_err(caller.told())?;
        let why = why(r.why).map_err(caller.told())?;
        Box::pin(self.services.staff.lift(&caller.actor, whom, &why, key)).await.map_err(caller.told())?;
        Ok(Response::new(LiftSanctionResponse {}))
    }

    async fn end_person_sessions(
        &self,
        request: Request<EndPersonSessionsRequest>,
    ) -> Result<Response<EndPersonSessionsResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let whom = id(&r.profile_id, "profile_id").map_err(caller.told())?;
        let session = Some(r.session_id).filter(|text| !text.is_empty());
        let session = session.map(|text| id(&text, "session_id")).transpose().map_err(caller.told())?;
        let why = why(r.why).map_err(caller.told())?;
        let ended = Box::pin(self.services.staff.end_sessions(&caller.actor, whom, session, &why, key)).await;
        Ok(Response::new(EndPersonSessionsResponse { count: ended.map_err(caller.told())? }))
    }

    async fn take_down(&self, request: Request<TakeDownRequest>) -> Result<Response<TakeDownResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let target = target(&r.kind, &r.target_id).map_err(caller.told())?;
        let why = why(r.why).map_err(caller.told())?;
        Box::pin(self.services.staff.take_down(&caller.actor, target, &why, key)).await.map_err(caller.told())?;
        Ok(Response::new(TakeDownResponse {}))
    }

    async fn put_back(&self, request: Request<PutBackRequest>) -> Result<Response<PutBackResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let target = target(&r.kind, &r.target_id).map_err(caller.told())?;
        let why = why(r.why).map_err(caller.told())?;
        Box::pin(self.services.staff.put_back(&caller.actor, target, &why, key)).await.map_err(caller.told())?;
        Ok(Response::new(PutBackResponse {}))
    }

    async fn list_staff(&self, request: Request<ListStaffRequest>) -> Result<Response<ListStaffResponse>, Status> {
        let caller = self.caller(&request).await?;
        let list = Box::pin(self.services.staff.list(&caller.actor)).await.map_err(caller.told())?;
        let members = list.into_iter().map(|(member, face)| admin::StaffMember {
            profile_id: face.id.to_string(),
            handle: face.handle.as_str().to_owned(),
            role: member.role.name().to_owned(),
            since: member.since.to_string(),
        });
        Ok(Response::new(ListStaffResponse { members: members.collect() }))
    }

    async fn appoint(&self, request: Request<AppointRequest>) -> Result<Response<AppointResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let whom = id(&r.profile_id, "profile_id").map_err(caller.told())?;
        let role = Some(r.role).filter(|name| !name.is_empty());
        let role = role.map(|name| word(StaffRole::from_name(&name), "role")).transpose().map_err(caller.told())?;
        let why = why(r.why).map_err(caller.told())?;
        Box::pin(self.services.staff.set_role(&caller.actor, whom, role, &why, key)).await.map_err(caller.told())?;
        Ok(Response::new(AppointResponse {}))
    }

    async fn present_profile(
        &self,
        request: Request<PresentProfileRequest>,
    ) -> Result<Response<PresentProfileResponse>, Status> {
        const KINDS: [ProfileKind; 4] =
            [ProfileKind::Regular, ProfileKind::Creator, ProfileKind::VerifiedCreator, ProfileKind::Brand];
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let key = key(r.idempotency_key).map_err(caller.told())?;
        let whom = id(&r.profile_id, "profile_id").map_err(caller.told())?;
        let kind = KINDS.into_iter().find(|kind| Role::from(*kind).name() == r.presented_as);
        let kind = word(kind, "presented_as").map_err(caller.told())?;
        let why = why(r.why).map_err(caller.told())?;
        Box::pin(self.services.staff.set_kind(&caller.actor, whom, kind, &why, key)).await.map_err(caller.told())?;
        Ok(Response::new(PresentProfileResponse {}))
    }
}
