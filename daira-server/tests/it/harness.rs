//! A server over any ports, people on it, and requests to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::Response;
use daira_core::account::Identity;
use daira_core::account::factor::{self, SECRET};
use daira_core::memory::{MemoryAuthenticator, MemoryIdentities, MemoryMail, MemoryPhone, RandomIds, WallClock};
use daira_core::port::{Clock, IdentityClaims, Provider, Store};
use daira_core::staff::{Reason, StaffRole, Why};
use daira_core::{Actor, Ports};
use daira_feed::FeedSettings;
use daira_server::grpc::Grpc;
use daira_server::http::{HttpSettings, router};
use daira_server::state::{AppState, Services};
use daira_worker::consume::{self, Counters, FanOut, Mail, Notifications};
use daira_worker::{Consumer, Runner};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Rounds of consumers after which a test gives up.
const MOST_ROUNDS: usize = 1_000;

/// A server.
pub(crate) struct Stage {
    pub ports: Ports,
    pub state: AppState,
    pub router: Router,
    grpc: Grpc,
    mail: Arc<MemoryMail>,
    phone: Arc<MemoryPhone>,
    identities: Arc<MemoryIdentities>,
}

/// A transport that listens; it is gone with this value.
pub(crate) struct Listening {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    serving: JoinSet<anyhow::Result<()>>,
}

impl Listening {
    /// Lets what runs finish, and waits for it.
    pub(crate) async fn drain(mut self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(30), self.serving.join_next()).await;
        ended.expect("the server does not end").unwrap().unwrap().unwrap();
    }
}

/// Somebody who joined.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub id: String,
    pub token: String,
    pub refresh: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// What a path such as `/me/profile/handle` in the data leads to.
    pub(crate) fn data(&self, path: &str) -> Value {
        let body = self.json();
        body.pointer(&format!("/data{path}")).unwrap_or_else(|| panic!("{path} is not in {body}")).clone()
    }

    /// The code of the first error.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        let code = body.pointer("/errors/0/extensions/code").or_else(|| body.get("code"));
        code.and_then(Value::as_str).unwrap_or_else(|| panic!("no error in {body}")).to_owned()
    }
}

impl Stage {
    /// With the settings of production.
    pub(crate) fn new() -> Self {
        Self::with(HttpSettings::default())
    }

    pub(crate) fn with(settings: HttpSettings) -> Self {
        Self::over(settings, |store| store)
    }

    /// With a store that does something besides.
    pub(crate) fn over(settings: HttpSettings, wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        Self::build(settings, Arc::new(WallClock), wrap)
    }

    /// On a clock that the test moves.
    pub(crate) fn at(clock: Arc<dyn Clock>, settings: HttpSettings) -> Self {
        Self::build(settings, clock, |store| store)
    }

