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

/// Debian's name first.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

#[test]
fn the_page_needs_nothing_from_outside() {
    let page = fs::read_to_string(report("static.html")).expect("the page was written");
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
    let path = report(&format!("{browser}-{}.html", thread::current().name().unwrap_or("x")));
    // Whatever the page asks for from outside would come here.
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let proxy_addr = proxy.local_addr().expect("it has an address");
    let profile = path.with_extension("profile");
    for theme in ["light", "dark"] {
        let picture = path.with_extension(format!("{theme}.png"));
        let dom = dump(browser, &path, theme, &format!("http://{proxy_addr}"), &profile, &picture);
        let root = dom.lines().find(|line| line.contains("<html")).unwrap_or_default();
        assert!(root.contains("data-errors=\"0\""), "a script failed: {root}");
        assert!(root.contains("data-state=\"drawn\""), "nothing was drawn: {root}");
        assert!(root.contains(&format!("data-theme=\"{theme}\"")), "{root}");
        assert!(dom.contains("hosts 12-19 believed dead by hosts 0-11"), "words are missing");
        let drawn = fs::metadata(&picture).expect("a picture was taken").len();
        assert!(drawn > 30_000, "an empty picture: {drawn} bytes");
    }
    proxy.set_nonblocking(true).expect("it can be asked without waiting");
    while let Ok((mut stream, _)) = proxy.accept() {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
        let mut asked = [0; 512];
        let len = stream.read(&mut asked).unwrap_or(0);
        let asked = String::from_utf8_lossy(&asked[..len]);
        let line = asked.lines().next().unwrap_or_default();
        // The browser itself calls home, whatever it is told; the page would call nobody it knows.
        let is_own = ["google", "gvt1.com"].iter().any(|name| line.contains(name)) || len == 0;
        assert!(is_own, "the page asked for something from outside: {line}");
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
    let output = Command::new(browser)
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

fn report(name: &str) -> std::path::PathBuf {
    let path = file(name);
    let text = path.to_str().expect("a path in UTF-8");
    let run = ["run", "swim-sim/scenarios/partition.toml", "--report", text];
    exits_with(&swim_sim(&run), 0);
    path
}

fn browser() -> Option<&'static str> {
    BROWSERS.into_iter().find(|browser| {
        let version = Command::new(browser).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    })
}
