//! What staff do.

use async_graphql::{Context, Enum, ID, Object, Result};
use daira_core::error::{CommonRefusal, Error};
use daira_core::id::ProfileId;
use daira_core::staff::{LookUp, Measure, PersonName, Reference, StaffRefusal, Why};

use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::profile::{Profile, ProfileKind};
use crate::graphql::types::scalar::DateTime;
use crate::graphql::types::staff::{Person, PrivateField, StaffReason, StaffRole, TakedownKind};

inputs! {
    /// Whom staff want to see, by one of the three, and why.
    LookUpPersonInput ["Not needed: a look changes nothing, and each is written down."] {
        /// One of the person's profiles.
        profile_id: Option<ID>,
        /// The handle of one of them, with or without @.
        handle: Option<String>,
        /// The e-mail address, which takes the right to see addresses.
        email: Option<String>,
        /// The private fields to show; none when left out.
        fields: Option<Vec<PrivateField>>,
        /// Why.
        reason: StaffReason,
        /// The case elsewhere, up to 64 letters, digits and `-._:/#`.
        reference: Option<String>,
    }
    /// What is to be done to a person.
    SanctionPersonInput {
        /// One of the person's profiles.
        profile_id: ID,
        /// What.
        measure: PersonMeasure,
        /// When a suspension ends, within a year.
        until: Option<DateTime>,
        /// Why; the person is told.
        reason: StaffReason,
        /// The case elsewhere, up to 64 letters, digits and `-._:/#`.
        reference: Option<String>,
    }
    /// A person, and why something is done.
    LiftSanctionInput {
        /// One of the person's profiles.
        profile_id: ID,
        /// Why.
        reason: StaffReason,
        /// The case elsewhere, up to 64 letters, digits and `-._:/#`.
        reference: Option<String>,
    }
    /// Sessions of a person.
    EndPersonSessionsInput {
        /// One of the person's profiles.
        profile_id: ID,
        /// The session; all when left out.
        session_id: Option<ID>,
        /// Why.
        reason: StaffReason,
        /// The case elsewhere, up to 64 letters, digits and `-._:/#`.
        reference: Option<String>,
    }
    /// Something that is to be taken down or put back.
    TakedownInput {
        /// What it is.
        kind: TakedownKind,
        /// The id of the post or the comment, or of the profile whose name or picture it is.
        target_id: ID,
        /// Why; the owner of what is taken down is told.
        reason: StaffReason,
        /// The case elsewhere, up to 64 letters, digits and `-._:/#`.
        reference: Option<String>,
    }
    /// What a person is to be among the staff.
    AppointInput {
        /// One of the person's profiles.
        profile_id: ID,
        /// What; nothing takes them from the staff.
        rank: Option<StaffRole>,
        /// Why.
        reason: StaffReason,
        /// The case elsewhere, up to 64 letters, digits and `-._:/#`.
        reference: Option<String>,
    }
    /// What a profile presents itself as.
    PresentProfileInput {
        /// The profile.
        profile_id: ID,
        /// What.
        presented_as: ProfileKind,
        /// Why.
        reason: StaffReason,
        /// The case elsewhere, up to 64 letters, digits and `-._:/#`.
        reference: Option<String>,
    }
}

/// What is done to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PersonMeasure {
    /// They may read only.
    Restrict,
    /// Shut out until an instant.
    Suspend,
    /// Shut out for good.
    Ban,
}

payloads! {
    /// What looking somebody up came to.
    LookUpPersonPayload {
        /// The person.
        person: Person,
    }
    /// What was done to a person.
    PersonPayload {
        /// The profile that was named.
        profile_id: ID,
    }
    /// What ending sessions came to.
    EndPersonSessionsPayload {
        /// How many have ended.
        count: i64,
    }
    /// What was taken down or put back.
    TakedownPayload {
        /// The id that was named.
        target_id: ID,
    }
    /// What a profile presents itself as.
    PresentProfilePayload {
        /// The profile as it is now.
        profile: Profile,
    }
}

fn why(reason: StaffReason, reference: Option<&String>) -> daira_core::Result<Why> {
    let reference = reference.map(|text| Reference::new(text)).transpose()?;
    Ok(Why { reason: reason.into(), reference })
}

/// What staff do.
#[derive(Debug, Default)]
pub(super) struct StaffMutation;

macro_rules! on_content {
    ($ctx:ident, $input:ident, $use_case:ident) => {{
        let scope = $ctx.scope();
        change($ctx, $input.client_mutation_id, async {
            let key = scope.key($input.idempotency_key)?;
            scope.member()?;
            let (target, why) =
                ($input.kind.target(&$input.target_id)?, why($input.reason, $input.reference.as_ref())?);
            Box::pin(scope.services.staff.$use_case(&scope.actor, target, &why, key)).await?;
            Ok(TakedownPayload { target_id: Some($input.target_id.clone()), ..Default::default() })
        })
        .await
    }};
}

