//! Mail over SMTP: to Mailpit, which keeps it, over wires that are cut, and to a server that says what a test wants.

use std::time::Duration;

use daira_core::account::{AccountService, Due, Register};
use daira_core::actor::Client;
use daira_core::error::{Error, ErrorKind};
use daira_core::locale::Locale;
use daira_core::memory::RandomIds;
use daira_core::port::{Channel, Handed, IdSource, Message, Ports};
use daira_core::secret::Secret;
use daira_worker::deliver::SmtpMail;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::variable;
use super::wire::Wire;

const FROM: &str = "دايرة <no-reply@daira.example>";

/// An address that no other test uses.
fn somebody() -> String {
    let ids: &dyn IdSource = &RandomIds;
    format!("mona.{:016x}@example.com", u64::from_be_bytes(ids.bytes()))
}

/// Mailpit's two addresses, SMTP's without its scheme.
fn mailpit() -> (String, String) {
    let both = variable("DAIRA_TEST_MAILPIT");
    let (smtp, http) = both.split_once(' ').unwrap();
    (smtp.strip_prefix("smtp://").unwrap().to_owned(), http.to_owned())
}

fn over(address: &str) -> SmtpMail {
    SmtpMail::new(&Secret::new(format!("smtp://{address}")), FROM).unwrap()
}

fn message(to: &str, key: &str) -> Message {
    let text = Secret::new("أهلاً بيك!\n\nالكود بتاعك: 004217\n.\n..\nسطر طويل: ".to_owned() + &"قهوة ".repeat(400));
    Message {
        to: Secret::new(to), subject: "كود تأكيد حسابك على دايرة ☕".to_owned(), text, key: key.to_owned()
    }
}

/// Every mail that Mailpit has for an address.
async fn arrived(to: &str) -> Vec<Value> {
    let (_, http) = mailpit();
    let get = async |path: String| -> Value {
        reqwest::get(format!("{http}/api/v1/{path}")).await.unwrap().json().await.unwrap()
    };
    let found = get(format!("search?query=to:%22{to}%22")).await;
    let mut mails = Vec::new();
    for one in found["messages"].as_array().unwrap() {
        mails.push(get(format!("message/{}", one["ID"].as_str().unwrap())).await);
    }
    mails
}

#[tokio::test]
async fn a_mail_arrives_whole_whatever_its_script() {
    let ((smtp, _), to) = (mailpit(), somebody());
    let (channel, sent) = (over(&smtp), message(&to, "chl_0000000000009"));
    assert_eq!(channel.send(&sent).await.unwrap(), Handed::Over);
    let [mail] = arrived(&to).await.try_into().unwrap();
    assert_eq!(mail["Subject"], "كود تأكيد حسابك على دايرة ☕");
    assert_eq!(mail["Text"].as_str().unwrap().replace("\r\n", "\n").trim_end(), sent.text.expose().trim_end());
    assert_eq!((&mail["From"]["Name"], &mail["From"]["Address"]), (&"دايرة".into(), &"no-reply@daira.example".into()));
    assert_eq!(mail["MessageID"], "chl_0000000000009@daira.example");
    // Many at once, over connections that are kept.
    let many: Vec<Message> = (0..12).map(|n| message(&to, &format!("key{n}"))).collect();
    for handed in futures_util::future::join_all(many.iter().map(|message| channel.send(message))).await {
        assert_eq!(handed.unwrap(), Handed::Over);
    }
    assert_eq!(arrived(&to).await.len(), 13);
}

#[tokio::test]
async fn what_joins_gets_its_code_over_smtp() {
    let ((smtp, _), to) = (mailpit(), somebody());
    let ports = Ports { mail: std::sync::Arc::new(over(&smtp)), ..Ports::in_memory() };
    let accounts = AccountService::new(ports.clone());
    let register = Register {
        email: to.clone(),
        password: Secret::new("kahwa sada 3al nil"),
        handle: "mona".to_owned(),
        name: "منى علي".to_owned(),
        birth_date: "1999-04-25".to_owned(),
        locale: Locale::Ar,
    };
    let registration = accounts.register(&Client::default(), register, None).await.unwrap();
    assert!(accounts.deliver(Due::Registration(registration)).await.unwrap());
    let code = daira_core::account::token::code(&ports.keys.challenge, registration);
    let [mail] = arrived(&to).await.try_into().unwrap();
    assert!(mail["Text"].as_str().unwrap().contains(code.expose()), "{mail}");
}

#[tokio::test]
async fn a_cut_wire_is_a_refusal_for_now() {
    let ((smtp, _), to) = (mailpit(), somebody());
    let wire = Wire::to(&smtp).await;
    let channel = over(&wire.address);
    assert_eq!(channel.send(&message(&to, "1")).await.unwrap(), Handed::Over);
    wire.set_whole(false).await;
    let error = channel.send(&message(&to, "2")).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unavailable, "mail.send"));
    wire.set_whole(true).await;
    assert_eq!(channel.send(&message(&to, "2")).await.unwrap(), Handed::Over, "on a connection of its own");
    assert_eq!(arrived(&to).await.len(), 2);
}

