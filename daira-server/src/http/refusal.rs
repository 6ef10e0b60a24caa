//! What the transport itself refuses, before any use case is asked: one catalogue with code, status and two languages.

use axum::http::StatusCode;
use daira_core::error::Refusal;

daira_core::refusals! {
    /// Why a request was not even looked at.
    pub enum HttpRefusal {
        /// No such route.
        NotFound = "http.not_found", NotFound, "There is nothing at this address.", "مفيش حاجة في العنوان ده.";
        /// The route does not know this method.
        MethodNotAllowed = "http.method_not_allowed", Invalid, "This method is not allowed here.", "الطريقة دي مش مسموح بيها هنا.";
        /// None of the accepted media types can be served.
        NotAcceptable = "http.not_acceptable", Invalid, "None of the accepted media types can be served.", "مفيش صيغة من اللي طلبتها نقدر نبعتها.";
        /// The body's media type is not taken here.
        UnsupportedMedia = "http.unsupported_media", UnsupportedMedia, "Send the body as application/json.", "ابعت الطلب بصيغة application/json.";
        /// The body is larger than allowed.
        TooLarge = "http.too_large", TooLarge, "The request is too large.", "الطلب أكبر من المسموح.";
        /// The body came too slowly.
        TooSlow = "http.too_slow", Invalid, "The request took too long to arrive.", "الطلب اتأخر في الوصول.";
        /// The body is not what the route reads.
        Malformed = "http.malformed", Invalid, "The request could not be read.", "مقدرناش نقرا الطلب.";
        /// A page of another origin.
        Origin = "http.origin", Forbidden, "Pages of this origin may not connect here.", "الصفحة دي مش مسموح لها تتصل هنا.";
        /// The connection does not speak the protocol.
        Subprotocol = "http.subprotocol", Invalid, "Connect with the subprotocol graphql-transport-ws.", "اتصل ببروتوكول graphql-transport-ws.";
        /// Too many streams at once.
        TooManyStreams = "http.too_many_streams", TooMany, "Too many connections are open; close some first.", "فيه اتصالات مفتوحة كتير؛ اقفل شوية الأول.";
        /// Too many requests at once.
        Overloaded = "http.overloaded", Unavailable, "The service is busy; please try again.", "الخدمة مشغولة؛ جرّب تاني بعد شوية.";
        /// The answer took too long and was given up.
        TimedOut = "http.timed_out", Unavailable, "This took too long and was stopped.", "الطلب أخد وقت طويل فاتوقف.";
        /// A fault on our side that was caught.
        Crashed = "http.internal", Internal, "Something went wrong on our side.", "حصلت مشكلة من عندنا.";
    }
}

/// The status of a refusal: what its class says, but for the few statuses that only HTTP has.
pub fn status(refusal: &Refusal) -> StatusCode {
    match refusal.code {
        "http.method_not_allowed" | "graphql.mutation_over_get" => StatusCode::METHOD_NOT_ALLOWED,
        "http.not_acceptable" => StatusCode::NOT_ACCEPTABLE,
        "http.too_slow" => StatusCode::REQUEST_TIMEOUT,
        _ => StatusCode::from_u16(refusal.class.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

#[cfg(test)]
mod tests {
    use daira_core::error::RefusalEnum;

    use super::*;

    #[test]
    fn every_refusal_is_an_error_status() {
        for refusal in HttpRefusal::ALL {
            let status = status(refusal.refusal());
            assert!(status.is_client_error() || status.is_server_error(), "{refusal:?}");
        }
        assert_eq!(status(HttpRefusal::MethodNotAllowed.refusal()), StatusCode::METHOD_NOT_ALLOWED);
    }
}
