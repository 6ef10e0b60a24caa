//! Bad situations, on the real program: each is told clearly, loses nothing, and is over when its cause is.

use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};

use crate::client::{photo, send};
use crate::program::{Ended, Installation, Running, signal};

/// Uploads a picture and answers what came back.
fn upload(here: &Installation, token: &str) -> crate::client::Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "image/jpeg")];
    send(here.http(), "POST /upload", &headers, &photo())
}

fn code(answer: &crate::client::Answer) -> String {
    let body = answer.json();
    let code = body.pointer("/errors/0/extensions/code").or_else(|| body.get("code"));
    code.and_then(Value::as_str).unwrap_or_else(|| panic!("no error in {body}")).to_owned()
}

#[test]
fn a_port_in_use_is_told_before_anything_is_made() {
    let here = Installation::new();
    let _taken = TcpListener::bind(here.http()).unwrap();
    let ended = here.run(&["serve"]);
    assert_eq!(ended.code, 1);
    let told = format!("cannot listen on {}: is another server running there?", here.http());
    assert!(ended.err.contains(&told) && ended.err.contains("http.listen"), "{}", ended.err);
    assert!(!here.data().exists());
}

#[test]
fn security_127_a_wrong_or_missing_setting_is_named() {
    let here = Installation::new();
    for (name, value, told) in [
        ("DAIRA_HTTP__PORT", "80", "DAIRA_HTTP__PORT"),
        ("DAIRA_HTTP__LISTEN", "nowhere", "DAIRA_HTTP__LISTEN: setting http.listen"),
        ("DAIRA_SECRET_FILE", "/nonexistent/file", "DAIRA_SECRET_FILE"),
        ("DAIRA_SECRET", "short", "secret must have 64 hexadecimal digits"),
        ("DATABASE_URL", "postgres://daira_app:hidden@127.0.0.1/daira", "database.worker_url is not"),
        ("DAIRA_LOG__FILTER", "da=ira=x", "log.filter"),
        ("DAIRA_CONFIG", "/nonexistent/daira.toml", "/nonexistent/daira.toml cannot be read"),
        ("DAIRA_HTTP__BATCH", "11", "http.batch must be 1 to 10"),
    ] {
        let mut command = here.command(&["serve"]);
        command.env(name, value);
        let ended = Ended::of(command);
        assert!(ended.code == 1 && ended.err.contains(told), "{name}: {}", ended.err);
        assert!(!ended.err.contains("hidden"), "{}", ended.err);
    }
    assert!(!here.data().exists());
    let mut dump = here.command(&["config", "dump"]);
    dump.env("DAIRA_SECRET", "ab".repeat(32));
    let dump = Ended::of(dump);
    assert!(dump.code == 0 && !dump.out.contains("abab") && dump.out.contains("\"secret\": \"…\""), "{}", dump.out);
}

#[test]
fn the_data_of_a_newer_version_is_left_alone() {
    let here = Installation::new();
    here.done(&["migrate"]);
    here.sql("insert into public._sqlx_migrations values (9999, 'later', now(), true, '', 0)");
    for command in [&["serve"][..], &["migrate"], &["dlq", "list"]] {
        let ended = here.run(command);
        let told = "the database is newer than this program: it has migration 9999";
        assert!(ended.code == 1 && ended.err.contains(told), "{command:?}: {}", ended.err);
    }
    here.sql("delete from public._sqlx_migrations where version = 9999");

    let version = here.data().join("postgres/pgdata/PG_VERSION");
    let made_by = std::fs::read(&version).unwrap();
    std::fs::write(&version, "99\n").unwrap();
    let ended = here.run(&["serve"]);
    assert!(ended.code == 1 && ended.err.contains("made by PostgreSQL 99, a newer version"), "{}", ended.err);
    std::fs::write(&version, made_by).unwrap();
    assert_eq!(here.done(&["migrate"]), "the database has this program's schema\n", "all is still there");
}

