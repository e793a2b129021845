//! The path language of SQL/JSON: `lax $.a[*] ? (@ > 1)`.

use super::item::Item;

/// How deep a path may be nested.
const DEEPEST: usize = 200;

/// A path with its mode.
#[derive(Debug)]
pub(super) struct Path {
    /// Structural errors are errors.
    pub(super) strict: bool,
    /// What is looked for.
    pub(super) root: Node,
}

/// A step's result is a sequence of items.
#[derive(Debug)]
pub(super) enum Node {
    /// `$`
    Context,
    /// `$name`
    Variable(String),
    /// `@`
    Current,
    /// `last`
    Last,
    Literal(Item),
    Member(Box<Node>, String),
    /// `.*`
    Members(Box<Node>),
    /// `..name`
    Descendants(Box<Node>, String),
    /// `[1, 3 to last]`
    Elements(Box<Node>, Vec<(Node, Option<Node>)>),
    /// `[*]`
    AllElements(Box<Node>),
    Filter(Box<Node>, Box<Predicate>),
    Method(Box<Node>, Method),
    /// `-` of a value
    Negative(Box<Node>),
    Arithmetic(char, Box<Node>, Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Method {
    Type,
    Size,
    Double,
    Ceiling,
    Floor,
    Abs,
    KeyValue,
}

/// True, false or unknown.
#[derive(Debug)]
pub(super) enum Predicate {
    Compare(&'static str, Node, Node),
    And(Box<Predicate>, Box<Predicate>),
    Or(Box<Predicate>, Box<Predicate>),
    Not(Box<Predicate>),
    Exists(Node),
    IsUnknown(Box<Predicate>),
    StartsWith(Node, Node),
}

/// What is wrong with a path.
#[derive(Debug)]
pub(super) struct PathError {
    /// After how many characters; none if it is known and not done.
    pub(super) at: Option<usize>,
    /// What it is.
    pub(super) message: String,
}

impl PathError {
    fn not_supported(message: impl Into<String>) -> Self {
        Self { at: None, message: message.into() }
    }
}

impl Path {
    /// # Errors
    /// What is wrong, and where.
    pub(super) fn parse(text: &str) -> Result<Self, PathError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let strict = match parser.peek_word() {
            "lax" => false,
            "strict" => true,
            _ => return Err(parser.without_mode()),
        };
        parser.word();
        let root = parser.sum()?;
        match parser.rest().is_empty() {
            true => Ok(Self { strict, root }),
            false => Err(parser.unexpected()),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, PathError>;

/// What an operand may begin with.
const OPERANDS: &str = "{'+', '(', '$', '@', 'false', 'last', '-', 'null', 'true', DECIMAL_VALUE, DOUBLE_VALUE, \
                        INTEGER_VALUE, STRING, NAMED_VARIABLE}";

impl<'a> Parser<'a> {
    /// What is left, without blanks in front.
    fn rest(&mut self) -> &'a str {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        rest
    }

    fn error(&mut self, message: String) -> PathError {
        let rest = self.rest().len();
        let at = self.text[..self.text.len() - rest].chars().count();
        PathError { at: Some(at), message }
    }

    /// The word or the character that comes.
    fn next_token(&mut self) -> String {
        match (self.peek_word(), self.rest().chars().next()) {
            ("", None) => "<EOF>".to_owned(),
            ("", Some(letter)) => letter.to_string(),
            (word, _) => word.to_owned(),
        }
    }

    fn unexpected(&mut self) -> PathError {
        let token = self.next_token();
        self.error(format!("mismatched input '{token}'"))
    }

    fn no_operand(&mut self) -> PathError {
        let token = self.next_token();
        self.error(format!("mismatched input '{token}' expecting {OPERANDS}"))
    }

    /// A path begins with its mode; where the rest could be one, that alone is missing.
    fn without_mode(&mut self) -> PathError {
        let token = self.next_token();
        match token.as_str() {
            "$" | "@" | "(" | "+" | "-" => self.error(format!("missing {{'lax', 'strict'}} at '{token}'")),
            _ => self.error(format!("mismatched input '{token}' expecting {{'lax', 'strict'}}")),
        }
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let there = self.rest().starts_with(symbol);
        self.at += if there { symbol.len() } else { 0 };
        there
    }

    fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.accept(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The name that comes next, without taking it; empty if none does.
    fn peek_word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        &rest[..end]
    }

    fn word(&mut self) -> &'a str {
        let word = self.peek_word();
        self.at += word.len();
        word
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let there = self.peek_word() == word;
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(PathError::not_supported("the path is nested too deep"));
        }
        let parsed = rule(self);
        self.depth -= 1;
        parsed
    }

    fn sum(&mut self) -> Parsed<Node> {
        let mut left = self.product()?;
        loop {
            let Some(sign) = ['+', '-'].into_iter().find(|sign| self.accept(&sign.to_string())) else {
                return Ok(left);
            };
            left = Node::Arithmetic(sign, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Parsed<Node> {
        let mut left = self.signed()?;
        loop {
            let Some(sign) = ['*', '/', '%'].into_iter().find(|sign| self.accept(&sign.to_string())) else {
                return Ok(left);
            };
            left = Node::Arithmetic(sign, Box::new(left), Box::new(self.signed()?));
        }
    }

    fn signed(&mut self) -> Parsed<Node> {
        if self.accept("-") {
            return Ok(Node::Negative(Box::new(self.nested(Self::signed)?)));
        }
        if self.accept("+") {
            return self.nested(Self::signed);
        }
        let mut node = self.primary()?;
        while let Some(next) = self.step(&mut node)? {
            node = next;
        }
        Ok(node)
    }

    fn primary(&mut self) -> Parsed<Node> {
        if self.accept("$") {
            let unspaced = self.text[self.at..].starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
            return Ok(if unspaced { Node::Variable(self.word().to_owned()) } else { Node::Context });
        }
        if self.accept("@") {
            return Ok(Node::Current);
        }
        if self.accept("(") {
            let inner = self.nested(Self::sum)?;
            self.expect(")")?;
            return Ok(inner);
        }
        let rest = self.rest();
        if rest.starts_with('"') {
            return self.quoted().map(|text| Node::Literal(Item::Text(text)));
        }
        if rest.starts_with(|letter: char| letter.is_ascii_digit()) {
            return self.number();
        }
        let node = match self.peek_word() {
            "last" => Node::Last,
            "null" => Node::Literal(Item::Null),
            "true" => Node::Literal(Item::Boolean(true)),
            "false" => Node::Literal(Item::Boolean(false)),
            _ => return Err(self.no_operand()),
        };
        self.word();
        Ok(node)
    }

    fn number(&mut self) -> Parsed<Node> {
        let rest = self.rest();
        let mut end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let fraction = rest[end..].strip_prefix('.').map_or(0, |after| {
            let digits = after.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(after.len());
            if digits > 0 { digits + 1 } else { 0 }
        });
        end += fraction;
        if let Some(after) = rest[end..].strip_prefix(['e', 'E']) {
            let unsigned = after.trim_start_matches(['+', '-']);
            let digits = unsigned.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(unsigned.len());
            end += if digits > 0 { 1 + after.len() - unsigned.len() + digits } else { 0 };
        }
        let number = &rest[..end];
        self.at += end;
        let item = number.parse().map(Item::Whole).or_else(|_| number.parse().map(Item::Double));
        item.map(Node::Literal).map_err(|_| self.unexpected())
    }

    /// A text in double quotes, with JSON's escapes.
    fn quoted(&mut self) -> Parsed<String> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, letter)| {
            let closes = *letter == '"' && !escaped;
            escaped = *letter == '\\' && !escaped;
            closes
        });
        let Some((end, _)) = end else { return Err(self.unexpected()) };
        let text = serde_json::from_str(&rest[..=end]).map_err(|_| self.unexpected())?;
        self.at += end + 1;
        Ok(text)
    }

    /// The next accessor, filter or method; none if there is none.
    fn step(&mut self, node: &mut Node) -> Parsed<Option<Node>> {
        let mut base = || Box::new(std::mem::replace(node, Node::Context));
        if self.accept("..") {
            let name = self.name()?;
            return Ok(Some(Node::Descendants(base(), name)));
        }
        if self.accept(".") {
            if self.accept("*") {
                return Ok(Some(Node::Members(base())));
            }
            let name = self.name()?;
            if !self.rest().starts_with('(') {
                return Ok(Some(Node::Member(base(), name)));
            }
            let method = self.method(&name)?;
            return Ok(Some(Node::Method(base(), method)));
        }
        if self.accept("[") {
            let elements = match self.accept("*") {
                true => Node::AllElements(base()),
                false => Node::Elements(base(), self.nested(Self::subscripts)?),
            };
            self.expect("]")?;
            return Ok(Some(elements));
        }
        if self.accept("?") {
            self.expect("(")?;
            let predicate = self.nested(Self::either)?;
            self.expect(")")?;
            return Ok(Some(Node::Filter(base(), Box::new(predicate))));
        }
        Ok(None)
    }

    fn name(&mut self) -> Parsed<String> {
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        match self.word() {
            "" => Err(self.unexpected()),
            word => Ok(word.to_owned()),
        }
    }

    fn method(&mut self, name: &str) -> Parsed<Method> {
        let method = match name {
            "type" => Method::Type,
            "size" => Method::Size,
            "double" => Method::Double,
            "ceiling" => Method::Ceiling,
            "floor" => Method::Floor,
            "abs" => Method::Abs,
            "keyvalue" => Method::KeyValue,
            _ => return Err(PathError::not_supported(format!("{name} method in JSON path is not yet supported"))),
        };
        self.expect("(")?;
        self.expect(")")?;
        Ok(method)
    }

    fn subscripts(&mut self) -> Parsed<Vec<(Node, Option<Node>)>> {
        let mut all = Vec::new();
        loop {
            let from = self.sum()?;
            let to = if self.accept_word("to") { Some(self.sum()?) } else { None };
            all.push((from, to));
            if !self.accept(",") {
                return Ok(all);
            }
        }
    }

    fn either(&mut self) -> Parsed<Predicate> {
        let mut left = self.both()?;
        while self.accept("||") {
            left = Predicate::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Parsed<Predicate> {
        let mut left = self.predicate()?;
        while self.accept("&&") {
            left = Predicate::And(Box::new(left), Box::new(self.predicate()?));
        }
        Ok(left)
    }

    fn predicate(&mut self) -> Parsed<Predicate> {
        if !self.rest().starts_with("!=") && self.accept("!") {
            return Ok(Predicate::Not(Box::new(self.nested(Self::predicate)?)));
        }
        if self.accept_word("exists") {
            self.expect("(")?;
            let path = self.nested(Self::sum)?;
            self.expect(")")?;
            return Ok(Predicate::Exists(path));
        }
        if self.rest().starts_with('(') {
            let before = self.at;
            self.accept("(");
            // A predicate in parentheses, unless it turns out to be a value.
            if let Ok(inner) = self.nested(Self::either)
                && self.accept(")")
            {
                if self.accept_word("is") {
                    return match self.accept_word("unknown") {
                        true => Ok(Predicate::IsUnknown(Box::new(inner))),
                        false => Err(self.unexpected()),
                    };
                }
                return Ok(inner);
            }
            self.at = before;
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed<Predicate> {
        let left = self.nested(Self::sum)?;
        if self.accept_word("starts") {
            if !self.accept_word("with") {
                return Err(self.unexpected());
            }
            return Ok(Predicate::StartsWith(left, self.primary()?));
        }
        if self.peek_word() == "like_regex" {
            return Err(PathError::not_supported("like_regex predicate in JSON path is not yet supported"));
        }
        let operators =
            [("==", "="), ("=", "="), ("<>", "<>"), ("!=", "<>"), ("<=", "<="), (">=", ">="), ("<", "<"), (">", ">")];
        let operator = operators.into_iter().find(|(symbol, _)| self.accept(symbol));
        let Some((_, operator)) = operator else { return Err(self.unexpected()) };
        Ok(Predicate::Compare(operator, left, self.nested(Self::sum)?))
    }
}
