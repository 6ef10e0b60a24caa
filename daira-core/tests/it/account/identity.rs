//! Signing in with a provider of identities: logging in, joining, linking, proving oneself, and what must not be believed.

use daira_core::account::{
    AccountState, BeginIdentity, BegunIdentity, Due, Identity, IdentityAnswer, IdentityEntry, IdentityPurpose,
    JoinWithIdentity, MailingKind, NewIdentity,
};
use daira_core::error::CommonRefusal;
use daira_core::idempotency::IdempotencyKey;
use daira_core::memory::{MemoryAuthenticator, MemoryIdentities, RandomIds};
use daira_core::port::{IdentityClaims, LimitRefusal, Provider};

use super::*;

const APP: &str = "example.daira:/in";
const ISSUER: &str = "https://one.example";

/// A world with two providers.
struct Elsewhere {
    world: World,
    identities: Arc<MemoryIdentities>,
}

fn provider(name: &str) -> Provider {
    Provider {
        name: name.to_owned(),
        issuer: format!("https://{name}.example"),
        redirects: vec![APP.to_owned(), format!("https://daira.example/auth/providers/{name}/callback")],
    }
}

fn elsewhere() -> Elsewhere {
    let identities = Arc::new(MemoryIdentities::new(vec![provider("one"), provider("other")]));
    let world = world_with(|ports| ports.identities = identities.clone());
    Elsewhere { world, identities }
}

fn told<T: core::fmt::Debug>(outcome: Result<T>) -> (Option<AccountRefusal>, Option<&'static str>) {
    let error = outcome.unwrap_err();
    (error.refusal(), error.field())
}

