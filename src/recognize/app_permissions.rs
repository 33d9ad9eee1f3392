//! What an application may do on a phone or a Mac: Apple's entitlements and the permissions of Android's manifest.
//!
//! Never here: whether an application needs what it asks for. Serves Apple's "Entitlements" and Android's
//! "App manifest" documentation.

use crate::domain::{Facts, ItemClass, RepoPath};

use super::text::{MOST_VALUES, bounded};
use super::{Recognized, path};

/// How large such a file may be.
const MOST_BYTES: usize = 1024 * 1024;

/// Recognises entitlements by their names and a manifest by its own.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let is_xml = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start().first() == Some(&b'<');
    if !is_xml || bytes.len() > MOST_BYTES {
        return None;
    }
    let has = |marker: &[u8]| memchr::memmem::find(bytes, marker).is_some();
    let ending = path::extension(path);
    if has(b"<plist") && (ending.as_deref() == Some("entitlements") || has(b"<key>com.apple.security.")) {
        return entitlements(std::str::from_utf8(bytes).ok()?);
    }
    if path::lower_name(path) == "androidmanifest.xml" && has(b"<manifest") {
        return std::str::from_utf8(bytes).ok().map(manifest);
    }
    None
}

/// Every name of the outermost dictionary with its value.
fn entitlements(text: &str) -> Option<Recognized> {
    let text = without_comments(text);
    let mut granted = Vec::new();
    let (_, mut rest) = text.split_once("<plist")?.1.split_once("<dict>")?;
    while let Some((_, after)) = rest.split_once("<key>").filter(|_| granted.len() < MOST_VALUES) {
        let (name, value) = after.split_once("</key>")?;
        let value = value.trim_start();
        let (value, behind) = if let Some(behind) = value.strip_prefix("<true/>") {
            ("true".to_owned(), behind)
        } else if let Some(behind) = value.strip_prefix("<false/>") {
            ("false".to_owned(), behind)
        } else if let Some(body) = value.strip_prefix("<array>") {
            let (body, behind) = body.split_once("</array>")?;
            let parts = body.split("<string>").skip(1).filter_map(|part| part.split("</string>").next());
            (parts.map(str::trim).collect::<Vec<_>>().join(", "), behind)
        } else if value.starts_with("<dict>") {
            ("(dictionary)".to_owned(), behind_dictionary(value)?)
        } else {
            let (body, behind) = value.split_once('>')?.1.split_once("</").unwrap_or((value, ""));
            (body.trim().to_owned(), behind)
        };
        granted.push(bounded(format!("{}={value}", name.trim()).as_bytes()));
        rest = behind;
    }
    granted.sort();
    let mut facts = Facts::new();
    facts.set("entitlements", granted);
    Some(Recognized::new("apple-entitlements", ItemClass::Policy, facts))
}

/// Returns what stands behind the dictionary that the text begins with.
fn behind_dictionary(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, _) in text.match_indices("dict>") {
        let before = text.get(..at)?;
        if before.ends_with("</") {
            depth = depth.checked_sub(1)?;
        } else if before.ends_with('<') {
            depth += 1;
        }
        if depth == 0 {
            return text.get(at + "dict>".len()..);
        }
    }
    None
}

