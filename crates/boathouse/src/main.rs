//! The `boathouse` command: wiring only.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod about;
mod attach;
mod backup;
mod data_directory;
mod demo;
mod doctor;
mod functions;
mod memory;
mod operations;
mod serve;
mod server;
mod stdout;
mod usage;
mod vitals;

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
    /// Runs a small data platform on real data, in one go: files, catalogue, SQL.
    Demo(demo::Options),
    /// Looks at the machine: what is installed, what is missing, is the disk honest about fsync.
    Doctor(doctor::Options),
    /// Prints the root key pair as the lines that make AWS clients use it.
    Credentials {
        /// Where the server keeps everything.
        #[arg(long, env = "BOATHOUSE_DATA_DIR", default_value = "boathouse-data")]
        data_dir: PathBuf,
    },
    /// Copies the whole data directory at one moment, also while a server runs on it.
    Backup(backup::BackupOptions),
    /// Makes a data directory of a backup.
    Restore(backup::RestoreOptions),
    /// Makes what was in the gateway's bucket before objects of a bucket, without copying it.
    Attach(attach::Options),
    /// Prints the implemented operations of every service as JSON.
    #[command(hide = true)]
    Operations,
    /// Prints the SQL functions with their signatures as JSON.
    #[command(hide = true)]
    Functions,
}

fn main() -> ExitCode {
    // What a server at rest has asked for is not for the programs that it starts.
    memory::huge_pages(true);
    // Sandboxes are set up by this very program, and only while it has one thread.
    boathouse_sandbox::init::dispatch().unwrap_or_else(|| {
        // A server at rest needs few bytes in many places, and each would take 2 MiB. The first query asks for them again.
        memory::huge_pages(false);
        start()
    })
}

/// Connections, files and functions need more descriptors than the soft limit, which is for programs of old, lets have.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

#[tokio::main]
async fn start() -> ExitCode {
    raise_open_files();
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("boathouse: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    match command {
        Command::Serve(options) => serve::run(options).await?,
        Command::Demo(options) => demo::run(options).await?,
        Command::Doctor(options) => doctor::run(&options).await?,
        Command::Credentials { data_dir } => print_credentials(&data_dir)?,
        Command::Backup(options) => backup::back_up(options).await?,
        Command::Restore(options) => backup::restore(options).await?,
        Command::Attach(options) => attach::run(options).await?,
        Command::Operations => operations::run().await?,
        Command::Functions => functions::run(),
    }
    Ok(())
}

fn print_credentials(data_dir: &std::path::Path) -> Result<(), server::ServerError> {
    data_directory::create(data_dir)?;
    let pair = KeyPair::load_or_create(&data_dir.join("credentials"))?;
    say!("export AWS_ACCESS_KEY_ID={}", pair.access_key_id);
    say!("export AWS_SECRET_ACCESS_KEY={}", pair.secret.expose());
    Ok(())
}