const LAPSED: (Option<AccountRefusal>, Option<&'static str>) =
    (Some(AccountRefusal::ChallengeInvalid), Some("ceremony"));
const INVALID: (Option<AccountRefusal>, Option<&'static str>) = (Some(AccountRefusal::IdentityInvalid), None);

impl Elsewhere {
    fn wish(provider: &str, purpose: IdentityPurpose) -> BeginIdentity {
        let (provider, redirect, device) = (provider.to_owned(), APP.to_owned(), "Phone".to_owned());
        BeginIdentity { provider, redirect, purpose, device, replaces: None }
    }

    async fn begin(&self, actor: &Actor, purpose: IdentityPurpose) -> Result<BegunIdentity> {
        self.world.accounts.begin_identity(actor, &Client::default(), &Self::wish("one", purpose)).await
    }

    fn who(subject: &str, authenticated_at: Option<Timestamp>) -> IdentityClaims {
        let identity = Identity { issuer: String::new(), subject: subject.to_owned() };
        let email = Some(format!("{subject}@example.com"));
        IdentityClaims { identity, email, name: Some("منى".to_owned()), authenticated_at }
    }

    /// What a browser comes back with from where it was sent, as somebody who proved themselves there just now.
    fn agreed(&self, begun: &BegunIdentity, subject: &str) -> IdentityAnswer {
        self.agreed_as(begun, &Elsewhere::who(subject, Some(self.world.clock.now())))
    }

    fn agreed_as(&self, begun: &BegunIdentity, who: &IdentityClaims) -> IdentityAnswer {
        let (state, answer) = self.identities.agree(begun.url.expose(), who).unwrap();
        IdentityAnswer { ceremony: begun.ceremony.clone(), state, code: answer.code, issuer: answer.issuer }
    }

    async fn finish(&self, answer: &IdentityAnswer) -> Result<IdentityEntry> {
        self.world.accounts.log_in_with_identity(&Client::default(), answer).await
    }

    async fn come(&self, subject: &str) -> Result<IdentityEntry> {
        let begun = self.begin(&Actor::Anonymous, IdentityPurpose::LogIn).await?;
        self.finish(&self.agreed(&begun, subject)).await
    }

    async fn newcomer(&self, subject: &str) -> NewIdentity {
        match self.come(subject).await.unwrap() {
            IdentityEntry::New(new) => new,
            other => panic!("{other:?}"),
        }
    }

    async fn inside(&self, subject: &str) -> LoggedIn {
        match self.come(subject).await.unwrap() {
            IdentityEntry::In(inside) => *inside,
            other => panic!("{other:?}"),
        }
    }

    fn form(ticket: &Secret, handle: &str, email: Option<&str>) -> JoinWithIdentity {
        JoinWithIdentity {
            ticket: ticket.clone(),
            email: email.map(str::to_owned),
            handle: handle.to_owned(),
            name: "منى علي".to_owned(),
            birth_date: "1999-04-25".to_owned(),
            locale: Locale::Ar,
        }
    }

    async fn fill_in(&self, form: JoinWithIdentity) -> Result<ChallengeId> {
        self.world.accounts.join_with_identity(&Client::default(), form, None).await
    }

    /// Somebody whose account has no password.
    async fn joined(&self, subject: &str) -> LoggedIn {
        let new = self.newcomer(subject).await;
        let registration = self.fill_in(Self::form(&new.ticket, subject, None)).await.unwrap();
        self.world.verify(registration, self.world.code(registration)).await.unwrap()
    }

    async fn link(&self, person: &LoggedIn, subject: &str) -> Result<()> {
        let begun = self.begin(&actor(person), IdentityPurpose::Link).await?;
        let answer = self.agreed(&begun, subject);
        self.world.accounts.link_identity(&actor(person), &Client::default(), &answer).await.map(drop)
    }

    /// Subjects of the notices that were due.
    async fn subjects(&self) -> Vec<String> {
        self.world.deliver().await.into_iter().map(|(_, subject)| subject).collect()
    }
}

#[tokio::test]
async fn who_is_new_joins_as_everybody_does_and_comes_in_by_the_identity_from_then_on() {
    let there = elsewhere();
    let new = there.newcomer("mona").await;
    assert_eq!((new.email.as_deref(), new.name.as_deref()), (Some("mona@example.com"), Some("منى")));
    let form = Elsewhere::form(&new.ticket, "mona", None);
    let young = JoinWithIdentity { birth_date: "2020-01-01".to_owned(), ..form.clone() };
    assert_eq!(told(there.fill_in(young).await), (Some(AccountRefusal::TooYoung), Some("birthDate")));
    let registration = there.fill_in(form).await.unwrap();
    let mona = there.world.verify(registration, there.world.code(registration)).await.unwrap();
    let inside = there.inside("mona").await;
    assert_eq!((inside.member.account, inside.member.profile), (mona.member.account, mona.member.profile));
    assert!(there.world.accounts.authenticate(&inside.tokens.access).await.is_ok());
    let ways = there.world.accounts.ways_in(&actor(&mona)).await.unwrap();
    assert!(!ways.has_password);
    assert_eq!(ways.identities[0].identity, Identity { issuer: ISSUER.to_owned(), subject: "mona".to_owned() });
    assert_eq!(ways.identities[0].used_at, Some(there.world.clock.now()));
    // No password is right, not even what stands in its place.
    let stored = there.world.ports.store.begin(&actor(&mona)).await.unwrap();
    let mut stored = stored;
    let mark = stored.accounts().password_hash(mona.member.account).await.unwrap().unwrap();
    for password in [PASSWORD, &mark, ""] {
        let typed = LogIn { password: Secret::new(password), ..logging_in("mona") };
        let refused = there.world.accounts.log_in(&Client::default(), typed, None).await;
        assert_eq!(refusal::<_, AccountRefusal>(refused), AccountRefusal::CredentialsInvalid);
    }
}

#[tokio::test]
async fn security_07_accounts_are_never_joined_by_an_address() {
    let there = elsewhere();
    let mona = there.world.join("mona").await;
    // The provider says the same address: it opens nothing, and what is answered is what everybody gets.
    let new = there.newcomer("mona").await;
    let stranger = there.newcomer("nobody").await;
    assert_eq!(new.expires_at, stranger.expires_at);
    let registration = there.fill_in(Elsewhere::form(&new.ticket, "mona2", None)).await.unwrap();
    there.fill_in(Elsewhere::form(&stranger.ticket, "nobody", None)).await.unwrap();
    // The mail alone tells, and tells the owner; no code that could be guessed opens it either.
    assert!(there.world.accounts.deliver(Due::Registration(registration)).await.unwrap());
    let mail = there.world.mail.messages().pop().unwrap();
    assert_eq!((mail.to.expose(), mail.subject.as_str()), ("mona@example.com", "عندك حساب على دايرة بالفعل"));
    let guessed = there.world.verify(registration, there.world.code(registration)).await;
    assert_eq!(refusal::<_, AccountRefusal>(guessed), AccountRefusal::CodeInvalid);
    assert!(there.world.accounts.ways_in(&actor(&mona)).await.unwrap().identities.is_empty());
    assert!(matches!(there.come("mona").await.unwrap(), IdentityEntry::New(_)), "still new");
}

#[tokio::test]
async fn security_07_who_registers_an_address_first_gets_no_part_of_its_owners_account() {
    let there = elsewhere();
    // Somebody opens a registration under an address that is not theirs, from an identity of theirs, and waits.
    let evil = there.newcomer("evil").await;
    let form = Elsewhere::form(&evil.ticket, "waiting", Some("mona@example.com"));
    let planted = there.fill_in(form).await.unwrap();
    let mona = there.joined("mona").await;
    // Even with the code of the mail, which went to her, it opens nothing any more.
    let late = there.world.verify(planted, there.world.code(planted)).await;
    assert_eq!(refusal::<_, AccountRefusal>(late), AccountRefusal::CodeInvalid);
    assert!(matches!(there.come("evil").await.unwrap(), IdentityEntry::New(_)));
    assert_eq!(there.world.accounts.ways_in(&actor(&mona)).await.unwrap().identities.len(), 1);
}

#[tokio::test]
async fn one_identity_makes_one_account() {
    let there = elsewhere();
    let new = there.newcomer("mona").await;
    let first = there.fill_in(Elsewhere::form(&new.ticket, "first", Some("a@example.com"))).await.unwrap();
    let second = there.fill_in(Elsewhere::form(&new.ticket, "second", Some("b@example.com"))).await.unwrap();
    there.world.verify(first, there.world.code(first)).await.unwrap();
    let late = there.world.verify(second, there.world.code(second)).await;
    assert_eq!(refusal::<_, AccountRefusal>(late), AccountRefusal::CodeInvalid);
    there.world.advance(Duration::from_mins(31));
    let lapsed = there.fill_in(Elsewhere::form(&new.ticket, "third", Some("c@example.com"))).await;
    assert_eq!(told(lapsed), (Some(AccountRefusal::ChallengeInvalid), Some("ticket")));
}

#[tokio::test]
async fn a_repeated_wish_to_join_is_one_registration() {
    let there = elsewhere();
    let new = there.newcomer("mona").await;
    let key = || Some(IdempotencyKey::new("join-1").unwrap());
    let fill_in = |handle: &'static str| {
        let form = Elsewhere::form(&new.ticket, handle, None);
        async { there.world.accounts.join_with_identity(&Client::default(), form, key()).await }
    };
    let first = fill_in("mona").await.unwrap();
    assert_eq!(fill_in("mona").await.unwrap(), first);
    assert!(fill_in("other").await.is_err(), "the key was used for something else");
}

#[tokio::test]
async fn security_66_a_way_is_its_browsers_and_takes_one_answer() {
    let there = elsewhere();
    there.joined("mona").await;
    let (mine, theirs) = (
        there.begin(&Actor::Anonymous, IdentityPurpose::LogIn).await.unwrap(),
        there.begin(&Actor::Anonymous, IdentityPurpose::LogIn).await.unwrap(),
    );
    // Somebody else's answer in my browser: what it keeps does not fit, and is good for my own answer still.
    let planted = IdentityAnswer { ceremony: mine.ceremony.clone(), ..there.agreed(&theirs, "mona") };
    assert_eq!(told(there.finish(&planted).await), LAPSED);
    let own = there.agreed(&mine, "mona");
    assert!(matches!(there.finish(&own).await.unwrap(), IdentityEntry::In(_)));
    assert_eq!(told(there.finish(&own).await), LAPSED, "a replay");
    // Nothing of the address lets go on without what the browser keeps.
    for ceremony in ["", "dic_", own.state.expose()] {
        let guessed = IdentityAnswer { ceremony: Secret::new(ceremony), ..there.agreed(&theirs, "mona") };
        assert_eq!(told(there.finish(&guessed).await), LAPSED);
    }
    there.world.advance(Duration::from_mins(10));
    assert_eq!(told(there.finish(&there.agreed(&theirs, "mona")).await), LAPSED, "too late");
}

#[tokio::test]
async fn security_41_two_answers_at_once_begin_one_session() {
    let there = elsewhere();
    let mona = there.joined("mona").await;
    for _ in 0..20 {
        let before = there.world.accounts.sessions(&actor(&mona)).await.unwrap().len();
        let begun = there.begin(&Actor::Anonymous, IdentityPurpose::LogIn).await.unwrap();
        let answer = there.agreed(&begun, "mona");
        let (one, other) = futures_util::future::join(there.finish(&answer), there.finish(&answer)).await;
        assert!(one.is_ok() != other.is_ok());
        assert_eq!(there.world.accounts.sessions(&actor(&mona)).await.unwrap().len(), before + 1);
        there.world.advance(Duration::from_mins(30));
    }
}

#[tokio::test]
async fn security_21_an_answer_of_another_provider_is_none() {
    let there = elsewhere();
    there.joined("mona").await;
    let begun = there.begin(&Actor::Anonymous, IdentityPurpose::LogIn).await.unwrap();
    let mixed = IdentityAnswer { issuer: Some("https://other.example".to_owned()), ..there.agreed(&begun, "mona") };
    assert_eq!(told(there.finish(&mixed).await), INVALID);
    for code in [String::new(), "x".to_owned(), "x".repeat(5_000)] {
        let begun = there.begin(&Actor::Anonymous, IdentityPurpose::LogIn).await.unwrap();
        let forged = IdentityAnswer { code: Secret::new(code), ..there.agreed(&begun, "mona") };
        assert_eq!(told(there.finish(&forged).await), INVALID);
    }
}

#[tokio::test]
async fn security_66_nobody_is_sent_back_to_where_it_was_not_agreed() {
    let there = elsewhere();
    let go = async |provider: &str, redirect: &str| {
        let wish = Elsewhere::wish(provider, IdentityPurpose::LogIn);
        let wish = BeginIdentity { redirect: redirect.to_owned(), ..wish };
        there.world.accounts.begin_identity(&Actor::Anonymous, &Client::default(), &wish).await
    };
    assert!(go("one", APP).await.is_ok());
    let unknown = Some(AccountRefusal::ProviderUnknown);
    for redirect in ["", "https://evil.example", "example.daira:/in/../x", "EXAMPLE.daira:/in"] {
        assert_eq!(told(go("one", redirect).await), (unknown, Some("redirectUri")));
    }
    assert_eq!(told(go("three", APP).await), (unknown, Some("provider")));
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_states_hold() {
    let there = elsewhere();
    let guarded = there.world.guard("mona").await;
    there.link(&guarded.person, "mona").await.unwrap();
    let IdentityEntry::Waits(waited) = there.come("mona").await.unwrap() else { panic!("nothing was asked for") };
    let digits = there.world.next_digits(&guarded.secret);
    let inside = there.world.second_step(&waited.challenge, &digits).await.unwrap();
    assert_eq!(inside.member.profile, guarded.person.member.profile);
    let until = there.world.clock.now() + Duration::from_hours(1);
    for (state, refused) in [
        (AccountState::Suspended(until), AccountRefusal::Suspended),
        (AccountState::Banned, AccountRefusal::Banned),
        (AccountState::Deleted, AccountRefusal::IdentityInvalid),
    ] {
        let ali = there.joined(&format!("ali{}", state.name())).await;
        there.world.set_state(ali.member, state).await;
        let outcome = there.come(&format!("ali{}", state.name())).await;
        // Of a deleted account no face is left, so nobody is found: who comes may join.
        match state {
            AccountState::Deleted => assert!(matches!(outcome.unwrap(), IdentityEntry::New(_))),
            _ => assert_eq!(refusal::<_, AccountRefusal>(outcome), refused),
        }
    }
    let nour = there.joined("nour").await;
    there.world.set_state(nour.member, AccountState::Deactivated).await;
    there.inside("nour").await;
    assert!(there.world.audit().iter().any(|line| line.starts_with("account.woken")));
}

#[tokio::test]
async fn security_12_who_is_still_signed_in_elsewhere_proved_nothing_here() {
    let there = elsewhere();
    let mona = there.joined("mona").await;
    let enter = async |at: Option<Timestamp>| {
        let begun = there.begin(&Actor::Anonymous, IdentityPurpose::LogIn).await.unwrap();
        match there.finish(&there.agreed_as(&begun, &Elsewhere::who("mona", at))).await.unwrap() {
            IdentityEntry::In(inside) => *inside,
            other => panic!("{other:?}"),
        }
    };
    let now = there.world.clock.now();
    for (at, may) in [
        (None, false),
        (Some(now - Duration::from_hours(1)), false),
        (Some(now), true),
        (Some(now + Duration::from_hours(1)), true),
    ] {
        let inside = enter(at).await;
        let set = there.begin(&actor(&inside), IdentityPurpose::Link).await;
        assert_eq!(set.is_ok(), may, "{at:?}");
    }
    // A clock that is ahead makes no proof that lasts longer.
    let inside = enter(Some(now + Duration::from_hours(1))).await;
    there.world.advance(Duration::from_mins(10));
    assert_eq!(told(there.begin(&actor(&inside), IdentityPurpose::Link).await).0, Some(AccountRefusal::ProofNeeded));
    let _ = mona;
}

#[tokio::test]
async fn security_12_digits_after_a_stale_provider_prove_no_more_than_it_did() {
    let there = elsewhere();
    let guarded = there.world.guard("mona").await;
    there.link(&guarded.person, "mona").await.unwrap();
    let come = async |authenticated_at: Option<Timestamp>| {
        let begun = there.begin(&Actor::Anonymous, IdentityPurpose::LogIn).await.unwrap();
        let answer = there.agreed_as(&begun, &Elsewhere::who("mona", authenticated_at));
        let IdentityEntry::Waits(waited) = there.finish(&answer).await.unwrap() else {
            panic!("nothing was asked for")
        };
        waited.challenge
    };
    let now = || there.world.clock.now();
    for (authenticated_at, proves) in
        [(None, false), (Some(now() - Duration::from_hours(24)), false), (Some(now()), true)]
    {
        let challenge = come(authenticated_at).await;
        let digits = there.world.next_digits(&guarded.secret);
        let inside = there.world.second_step(&challenge, &digits).await.unwrap();
        let may = there.begin(&actor(&inside), IdentityPurpose::Link).await.is_ok();
        assert_eq!(may, proves, "{authenticated_at:?}");
    }
    // A link that is gone lets nobody in who waits.
    let challenge = come(None).await;
    there.world.accounts.unlink_identity(&actor(&guarded.person), ISSUER, None).await.unwrap();
    let late = there.world.second_step(&challenge, &there.world.next_digits(&guarded.secret)).await;
    assert_eq!(refusal::<_, AccountRefusal>(late), AccountRefusal::ChallengeInvalid);
}

#[tokio::test]
async fn linking_takes_a_proof_and_is_told() {
    let there = elsewhere();
    let (mona, ali) = (there.world.join("mona").await, there.world.join("karim").await);
    there.link(&mona, "hers").await.unwrap();
    assert_eq!(told(there.link(&ali, "hers").await).0, Some(AccountRefusal::IdentityTaken));
    assert_eq!(told(there.link(&mona, "another").await).0, Some(AccountRefusal::IdentitySet));
    assert_eq!(there.inside("hers").await.member.account, mona.member.account);
    assert!(there.subjects().await.iter().any(|subject| subject == "طريقة دخول جديدة لحسابك على دايرة"));
    assert!(there.world.audit().iter().any(|line| line == "account.identity_linked"));
    // A way that one began is no other's, whoever brings it back, and for nothing else.
    let begun = there.begin(&actor(&ali), IdentityPurpose::Link).await.unwrap();
    let answer = there.agreed(&begun, "his");
    let accounts = &there.world.accounts;
    assert_eq!(told(accounts.link_identity(&actor(&mona), &Client::default(), &answer).await), LAPSED);
    let begun = there.begin(&actor(&ali), IdentityPurpose::Link).await.unwrap();
    assert_eq!(told(there.finish(&there.agreed(&begun, "his")).await), LAPSED);
    let begun = there.begin(&Actor::Anonymous, IdentityPurpose::LogIn).await.unwrap();
    let logged = there.agreed(&begun, "his");
    assert_eq!(told(accounts.link_identity(&actor(&ali), &Client::default(), &logged).await), LAPSED);
    let began = there.begin(&actor(&ali), IdentityPurpose::Link).await.unwrap();
    there.world.advance(Duration::from_mins(9) + Duration::from_secs(59));
    there.link(&ali, "his").await.unwrap();
    there.world.advance(Duration::from_secs(1));
    let late = accounts.link_identity(&actor(&ali), &Client::default(), &there.agreed(&began, "his2")).await;
    assert_eq!(told(late), LAPSED);
    assert_eq!(told(there.link(&ali, "his").await).0, Some(AccountRefusal::ProofNeeded));
    assert_eq!(
        told(there.begin(&Actor::Anonymous, IdentityPurpose::Link).await.map(drop)).0,
        None,
        "nobody is logged in"
    );
}

#[tokio::test]
async fn the_last_way_in_stays() {
    let there = elsewhere();
    let mona = there.joined("mona").await;
    let (owner, accounts) = (&actor(&mona), &there.world.accounts);
    let unlink = async || accounts.unlink_identity(owner, ISSUER, None).await;
    assert_eq!(told(unlink().await).0, Some(AccountRefusal::LastWayIn));
    assert_eq!(accounts.ways_in(owner).await.unwrap().identities.len(), 1, "nothing happened");
    let device = MemoryAuthenticator::new(&RandomIds);
    let begun = accounts.begin_passkey(owner).await.unwrap();
    let added = accounts.add_passkey(owner, &begun.ceremony, &device.create(&begun.options), "x").await.unwrap();
    unlink().await.unwrap();
    assert_eq!(unlink().await.unwrap_err().refusal(), Some(CommonRefusal::NotFound));
    assert!(accounts.authenticate(&mona.tokens.access).await.is_ok(), "sessions go on");
    assert!(there.subjects().await.iter().any(|subject| subject == "طريقة دخول اتشالت من حسابك على دايرة"));
    let removed = accounts.remove_passkey(owner, added.passkey.id, None).await;
    assert_eq!(told(removed).0, Some(AccountRefusal::LastWayIn));
    accounts.set_password(owner, &Secret::new(PASSWORD), None).await.unwrap();
    accounts.remove_passkey(owner, added.passkey.id, None).await.unwrap();
    assert!(matches!(there.come("mona").await.unwrap(), IdentityEntry::New(_)), "it opens nothing any more");
}

#[tokio::test]
async fn a_first_password_is_set_by_who_proved_themselves_and_once() {
    let there = elsewhere();
    let mona = there.joined("mona").await;
    let other = there.inside("mona").await;
    let accounts = &there.world.accounts;
    assert_eq!(told(accounts.set_password(&actor(&mona), &Secret::new("mona"), None).await).1, Some("password"));
    let key = || Some(IdempotencyKey::new("set-1").unwrap());
    let ended = accounts.set_password(&actor(&mona), &Secret::new(PASSWORD), key()).await.unwrap();
    assert_eq!(ended, 1);
    assert_eq!(accounts.set_password(&actor(&mona), &Secret::new(PASSWORD), key()).await.unwrap(), 1, "a repeat");
    assert!(accounts.authenticate(&other.tokens.access).await.is_err());
    let again = accounts.set_password(&actor(&mona), &Secret::new("kahwa ziyada 3al nil"), None).await;
    assert_eq!(told(again).0, Some(AccountRefusal::PasswordSet));
    assert!(entered(accounts.log_in(&Client::default(), logging_in("mona"), None).await).is_ok());
    assert!(accounts.ways_in(&actor(&mona)).await.unwrap().has_password);
    let ali = there.joined("karim").await;
    there.world.advance(Duration::from_mins(10));
    let stale = accounts.set_password(&actor(&ali), &Secret::new(PASSWORD), None).await;
    assert_eq!(told(stale).0, Some(AccountRefusal::ProofNeeded));
}

#[tokio::test]
async fn who_proves_themselves_at_the_provider_may_change_ways_in() {
    let there = elsewhere();
    let mona = there.joined("mona").await;
    let (owner, accounts) = (&actor(&mona), &there.world.accounts);
    there.world.advance(Duration::from_mins(11));
    let prove = async |subject: &str, at: Option<Timestamp>, code: Option<&Secret>| {
        let begun = there.begin(owner, IdentityPurpose::Proof).await?;
        let answer = there.agreed_as(&begun, &Elsewhere::who(subject, at));
        accounts.prove_with_identity(owner, &Client::default(), &answer, code).await
    };
    let now = there.world.clock.now();
    assert_eq!(told(prove("mona", None, None).await), INVALID, "it does not say when");
    assert_eq!(told(prove("mona", Some(now - Duration::from_mins(2)), None).await), INVALID, "it was before");
    assert_eq!(told(prove("evil", Some(now), None).await), INVALID, "somebody else");
    assert_eq!(prove("mona", Some(now), None).await.unwrap(), now + Duration::from_mins(10));
    accounts.set_password(owner, &Secret::new(PASSWORD), None).await.unwrap();
}

#[tokio::test]
async fn security_12_a_proof_elsewhere_is_not_less_than_one_here() {
    let there = elsewhere();
    let guarded = there.world.guard("mona").await;
    let (owner, accounts) = (&actor(&guarded.person), &there.world.accounts);
    there.link(&guarded.person, "mona").await.unwrap();
    there.world.advance(Duration::from_mins(11));
    let begun = there.begin(owner, IdentityPurpose::Proof).await.unwrap();
    let answer = there.agreed(&begun, "mona");
    let prove =
        async |code: Option<&Secret>| accounts.prove_with_identity(owner, &Client::default(), &answer, code).await;
    assert_eq!(told(prove(None).await), (Some(AccountRefusal::SecondFactorNeeded), Some("secondFactor")));
    let digits = there.world.next_digits(&guarded.secret);
    assert!(prove(Some(&digits)).await.is_ok(), "nothing was used up before");
    let begun = there.begin(owner, IdentityPurpose::Proof).await.unwrap();
    let answer = there.agreed(&begun, "mona");
    let wrong = accounts.prove_with_identity(owner, &Client::default(), &answer, Some(&digits)).await;
    assert_eq!(told(wrong), (Some(AccountRefusal::CodeInvalid), Some("secondFactor")), "spent");
}

#[tokio::test]
async fn a_browser_that_comes_back_leaves_the_session_it_had() {
    let there = elsewhere();
    let before = there.joined("mona").await;
    let wish = BeginIdentity {
        replaces: Some(before.tokens.refresh.clone()),
        ..Elsewhere::wish("one", IdentityPurpose::LogIn)
    };
    let accounts = &there.world.accounts;
    let begun = accounts.begin_identity(&Actor::Anonymous, &Client::default(), &wish).await.unwrap();
    let entry = there.finish(&there.agreed(&begun, "mona")).await.unwrap();
    assert!(matches!(entry, IdentityEntry::In(_)));
    assert!(accounts.authenticate(&before.tokens.access).await.is_err());
}

#[tokio::test]
async fn a_strange_device_is_told_and_who_leaves_can_come_back() {
    let there = elsewhere();
    let mona = there.joined("mona").await;
    let strange = |events: Vec<String>| events.iter().filter(|kind| kind.ends_with("device_seen")).count();
    let first = there.inside("mona").await;
    assert_eq!(strange(there.world.events("before").await), 1);
    let client = Client { known_device: Some(first.device), ..Client::default() };
    let begun = there.begin(&Actor::Anonymous, IdentityPurpose::LogIn).await.unwrap();
    let answer = there.agreed(&begun, "mona");
    assert!(matches!(there.world.accounts.log_in_with_identity(&client, &answer).await, Ok(IdentityEntry::In(_))));
    assert_eq!(strange(there.world.events("after").await), 1, "it is known by now");
    there.world.accounts.request_deletion(&actor(&mona), None).await.unwrap();
    let back = there.inside("mona").await;
    there.world.accounts.cancel_deletion(&actor(&back), None).await.unwrap();
    there.world.advance(Duration::from_hours(31 * 24));
    assert_eq!(there.world.accounts.erase_due().await.unwrap(), 0);
}

#[tokio::test]
async fn strangers_begin_so_many_ways_and_no_more() {
    let there = elsewhere();
    let client = Client { address: Some("203.0.113.9".parse().unwrap()), known_device: None };
    let wish = Elsewhere::wish("one", IdentityPurpose::LogIn);
    let mut last = Ok(());
    for _ in 0..300 {
        last = there.world.accounts.begin_identity(&Actor::Anonymous, &client, &wish).await.map(drop);
    }
    assert_eq!(refusal::<_, LimitRefusal>(last), LimitRefusal::Reached);
}

#[tokio::test]
async fn what_an_account_had_goes_with_it() {
    let there = elsewhere();
    let mona = there.joined("mona").await;
    let accounts = &there.world.accounts;
    accounts.request_deletion(&actor(&mona), None).await.unwrap();
    there.world.advance(Duration::from_hours(31 * 24));
    assert_eq!(accounts.erase_due().await.unwrap(), 1);
    there.joined("mona").await;
    assert!(MailingKind::IdentityLinked.is_notice() && MailingKind::IdentityUnlinked.is_notice());
}
