//! How often strangers may try: to log in, to join, and to have mail sent to somebody.
//!
//! A limit per network address stands first, so that one place in the internet cannot use up what belongs to somebody. What
//! counts against an e-mail address or a number is kept by its digest, whether or not it has an account. Whoever logged in on a
//! device before brings its token along and has tries of their own there: neither a stranger who tries passwords nor a
//! neighbour behind the same address locks the owner out.

use super::super::{Contact, Email, Origin, Phone, Session, token};
use super::AccountService;
use crate::actor::{Client, Member};
use crate::error::Result;
use crate::id::AccountId;
use crate::port::{Charge, Quota, Subject};
use crate::secret::Secret;

impl AccountService {
    /// Counts a try of a password.
    pub(super) async fn count_log_in(&self, client: &Client, email: &str) -> Result<()> {
        let limits = &self.ports.settings.limits;
        let email = spelling(email);
        if let Some(device) = self.known_device(client, &email) {
            let own = charge("log_in.device", Subject::Digest(device), limits.log_in_device);
            return self.ports.limiter.admit(&[own]).await;
        }
        let own = charge("log_in.account", self.digest(&email), limits.log_in_account);
        self.count(client, "log_in.address", limits.log_in_address, Some(own)).await
    }

    /// Counts a wish to join.
    pub(super) async fn count_registration(&self, client: &Client) -> Result<()> {
        self.count(client, "join.address", self.ports.settings.limits.join_address, None).await
    }

    /// Counts a wish for a new password. Whoever uses up what an address has here has its owner sent tokens that work, and
    /// keeps nobody out.
    pub(super) async fn count_reset(&self, client: &Client, email: &Email) -> Result<()> {
        let limits = &self.ports.settings.limits;
        let own = charge("reset.recipient", self.digest(email.as_str()), limits.mail_recipient);
        self.count(client, "reset.address", limits.join_address, Some(own)).await
    }

    /// Counts a try of the password on a device that is logged in: whoever took it over may not guess, and keeps no other
    /// device of its owner from trying, unless by moving between faces for sessions; and who logs in anew has proved themselves.
    pub(super) async fn count_proof(&self, member: Member) -> Result<()> {
        let limits = &self.ports.settings.limits;
        let session = charge("proof.session", Subject::Session(member.session), limits.log_in_device);
        let account = charge("proof.account", Subject::Account(member.account), limits.proof_account);
        self.ports.limiter.admit(&[session, account]).await
    }

    /// Counts a move to another face.
    pub(super) async fn count_switch(&self, account: AccountId) -> Result<()> {
        let quota = self.ports.settings.limits.switch_account;
        let switch = Charge { strict: false, ..charge("switch.account", Subject::Account(account), quota) };
        self.ports.limiter.admit(&[switch]).await
    }

    /// Counts a time that an app was let in.
    pub(crate) async fn count_authorization(&self, account: AccountId) -> Result<()> {
        let quota = self.ports.settings.limits.authorize_account;
        let one = Charge { strict: false, ..charge("authorize.account", Subject::Account(account), quota) };
        self.ports.limiter.admit(&[one]).await
    }

    /// Counts a wish for everything that is kept of somebody.
    pub(crate) async fn count_export(&self, account: AccountId) -> Result<()> {
        let quota = self.ports.settings.limits.export_account;
        self.ports.limiter.admit(&[charge("export.account", Subject::Account(account), quota)]).await
    }

    /// Counts a try of a second factor, by somebody who proved the password: whoever stole it keeps no known device of the
    /// owner's out.
    pub(super) async fn count_second_factor(&self, client: &Client, account: AccountId, email: &Email) -> Result<()> {
        let quota = self.ports.settings.limits.second_factor;
        let own = match self.known_device(client, email.as_str()) {
            Some(device) => charge("second_factor.device", Subject::Digest(device), quota),
            None => charge("second_factor.account", self.digest(&account.to_string()), quota),
        };
        self.ports.limiter.admit(&[own]).await
    }

    /// Counts a mail that a stranger has us send. All of `mona+1@…`, `mona+2@…` come to one inbox and count together.
    pub(super) async fn count_mail(&self, recipient: &Email) -> Result<()> {
        self.ports.limiter.admit(&[self.mail_to(recipient)]).await
    }

    /// The same when it is about to be sent: it must not hold up the mails behind it while the shared count is away.
    pub(super) async fn count_sent(&self, recipient: &Email) -> Result<()> {
        self.ports.limiter.admit(&[Charge { strict: false, ..self.mail_to(recipient) }]).await
    }

    fn mail_to(&self, recipient: &Email) -> Charge {
        let (name, host) = recipient.as_str().rsplit_once('@').unwrap_or_default();
        let inbox = name.split_once('+').map_or(name, |(inbox, _)| inbox);
        let subject = self.digest(&format!("{inbox}@{host}"));
        charge("mail.recipient", subject, self.ports.settings.limits.mail_recipient)
    }

