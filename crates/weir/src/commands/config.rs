//! `weir config show`: the values of all options and where they come from.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{Exit, Outcome};
use crate::config::{OPTIONS, Settings, arguments, resolve};

pub fn command() -> Command {
    let show = Command::new("show")
        .about("Show the value of every option")
        .arg(
            Arg::new("origin")
                .long("origin")
                .action(ArgAction::SetTrue)
                .help("Show where each value comes from"),
        )
        .args(arguments());
    let template =
        Command::new("template").about("Print a configuration file with every option and its default");
    Command::new("config")
        .about("Look at the configuration")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(show)
        .subcommand(template)
}

pub fn run(matches: &ArgMatches) -> Outcome {
    match matches.subcommand() {
        Some(("show", matches)) => {
            let resolved = resolve(matches)?;
            for one in &resolved {
                match matches.get_flag("origin") {
                    true => println!("{} = {:?}  # {}", one.option.name, one.shown(), one.origin),
                    false => println!("{} = {:?}", one.option.name, one.shown()),
                }
            }
            Settings::new(&resolved)?;
        }
        _ => print!("{}", template()),
    }
    Ok(Exit::Done)
}

/// Returns the documented configuration file.
fn template() -> String {
    let mut text = String::from(
        "# Every option of `weir serve` with its default. A flag wins over the environment, the\n\
         # environment over this file. Made by `weir config template`.\n",
    );
    for option in OPTIONS {
        text.push_str(&format!(
            "\n# {}\n# Flag --{}, environment {}.\n#{} = {:?}\n",
            option.meaning,
            option.flag(),
            option.variable(),
            option.name,
            option.default
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    /// `weir config template > config/weir.toml` refreshes the file.
    #[test]
    fn documented_configuration_lists_every_option() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/weir.toml");
        let text = std::fs::read_to_string(path).expect("the file is part of the sources");
        assert_eq!(text, super::template());
    }
}
