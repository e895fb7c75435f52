//! The page is opened in a real browser, which has no network: no script fails, nothing is asked
//! for from outside, and something is drawn.

use std::{
    fs,
    io::Read,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{exits_with, file, swim_sim};

/// Every kind of page: its name, the command that writes it, and words that must be on it.
const PAGES: [(&str, &[&str], &str); 5] = [
    (
        "run",
        &["run", "swim-sim/scenarios/partition.toml"],
        "hosts 12-19 believed dead by hosts 0-11",
    ),
    ("replay", &["replay", "--seed", "17"], "all is mended"),
    ("explore", &["explore", "--seeds", "0..4", "--nodes-max", "8"], "How long agreement took"),
    ("experiment", &["experiment", "sw3", "--seed", "1"], "Published: 1.98 to 2.13"),
    ("tune", &["tune", "--nodes", "5", "--seed", "1"], "recommended, balanced"),
];

/// Debian's name first.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

#[test]
fn the_page_needs_nothing_from_outside() {
    for (name, command, _) in PAGES {
        let page = fs::read_to_string(report(command, &format!("static-{name}.html")));
        stands_alone(&page.expect("the page was written"));
    }
}

fn stands_alone(page: &str) {
    for address in ["http:", "https:", "src=\"//", "url(", "@import"] {
        assert!(!page.contains(address), "{address}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(!page.contains("@@"), "a place in the page was not filled");
}

#[test]
fn the_page_opens_in_a_browser() {
    match browser() {
        Some(browser) => opens_in(browser),
        None => eprintln!("\n!!!!!!!! SKIPPED: no browser, so the page was not opened !!!!!!!!\n"),
    }
}

#[test]
#[ignore = "for machines that must have a browser: `.ci/run` runs it"]
fn there_is_a_browser() {
    opens_in(browser().expect("one of chromium, chromium-browser and google-chrome"));
}

fn opens_in(browser: &str) {
    for (name, command, words) in PAGES {
        opens(browser, name, command, words);
    }
}

fn opens(browser: &str, name: &str, command: &[&str], words: &str) {
    let test = thread::current().name().unwrap_or("x").to_owned();
    let path = report(command, &format!("{browser}-{name}-{test}.html"));
    // Whatever the page asks for from outside would come here.
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let proxy_addr = proxy.local_addr().expect("it has an address");
    let profile = path.with_extension("profile");
    for theme in ["light", "dark"] {
        let picture = path.with_extension(format!("{theme}.png"));
        let dom = dump(browser, &path, theme, &format!("http://{proxy_addr}"), &profile, &picture);
        let root = dom.lines().find(|line| line.contains("<html")).unwrap_or_default();
        assert!(root.contains("data-errors=\"0\""), "{name}: a script failed: {root}");
        assert!(root.contains("data-state=\"drawn\""), "{name}: nothing was drawn: {root}");
        assert!(root.contains(&format!("data-theme=\"{theme}\"")), "{root}");
        assert!(dom.contains(words), "{name}: words are missing");
        let drawn = fs::metadata(&picture).expect("a picture was taken").len();
        assert!(drawn > 30_000, "{name}: an empty picture: {drawn} bytes");
    }
    proxy.set_nonblocking(true).expect("it can be asked without waiting");
    while let Ok((mut stream, _)) = proxy.accept() {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
        let mut asked = [0; 512];
        let len = stream.read(&mut asked).unwrap_or(0);
        let asked = String::from_utf8_lossy(&asked[..len]);
        let line = asked.lines().next().unwrap_or_default();
        // The browser itself calls home, whatever it is told; the page would call nobody it knows.
        let host = line.split([' ', '/', ':']).find(|part| part.contains('.')).unwrap_or_default();
        let is_own =
            CALLED_BY_BROWSERS.iter().any(|end| host.ends_with(end)) && !LIBRARIES.contains(&host);
        assert!(is_own || len == 0, "the page asked for something from outside: {line}");
    }
}

/// Opens the page, takes a picture, and returns what became of the page.
fn dump(
    browser: &str,
    page: &Path,
    theme: &str,
    proxy: &str,
    profile: &Path,
    picture: &Path,
) -> String {
    // By the shell's clock: one that hangs must not hang all.
    let output = Command::new("timeout")
        .args(["300", browser])
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
        .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
        .args(["--disable-component-update", "--disable-default-apps", "--window-size=1280,2000"])
        .args(["--dump-dom", "--virtual-time-budget=5000"])
        .arg(format!("--proxy-server={proxy}"))
        .arg("--proxy-bypass-list=<-loopback>")
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}#{theme}", page.display()))
        .stdin(Stdio::null())
        .output()
        .expect("the browser runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whom the browser asks by itself, for a newer one or who the user is.
const CALLED_BY_BROWSERS: [&str; 3] = [".google.com", ".googleapis.com", ".gvt1.com"];

/// Whom pages ask there.
const LIBRARIES: [&str; 3] = ["fonts.googleapis.com", "ajax.googleapis.com", "maps.googleapis.com"];

fn report(command: &[&str], name: &str) -> std::path::PathBuf {
    let path = file(name);
    let text = path.to_str().expect("a path in UTF-8");
    exits_with(&swim_sim(&[command, &["--report", text]].concat()), 0);
    path
}

fn browser() -> Option<&'static str> {
    BROWSERS.into_iter().find(|browser| {
        let version = Command::new(browser).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    })
}
