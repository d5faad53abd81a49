//! La page et ses fichiers : leur type, leurs deux formes, leurs étiquettes, ce que la page a le droit de faire.

use std::fs;
use std::io::Read;
use std::path::Path;

use calvalot::api::page::{FILES, File};
use flate2::read::GzDecoder;

use crate::follower::{Answer, Folder, Follower, Site, still_world};

fn get(site: Site, path: &str, headers: &str) -> Answer {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}Connection: close\r\n\r\n", site.address());
    site.raw(request.as_bytes()).unwrap_or_else(|| panic!("no answer to {path}"))
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn every_file_is_served_as_it_is_and_kept_until_it_changes() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::of(&world, &folder);
    assert!(FILES.len() > 20);
    for file in FILES {
        let answer = get(follower.site(), file.path, "");
        assert_eq!(answer.status, 200, "{}", file.path);
        is_the_source(file, &answer.body);
        assert_eq!(header(&answer, "content-encoding"), None, "{}", file.path);
        let kind = match file.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            other => panic!("{other:?} has no content type here"),
        };
        assert_eq!(header(&answer, "content-type"), Some(kind), "{}", file.path);
        assert_eq!(header(&answer, "cache-control"), Some("no-cache"));
        assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"));
        let tag = header(&answer, "etag").unwrap_or_else(|| panic!("{} has no tag", file.path));
        for (known, status) in [
            (tag.to_owned(), 304),
            (format!("W/{tag}"), 304),
            (format!("\"another\", {tag}"), 304),
            ("*".to_owned(), 304),
            ("\"another\"".to_owned(), 200),
            (tag.trim_matches('"').to_owned(), 200),
        ] {
            let again = get(follower.site(), file.path, &format!("If-None-Match: {known}\r\n"));
            assert_eq!(again.status, status, "{} with {known}", file.path);
            assert_eq!(again.body.is_empty(), status == 304, "{}", file.path);
            assert_eq!(header(&again, "etag"), Some(tag), "{}", file.path);
        }
    }
}

/// Octets de toute la page, telle qu'un navigateur la reçoit la première fois, hors des têtes.
const LIGHT: usize = 60_000;

/// Ce qui part vers qui lit gzip : la tête, et le corps encore compressé.
fn compressed(site: Site, method: &str, path: &str) -> (Answer, Vec<u8>) {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: gzip, deflate\r\nConnection: close\r\n\r\n",
        site.address()
    );
    let bytes = site.bytes(request.as_bytes()).unwrap_or_else(|| panic!("no answer to {path}"));
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head is text");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (Answer { status, head, body: String::new() }, bytes[end + 4..].to_vec())
}

/// Ligne pour ligne le fichier des sources, dont seuls des commentaires et le retrait ont été laissés.
fn is_the_source(file: &File, served: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("static").join(file.name);
    let source = fs::read_to_string(path).unwrap();
    assert_eq!(served.lines().count(), source.lines().count(), "{}", file.path);
    let mut comment = false;
    for (line, written) in served.lines().zip(source.lines()) {
        let written = written.trim();
        comment |= written.starts_with("/*");
        if line.is_empty() {
            assert!(comment || written.is_empty() || written.starts_with("//"), "{}: {written}", file.path);
        } else {
            assert_eq!(line.trim(), written, "{}", file.path);
        }
        comment &= !written.contains("*/");
    }
    let script = file.name.ends_with(".js") && file.name != "js/theme-first.js";
    assert!(!script || served.contains("port "), "{}: a module without a code line", file.path);
}

#[test]
fn a_browser_gets_every_file_compressed_under_a_tag_of_its_own_and_all_of_them_are_light() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    let mut wire = 0;
    for file in FILES {
        let (answer, body) = compressed(site, "GET", file.path);
        // Ce qu'une personne décide n'est lu que quand quelque chose l'attend.
        if !file.path.contains("/person/") {
            wire += body.len();
        }
        let mut text = String::new();
        GzDecoder::new(body.as_slice()).read_to_string(&mut text).expect("it is gzip");
        is_the_source(file, &text);
        // Ni l'heure ni la machine : la même page a partout la même étiquette.
        assert_eq!((&body[4..8], body[9]), (&[0; 4][..], 255), "{}", file.path);
        assert_eq!(header(&answer, "content-encoding"), Some("gzip"), "{}", file.path);
        assert_eq!(header(&answer, "vary"), Some("accept-encoding"), "{}", file.path);
        let plain = get(site, file.path, "");
        assert_eq!(header(&plain, "vary"), Some("accept-encoding"), "{}", file.path);
        let [packed, whole] = [&answer, &plain].map(|answer| header(answer, "etag").expect("a tag"));
        assert_ne!(packed, whole, "{}", file.path);
        for (known, coding) in [(packed, "gzip"), (whole, "gzip"), (packed, "identity"), (whole, "identity")]
        {
            let headers = format!("If-None-Match: {known}\r\nAccept-Encoding: {coding}\r\n");
            let again = get(site, file.path, &headers);
            assert_eq!((again.status, again.body.as_str()), (304, ""), "{} as {coding}", file.path);
            assert_eq!(header(&again, "etag"), Some(known), "{} as {coding}", file.path);
            assert_eq!(header(&again, "vary"), Some("accept-encoding"), "{}", file.path);
        }
        let (head, nothing) = compressed(site, "HEAD", file.path);
        assert_eq!(header(&head, "content-length"), Some(body.len().to_string().as_str()), "{}", file.path);
        assert_eq!(header(&head, "etag"), Some(packed), "{}", file.path);
        assert!(nothing.is_empty(), "{}", file.path);
    }
    assert!(wire < LIGHT, "the page is {wire} bytes");
}

#[test]
fn a_client_that_refuses_every_form_is_told_so() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::of(&world, &folder);
    let answer = get(follower.site(), "/", "Accept-Encoding: br, identity;q=0\r\n");
    assert_eq!(answer.status, 406);
    assert!(answer.json()["error"].as_str().unwrap().contains("Accept-Encoding"), "{}", answer.body);
    let plain = get(follower.site(), "/", "Accept-Encoding: gzip;q=0, br\r\n");
    assert_eq!((plain.status, header(&plain, "content-encoding")), (200, None));
}

/// La page ne parle qu'à nous, n'exécute que nos fichiers, et aucun cadre ne la montre.
#[test]
fn the_page_may_talk_to_nobody_else() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::of(&world, &folder);
    let answer = get(follower.site(), "/", "");
    assert_eq!(header(&answer, "referrer-policy"), Some("no-referrer"));
    let policy = header(&answer, "content-security-policy").expect("a policy");
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.split("; ").any(|found| found == rule), "{rule} is not in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert!(
        !answer.body.contains("<script>") && !answer.body.contains(" style="),
        "the policy would refuse it"
    );
}