    /// Counts a wish for a code to log in with, by whoever asks: from a place in the internet, and for who is to be reached. Who
    /// was logged in here before has wishes of their own, whatever strangers use up.
    pub(super) async fn count_code_wish(&self, client: &Client, to: &Contact) -> Result<()> {
        let limits = &self.ports.settings.limits;
        if let Some(device) = self.known_device(client, to.as_str()) {
            let own = charge("code_wish.device", Subject::Digest(device), limits.phone_recipient);
            return self.ports.limiter.admit(&[own]).await;
        }
        let own = match to {
            Contact::Email(email) => Charge { limit: "code_wish.recipient", ..self.mail_to(email) },
            Contact::Phone(phone) => self.text_to(phone),
        };
        self.count(client, "code_wish.address", limits.join_address, Some(own)).await
    }

    /// Counts a code that somebody has sent to a number that they say is theirs.
    pub(super) async fn count_text(&self, account: AccountId, phone: &Phone) -> Result<()> {
        let account = charge("phone.account", Subject::Account(account), self.ports.settings.limits.phone_recipient);
        self.ports.limiter.admit(&[account, self.text_to(phone)]).await
    }

    fn text_to(&self, phone: &Phone) -> Charge {
        charge("phone.recipient", self.digest(phone.as_str()), self.ports.settings.limits.phone_recipient)
    }

    /// Counts a try of a mailed code. How many a code bears is counted with the code itself.
    pub(crate) async fn count_code(&self, client: &Client) -> Result<()> {
        self.count(client, "code.address", self.ports.settings.limits.code_address, None).await
    }

    /// Counts a try of a code that was sent to somebody, over all codes that are sent there: each bears few tries, and there may
    /// be many. Who was logged in here before has tries of their own.
    pub(super) async fn count_sent_code(&self, client: &Client, to: &Contact) -> Result<()> {
        let quota = self.ports.settings.limits.code_recipient;
        if let Some(device) = self.known_device(client, to.as_str()) {
            return self.ports.limiter.admit(&[charge("code.device", Subject::Digest(device), quota)]).await;
        }
        let own = charge("code.recipient", self.digest(to.as_str()), quota);
        self.count(client, "code.address", self.ports.settings.limits.code_address, Some(own)).await
    }

    /// Counts a message to a phone, over the whole country that it goes to: what others earn by having us send there has an end.
    pub(super) async fn count_country(&self, phone: &Phone) -> Result<()> {
        let subject = self.digest(&format!("country {}", phone.country_code()));
        let quota = self.ports.settings.limits.phone_country;
        let one = Charge { strict: false, ..charge("phone.country", subject, quota) };
        self.ports.limiter.admit(&[one]).await
    }

    /// The token by which a device is known at its next log-in. A known device keeps its name, and so its limit; a new one is
    /// named after the session that it begins with, so that a repeated log-in answers the same.
    pub(super) fn device_token(&self, client: &Client, email: &str, session: &Session) -> Secret {
        let (key, email) = (&self.ports.keys.device, spelling(email));
        let name = self.known_device(client, &email);
        let name = name.unwrap_or_else(|| token::device_name(key, session.id, &session.salt));
        token::device(key, name, session.created_at, &email)
    }

    /// Where a log-in comes from.
    pub(super) fn origin(&self, client: &Client, email: &str) -> Origin {
        let known_device = self.known_device(client, &spelling(email)).is_some();
        Origin { place: self.place(client), known_device }
    }

    fn known_device(&self, client: &Client, email: &str) -> Option<[u8; 16]> {
        token::known_device(&self.ports.keys.device, client.known_device.as_ref()?, email, self.ports.clock.now())
    }

    async fn count(&self, client: &Client, limit: &'static str, quota: Quota, own: Option<Charge>) -> Result<()> {
        let address = client.address.map(|at| charge(limit, Subject::address(at), quota));
        let charges: Vec<Charge> = address.into_iter().chain(own).collect();
        self.ports.limiter.admit(&charges).await
    }

    fn digest(&self, email: &str) -> Subject {
        let tag = self.ports.keys.limits.tag(&[email.as_bytes()]);
        Subject::Digest(tag.first_chunk().copied().unwrap_or_default())
    }
}

/// One spelling for what is one mailbox or one number; what is neither counts as it was typed.
fn spelling(typed: &str) -> String {
    Contact::new(typed).map_or_else(|_| typed.trim().to_ascii_lowercase(), |contact| contact.as_str().to_owned())
}

fn charge(limit: &'static str, subject: Subject, quota: Quota) -> Charge {
    // Where nobody can say how often it was tried, nobody tries.
    Charge { limit, subject, quota, cost: 1, strict: true }
}