#[test]
fn security_125_a_killed_postgres_is_noticed_and_comes_back_with_everything() {
    let here = Installation::new();
    here.done(&["seed", "--people", "12", "--posts", "40"]);
    let server = here.serve();
    let token = server.log_in();
    let uploaded = upload(&here, &token);
    assert_eq!(uploaded.status, 201, "{}", String::from_utf8_lossy(&uploaded.body));
    let picture = uploaded.json()["id"].clone();
    let post = json!({ "text": "قبل ما الدنيا تقع", "media": [{ "mediaId": picture }] });
    let mut acknowledged = vec![server.publish(&token, &post).unwrap()];
    let address = format!("GET /media/{}/feed-480.jpg", picture.as_str().unwrap());
    let drawn = send(here.http(), &address, &[], b"");
    assert!(drawn.status == 200 && !drawn.body.windows(4).any(|w| w == b"Exif"));

    for round in 0..2 {
        let killed = here.postmaster().unwrap();
        signal("KILL", &killed);
        // A quick machine has it back before anybody asks whether the server is ready.
        server.until("noticed", || {
            server.status("/readyz") == Some(503) || here.postmaster().is_some_and(|running| running != killed)
        });
        // Whoever writes meanwhile waits for a moment, or is told so in the house's own words.
        match server.publish(&token, &json!({ "text": "وقعت" })) {
            Ok(post) => acknowledged.push(post),
            Err(answer) => assert_eq!(code(&answer), "common.unavailable"),
        }
        assert_eq!(server.status("/livez"), Some(200), "the process lives");
        server.until("ready again", || server.status("/readyz") == Some(200));
        server.until("taking posts", || {
            let published = server.publish(&token, &json!({ "text": format!("رجعنا {round}") }));
            let taken = published.is_ok();
            acknowledged.extend(published);
            taken
        });
    }
    assert!(acknowledged.iter().all(|post| server.has(&token, post)), "every acknowledged post is there");
    assert_eq!(send(here.http(), &address, &[], b"").status, 200);
    assert!(server.said().contains("was started again"), "{}", server.said());
    assert_eq!(server.stop(), 0);
}

/// A file system of its own, so small that it can be filled.
struct SmallDisk<'a>(&'a Installation);

impl<'a> SmallDisk<'a> {
    fn new(here: &'a Installation, megabytes: u32) -> Self {
        std::fs::create_dir(here.data()).unwrap();
        let options = format!("size={megabytes}m,mode=0755");
        let data = here.data();
        root(&["mount", "-t", "tmpfs", "-o", &options, "none", data.to_str().unwrap()]);
        // The folder is to be ours, whoever mounted it.
        let me = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()).to_string();
        root(&["chown", &me, data.to_str().unwrap()]);
        Self(here)
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        root(&["umount", "--lazy", self.0.data().to_str().unwrap()]);
    }
}

/// Runs a command that only root may, through `sudo` for everybody else.
fn root(command: &[&str]) {
    let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
    let (program, arguments) = if is_root { (command[0], &command[1..]) } else { ("sudo", command) };
    let done = Command::new(program).args(arguments).status();
    assert!(done.as_ref().is_ok_and(std::process::ExitStatus::success), "{command:?} needs root: {done:?}");
}

#[test]
fn a_full_disk_refuses_what_is_new_and_keeps_what_was_taken() {
    let here = Installation::new();
    let _disk = SmallDisk::new(&here, 320);
    here.done(&["seed", "--people", "12", "--posts", "40"]);
    let server = here.serve();
    let token = server.log_in();
    let mut acknowledged = vec![server.publish(&token, &json!({ "text": "لسه فيه مكان" })).unwrap()];
    let ballast = here.data().join("ballast");
    fill(&ballast);
    // What is open already has room for a little; then it is over.
    let refused = until_refused(&server, &token, &mut acknowledged);
    assert_eq!(code(&refused), "common.unavailable");
    let picture = upload(&here, &token);
    assert_eq!((picture.status, code(&picture).as_str()), (503, "common.unavailable"));
    assert_eq!(server.status("/livez"), Some(200));

    std::fs::remove_file(&ballast).unwrap();
    server.until("taking posts again", || {
        let published = server.publish(&token, &json!({ "text": "فضينا مكان" }));
        let taken = published.is_ok();
        acknowledged.extend(published);
        taken
    });
    server.until("ready", || server.status("/readyz") == Some(200));
    assert!(acknowledged.iter().all(|post| server.has(&token, post)), "every acknowledged post is there");
    assert_eq!(upload(&here, &token).status, 201);
    assert_eq!(server.stop(), 0);
}

/// Takes all the room there is.
fn fill(ballast: &std::path::Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(ballast).unwrap();
    let mut piece = vec![0; 1 << 20];
    while !piece.is_empty() {
        if file.write_all(&piece).is_err() {
            piece.truncate(piece.len() / 2);
        }
    }
}

/// Publishes until that is refused, for want of room and not of patience.
fn until_refused(server: &Running<'_>, token: &str, acknowledged: &mut Vec<String>) -> crate::client::Answer {
    for number in 0..20_000 {
        match server.publish(token, &json!({ "text": format!("{number} {}", "مليان ".repeat(300)) })) {
            Ok(post) => acknowledged.push(post),
            Err(answer) => return answer,
        }
    }
    panic!("a full disk took everything: {}", server.said());
}
