//! The guides in `docs/`, whose programs the tests run as they stand.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::unique;
use crate::workplace::Workplace;

/// Kind of the block, what runs it, and how the file ends that it is saved as.
const RUNNERS: [(&str, &str, &str); 3] = [("sh", "bash", "sh"), ("python", "python3", "py"), ("js", "node", "mjs")];

/// A guide.
#[derive(Clone, Copy)]
pub struct Guide(pub &'static str);

impl Guide {
    /// The program of a kind as the guide shows it.
    pub fn program(self, kind: &str) -> String {
        let block = self.blocks().into_iter().find(|(name, _)| name == kind);
        block.unwrap_or_else(|| panic!("docs/{} has no block `{kind}`", self.0)).1
    }

    /// The fenced blocks, each with its kind.
    pub fn blocks(self) -> Vec<(String, String)> {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).join(self.0);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (mut blocks, mut lines) = (Vec::new(), text.lines());
        while let Some(line) = lines.next() {
            let Some(kind) = line.strip_prefix("```") else { continue };
            let body = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect::<String>();
            blocks.push((kind.to_owned(), body));
        }
        blocks
    }
}

/// Runs a program of a kind, in a folder of its own that a `.curlrc` of whoever runs the tests does not reach.
pub fn runs(kind: &str, program: &str) -> Command {
    let (_, runner, ending) = RUNNERS.into_iter().find(|(name, ..)| *name == kind).unwrap();
    let folder = Workplace::get().join(unique::word());
    let file = format!("program.{ending}");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(&file), program).unwrap();
    fs::write(folder.join(".curlrc"), "").unwrap();
    let mut command = Command::new(runner);
    // Neither does a proxy come between.
    command.arg(file).current_dir(&folder).env("no_proxy", "*").env("CURL_HOME", &folder);
    command
}