fn manifest(text: &str) -> Recognized {
    let text = without_comments(text);
    let (mut asked, mut own, mut exported) = (Vec::new(), Vec::new(), Vec::new());
    let mut facts = Facts::new();
    for element in text.split('<').skip(1).filter_map(|part| part.split('>').next()) {
        let kind = element.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
        let name = || attribute(element, "android:name").map(|name| bounded(name.as_bytes()));
        match kind {
            "manifest" => facts.set_some("package", attribute(element, "package").map(|name| bounded(name.as_bytes()))),
            "uses-permission" | "uses-permission-sdk-23" => asked.extend(name()),
            "permission" => {
                let level = attribute(element, "android:protectionLevel").unwrap_or("normal");
                own.extend(name().map(|name| format!("{name}={}", bounded(level.as_bytes()))));
            }
            "application" => {
                for (fact, attribute_name) in [
                    ("allow_backup", "android:allowBackup"),
                    ("debuggable", "android:debuggable"),
                    ("cleartext_traffic", "android:usesCleartextTraffic"),
                ] {
                    let value = attribute(element, attribute_name).and_then(|value| value.parse::<bool>().ok());
                    facts.set_some(fact, value);
                }
            }
            "activity" | "activity-alias" | "service" | "receiver" | "provider"
                if attribute(element, "android:exported") == Some("true") =>
            {
                let guard =
                    attribute(element, "android:permission").map_or(String::new(), |guard| format!(" ({guard})"));
                exported.extend(name().map(|name| bounded(format!("{kind} {name}{guard}").as_bytes())));
            }
            _ => {}
        }
    }
    for (name, mut list) in [("permissions", asked), ("own_permissions", own), ("exported", exported)] {
        list.sort();
        list.dedup();
        list.truncate(MOST_VALUES);
        facts.set(name, list);
    }
    Recognized::new("android-manifest", ItemClass::Policy, facts)
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    for (at, _) in element.match_indices(name) {
        let begins = element.get(..at)?.ends_with(|before: char| before.is_ascii_whitespace());
        let value = element.get(at + name.len()..)?.trim_start().strip_prefix('=').map(str::trim_start);
        if let Some(value) = value.filter(|_| begins) {
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            return value.get(1..)?.split(quote).next();
        }
    }
    None
}

fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        kept.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, behind)| behind);
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Option<Recognized> {
        recognize(&RepoPath::new(path), text.as_bytes())
    }

    fn list(facts: &Facts, name: &str) -> Vec<String> {
        facts.list(name).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn entitlements_are_told_with_their_values() {
        let text = "<?xml version=\"1.0\"?>\n<plist version=\"1.0\">\n<dict>\n<!-- <key>x</key> -->\n\
            <key>com.apple.security.app-sandbox</key> <true/>\n<key>com.apple.security.cs.allow-jit</key>\n<false/>\n\
            <key>groups</key><array><string>a</string> <string>b</string></array>\n\
            <key>nested</key><dict><key>in</key><dict></dict></dict>\n<key>team</key><string>T1</string>\n</dict></plist>\n";
        let facts = found("App.entitlements", text).unwrap().facts;
        let expected = [
            "com.apple.security.app-sandbox=true",
            "com.apple.security.cs.allow-jit=false",
            "groups=a, b",
            "nested=(dictionary)",
            "team=T1",
        ];
        assert_eq!(list(&facts, "entitlements"), expected);
    }

    #[test]
    fn a_manifest_tells_what_it_asks_for_and_what_it_exports() {
        let text = "<manifest xmlns:android=\"x\" package=\"a.b\">\n<uses-permission android:name=\"android.permission.CAMERA\"/>\n\
            <!-- <uses-permission android:name=\"no\"/> -->\n\
            <permission android:name='p' android:protectionLevel='signature' />\n\
            <application android:debuggable=\"true\" android:allowBackup = \"false\">\n\
            <service android:name=\".S\" android:exported=\"true\" android:permission=\"p\"/>\n\
            <activity android:name=\".A\" android:exported=\"false\"/></application></manifest>";
        let facts = found("app/src/main/AndroidManifest.xml", text).unwrap().facts;
        assert_eq!(list(&facts, "permissions"), ["android.permission.CAMERA"]);
        assert_eq!(list(&facts, "own_permissions"), ["p=signature"]);
        assert_eq!(list(&facts, "exported"), ["service .S (p)"]);
        assert_eq!((facts.flag("debuggable"), facts.flag("allow_backup")), (Some(true), Some(false)));
    }

    #[test]
    fn other_xml_is_left_alone() {
        for (path, text) in [
            ("Info.plist", "<plist><dict><key>CFBundleName</key><string>a</string></dict></plist>"),
            ("AndroidManifest.xml", "<html></html>"),
            ("other.xml", "<manifest package=\"a\"></manifest>"),
            ("a.entitlements", "<plist>"),
            ("a.entitlements", "<plist><dict><key>a</key><dict>"),
        ] {
            assert_eq!(found(path, text), None, "{path}: {text}");
        }
    }
}
