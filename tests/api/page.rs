//! La page et ses fichiers : leur type, leur étiquette, ce que la page a le droit de faire.

use std::fs;
use std::path::Path;

use calvalot::api::page::FILES;

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
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("static").join(file.name));
        assert_eq!(answer.body, text.unwrap(), "{}", file.path);
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

/// La page ne parle qu'à nous, n'exécute que nos fichiers, et aucun cadre ne la montre.
#[test]
fn the_page_may_talk_to_nobody_else() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::of(&world, &folder);
    let answer = get(follower.site(), "/", "");
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
