//! A plan as a drawn tree.

use std::fmt::Write;
use std::time::Duration;

use super::Times;
use super::fragments::Fragment;
use super::node::{Estimate, Exchange, Node, Ran};

/// One tree.
pub(super) fn tree(root: &Node) -> String {
    let mut text = String::new();
    draw(&mut text, root, "", "", None);
    text
}

/// A tree for each fragment.
pub(super) fn fragments(fragments: &[Fragment]) -> String {
    let mut text = String::new();
    for fragment in fragments {
        head(&mut text, fragment);
        foot(&mut text, fragment, None);
    }
    text.trim_end().to_owned()
}

/// The fragments with what they did.
pub(super) fn analyzed(fragments: &[Fragment], times: Times) -> String {
    let Times { analysis, planning, execution } = times;
    let mut text =
        format!("Analysis: {}, Planning: {}, Execution: {}\n", time(analysis), time(planning), time(execution));
    let totals: Vec<Total> = fragments.iter().map(Total::of).collect();
    let all = totals.iter().map(|total| total.cpu).sum();
    for (fragment, total) in fragments.iter().zip(totals) {
        head(&mut text, fragment);
        let _ = writeln!(
            text,
            "    CPU: {}, Input: {} rows ({}), Output: {} rows ({})",
            time(total.cpu),
            total.input_rows,
            bytes(total.input_bytes),
            total.rows,
            bytes(total.bytes)
        );
        foot(&mut text, fragment, Some(all));
    }
    text.trim_end().to_owned()
}

/// What a whole fragment did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Total {
    pub(super) cpu: Duration,
    pub(super) input_rows: usize,
    pub(super) input_bytes: usize,
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Total {
    pub(super) fn of(fragment: &Fragment) -> Self {
        let mut total = Self::default();
        fragment.root.walk(&mut |node| {
            let Some(ran) = &node.ran else { return };
            total.cpu += ran.cpu;
            if node.children.is_empty() {
                total.input_rows += ran.input_rows.unwrap_or(ran.rows);
                total.input_bytes += ran.physical_input.unwrap_or(ran.bytes);
            }
        });
        let last = std::iter::successors(Some(&fragment.root), |node| node.children.first());
        if let Some(ran) = last.filter_map(|node| node.ran.as_ref()).next() {
            (total.rows, total.bytes) = (ran.rows, ran.bytes);
        }
        total
    }
}

fn head(text: &mut String, fragment: &Fragment) {
    let _ = writeln!(text, "Fragment {} [{}]", fragment.id, fragment.kind);
}

fn foot(text: &mut String, fragment: &Fragment, cpu: Option<Duration>) {
    let _ = writeln!(text, "    Output layout: [{}]", fragment.root.symbols());
    let columns = match &fragment.partitioning {
        Exchange::Hash(columns) => columns.join(", "),
        _ => String::new(),
    };
    let _ = writeln!(text, "    Output partitioning: {} [{columns}]", fragment.partitioning.partitioning());
    draw(text, &fragment.root, "    ", "    ", cpu);
    text.push('\n');
}

/// Writes a node behind `first`, its lines and children behind `rest`.
fn draw(text: &mut String, node: &Node, first: &str, rest: &str, cpu: Option<Duration>) {
    let _ = writeln!(text, "{first}{}", node.title());
    let bar = if node.children.is_empty() { "    " } else { "│   " };
    let mut lines = vec![format!("Layout: {}", node.layout())];
    lines.extend(node.estimate.map(estimate));
    if let (Some(ran), Some(all)) = (&node.ran, cpu) {
        lines.extend(did(ran, all));
    }
    lines.extend(node.details.iter().cloned());
    for line in lines {
        let _ = writeln!(text, "{rest}{bar}{line}");
    }
    for (index, child) in node.children.iter().enumerate() {
        let (corner, below) = if index + 1 == node.children.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        draw(text, child, &format!("{rest}{corner}"), &format!("{rest}{below}"), cpu);
    }
}

/// Costs are never known: nothing here decides by them.
fn estimate(estimate: Estimate) -> String {
    let rows = estimate.rows.map_or_else(|| "?".to_owned(), |rows| rows.to_string());
    let size = estimate.bytes.map_or_else(|| "?".to_owned(), bytes);
    format!("Estimates: {{rows: {rows} ({size}), cpu: ?, memory: ?, network: ?}}")
}

fn did(ran: &Ran, all: Duration) -> Vec<String> {
    let share = if all.is_zero() { 0.0 } else { ran.cpu.as_secs_f64() / all.as_secs_f64() * 100.0 };
    let mut lines =
        vec![format!("CPU: {} ({share:.2}%), Output: {} rows ({})", time(ran.cpu), ran.rows, bytes(ran.bytes))];
    let mut input = Vec::new();
    if let Some(rows) = ran.input_rows {
        input.push(format!("Input: {rows} rows"));
        if rows > 0 && rows >= ran.rows && ran.physical_input.is_some() {
            input.push(format!("Filtered: {:.2}%", (rows - ran.rows) as f64 / rows as f64 * 100.0));
        }
    }
    input.extend(ran.physical_input.map(|read| format!("Physical Input: {}", bytes(read))));
    if ran.spilled > 0 {
        input.push(format!("Spilled: {}", bytes(ran.spilled)));
    }
    if !input.is_empty() {
        lines.push(input.join(", "));
    }
    if !ran.counted.is_empty() {
        lines.push("metrics:".to_owned());
        lines.extend(ran.counted.iter().map(|metric| format!("  {metric}")));
    }
    lines
}

/// A time in its largest unit: `1.50s`, `20.00ms`.
pub(super) fn time(time: Duration) -> String {
    let nanoseconds = time.as_nanos() as f64;
    let units = [(60e9, "m"), (1e9, "s"), (1e6, "ms"), (1e3, "us")];
    let (size, unit) = units.into_iter().find(|(size, _)| nanoseconds >= *size).unwrap_or((1.0, "ns"));
    format!("{:.2}{unit}", nanoseconds / size)
}

/// A size in its largest unit: `12B`, `1.48kB`.
pub(super) fn bytes(bytes: usize) -> String {
    let units = [(1_u64 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")];
    match units.into_iter().find(|(size, _)| bytes as u64 >= *size) {
        Some((size, unit)) => format!("{:.2}{unit}", bytes as f64 / size as f64),
        None => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_their_largest_unit() {
        assert_eq!([bytes(9), bytes(1536), bytes(5 << 20)], ["9B", "1.50kB", "5.00MB"]);
        let shown = [0, 1_500, 20_000_000, 90_000_000_000].map(|nanoseconds| time(Duration::from_nanos(nanoseconds)));
        assert_eq!(shown, ["0.00ns", "1.50us", "20.00ms", "1.50m"]);
    }

    #[test]
    fn trees_are_drawn() {
        let leaf =
            |name: &str| Node { outputs: vec![("a".to_owned(), "bigint".to_owned())], ..Node::new(name, vec![]) };
        let mut root = Node::new("InnerJoin", vec![leaf("TableScan"), leaf("Values")]).with("criteria", "(a = b)");
        root.estimate = Some(Estimate { rows: Some(3), bytes: None });
        let expected = "InnerJoin[criteria = (a = b)]\n\
                        │   Layout: []\n\
                        │   Estimates: {rows: 3 (?), cpu: ?, memory: ?, network: ?}\n\
                        ├─ TableScan[]\n\
                        │      Layout: [a:bigint]\n\
                        └─ Values[]\n       Layout: [a:bigint]\n";
        assert_eq!(tree(&root), expected);
    }
}
