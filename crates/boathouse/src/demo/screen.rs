//! What the demonstration shows: a bar for the steps, tables of results, how to connect.
#![allow(clippy::print_stdout, reason = "the screen is what this module is for")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Characters of a value that are shown.
const WIDEST: usize = 90;

/// The steps, while they run and after.
pub(super) struct Steps {
    bar: ProgressBar,
    taken: Vec<(String, String, Duration)>,
}

impl Steps {
    pub(super) fn new(count: u64) -> Self {
        let style = ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} {msg}");
        let bar = ProgressBar::new(count).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(80));
        Self { bar, taken: Vec::new() }
    }

    /// Runs one step; it answers what it did.
    pub(super) async fn step<T, E>(
        &mut self,
        name: &str,
        work: impl Future<Output = Result<(T, String), E>>,
    ) -> Result<T, E> {
        self.bar.set_message(name.to_owned());
        let started = Instant::now();
        let (value, did) = work.await.inspect_err(|_| self.bar.abandon())?;
        let taken = started.elapsed();
        self.bar.println(format!("{name:<10} {did} ({})", shown(taken)));
        self.bar.inc(1);
        self.taken.push((name.to_owned(), did, taken));
        Ok(value)
    }

    /// The bar, for a step that has more to say while it runs.
    pub(super) fn progress(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Takes the bar away and prints what each step took.
    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
        let rows = self.taken.iter().map(|(name, did, taken)| vec![name.clone(), did.clone(), shown(*taken)]);
        table("What each step took", &["step", "what it did", "time"], &rows.collect::<Vec<_>>());
    }
}

/// A time as people read it.
pub(super) fn shown(taken: Duration) -> String {
    let seconds = taken.as_secs_f64();
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.1} s") }
}

/// A value that is too wide for a screen ends with dots.
fn clipped(value: &str) -> String {
    match value.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// Prints a table with columns as wide as their widest value; numbers stand to the right.
pub(super) fn table(title: &str, names: &[impl AsRef<str>], rows: &[Vec<String>]) {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|value| clipped(value)).collect()).collect();
    let width = |column: usize| {
        let values = rows.iter().filter_map(|row| row.get(column)).map(|value| value.chars().count());
        values.max().unwrap_or(0).max(names[column].as_ref().chars().count())
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let line = |row: &[String]| -> String {
        let cells = row.iter().zip(&widths).map(|(value, width)| match value.parse::<f64>() {
            Ok(_) => format!("{value:>width$}"),
            Err(_) => format!("{value:<width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
    println!(
        "\n{title}\n{}\n{}",
        line(&names),
        "-".repeat(widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1))
    );
    rows.iter().for_each(|row| println!("{}", line(row)));
}

/// Prints how to use the server with one's own clients.
pub(super) fn connection(
    address: SocketAddr,
    data_dir: &Path,
    addresses: &[(String, String)],
    keep: bool,
    stays: bool,
) {
    let rows: Vec<Vec<String>> = addresses.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
    table("What there is to look at", &["name", "address"], &rows);
    let credentials = format!("eval \"$(boathouse credentials --data-dir {})\"", data_dir.display());
    if keep {
        println!("\nThe server goes on until Ctrl-C. In another shell:");
        println!("  {credentials}\n  export AWS_ENDPOINT_URL=http://{address} AWS_DEFAULT_REGION=us-east-1");
        println!("  aws s3 ls; aws stepfunctions list-state-machines; aws logs tail /aws/lambda/flights-ingest");
    } else if stays {
        println!(
            "\nThe data stays. To serve it:\n  boathouse serve --data-dir {}\n  {credentials}",
            data_dir.display()
        );
    } else {
        println!("\nThe data is gone. To look around with your own clients: boathouse demo --keep");
    }
}

/// Prints how to see all that in a browser.
pub(super) fn console(pages: &Result<(), String>, link: &str) {
    match pages {
        Ok(()) => println!("\nIn a browser, for 15 minutes and once:\n  {link}"),
        Err(missing) => println!("\nThe console is not there: {missing}"),
    }
}
