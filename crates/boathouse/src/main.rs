//! The `boathouse` command: wiring only.

mod data_directory;
mod serve;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;

use boathouse_identity::credentials::KeyPair;
use clap::{Parser, Subcommand};

/// The AWS data services as one program that you own.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the AWS APIs until it is told to stop (Ctrl-C or SIGTERM).
    Serve(serve::Options),
    /// Prints the root key pair as the lines that make AWS clients use it.
    Credentials {
        /// Where the server keeps everything.
        #[arg(long, env = "BOATHOUSE_DATA_DIR", default_value = "boathouse-data")]
        data_dir: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve(options) => serve::run(options).await,
        Command::Credentials { data_dir } => print_credentials(&data_dir),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("boathouse: {error}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout, reason = "the command's answer")]
fn print_credentials(data_dir: &std::path::Path) -> Result<(), server::ServerError> {
    data_directory::create(data_dir)?;
    let pair = KeyPair::load_or_create(&data_dir.join("credentials"))?;
    println!("export AWS_ACCESS_KEY_ID={}", pair.access_key_id);
    println!("export AWS_SECRET_ACCESS_KEY={}", pair.secret.expose());
    Ok(())
}
