//! Apps of others: registering one, letting it act as one of one's profiles, and the tokens it does so with (OAuth 2.0, RFC 6749
//! under the rules of RFC 9700; `OpenID` Connect Core).
//!
//! An app is let in for one profile, so an app that is shown two faces of a person is not told that they are one. What it may do
//! is a set of scopes; `scope` says which operation takes which. Its tokens are those of a session that is bound to it, so
//! whatever ends sessions ends them, on every node and within a moment.
//!
//! ```text
//! app ─▶ /oauth/authorize ─▶ request: checked ─▶ consent page of the first-party client ─▶ authorize ─▶ code ─▶ app
//! app ─▶ exchange (code, verifier) ─▶ session bound to the app ─▶ tokens ─▶ refresh, each spent once
//! person ─▶ disconnect ─▶ grant and sessions ended
//! ```

pub(crate) mod code;
mod model;
mod request;
pub mod scope;
mod service;

pub use model::{App, Code, ConnectedApp, Grant, Granted};
pub use request::{Asked, Request};
pub use scope::{Scope, Scopes};
pub use service::{AppSettings, Client, Issued, OauthService, Presented, RegisteredApp, UserInfo, close_dead_apps};

crate::refusals! {
    /// Why something about an app was refused.
    pub enum OauthRefusal {
        /// No such app.
        AppUnknown = "oauth.app_unknown", Invalid, "This app is not known here.", "التطبيق ده مش معروف هنا.";
        /// Not one of the app's addresses.
        RedirectUnknown = "oauth.redirect_unknown", Invalid, "The app did not register this address.", "التطبيق ماسجّلش العنوان ده.";
        /// The request lacks something, has something twice, or asks for what is not offered.
        RequestInvalid = "oauth.request_invalid", Invalid, "The app's request is not valid.", "طلب التطبيق مش صحيح.";
        /// A scope that there is none of, or more than was given.
        ScopeInvalid = "oauth.scope_invalid", Invalid, "The app asks for something that it cannot have.", "التطبيق بيطلب حاجة مش مسموح بيها.";
        /// The app may not do this.
        ScopeMissing = "oauth.scope_missing", Forbidden, "This app was not given permission to do this.", "التطبيق ده مش واخد إذن يعمل كده.";
        /// An app that is none, or did not prove itself.
        ClientInvalid = "oauth.client_invalid", Unauthenticated, "The app could not be recognised.", "معرفناش نتأكد من التطبيق.";
        /// A code or refresh token that does not hold for this app.
        GrantInvalid = "oauth.grant_invalid", Invalid, "This permission is no longer valid.", "الإذن ده مابقاش صالح.";
        /// The app's name is empty or too long.
        NameInvalid = "oauth.name_invalid", Invalid, "The name must have 1 to 60 characters.", "الاسم لازم يكون من حرف لـ ٦٠ حرف.";
        /// The app's name holds characters that could disguise it.
        ForbiddenCharacter = "oauth.forbidden_character", Invalid, "The name holds characters that are not allowed.", "الاسم فيه رموز مش مسموح بيها.";
        /// None, too many, or one that answers may not be sent to.
        RedirectsInvalid = "oauth.redirects_invalid", Invalid, "Give 1 to 10 addresses with https, of this machine, or of the app's own scheme.", "ادّي من عنوان لـ ١٠ عناوين بـ https أو على نفس الجهاز أو بنظام التطبيق نفسه.";
        /// The account has as many apps as it may.
        AppsFull = "oauth.apps_full", Conflict, "You have as many apps as you may.", "وصلت لأكبر عدد تطبيقات مسموح بيه.";
        /// The app has no secret, for it could not keep one.
        NoSecret = "oauth.no_secret", Conflict, "This app has no secret.", "التطبيق ده مالوش سر.";
    }
}
