//! `doctor`: the findings of [`diagnose`], for the eye or as JSON.

use std::io::IsTerminal;

use anyhow::{Result, bail};
use daira_worker::backends::{Finding, Level, diagnose};
use daira_worker::config::{Config, ConfigError, colours};

/// Looks at an installation. Settings that cannot be read are a finding, too.
pub(super) async fn run(config: Result<Config, ConfigError>, json: bool) -> Result<()> {
    let findings = match config {
        Ok(config) => diagnose(&config).await,
        Err(error) => vec![Finding { check: "settings", level: Level::Fail, told: error.to_string() }],
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        let coloured = colours(std::io::stdout().is_terminal());
        for finding in &findings {
            println!("{}", line(finding, coloured));
        }
    }
    match findings.iter().filter(|finding| finding.level == Level::Fail).count() {
        0 => Ok(()),
        1 => bail!("one check failed"),
        failed => bail!("{failed} checks failed"),
    }
}

fn line(finding: &Finding, coloured: bool) -> String {
    let (word, colour) = match finding.level {
        Level::Ok => ("ok  ", "32"),
        Level::Warn => ("warn", "33"),
        Level::Fail => ("FAIL", "31"),
    };
    let word = if coloured { format!("\u{1b}[{colour}m{word}\u{1b}[0m") } else { word.to_owned() };
    format!("{word}  {:<19} {}", finding.check, finding.told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_beside_the_words() {
        let finding = Finding { check: "disk space", level: Level::Warn, told: "little".to_owned() };
        assert_eq!(line(&finding, false), "warn  disk space          little");
        assert_eq!(line(&finding, true), "\u{1b}[33mwarn\u{1b}[0m  disk space          little");
    }
}
