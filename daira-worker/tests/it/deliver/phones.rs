//! Ways to phones, against servers that answer as providers do, well and badly.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use daira_core::error::ErrorKind;
use daira_core::locale::Locale;
use daira_core::port::{CheapestFirst, Handed, PhoneChannel, Text};
use daira_core::secret::Secret;
use daira_worker::deliver::{FlashCall, FolderPhone, Sms, WhatsApp};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A provider that answers everything alike, and keeps what it is asked.
struct Provider {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Provider {
    /// Answers with a status and a body.
    async fn says(status: u16, body: &str) -> Self {
        let length = body.len();
        Self::sends(format!("HTTP/1.1 {status} .\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")).await
    }

    /// Answers with these bytes; with none it never answers.
    async fn sends(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/messages", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&asked);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut open = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                heard.lock().unwrap().push(request);
                if answer.is_empty() {
                    open.push(stream);
                } else {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    let _ = stream.shutdown().await;
                }
            }
        });
        Self { url, asked, _serving: serving }
    }

    /// The head and the body of the only request.
    fn request(&self) -> (String, String) {
        let asked = self.asked.lock().unwrap();
        let [one] = asked.as_slice() else { panic!("one request: {asked:?}") };
        let (head, body) = one.split_once("\r\n\r\n").unwrap();
        (head.to_lowercase(), body.to_owned())
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// One request with its body.
async fn read(stream: &mut tokio::net::TcpStream) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4_096]);
    loop {
        let n = stream.read(&mut buffer).await.unwrap();
        text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) || n == 0 {
            return text;
        }
    }
}

fn text(to: &str, again: usize) -> Text {
    Text {
        to: Secret::new(to),
        code: Some(Secret::new("004217")),
        words: Secret::new("كود دايرة: 004217\nما تديهوش لأي حد."),
        locale: Locale::Ar,
        again,
        key: "chl_0000000000009".to_owned(),
    }
}

const EGYPT: &str = "+201001234567";

fn flash_call(url: &str) -> FlashCall {
    FlashCall::new(url, &Secret::new("a2V5"), "DAIRA").unwrap().with_patience(Duration::from_millis(500))
}

fn whatsapp(url: &str) -> WhatsApp {
    WhatsApp::new(url, &Secret::new("EAAJtoken"), "daira_code").unwrap().with_patience(Duration::from_millis(500))
}

fn sms(url: &str) -> Sms {
    Sms::new(url, "AC123", &Secret::new("hunter2"), "DAIRA").unwrap().with_patience(Duration::from_millis(500))
}

const CALLED: &str = r#"{"id":26381905,"phone":201001234567,"status":"Accepted"}"#;
const WRITTEN: &str = r#"{"messaging_product":"whatsapp","contacts":[{"input":"201001234567","wa_id":"201001234567"}],"messages":[{"id":"wamid.HBg"}]}"#;
const SENT: &str = r#"{"sid":"SM1","status":"queued","error_code":null,"error_message":null,"to":"+201001234567"}"#;

#[tokio::test]
async fn a_flash_call_is_asked_for_by_its_providers_format() {
    let provider = Provider::says(200, CALLED).await;
    let way = flash_call(&provider.url);
    assert_eq!(way.send(&text(EGYPT, 0)).await.unwrap(), Handed::Over);
    let (head, body) = provider.request();
    assert!(head.starts_with("post /v1/messages http/1.1") && head.contains("authorization: basic a2v5"), "{head}");
    let expected = json!({ "phone": 201_001_234_567_u64, "sender": "DAIRA", "text": "004217", "validity_period": 5 });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
    let notice = Text { code: None, ..text(EGYPT, 0) };
    assert!(!way.carries(&notice) && !way.carries(&text("+966501234567", 0)) && way.carries(&text(EGYPT, 0)));
}