    fn build(
        settings: HttpSettings,
        clock: Arc<dyn Clock>,
        wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Self {
        let mail = Arc::new(MemoryMail::default());
        let ports = Ports { mail: mail.clone(), ..in_memory(clock) };
        Self::on(settings, Ports { store: wrap(Arc::clone(&ports.store)), ..ports }, mail)
    }

    /// Over ports whose mail this is.
    pub(crate) fn on(settings: HttpSettings, ports: Ports, mail: Arc<MemoryMail>) -> Self {
        Self::known_as("", settings, ports, mail)
    }

    /// The same under an address that apps know it by.
    pub(crate) fn known_as(public: &str, settings: HttpSettings, ports: Ports, mail: Arc<MemoryMail>) -> Self {
        let phone = Arc::<MemoryPhone>::default();
        let identities = Arc::new(MemoryIdentities::new(vec![Provider {
            name: "memory".to_owned(),
            issuer: "https://memory.example".to_owned(),
            redirects: vec!["example.daira:/in".to_owned()],
        }]));
        let mut ports = Ports { phone: phone.clone(), ..ports };
        if ports.identities.providers().is_empty() {
            ports.identities = identities.clone();
        }
        let mut registry = Registry::default();
        let services = Services::new(&ports, FeedSettings::default(), public);
        let grpc = Grpc::new(ports.clone(), services.clone()).measured_by(&mut registry);
        let state = AppState::new(ports.clone(), services, settings, &mut registry);
        let grpc = grpc.streaming_in(&state.streams);
        Self { router: router(state.clone(), Arc::new(registry)), grpc, state, ports, mail, phone, identities }
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response: Response = Box::pin(self.router.clone().oneshot(request)).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Reply { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// Gets a path.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Posts a body that is said to be JSON.
    pub(crate) async fn post(&self, body: impl Into<Body>) -> Reply {
        self.send(json_request(None, body)).await
    }

    /// Asks as a stranger.
    pub(crate) async fn ask(&self, document: &str) -> Reply {
        self.ask_with(None, document, json!({})).await
    }

    /// Asks as somebody.
    pub(crate) async fn ask_as(&self, who: &Person, document: &str) -> Reply {
        self.ask_with(Some(who), document, json!({})).await
    }

    /// Asks with variables.
    pub(crate) async fn ask_with(&self, who: Option<&Person>, document: &str, variables: Value) -> Reply {
        let body = json!({ "query": document, "variables": variables }).to_string();
        self.send(json_request(who.map(|person| person.token.as_str()), body)).await
    }

    /// Runs a mutation with an input and answers its payload, which must hold no user errors.
    pub(crate) async fn done(&self, who: Option<&Person>, name: &str, input: Value, selection: &str) -> Value {
        let payload = self.tried(who, name, input, selection).await;
        assert_eq!(payload["userErrors"], json!([]), "{name}");
        payload
    }

    /// Runs a mutation with an input and answers its payload.
    pub(crate) async fn tried(&self, who: Option<&Person>, name: &str, input: Value, selection: &str) -> Value {
        let mut type_name = input_type(name).to_owned();
        type_name.push_str("Input");
        let document = format!(
            "mutation ($input: {type_name}!) {{ {name}(input: $input) {{ {selection} userErrors {{ code field message retryAfter currentVersion }} }} }}"
        );
        let reply = self.ask_with(who, &document, json!({ "input": input })).await;
        assert_eq!(reply.json().get("errors"), None, "{name}");
        reply.data(&format!("/{name}"))
    }

    /// The code of the user error that a mutation is refused with.
    pub(crate) async fn refused(&self, who: &Person, name: &str, input: Value) -> String {
        let payload = self.tried(Some(who), name, input, "clientMutationId").await;
        payload["userErrors"][0]["code"].as_str().unwrap_or_else(|| panic!("{name} was not refused")).to_owned()
    }

    /// Lets all consumers work off what happened.
    pub(crate) async fn settle(&self) {
        settle(&self.ports).await;
    }

    /// Serves gRPC on a port of its own, with calls of at most `longest`.
    pub(crate) async fn grpc(&self, longest: Duration) -> Listening {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let mut serving = JoinSet::new();
        serving.spawn(self.grpc.clone().serve(listener, longest, stop.clone()));
        Listening { address, stop, serving }
    }

    /// Serves HTTP on a port of its own.
    pub(crate) async fn http(&self) -> Listening {
        self.http_on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// The same on a port that was taken before.
    pub(crate) fn http_on(&self, listener: TcpListener) -> Listening {
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let served = axum::serve(listener, self.router.clone()).with_graceful_shutdown(stop.clone().cancelled_owned());
        let mut serving = JoinSet::new();
        serving.spawn(async move { Ok(served.await?) });
        Listening { address, stop, serving }
    }

    /// Opens a registration.
    pub(crate) async fn register(&self, handle: &str, email: &str) -> String {
        let input = json!({
            "email": email, "password": "kahraba nour shams", "handle": handle, "name": format!("{handle} الاسكندراني"),
            "birthDate": "1999-03-21", "language": "AR",
        });
        let payload = self.done(None, "register", input, "registrationId").await;
        payload["registrationId"].as_str().unwrap().to_owned()
    }

    /// The text of the latest mail to an address.
    pub(crate) fn mail_for(&self, email: &str) -> String {
        let messages = self.mail.messages();
        let message = messages.iter().rev().find(|message| message.to.expose() == email).expect("a mail");
        message.text.expose().to_owned()
    }

    /// The code of the latest message to a number.
    pub(crate) fn code_at(&self, number: &str) -> String {
        let texts = self.phone.texts();
        let text = texts.iter().rev().find(|text| text.to.expose() == number).expect("a message");
        text.code.as_ref().expect("a code").expose().to_owned()
    }

    /// How many messages went to phones.
    pub(crate) fn texts(&self) -> usize {
        self.phone.texts().len()
    }

    /// The code of the latest mail to an address.
    pub(crate) fn code_for(&self, email: &str) -> String {
        let text = self.mail_for(email);
        let digits = text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6);
        digits.expect("a code in the mail").to_owned()
    }

    /// Registers somebody, reads the mail, verifies: the way everybody joins.
    pub(crate) async fn join(&self, handle: &str) -> Person {
        let email = format!("{handle}@example.com");
        let registration = self.register(handle, &email).await;
        self.settle().await;
        let input = json!({ "registrationId": registration, "code": self.code_for(&email), "device": "Test" });
        let selection = "tokens { accessToken refreshToken } profile { id handle }";
        let payload = self.done(None, "verifyEmail", input, selection).await;
        assert_eq!(payload["profile"]["handle"], handle);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let tokens = &payload["tokens"];
        Person {
            id: text(&payload["profile"]["id"]),
            token: text(&tokens["accessToken"]),
            refresh: text(&tokens["refreshToken"]),
        }
    }

    /// Somebody who comes from a provider and is new here; answers what they can join with.
    pub(crate) async fn newcomer(&self, subject: &str) -> Value {
        let input = json!({ "provider": "memory", "redirectUri": "example.daira:/in", "purpose": "LOG_IN" });
        let begun = self.done(None, "beginProvider", input, "ceremony url").await;
        let identity = Identity { issuer: String::new(), subject: subject.to_owned() };
        let email = Some(format!("{subject}@example.com"));
        let claims = IdentityClaims { identity, email, name: None, authenticated_at: None };
        let (state, answer) = self.identities.agree(begun["url"].as_str().unwrap(), &claims).unwrap();
        let (state, code) = (state.expose(), answer.code.expose());
        let input = json!({ "ceremony": begun["ceremony"], "state": state, "code": code, "iss": answer.issuer });
        let came = self.done(None, "logInWithProvider", input, "newcomer { ticket }").await;
        came["newcomer"]["ticket"].clone()
    }

    /// Sets an authenticator app up; answers the secret that its digits are computed from.
    pub(crate) async fn guard(&self, who: &Person) -> [u8; SECRET] {
        let begun = self.done(Some(who), "beginAuthenticator", json!({}), "secret").await;
        let secret = data_encoding::BASE32_NOPAD.decode(begun["secret"].as_str().unwrap().as_bytes()).unwrap();
        let secret = secret.try_into().unwrap();
        let digits = factor::digits(&secret, self.ports.clock.now().as_seconds() / 30);
        let input = json!({ "code": digits.expose() });
        self.done(Some(who), "confirmAuthenticator", input, "recoveryCodes").await;
        secret
    }

    /// Makes somebody staff, as an operator does.
    pub(crate) async fn appoint(&self, who: &Person, role: StaffRole) {
        let why = Why { reason: Reason::Staffing, reference: None };
        let (operator, whom) = (Actor::System("test"), who.id.parse().unwrap());
        self.state.services.staff.set_role(&operator, whom, Some(role), &why, None).await.unwrap();
    }

    /// Sets an authenticator app up, and proves it on the session.
    pub(crate) async fn prove(&self, who: &Person) {
        let begun = self.done(Some(who), "beginAuthenticator", json!({}), "secret").await;
        let secret = data_encoding::BASE32_NOPAD.decode(begun["secret"].as_str().unwrap().as_bytes()).unwrap();
        let secret: [u8; SECRET] = secret.try_into().unwrap();
        let digits = factor::digits(&secret, self.ports.clock.now().as_seconds() / 30);
        let input = json!({ "code": digits.expose() });
        let codes = self.done(Some(who), "confirmAuthenticator", input, "recoveryCodes").await;
        let proof = json!({ "password": "kahraba nour shams", "code": codes["recoveryCodes"][0] });
        self.done(Some(who), "reauthenticate", proof, "clientMutationId").await;
    }

    /// Somebody of the staff whose role counts.
    pub(crate) async fn hire(&self, handle: &str, role: StaffRole) -> Person {
        let person = self.join(handle).await;
        self.prove(&person).await;
        self.appoint(&person, role).await;
        person
    }

    /// Makes a passkey; answers its id.
    pub(crate) async fn passkey(&self, who: &Person) -> Value {
        let begun = self.done(Some(who), "beginPasskey", json!({}), "ceremony options").await;
        let answer = MemoryAuthenticator::new(&RandomIds).create(begun["options"].as_str().unwrap());
        let input = json!({ "ceremony": begun["ceremony"], "answer": answer.expose(), "name": "موبايل" });
        let added = self.done(Some(who), "addPasskey", input, "passkey { id }").await;
        added["passkey"]["id"].clone()
    }

    /// Publishes a post and answers its id.
    pub(crate) async fn publish(&self, who: &Person, input: Value) -> String {
        let payload = self.done(Some(who), "createPost", input, "post { id }").await;
        payload["post"]["id"].as_str().unwrap().to_owned()
    }
}

/// Everything in memory; nobody is refused for asking a lot, which has tests of its own.
pub(crate) fn in_memory(clock: Arc<dyn Clock>) -> Ports {
    let mut ports = Ports::in_memory_at(clock, 7);
    ports.settings_mut().limits.member = "1000000000/1s".parse().unwrap();
    ports
}

/// Lets all consumers work off what happened.
pub(crate) async fn settle(ports: &Ports) {
    let runner = consume::all(Runner::new(ports.clone()), ports);
    let groups = [FanOut::new(ports).group(), Counters.group(), Notifications.group(), Mail::new(ports).group()];
    for _ in 0..MOST_ROUNDS {
        runner.run_until_idle().await.unwrap();
        let mut behind = 0;
        for group in groups {
            behind += ports.bus.lag(group).await.unwrap().events;
        }
        if behind == 0 {
            return;
        }
        // What happened is there, but the log has no tick after it yet.
        ports.bus.wait(Duration::from_millis(25)).await;
    }
    panic!("the consumers do not come to an end");
}

/// A POST to `/graphql`.
pub(crate) fn json_request(token: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT_LANGUAGE, "en")
        .body(body.into())
        .unwrap();
    if let Some(token) = token {
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    }
    request
}

/// The name of a mutation's input type, without `Input`.
fn input_type(mutation: &str) -> &str {
    match mutation {
        "follow"
        | "unfollow"
        | "cancelFollowRequest"
        | "approveFollow"
        | "refuseFollow"
        | "removeFollower"
        | "block"
        | "unblock" => "ProfileAction",
        "addToCircle" | "removeFromCircle" => "CircleMember",
        "deletePost" | "restorePost" => "PostAction",
        "register" => "Register",
        "verifyEmail" => "VerifyEmail",
        "logIn" => "LogIn",
        "refreshSession" => "RefreshSession",
        "changePassword" => "ChangePassword",
        "requestPasswordReset" => "RequestPasswordReset",
        "resetPassword" => "ResetPassword",
        "changeEmail" => "ChangeEmail",
        "confirmEmail" => "ConfirmEmail",
        "verifySecondFactor" => "VerifySecondFactor",
        "reauthenticate" => "Reauthenticate",
        "beginAuthenticator" => "BeginAuthenticator",
        "confirmAuthenticator" => "ConfirmAuthenticator",
        "removeAuthenticator" => "RemoveAuthenticator",
        "renewRecoveryCodes" => "RenewRecoveryCodes",
        "registerApp" => "RegisterApp",
        "updateApp" => "UpdateApp",
        "rotateAppSecret" => "RotateAppSecret",
        "deleteApp" => "DeleteApp",
        "authorizeApp" => "AuthorizeApp",
        "disconnectApp" => "DisconnectApp",
        "beginPasskey" => "BeginPasskey",
        "addPasskey" => "AddPasskey",
        "renamePasskey" => "RenamePasskey",
        "removePasskey" => "RemovePasskey",
        "beginPasskeyLogIn" => "BeginPasskeyLogIn",
        "logInWithPasskey" => "LogInWithPasskey",
        "beginPasskeyProof" => "BeginPasskeyProof",
        "proveWithPasskey" => "ProveWithPasskey",
        "beginProvider" => "BeginProvider",
        "logInWithProvider" => "LogInWithProvider",
        "joinWithProvider" => "JoinWithProvider",
        "linkProvider" => "LinkProvider",
        "unlinkProvider" => "UnlinkProvider",
        "proveWithProvider" => "ProveWithProvider",
        "setPassword" => "SetPassword",
        "requestLogInCode" => "RequestLogInCode",
        "logInWithCode" => "LogInWithCode",
        "changePhone" => "ChangePhone",
        "confirmPhone" => "ConfirmPhone",
        "removePhone" => "RemovePhone",
        "requestDeletion" => "RequestDeletion",
        "cancelDeletion" => "CancelDeletion",
        "setConsent" => "SetConsent",
        "requestExport" => "RequestExport",
        "revokeSession" => "RevokeSession",
        "updateProfile" => "UpdateProfile",
        "changeHandle" => "ChangeHandle",
        "createProfile" => "CreateProfile",
        "switchProfile" => "SwitchProfile",
        "mute" => "Mute",
        "revokeOtherSessions" => "RevokeOtherSessions",
        "createCircle" => "CreateCircle",
        "renameCircle" => "RenameCircle",
        "deleteCircle" => "DeleteCircle",
        "createPost" => "CreatePost",
        "editPost" => "EditPost",
        "comment" => "Comment",
        "editComment" => "EditComment",
        "deleteComment" => "DeleteComment",
        "react" => "React",
        "unreact" => "Unreact",
        "markNotificationsRead" => "MarkNotificationsRead",
        "lookUpPerson" => "LookUpPerson",
        "sanctionPerson" => "SanctionPerson",
        "liftSanction" => "LiftSanction",
        "endPersonSessions" => "EndPersonSessions",
        "takeDown" | "putBack" => "Takedown",
        "appoint" => "Appoint",
        "presentProfile" => "PresentProfile",
        other => panic!("the harness does not know {other}"),
    }
}
