//! Evaluates paths.

use std::cmp::Ordering;

use super::item::Item;
use super::path::{Method, Node, Path, Predicate};

/// What went wrong while a path was followed.
pub(super) type Failure = String;
type Sequence = Result<Vec<Item>, Failure>;

/// Where a path is evaluated.
#[derive(Clone, Copy)]
struct Place<'a> {
    strict: bool,
    root: &'a Item,
    variables: &'a [(String, Item)],
    /// `@`
    current: Option<&'a Item>,
    /// The last index of the array whose elements are chosen.
    last: Option<i64>,
}

/// Everything that a path leads to.
pub(super) fn evaluate(path: &Path, root: &Item, variables: &[(String, Item)]) -> Sequence {
    Place { strict: path.strict, root, variables, current: None, last: None }.follow(&path.root)
}

fn structural(what: impl std::fmt::Display) -> Failure {
    format!("structural error: {what}")
}

impl Place<'_> {
    fn follow(self, node: &Node) -> Sequence {
        match node {
            Node::Context => Ok(vec![self.root.clone()]),
            Node::Variable(name) => {
                let found = self.variables.iter().find(|(known, _)| known == name);
                found.map(|(_, item)| vec![item.clone()]).ok_or_else(|| format!("no value passed for parameter {name}"))
            }
            Node::Current => match self.current {
                Some(item) => Ok(vec![item.clone()]),
                None => Err("@ is only known inside a filter".to_owned()),
            },
            Node::Last => match self.last {
                Some(last) => Ok(vec![Item::Whole(last)]),
                None => Err("last is only known inside a subscript".to_owned()),
            },
            Node::Literal(item) => Ok(vec![item.clone()]),
            Node::Member(base, name) => self.members(base, Some(name)),
            Node::Members(base) => self.members(base, None),
            Node::Descendants(base, name) => {
                let mut found = Vec::new();
                self.follow(base)?.iter().for_each(|item| descend(item, name, &mut found));
                Ok(found)
            }
            Node::Elements(base, subscripts) => self.elements(base, subscripts),
            Node::AllElements(base) => {
                let mut all = Vec::new();
                for item in self.follow(base)? {
                    match item {
                        Item::Array(items) => all.extend(items),
                        other if self.strict => return Err(not_a("ARRAY", &other)),
                        other => all.push(other),
                    }
                }
                Ok(all)
            }
            Node::Filter(base, predicate) => {
                let items = self.unwrapped(base)?;
                Ok(items.into_iter().filter(|item| self.with(item).holds(predicate) == Some(true)).collect())
            }
            Node::Method(base, method) => self.method(base, *method),
            Node::Negative(base) => self.unwrapped(base)?.into_iter().map(negative).collect(),
            Node::Arithmetic(sign, left, right) => {
                let (left, right) = (self.single(left)?, self.single(right)?);
                arithmetic(*sign, &left, &right).map(|item| vec![item])
            }
        }
    }

    fn with<'b>(self, item: &'b Item) -> Place<'b>
    where
        Self: 'b,
    {
        let Place { strict, root, variables, last, .. } = self;
        Place { strict, root, variables, current: Some(item), last }
    }

    /// The items, and in the lax mode the elements of arrays in their place.
    fn unwrapped(self, node: &Node) -> Sequence {
        let items = self.follow(node)?;
        if self.strict {
            return Ok(items);
        }
        let elements = |item| match item {
            Item::Array(items) => items,
            other => vec![other],
        };
        Ok(items.into_iter().flat_map(elements).collect())
    }

    fn single(self, node: &Node) -> Result<Item, Failure> {
        let mut items = self.unwrapped(node)?.into_iter();
        match (items.next(), items.next()) {
            (Some(item), None) => Ok(item),
            _ => Err("an arithmetic operation takes one value on each side".to_owned()),
        }
    }

    /// The member of a name, or all members.
    fn members(self, base: &Node, name: Option<&String>) -> Sequence {
        let mut found = Vec::new();
        for item in self.unwrapped(base)? {
            let members = match item {
                Item::Object(members) => members,
                other if self.strict => return Err(not_a("OBJECT", &other)),
                _ => continue,
            };
            let before = found.len();
            found.extend(
                members.into_iter().filter(|(key, _)| name.is_none_or(|name| key == name)).map(|(_, item)| item),
            );
            if let Some(name) = name.filter(|_| self.strict && found.len() == before) {
                return Err(structural(format_args!("missing member '{name}' in JSON object")));
            }
        }
        Ok(found)
    }

    fn elements(self, base: &Node, subscripts: &[(Node, Option<Node>)]) -> Sequence {
        let mut found = Vec::new();
        for item in self.follow(base)? {
            let items = match item {
                Item::Array(items) => items,
                other if self.strict => return Err(not_a("ARRAY", &other)),
                other => vec![other],
            };
            let size = items.len() as i64;
            let inside = Place { last: Some(size - 1), ..self };
            for (from, to) in subscripts {
                let from = index(&inside.single(from)?)?;
                let to = to.as_ref().map(|to| index(&inside.single(to)?)).transpose()?.unwrap_or(from);
                if self.strict && (from < 0 || to >= size || from > to) {
                    return Err(structural(format_args!(
                        "invalid array subscript: [{from}, {to}] for array of size {size}"
                    )));
                }
                found.extend((from.max(0)..=to.min(size - 1)).map(|index| items[index as usize].clone()));
            }
        }
        Ok(found)
    }

    fn method(self, base: &Node, method: Method) -> Sequence {
        if let Method::Type | Method::Size = method {
            let measure = |item: Item| match (method, item) {
                (Method::Type, item) => Ok(Item::Text(item.kind().to_owned())),
                (_, Item::Array(items)) => Ok(Item::Whole(items.len() as i64)),
                (_, other) if self.strict => Err(not_a("ARRAY", &other)),
                _ => Ok(Item::Whole(1)),
            };
            return self.follow(base)?.into_iter().map(measure).collect();
        }
        let mut results = Vec::new();
        for (id, item) in (0..).zip(self.unwrapped(base)?) {
            match (method, item) {
                (Method::KeyValue, Item::Object(members)) => {
                    results.extend(members.into_iter().map(|(name, value)| {
                        let members = [("name", Item::Text(name)), ("value", value), ("id", Item::Whole(id))];
                        Item::Object(members.into_iter().map(|(name, item)| (name.to_owned(), item)).collect())
                    }))
                }
                (Method::KeyValue, other) => return Err(not_a("OBJECT", &other)),
                (Method::Double, Item::Text(text)) => {
                    let value = text.trim().parse().map_err(|_| format!("'{text}' is no number"))?;
                    results.push(Item::Double(value));
                }
                (Method::Double, Item::Whole(value)) => results.push(Item::Double(value as f64)),
                (Method::Abs, Item::Whole(value)) => {
                    results
                        .push(Item::Whole(value.checked_abs().ok_or_else(|| "the value is out of range".to_owned())?));
                }
                (_, Item::Whole(value)) => results.push(Item::Whole(value)),
                (Method::Abs, Item::Double(value)) => results.push(Item::Double(value.abs())),
                (Method::Ceiling, Item::Double(value)) => results.push(Item::Double(value.ceil())),
                (Method::Floor, Item::Double(value)) => results.push(Item::Double(value.floor())),
                (_, Item::Double(value)) => results.push(Item::Double(value)),
                (_, other) => return Err(not_a("NUMBER", &other)),
            }
        }
        Ok(results)
    }

    /// Whether a predicate holds; none if that is unknown.
    fn holds(self, predicate: &Predicate) -> Option<bool> {
        match predicate {
            Predicate::And(left, right) => match (self.holds(left), self.holds(right)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Predicate::Or(left, right) => match (self.holds(left), self.holds(right)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Predicate::Not(inner) => self.holds(inner).map(|held| !held),
            Predicate::IsUnknown(inner) => Some(self.holds(inner).is_none()),
            Predicate::Exists(path) => self.follow(path).ok().map(|items| !items.is_empty()),
            Predicate::StartsWith(whole, start) => self.any(whole, start, |whole, start| match (whole, start) {
                (Item::Text(whole), Item::Text(start)) => Some(whole.starts_with(start.as_str())),
                _ => None,
            }),
            Predicate::Compare(operator, left, right) => {
                self.any(left, right, |left, right| compare(operator, left, right))
            }
        }
    }

    /// Whether it holds for any pair: in the strict mode an unknown pair makes all unknown, in the lax mode what is found
    /// first decides.
    fn any(self, left: &Node, right: &Node, test: impl Fn(&Item, &Item) -> Option<bool>) -> Option<bool> {
        let (left, right) = (self.unwrapped(left).ok()?, self.unwrapped(right).ok()?);
        let (mut found, mut unknown) = (false, false);
        for left in &left {
            for right in &right {
                match test(left, right) {
                    Some(true) => found = true,
                    Some(false) => {}
                    None => unknown = true,
                }
                if !self.strict && (found || unknown) {
                    return found.then_some(true);
                }
            }
        }
        if unknown { None } else { Some(found) }
    }
}

fn not_a(wanted: &str, item: &Item) -> Failure {
    format!("invalid item type. Expected: {wanted}, actual: {}", item.kind().to_uppercase())
}

fn descend(item: &Item, name: &str, found: &mut Vec<Item>) {
    match item {
        Item::Object(members) => {
            found.extend(members.iter().filter(|(key, _)| key == name).map(|(_, item)| item.clone()));
            members.iter().for_each(|(_, item)| descend(item, name, found));
        }
        Item::Array(items) => items.iter().for_each(|item| descend(item, name, found)),
        _ => {}
    }
}

fn index(item: &Item) -> Result<i64, Failure> {
    match item {
        Item::Whole(index) => Ok(*index),
        Item::Double(index) => Ok(index.trunc() as i64),
        other => Err(not_a("NUMBER", other)),
    }
}

fn negative(item: Item) -> Result<Item, Failure> {
    match item {
        Item::Whole(value) => {
            value.checked_neg().map(Item::Whole).ok_or_else(|| "the value is out of range".to_owned())
        }
        Item::Double(value) => Ok(Item::Double(-value)),
        other => Err(not_a("NUMBER", &other)),
    }
}

fn arithmetic(sign: char, left: &Item, right: &Item) -> Result<Item, Failure> {
    if let (Item::Whole(left), Item::Whole(right)) = (left, right) {
        let value = match sign {
            '+' => left.checked_add(*right),
            '-' => left.checked_sub(*right),
            '*' => left.checked_mul(*right),
            _ if *right == 0 => return Err("division by zero".to_owned()),
            '/' => left.checked_div(*right),
            _ => left.checked_rem(*right),
        };
        return value.map(Item::Whole).ok_or_else(|| "the value is out of range".to_owned());
    }
    let number = |item: &Item| match item {
        Item::Whole(value) => Ok(*value as f64),
        Item::Double(value) => Ok(*value),
        other => Err(not_a("NUMBER", other)),
    };
    let (left, right) = (number(left)?, number(right)?);
    Ok(Item::Double(match sign {
        '+' => left + right,
        '-' => left - right,
        '*' => left * right,
        '/' => left / right,
        _ => left % right,
    }))
}

/// Two values of one kind; `null` equals only itself.
fn compare(operator: &str, left: &Item, right: &Item) -> Option<bool> {
    let order = match (left, right) {
        (Item::Null, Item::Null) => Ordering::Equal,
        (Item::Null, other) | (other, Item::Null) if !matches!(other, Item::Array(_) | Item::Object(_)) => {
            return match operator {
                "=" => Some(false),
                "<>" => Some(true),
                _ => None,
            };
        }
        (Item::Boolean(left), Item::Boolean(right)) => left.cmp(right),
        (Item::Text(left), Item::Text(right)) => left.cmp(right),
        (Item::Whole(left), Item::Whole(right)) => left.cmp(right),
        (Item::Whole(left), Item::Double(right)) => (*left as f64).partial_cmp(right)?,
        (Item::Double(left), Item::Whole(right)) => left.partial_cmp(&(*right as f64))?,
        (Item::Double(left), Item::Double(right)) => left.partial_cmp(right)?,
        _ => return None,
    };
    Some(match operator {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, json: &str) -> String {
        let path = match Path::parse(path) {
            Ok(path) => path,
            Err(error) => return format!("path: {}", error.message),
        };
        let variables = vec![("x".to_owned(), Item::Whole(2))];
        match evaluate(&path, &Item::parse(json).unwrap(), &variables) {
            Ok(items) => Item::Array(items).to_json(),
            Err(error) => error,
        }
    }

    #[test]
    fn steps() {
        let json = r#"{"b": 1, "a": [{"c": 2}, {"c": 3}, 4]}"#;
        for (path, expected) in [
            ("lax $.a.c", "[2,3]"),
            ("lax $.a[1 to last]", r#"[{"c":3},4]"#),
            ("lax $.a[0, 2].c", "[2]"),
            ("lax $.*", r#"[1,[{"c":2},{"c":3},4]]"#),
            ("lax $..c", "[2,3]"),
            ("lax $.b[0]", "[1]"),
            ("lax $.b[*]", "[1]"),
            ("lax $.nope", "[]"),
            ("strict $.nope", "structural error: missing member 'nope' in JSON object"),
            ("strict $.a[7]", "structural error: invalid array subscript: [7, 7] for array of size 3"),
            (r#"lax $."b""#, "[1]"),
            ("lax $.a[last - 1].c * 2 + 1", "[7]"),
            ("lax -$.b", "[-1]"),
            ("lax $.a.size()", "[3]"),
            ("lax $.type()", r#"["object"]"#),
            ("lax $.a[0].keyvalue()", r#"[{"name":"c","value":2,"id":0}]"#),
            ("$.a", "path: missing {'lax', 'strict'} at '$'"),
            ("lax $.", "path: mismatched input '<EOF>'"),
        ] {
            assert_eq!(found(path, json), expected, "{path}");
        }
    }

    #[test]
    fn filters() {
        let json = r#"[1, 2, "abc", null, [5], {"k": true}]"#;
        for (path, expected) in [
            ("lax $ ? (@ == 2)", "[2]"),
            ("lax $[*] ? (@ >= $x)", "[2,5]"),
            (r#"lax $[*] ? (@ starts with "ab")"#, r#"["abc"]"#),
            ("lax $[*] ? (exists(@.k))", r#"[{"k":true}]"#),
            ("lax $[*] ? (@ == null)", "[null]"),
            ("lax $[*] ? (@ > 1 && @ < 3 || @ == 1)", "[1,2]"),
            ("lax $[*] ? (!(@ == 1) && @ < 9)", "[2,5]"),
            ("lax $[*] ? ((@ > 1) is unknown)", r#"["abc",null,{"k":true}]"#),
        ] {
            assert_eq!(found(path, json), expected, "{path}");
        }
    }
}
