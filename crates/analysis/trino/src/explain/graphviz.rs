//! A plan as a graph in the DOT language.

use std::fmt::Write;

use super::fragments::Fragment;
use super::node::Node;

/// A graph with a cluster for each fragment.
pub(super) fn graph(name: &str, fragments: &[Fragment]) -> String {
    let (mut text, mut edges, mut count) = (format!("digraph {name} {{\n"), String::new(), 0);
    let mut roots: Vec<usize> = Vec::new();
    let mut sources: Vec<(usize, usize)> = Vec::new();
    for fragment in fragments {
        let _ = writeln!(text, "subgraph cluster_{} {{\nlabel = \"{}\"", fragment.id, fragment.kind);
        roots.push(count + 1);
        draw(&fragment.root, &mut text, &mut edges, &mut count, &mut sources);
        text.push_str("}\n\n");
    }
    for (node, fragment) in sources {
        if let Some(root) = roots.get(fragment) {
            let _ = writeln!(edges, "plannode_{node} -> plannode_{root};");
        }
    }
    text.push_str(&edges);
    text.push_str("}\n");
    text
}

fn draw(
    node: &Node,
    text: &mut String,
    edges: &mut String,
    count: &mut usize,
    sources: &mut Vec<(usize, usize)>,
) -> usize {
    *count += 1;
    let id = *count;
    let details: Vec<String> = node.details.iter().map(|line| escaped(line)).collect();
    let _ = writeln!(
        text,
        "plannode_{id}[label=\"{{{}|{}}}\", style=\"rounded, filled\", shape=record, fillcolor=white];",
        escaped(&node.title()),
        details.join("\\n")
    );
    for (key, value) in &node.descriptor {
        let fragment = value.trim_matches(['[', ']']).parse();
        if let (&"sourceFragmentIds", Ok(fragment)) = (key, fragment) {
            sources.push((id, fragment));
        }
    }
    for child in &node.children {
        let below = draw(child, text, edges, count, sources);
        let _ = writeln!(edges, "plannode_{id} -> plannode_{below};");
    }
    id
}

/// Text inside a record's label.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '"' | '\\' | '{' | '}' | '|' | '<' | '>') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
