//! That a text alert tells who did it, and is as wide as it should be, whatever a client chose.

use super::{SCREEN_LINES, WIDTH};
use crate::alert::Alert;
use crate::detection::Delta;
use crate::tests::harness;

/// An alert of the samples in which whatever a client can choose is as long as it can be.
fn long(words: &str) -> Alert {
    let cases = harness::read(&harness::sample_path("identity_impersonated"));
    let mut alerts = cases.iter().flat_map(|case| case.report().alerts);
    let mut alert = alerts.find(|alert| alert.evidence.iter().any(|one| one.actor.acting_as.is_some())).unwrap();
    let long = crate::text::name(&words.repeat(100));
    alert.summary.clone_from(&long);
    for finding in &mut alert.findings {
        finding.hit.why = long.repeat(2);
        finding.hit.changes = (0..20).map(|n| Delta::Gained(format!("{n} {long}"))).collect();
    }
    alert.findings = [alert.findings.clone(), alert.findings.clone(), alert.findings.clone()].concat();
    alert.events = 50;
    for evidence in &mut alert.evidence {
        for text in [&mut evidence.user_agent, &mut evidence.name, &mut evidence.namespace, &mut evidence.verb] {
            text.clone_from(&long);
        }
        evidence.claimed = vec![long.clone(); 8];
        let actor = &mut evidence.actor;
        actor.display = format!("display {long}");
        actor.username = format!("username {long}");
        actor.arn = Some(format!("arn:aws:sts::111122223333:assumed-role/{}/session-of-alice", "r".repeat(200)));
        actor.access_key_id = Some("ASIAEXAMPLEEXAMPLE00".to_owned());
        actor.pod = Some(format!("{}-7c9d", "p".repeat(240)));
        let groups = (0..18).map(|n| format!("{n} {long}")).chain(["ops".to_owned(), "system:masters".to_owned()]);
        actor.acting_as = Some((format!("target {long}"), groups.collect()));
    }
    alert.source.log_stream = Some(long);
    alert
}

/// Every line that is wider than it should be, but for those that are one word or to be copied.
fn too_wide(text: &str, columns: usize) -> Vec<&str> {
    let wide = text.lines().filter(|line| line.chars().count() > columns && line.trim().contains(' '));
    wide.filter(|line| !line.contains("fields @timestamp") && !line.contains("rrrrr") && !line.contains("ppppp"))
        .collect()
}

#[test]
fn who_did_it_is_told_however_long_the_names_are() {
    for (words, shown) in
        [("a name of many words ", 250), ("of-words-that-are-longer-than-usual ", 100), ("\u{200b} ", 100)]
    {
        let alert = long(words);
        let text = alert.text();
        assert!(text.lines().count() <= SCREEN_LINES, "{} lines: {text}", text.lines().count());
        assert_eq!(too_wide(&text, WIDTH), Vec::<&str>::new(), "{text}");
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let actor = &alert.first().unwrap().actor;
        let (target, _) = actor.acting_as.as_ref().unwrap();
        for name in [&actor.display, &actor.username, target] {
            let start: String = name.chars().take(shown).collect();
            assert!(joined.contains(start.trim()), "{start}: {text}");
        }
        for fact in [actor.arn.as_ref(), actor.access_key_id.as_ref(), actor.pod.as_ref()].into_iter().flatten() {
            assert!(joined.contains(fact.as_str()), "{fact}: {text}");
        }
        assert!(joined.contains(" in system:masters, ops, "), "{text}");
    }
}

#[test]
fn no_line_is_wider_than_what_was_asked_for() {
    for words in ["a name of many words ", "six-letters ", "a-word-as-long-as-a-narrow-line-is "] {
        let alert = long(words);
        for columns in (40..=120).step_by(4) {
            assert_eq!(too_wide(&alert.text_within(columns), columns), Vec::<&str>::new(), "{columns}");
        }
    }
}
