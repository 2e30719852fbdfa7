//! Completions and manual pages: that shells and `man` take them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::{Folder, rolewatch};

/// Every subcommand, as the help lists it.
pub(crate) fn subcommands() -> Vec<String> {
    let help = rolewatch(&["--help"]).stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let names = list.lines().map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

/// What a program says of a text on its standard input; `None`, loudly, where there is no such program.
fn ask(program: &str, args: &[&str], text: &str) -> Option<(bool, String)> {
    let child =
        Command::new(program).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        // Past the capture of the test runner: a test that did not run must be seen.
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: {program} is not installed, so it did not look at its file");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|threads| {
        threads.spawn(move || stdin.write_all(text.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        Some((output.status.success(), text))
    })
}

#[test]
fn completions_are_written_for_every_shell_and_name_every_subcommand_and_option() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = rolewatch(&["completions", shell]);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{shell}");
        for word in subcommands().iter().map(String::as_str).chain(["min-severity", "log-group", "state", "exceptions"])
        {
            assert!(run.stdout.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn shells_take_their_completions() {
    for (shell, args) in [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])] {
        let script = rolewatch(&["completions", shell]).stdout;
        if let Some(said) = ask(shell, args, &script) {
            assert_eq!(said, (true, String::new()), "{shell}");
        }
    }
    let folder = Folder::new();
    folder.write("rolewatch.ps1", rolewatch(&["completions", "powershell"]).stdout);
    let parse = "$errors = $null; [void][System.Management.Automation.Language.Parser]::ParseFile($args[0], [ref]$null, [ref]$errors); exit $errors.Count";
    let path = folder.path().join("rolewatch.ps1");
    if let Some((fine, said)) = ask("pwsh", &["-NoProfile", "-Command", parse, path.to_str().unwrap()], "") {
        assert!(fine, "{said}");
    }
}

/// Not only the syntax: what bash offers when somebody presses Tab.
#[test]
fn bash_completes_subcommands_options_and_values() {
    let script = rolewatch(&["completions", "bash"]).stdout;
    for (words, offered) in [
        (&["rolewatch", "rep"][..], "replay"),
        (&["rolewatch", "replay", "--min-s"], "--min-severity"),
        (&["rolewatch", "replay", "--format", "oc"], "ocsf"),
        (&["rolewatch", "exceptions", "ch"], "check"),
    ] {
        let line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
        let press = format!(
            "{script}\nCOMP_WORDS=({line}); COMP_CWORD={}; _rolewatch rolewatch '{last}' '{before}'; echo \"${{COMPREPLY[@]}}\"\n",
            words.len() - 1
        );
        let Some((_, said)) = ask("bash", &["--norc", "-s"], &press) else { return };
        assert!(said.split_whitespace().any(|word| word == offered), "{words:?}: {said}");
    }
}

#[test]
fn every_subcommand_has_a_manual_page_with_all_its_options() {
    let main = rolewatch(&["man"]);
    assert_eq!((main.status, main.stderr.as_str()), (0, ""));
    for name in subcommands() {
        assert!(main.stdout.contains(&name.replace('-', "\\-")), "the page of rolewatch does not name {name}");
        let page = rolewatch(&["man", &name]).stdout;
        assert!(page.contains(&format!(".TH rolewatch-{name} 1")), "{page}");
        for option in rolewatch(&[&name, "--help"]).stdout.split_whitespace().filter(|word| word.starts_with("--")) {
            let option: String =
                option.chars().take_while(|letter| *letter == '-' || letter.is_ascii_alphanumeric()).collect();
            assert!(page.contains(&option.replace('-', "\\-")), "{name}: {option}");
        }
    }
}

#[test]
fn man_shows_the_pages_without_a_complaint() {
    for args in [&["man"][..], &["man", "replay"], &["man", "exceptions"]] {
        let page = rolewatch(args).stdout;
        let Some((fine, said)) = ask("groff", &["-man", "-Tutf8", "-ww", "-Wbreak", "-z"], &page) else { return };
        assert!(fine && said.is_empty(), "{args:?}: {said}");
    }
}