#[tokio::test]
async fn whatsapp_is_written_to_with_an_authentication_template() {
    let provider = Provider::says(200, WRITTEN).await;
    let way = whatsapp(&provider.url);
    assert_eq!(way.send(&text(EGYPT, 0)).await.unwrap(), Handed::Over);
    let (head, body) = provider.request();
    assert!(
        head.contains("authorization: bearer eaajtoken") && head.contains("content-type: application/json"),
        "{head}"
    );
    let code = json!([{ "type": "text", "text": "004217" }]);
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "201001234567", "type": "template",
        "template": { "name": "daira_code", "language": { "code": "ar" }, "components": [
            { "type": "body", "parameters": code },
            { "type": "button", "sub_type": "url", "index": "0", "parameters": code },
        ] },
    });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
    assert!(!way.carries(&Text { code: None, ..text(EGYPT, 0) }) && way.carries(&text("+966501234567", 0)));
}

#[tokio::test]
async fn a_text_message_is_sent_as_a_form_and_keeps_its_arabic() {
    let provider = Provider::says(201, SENT).await;
    let way = sms(&provider.url);
    assert_eq!(way.send(&text(EGYPT, 0)).await.unwrap(), Handed::Over);
    let (head, body) = provider.request();
    let proof = data_encoding::BASE64.encode(b"AC123:hunter2").to_lowercase();
    assert!(head.contains(&format!("authorization: basic {proof}")), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let expected = [("To", EGYPT), ("From", "DAIRA"), ("Body", text(EGYPT, 0).words.expose())]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(fields, expected);
    assert!(way.carries(&Text { code: None, ..text("+966501234567", 0) }));
}

/// What each way makes of an answer.
async fn made_of(status: u16, body: &str) -> [Result<Handed, String>; 3] {
    let provider = Provider::says(status, body).await;
    let ways: [Arc<dyn PhoneChannel>; 3] =
        [Arc::new(flash_call(&provider.url)), Arc::new(whatsapp(&provider.url)), Arc::new(sms(&provider.url))];
    let mut made = Vec::new();
    for way in ways {
        made.push(way.send(&text(EGYPT, 0)).await.map_err(|error| {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            let told = format!("{error:?}");
            assert!(!told.contains("1001234567") && !told.contains("4217") && !told.contains("hunter2"), "{told}");
            told
        }));
    }
    made.try_into().unwrap()
}

#[tokio::test]
async fn a_number_that_is_never_reached_is_refused_for_good() {
    let refused = |why: &str| Ok(Handed::Refused(why.to_owned()));
    assert_eq!(
        made_of(200, r#"{"id":1,"phone":201001234567,"status":"rejected"}"#).await[0],
        refused("flash call rejected")
    );
    let nobody = r#"{"error":{"message":"(#131026) Message undeliverable to 201001234567","type":"OAuthException","code":131026}}"#;
    assert_eq!(made_of(400, nobody).await[1], refused("WhatsApp 131026"));
    let wrong = r#"{"code":21614,"message":"'To' number +201001234567 is not a mobile number","status":400}"#;
    assert_eq!(made_of(400, wrong).await[2], refused("SMS 21614"));
}

#[tokio::test]
async fn whatever_else_a_provider_says_is_a_refusal_for_now() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(100_000));
    for (status, body) in [
        (429, r#"{"error":{"message":"Rate limit hit for 201001234567","code":130429}}"#),
        (429, r#"{"code":20429,"message":"Too Many Requests","status":429}"#),
        (401, r#"{"error":{"message":"Invalid OAuth access token","code":190}}"#),
        (401, r#"{"code":20003,"message":"Authenticate","status":401}"#),
        (403, "{}"),
        (500, "<html>oops</html>"),
        (503, ""),
        (200, ""),
        (200, "{}"),
        (200, "[]"),
        (200, "null"),
        (200, "\"Accepted\""),
        (200, r#"{"status":"unknown"}"#),
        (200, r#"{"messages":[{"id":7}],"sid":7}"#),
        (200, r#"{"messages":"wamid","sid":null}"#),
        (200, r#"{"sid":"SM1","status":"failed","error_code":null}"#),
        (302, "{}"),
        (200, long.as_str()),
    ] {
        for (way, made) in ["flash call", "whatsapp", "sms"].into_iter().zip(made_of(status, body).await) {
            let failed = (way, body) == ("flash call", r#"{"sid":"SM1","status":"failed","error_code":null}"#);
            if failed {
                assert_eq!(made, Ok(Handed::Refused("flash call failed".to_owned())));
            } else {
                assert!(made.is_err(), "{way}: {status} {body:.80} made {made:?}");
            }
        }
    }
}

#[tokio::test]
async fn broken_answers_and_none_at_all_are_refusals_for_now() {
    for answer in [
        "",
        "no http at all\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"sid\":",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{",
    ] {
        let provider = Provider::sends(answer.to_owned()).await;
        let error = sms(&provider.url).send(&text(EGYPT, 0)).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Unavailable, "phone.send"), "{answer}");
    }
    let nobody = sms("http://127.0.0.1:1/Messages.json").send(&text(EGYPT, 0)).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn the_next_way_is_taken_on_refusal_on_silence_and_when_somebody_asks_again() {
    let silent = Provider::sends(String::new()).await;
    let refusing = Provider::says(400, r#"{"error":{"code":131026}}"#).await;
    let taking = Provider::says(201, SENT).await;
    let ways = CheapestFirst::new(vec![
        Arc::new(flash_call(&silent.url)),
        Arc::new(whatsapp(&refusing.url)),
        Arc::new(sms(&taking.url)),
    ]);
    assert_eq!(ways.send(&text(EGYPT, 0)).await.unwrap(), Handed::Over);
    assert_eq!((silent.count(), refusing.count(), taking.count()), (1, 1, 1));
    assert_eq!(ways.send(&text(EGYPT, 2)).await.unwrap(), Handed::Over);
    assert_eq!((silent.count(), refusing.count(), taking.count()), (1, 1, 2), "the third way at once");
    assert_eq!(ways.send(&text("+966501234567", 0)).await.unwrap(), Handed::Over);
    assert_eq!((silent.count(), refusing.count(), taking.count()), (1, 2, 3), "no call abroad");
}

#[tokio::test]
async fn nothing_is_posted_in_the_clear_to_elsewhere() {
    let secret = Secret::new("hunter2");
    for url in
        ["", "graph.facebook.com", "http://graph.facebook.com/v21.0/1/messages", "ftp://127.0.0.1/", "http://[::2]/"]
    {
        let told = format!("{:?}", Sms::new(url, "AC123", &secret, "DAIRA").unwrap_err());
        assert!(!told.contains("hunter2"), "{told}");
        assert!(WhatsApp::new(url, &secret, "t").is_err() && FlashCall::new(url, &secret, "t").is_err(), "{url}");
    }
    assert!(Sms::new("https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json", "AC1", &secret, "D").is_ok());
    assert!(Sms::new("http://[::1]:8080/", "AC1", &secret, "D").is_ok());
    assert!(Sms::new("https://sms.example", "AC1", &Secret::new("new\nline"), "D").is_ok(), "it is encoded");
    assert!(WhatsApp::new("https://wa.example", &Secret::new("new\nline"), "D").is_err());
}

#[tokio::test]
async fn without_a_provider_messages_are_files() {
    let folder = tempfile::tempdir().unwrap();
    let way = FolderPhone::new(&folder.path().join("phone")).unwrap();
    assert_eq!(way.send(&text(EGYPT, 0)).await.unwrap(), Handed::Over);
    let written = std::fs::read_to_string(folder.path().join("phone/chl_0000000000009.txt")).unwrap();
    assert!(written.starts_with("To: +201001234567\n\nكود دايرة: 004217"), "{written}");
}
