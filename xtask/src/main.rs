//! The project's tasks: `cargo xtask test`, `cargo xtask coverage`, `cargo xtask functions`,
//! `cargo xtask dependencies`, `cargo xtask goldens`, `cargo xtask bench`, `cargo xtask console`.

mod console;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread::{self, JoinHandle};

use clap::{Parser, Subcommand};

/// What the suites in `tests/` need.
const CLIENTS: &str = "tests/requirements.txt";
/// An older DuckDB with the extensions that are made for it.
const CLIENTS_DUCKDB: &str = "tests/requirements-duckdb.txt";

/// Where the benchmarks keep Trino's server.
const TRINO: &str = "trino-server-476";

/// Writes docs/COVERAGE.md.
const COVERAGE: &str = "xtask/coverage.py";
/// Has cargo-deny and cargo-audit look at the dependencies.
const DEPENDENCIES: &str = "xtask/dependencies.py";
/// Writes docs/functions.md.
const FUNCTIONS: &str = "xtask/functions.py";

/// The goal of Maven that fetches what xtask/goldens needs.
const JARS: &str = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies";

/// What contributors run.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Runs every test: the crates' own, and those by real clients against the real binary.
    Test,
    /// Builds the console's pages, which the next build of the binary embeds. Needs Node.js 20.19 or later.
    Console,
    /// Writes docs/COVERAGE.md: every operation of the services that Boathouse serves, implemented or not.
    Coverage {
        /// Only fails if the file is not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Writes docs/functions.md: every SQL function that Trino documents, implemented or not.
    Functions {
        /// Only fails if the file is not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Checks licences and sources of all dependencies against deny.toml, and looks for known vulnerabilities.
    Dependencies,
    /// Records in tests/goldens what Trino makes of the statements there. Needs Maven, its repository, and Java 17.
    Goldens,
    /// Measures and writes docs/benchmarks/NAME.md.
    #[command(subcommand)]
    Bench(Benchmark),
}

/// Against whom, and what of it, each script says at its top.
#[derive(Subcommand)]
enum Benchmark {
    /// Time from exec to listening, memory at rest, size.
    Startup,
    /// PUT, GET, LIST and DELETE of objects from 1 KB to 1 GB, beside other stores. The first run makes those, which takes long.
    S3 {
        /// How many seconds a case takes.
        #[arg(long, default_value = "2")]
        seconds: String,
        /// Which other stores, such as `Moto,Garage`, or `none`.
        #[arg(long)]
        peers: Option<String>,
    },
    /// One bucket with many keys: lists, reads, and what puts feel of deletions.
    S3Scale {
        /// How many million keys.
        #[arg(long, default_value = "10")]
        millions: String,
    },
    /// Functions: cold and warm invocations per runtime.
    Lambda,
    /// Durable records a second into a delivery stream.
    Firehose,
    /// State transitions of Step Functions, standard and express.
    States,
    /// The reference architecture's daily work on much data, beside DuckDB and PySpark.
    Pipeline {
        /// About how many GB of raw JSON.
        #[arg(long, env = "BOATHOUSE_BENCH_GIGABYTES", default_value = "5")]
        gigabytes: String,
    },
    /// What small queries cost through Athena's API, alone and with 64 clients.
    AthenaLatency,
    /// The 22 queries of TPC-H through Athena.
    Tpch {
        /// The scale factor: about so many GB of data.
        #[arg(long, default_value = "1")]
        scale: String,
    },
    /// Forty-three questions about one wide table, of ClickBench's kinds, through Athena.
    Clickbench {
        /// How many million rows.
        #[arg(long, default_value = "5")]
        millions: String,
    },
    /// The 99 queries of TPC-DS through Athena.
    Tpcds {
        /// The scale factor: about so many GB of data.
        #[arg(long, default_value = "1")]
        scale: String,
    },
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Test => test(),
        Task::Console => console::build(),
        Task::Coverage { check } => Clients::prepare(&[]).and_then(|clients| script(&clients, COVERAGE, check)),
        Task::Functions { check } => Clients::prepare(&[]).and_then(|clients| script(&clients, FUNCTIONS, check)),
        Task::Dependencies => Clients::prepare(&[]).and_then(|clients| script(&clients, DEPENDENCIES, false)),
        Task::Goldens => goldens(),
        Task::Bench(benchmark) => bench(&benchmark),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("{failed}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<(), String> {
    // Downloads take their time beside the compiler, not after it.
    let clients = thread::spawn(|| environment("clients", &[CLIENTS]));
    let duckdb = thread::spawn(|| environment("clients-duckdb", &[CLIENTS_DUCKDB]));
    let dbt = thread::spawn(|| environment("clients-dbt", &["tests/requirements-dbt.txt"]));
    let more = thread::spawn(|| environment("clients-s3", &["tests/requirements-s3.txt"]));
    let spark = thread::spawn(|| environment("clients-spark", &["tests/requirements-spark.txt"]));
    let pages = console::prepare()?;
    run(cargo().args(["test", "--release", "--workspace"]))?;
    joined(clients)?;
    let (duckdb, dbt, spark, more) = (joined(duckdb)?, joined(dbt)?, joined(spark)?, joined(more)?);
    let clients = Clients::prepare(&[])?;
    script(&clients, DEPENDENCIES, false)?;
    script(&clients, COVERAGE, true)?;
    script(&clients, FUNCTIONS, true)?;
    let mut python = clients.python();
    python.env("BOATHOUSE_DUCKDB_PYTHON", duckdb).env("BOATHOUSE_DBT", dbt.with_file_name("dbt"));
    python.env("BOATHOUSE_S3_PYTHON", more).env("BOATHOUSE_SPARK_PYTHON", spark);
    // Too large to be fetched for the tests; the benchmarks of queries do.
    let trino = clients.target.join("bench").join(TRINO);
    if trino.exists() {
        python.env("BOATHOUSE_TRINO", trino);
    }
    run(python.args(["-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "tests"]))?;
    pages.map_or(Ok(()), |pages| pages.test(&clients.target.join("release/boathouse"), &clients.python))
}

fn joined<T>(work: JoinHandle<Result<T, String>>) -> Result<T, String> {
    work.join().unwrap_or_else(|_| Err("a virtual environment could not be made".to_owned()))
}

/// A script that writes a document, or with `check` only compares it.
fn script(clients: &Clients, path: &str, check: bool) -> Result<(), String> {
    run(clients.python().arg(path).args(check.then_some("--check")))
}

fn goldens() -> Result<(), String> {
    record("goldens", "xtask/goldens", "Goldens.java")?;
    record("goldens-geospatial", "xtask/goldens/geospatial", "Geospatial.java")
}

/// Fetches a release's jars once, and runs the program that records with them on the path.
fn record(name: &str, folder: &str, program: &str) -> Result<(), String> {
    let jars = target_directory()?.join(name);
    if !jars.exists() {
        let output = format!("-DoutputDirectory={}", jars.display());
        run(Command::new("mvn")
            .args(["--quiet", "--batch-mode", "--file", &format!("{folder}/pom.xml")])
            .args([JARS, &output]))
        .map_err(|failed| format!("Trino's jars come from Maven's repository, by Maven: {failed}"))?;
    }
    let mut trino = Command::new("java");
    // Compressed pages are written into buffers that are the kit's own.
    trino.args(["-Xmx2g", "-Duser.timezone=UTC", "--add-opens", "java.base/java.nio=ALL-UNNAMED", "--class-path"]);
    run(trino.arg(jars.join("*")).arg(format!("{folder}/{program}")).arg("tests/goldens"))
        .map_err(|failed| format!("Trino needs a development kit of Java 17 or later: {failed}"))
}

fn bench(benchmark: &Benchmark) -> Result<(), String> {
    let clients = Clients::prepare(&["xtask/requirements-bench.txt"])?;
    let script = |name: &str| {
        let mut python = clients.python();
        python.arg(format!("xtask/bench/{name}.py"));
        python
    };
    match benchmark {
        Benchmark::Startup => run(&mut script("startup")),
        Benchmark::S3 { seconds, peers } => {
            let mut bench = script("s3");
            bench.args(["--seconds", seconds]);
            run(bench.args(peers.iter().flat_map(|peers| ["--peers", peers])))
        }
        Benchmark::S3Scale { millions } => {
            let packages = ["--package", "boathouse", "--package", "boathouse-objects", "--example", "load"];
            run(cargo().args(["build", "--release"]).args(packages))?;
            let loader = clients.target.join("release/examples/load");
            run(script("s3_scale").env("BOATHOUSE_BENCH_LOADER", loader).args(["--millions", millions]))
        }
        Benchmark::Lambda => run(&mut script("lambda")),
        Benchmark::Firehose => run(&mut script("firehose")),
        Benchmark::States => run(&mut script("states")),
        Benchmark::Pipeline { gigabytes } => run(script("pipeline").args(["--gigabytes", gigabytes])),
        Benchmark::AthenaLatency => run(&mut script("athena_latency")),
        Benchmark::Tpch { scale } => run(script("tpch").args(["--scale", scale])),
        Benchmark::Clickbench { millions } => run(script("clickbench").args(["--millions", millions])),
        Benchmark::Tpcds { scale } => {
            let duckdb = environment("clients-duckdb", &[CLIENTS_DUCKDB])?;
            run(script("tpcds").env("BOATHOUSE_DUCKDB_PYTHON", duckdb).args(["--scale", scale]))
        }
    }
}

/// The real binary, and a virtual environment with its clients that is made once beside the build.
struct Clients {
    target: PathBuf,
    python: PathBuf,
}

impl Clients {
    fn prepare(more_requirements: &[&str]) -> Result<Self, String> {
        run(cargo().args(["build", "--release", "--package", "boathouse"]))?;
        let requirements: Vec<&str> = [CLIENTS].iter().chain(more_requirements).copied().collect();
        Ok(Self { target: target_directory()?, python: environment("clients", &requirements)? })
    }

    /// An interpreter that finds the binary and a directory for large files by the environment.
    fn python(&self) -> Command {
        let mut python = Command::new(&self.python);
        python
            .env("BOATHOUSE_BINARY", self.target.join("release/boathouse"))
            .env("BOATHOUSE_BENCH_DIR", self.target.join("bench"));
        python
    }
}

/// The interpreter of a virtual environment beside the build, with what these files ask for.
fn environment(name: &str, requirements: &[&str]) -> Result<PathBuf, String> {
    let directory = target_directory()?.join(name);
    let python = directory.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args([OsStr::new("-m"), OsStr::new("venv"), directory.as_os_str()]))?;
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet"]);
    for file in requirements {
        install.args(["--requirement", file]);
    }
    run(&mut install)?;
    Ok(python)
}

/// The directory that holds this very program's profile directory.
fn target_directory() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    program.ancestors().nth(2).map(Path::to_owned).ok_or_else(|| "the target directory can't be found".into())
}

/// Cargo as if called by hand. What it says of this package to this program would make it build much of the workspace anew.
fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?} can't be started: {error}")),
    }
}