#[tokio::test]
async fn a_silent_wire_is_given_up_and_its_connection_with_it() {
    let ((smtp, _), to) = (mailpit(), somebody());
    let wire = Wire::to(&smtp).await;
    let channel = over(&wire.address).with_patience(Duration::from_millis(500));
    assert_eq!(channel.send(&message(&to, "1")).await.unwrap(), Handed::Over);
    wire.fall_silent(true).await;
    for _ in 0..2 {
        assert_eq!(channel.send(&message(&to, "2")).await.unwrap_err().kind(), ErrorKind::Unavailable);
    }
    wire.fall_silent(false).await;
    let patient = channel.with_patience(Duration::from_secs(30));
    assert_eq!(patient.send(&message(&to, "2")).await.unwrap(), Handed::Over);
    let keys: Vec<Value> = arrived(&to).await.into_iter().map(|mail| mail["MessageID"].clone()).collect();
    assert!(keys.len() == 2 && keys.contains(&"2@daira.example".into()), "{keys:?}");
}

#[tokio::test]
async fn nothing_is_said_over_a_wire_that_cannot_be_encrypted() {
    // Mailpit of the tests has no certificate, and so offers nothing.
    let ((smtp, _), to) = (mailpit(), somebody());
    for address in [format!("smtp://{smtp}?tls=required"), format!("smtps://{smtp}")] {
        let channel = SmtpMail::new(&Secret::new(address), FROM).unwrap();
        assert_eq!(channel.send(&message(&to, "1")).await.unwrap_err().kind(), ErrorKind::Unavailable);
    }
    assert!(arrived(&to).await.is_empty());
}

/// A server that says to each beginning of a line what a test wants, and to others that all is well.
async fn server(says: &'static [(&'static str, &'static str)], serving: &mut JoinSet<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    serving.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (read, mut write) = stream.split();
            let mut lines = BufReader::new(read).lines();
            let answer = |line: &str| says.iter().find(|(begins, _)| line.starts_with(begins)).map(|(_, says)| *says);
            let mut say = async |text: &str| write.write_all(format!("{text}\r\n").as_bytes()).await.is_ok();
            say(answer("").unwrap_or("220 at your service")).await;
            let mut in_mail = false;
            while let Ok(Some(line)) = lines.next_line().await {
                if in_mail && line != "." {
                    continue;
                }
                let said = answer(&line).unwrap_or(match line.as_str() {
                    "DATA" => "354 go on",
                    line if line.starts_with("EHLO") => "250-here\r\n250-8BITMIME\r\n250 AUTH PLAIN",
                    _ => "250 well",
                });
                in_mail = said.starts_with("354");
                if !say(said).await {
                    break;
                }
            }
        }
    });
    address
}

fn why(error: &Error) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

#[tokio::test]
async fn a_recipient_or_a_mail_that_is_refused_is_refused_for_good() {
    let mut serving = JoinSet::new();
    let says: &[(&str, &str)] = &[
        ("RCPT TO:<gone@", "550 5.1.1 <gone@example.com> is nobody here"),
        ("RCPT TO:<full@", "452 4.2.2 mailbox full"),
        ("RCPT TO:<spam@", "250 well"),
    ];
    let channel = over(&server(says, &mut serving).await);
    let gone = channel.send(&message("gone@example.com", "1")).await.unwrap();
    assert_eq!(gone, Handed::Refused("SMTP 550".to_owned()), "and nothing of the address");
    let full = channel.send(&message("full@example.com", "1")).await.unwrap_err();
    assert_eq!((full.kind(), why(&full).as_str()), (ErrorKind::Unavailable, "SMTP 452"));
    assert_eq!(channel.send(&message("mona@example.com", "1")).await.unwrap(), Handed::Over);
    let channel = over(&server(&[(".", "554 5.7.1 looks like spam")], &mut serving).await);
    assert_eq!(channel.send(&message("mona@example.com", "1")).await.unwrap(), Handed::Refused("SMTP 554".to_owned()));
}

#[tokio::test]
async fn what_concerns_every_mail_is_a_refusal_for_now() {
    let mut serving = JoinSet::new();
    for (says, told) in [
        (&[("", "554 5.7.1 nobody is at your service")] as &[_], "SMTP 554"),
        (&[("", "421 4.3.2 try later")], "SMTP 421"),
        (&[("AUTH", "535 5.7.8 another password, please")], "SMTP 535"),
        (&[("MAIL", "553 5.1.8 not your name")], "SMTP 553"),
        (&[("", "HTTP/1.1 400 Bad Request")], "the server speaks no SMTP that we understand"),
    ] {
        let address = server(says, &mut serving).await;
        let url = Secret::new(format!("smtp://mona:kahwa@{address}"));
        let channel = SmtpMail::new(&url, FROM).unwrap();
        let error = channel.send(&message("mona@example.com", "1")).await.unwrap_err();
        assert_eq!((error.kind(), why(&error).as_str()), (ErrorKind::Unavailable, told), "{says:?}");
    }
}