/// What staff do. It takes a role, in a session on which a second factor was proved; all of it is written down.
#[Object]
impl StaffMutation {
    /// Shows somebody to staff, with the private fields that were asked for. It is a mutation because each look is written down
    /// before it is answered.
    async fn look_up_person(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, what of them, and why.")] input: LookUpPersonInput,
    ) -> Result<Option<LookUpPersonPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            scope.member()?;
            let whom = match (&input.profile_id, input.handle, input.email) {
                (Some(profile), None, None) => PersonName::Profile(id(profile, "profileId")?),
                (None, Some(handle), None) => PersonName::Handle(handle.trim_start_matches('@').to_owned()),
                (None, None, Some(email)) => PersonName::Email(email),
                _ => return Err(Error::from(CommonRefusal::Id).on_field("profileId")),
            };
            let fields = input.fields.unwrap_or_default().into_iter().map(Into::into).collect();
            let wish = LookUp { whom, fields, why: why(input.reason, input.reference.as_ref())? };
            let person = Box::pin(scope.services.staff.look_up(&scope.actor, &wish)).await?;
            Ok(LookUpPersonPayload { person: Some(Person(person)), ..Default::default() })
        })
        .await
    }

    /// Restricts, suspends or bans a person, in the place of what was done to them before. Who is shut out is out at once, with all
    /// profiles and on all devices.
    async fn sanction_person(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and what.")] input: SanctionPersonInput,
    ) -> Result<Option<PersonPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let whom: ProfileId = id(&input.profile_id, "profileId")?;
            let needed = || Error::from(StaffRefusal::UntilInvalid).on_field("until");
            let measure = match (input.measure, input.until) {
                (PersonMeasure::Restrict, None) => Measure::Restrict,
                (PersonMeasure::Ban, None) => Measure::Ban,
                (PersonMeasure::Suspend, Some(until)) => Measure::Suspend(until.0),
                _ => return Err(needed()),
            };
            let why = why(input.reason, input.reference.as_ref())?;
            Box::pin(scope.services.staff.sanction(&scope.actor, whom, measure, &why, key)).await?;
            Ok(PersonPayload { profile_id: Some(input.profile_id.clone()), ..Default::default() })
        })
        .await
    }

    /// Lifts what was done to a person; where nothing was, nothing changes.
    async fn lift_sanction(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: LiftSanctionInput,
    ) -> Result<Option<PersonPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let (whom, why) = (id(&input.profile_id, "profileId")?, why(input.reason, input.reference.as_ref())?);
            Box::pin(scope.services.staff.lift(&scope.actor, whom, &why, key)).await?;
            Ok(PersonPayload { profile_id: Some(input.profile_id.clone()), ..Default::default() })
        })
        .await
    }

    /// Ends a session of a person, or all of them.
    async fn end_person_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose, and which.")] input: EndPersonSessionsInput,
    ) -> Result<Option<EndPersonSessionsPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let (whom, why) = (id(&input.profile_id, "profileId")?, why(input.reason, input.reference.as_ref())?);
            let session = input.session_id.as_ref().map(|session| id(session, "sessionId")).transpose()?;
            let count = Box::pin(scope.services.staff.end_sessions(&scope.actor, whom, session, &why, key)).await?;
            Ok(EndPersonSessionsPayload { count: Some(count.into()), ..Default::default() })
        })
        .await
    }

    /// Takes something down: nobody but its owner sees it any more, and they are told why.
    async fn take_down(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What.")] input: TakedownInput,
    ) -> Result<Option<TakedownPayload>> {
        on_content!(ctx, input, take_down)
    }

    /// Puts back what was taken down, with its counts.
    async fn put_back(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What.")] input: TakedownInput,
    ) -> Result<Option<TakedownPayload>> {
        on_content!(ctx, input, put_back)
    }

    /// Makes a person staff, something else among them, or takes them from the staff. Nobody does that to themselves, and the last
    /// admin stays.
    async fn appoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and as what.")] input: AppointInput,
    ) -> Result<Option<PersonPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let (whom, why) = (id(&input.profile_id, "profileId")?, why(input.reason, input.reference.as_ref())?);
            let role = input.rank.map(Into::into);
            Box::pin(scope.services.staff.set_role(&scope.actor, whom, role, &why, key)).await?;
            Ok(PersonPayload { profile_id: Some(input.profile_id.clone()), ..Default::default() })
        })
        .await
    }

    /// Says what a profile presents itself as: a person, a creator, a checked creator, a brand.
    async fn present_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and as what.")] input: PresentProfileInput,
    ) -> Result<Option<PresentProfilePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let (whom, why) = (id(&input.profile_id, "profileId")?, why(input.reason, input.reference.as_ref())?);
            Box::pin(scope.services.staff.set_kind(&scope.actor, whom, input.presented_as.into(), &why, key)).await?;
            let profile = Profile::load(scope, whom).await?;
            Ok(PresentProfilePayload { profile, ..Default::default() })
        })
        .await
    }
}
