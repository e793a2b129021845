//! Tokens → syntax tree, by binding powers.

use std::sync::Arc;

use super::lexer::{Lexer, Token};

/// Expressions within expressions; deeper text is refused.
const MAX_NESTING: usize = 200;

#[derive(Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Regex(regex::Regex),
    Variable(String),
    Name(String),
    Wildcard,
    Descendants,
    Path { steps: Vec<Step>, keep: bool },
    Array(Vec<Node>),
    Range(Box<Node>, Box<Node>),
    Object(Vec<(Node, Node)>),
    Group(Box<Node>, Vec<(Node, Node)>),
    Filter { of: Box<Node>, stages: Vec<Stage>, keep: bool },
    Negate(Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    Condition(Box<Node>, Box<Node>, Option<Box<Node>>),
    Default(Box<Node>, Box<Node>),
    Coalesce(Box<Node>, Box<Node>),
    Bind(String, Box<Node>),
    Block(Vec<Node>),
    Lambda { parameters: Arc<Vec<String>>, body: Arc<Node> },
    Call(Box<Node>, Vec<Node>),
    Partial(Box<Node>, Vec<Option<Node>>),
    Apply(Box<Node>, Box<Node>),
    Sort(Vec<(Node, bool)>),
    Transform { pattern: Arc<Node>, update: Arc<Node>, delete: Option<Arc<Node>> },
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) node: Node,
    pub(super) stages: Vec<Stage>,
}

#[derive(Debug)]
pub(super) enum Stage {
    Index(f64),
    Predicate(Node),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Concatenate,
    Equal,
    Different,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    And,
    Or,
}

pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut parser = Parser { lexer: Lexer { text }, at: 0, depth: 0 };
    let node = parser.expression(0)?;
    match parser.peek(false)? {
        Token::End => Ok(node),
        other => Err(format!("S0201: Syntax error: {}", shown(&other))),
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    at: usize,
    depth: usize,
}

fn shown(token: &Token) -> String {
    match token {
        Token::Number(number) => number.to_string(),
        Token::String(text) => format!("\"{text}\""),
        Token::Name(name) => name.clone(),
        Token::Variable(name) => format!("${name}"),
        Token::Regex(pattern, _) => format!("/{pattern}/"),
        Token::Operator(operator) => (*operator).to_owned(),
        Token::End => "(end)".into(),
    }
}

fn power(token: &Token) -> u8 {
    match token {
        Token::Operator(operator) => match *operator {
            "[" | "(" | "@" | "#" => 80,
            "." => 75,
            "{" => 70,
            "*" | "/" | "%" => 60,
            "+" | "-" | "&" => 50,
            "=" | "!=" | "<" | ">" | "<=" | ">=" | "~>" | "^" | "?:" | "??" => 40,
            "?" | ".." => 20,
            ":=" => 10,
            _ => 0,
        },
        Token::Name(name) => match name.as_str() {
            "in" => 40,
            "and" => 30,
            "or" => 25,
            _ => 0,
        },
        _ => 0,
    }
}

fn binary(token: &Token) -> Option<Binary> {
    Some(match token {
        Token::Operator(operator) => match *operator {
            "+" => Binary::Add,
            "-" => Binary::Subtract,
            "*" => Binary::Multiply,
            "/" => Binary::Divide,
            "%" => Binary::Remainder,
            "&" => Binary::Concatenate,
            "=" => Binary::Equal,
            "!=" => Binary::Different,
            "<" => Binary::Less,
            "<=" => Binary::AtMost,
            ">" => Binary::More,
            ">=" => Binary::AtLeast,
            _ => return None,
        },
        Token::Name(name) => match name.as_str() {
            "in" => Binary::In,
            "and" => Binary::And,
            "or" => Binary::Or,
            _ => return None,
        },
        _ => return None,
    })
}

impl Parser<'_> {
    fn peek(&self, operand: bool) -> Result<Token, String> {
        self.lexer.token(self.at, operand).map(|(token, _)| token)
    }

    fn next(&mut self, operand: bool) -> Result<Token, String> {
        let (token, at) = self.lexer.token(self.at, operand)?;
        self.at = at;
        Ok(token)
    }

    fn eat(&mut self, operator: &'static str) -> Result<bool, String> {
        let (token, at) = self.lexer.token(self.at, false)?;
        let found = token == Token::Operator(operator);
        if found {
            self.at = at;
        }
        Ok(found)
    }

    fn expect(&mut self, operator: &'static str) -> Result<(), String> {
        match self.next(false)? {
            Token::Operator(found) if found == operator => Ok(()),
            Token::End => Err(format!("S0203: Expected {operator} before end of expression")),
            other => Err(format!("S0202: Expected {operator}, got {}", shown(&other))),
        }
    }

    fn expression(&mut self, least: u8) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err("U1001: Expression is nested too deeply".into());
        }
        let mut left = self.operand()?;
        loop {
            let token = self.peek(false)?;
            let power = power(&token);
            if power <= least {
                break;
            }
            self.next(false)?;
            left = self.infix(left, token, power)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Node, String> {
        Ok(match self.next(true)? {
            Token::Number(number) => Node::Number(number),
            Token::String(text) => Node::String(text),
            Token::Regex(pattern, flags) => {
                let pattern = if flags.is_empty() { pattern } else { format!("(?{flags}){pattern}") };
                Node::Regex(regex::Regex::new(&pattern).map_err(|error| format!("S0303: {error}"))?)
            }
            Token::Variable(name) => Node::Variable(name),
            Token::Name(name) => match name.as_str() {
                "true" => Node::Bool(true),
                "false" => Node::Bool(false),
                "null" => Node::Null,
                "function" | "λ" if self.peek(false)? == Token::Operator("(") => self.lambda()?,
                _ => path(vec![Step { node: Node::Name(name), stages: Vec::new() }]),
            },
            Token::Operator("-") => match self.expression(70)? {
                Node::Number(number) => Node::Number(-number),
                other => Node::Negate(Box::new(other)),
            },
            Token::Operator("*") => path(vec![Step { node: Node::Wildcard, stages: Vec::new() }]),
            Token::Operator("**") => path(vec![Step { node: Node::Descendants, stages: Vec::new() }]),
            Token::Operator("%") => return Err("the parent operator % is not supported".into()),
            Token::Operator("(") => self.block()?,
            Token::Operator("[") => self.array()?,
            Token::Operator("{") => Node::Object(self.pairs()?),
            Token::Operator("|") => self.transform()?,
            Token::End => return Err("S0207: Unexpected end of expression".into()),
            other => return Err(format!("S0211: The symbol {} cannot be used as a unary operator", shown(&other))),
        })
    }

    fn block(&mut self) -> Result<Node, String> {
        let mut expressions = Vec::new();
        while self.peek(true)? != Token::Operator(")") {
            expressions.push(self.expression(0)?);
            if !self.eat(";")? {
                break;
            }
        }
        self.expect(")")?;
        Ok(Node::Block(expressions))
    }

    fn array(&mut self) -> Result<Node, String> {
        let mut items = Vec::new();
        while self.peek(true)? != Token::Operator("]") {
            let item = self.expression(20)?;
            let item = if self.eat("..")? {
                Node::Range(Box::new(item), Box::new(self.expression(20)?))
            } else {
                self.lower(item)?
            };
            items.push(item);
            if !self.eat(",")? {
                break;
            }
        }
        self.expect("]")?;
        Ok(Node::Array(items))
    }

    /// Goes on with operators that bind weaker than a range.
    fn lower(&mut self, mut left: Node) -> Result<Node, String> {
        loop {
            let token = self.peek(false)?;
            let power = power(&token);
            if power == 0 || token == Token::Operator("..") {
                return Ok(left);
            }
            self.next(false)?;
            left = self.infix(left, token, power)?;
        }
    }

    fn pairs(&mut self) -> Result<Vec<(Node, Node)>, String> {
        let mut pairs = Vec::new();
        while self.peek(true)? != Token::Operator("}") {
            let name = self.expression(0)?;
            self.expect(":")?;
            pairs.push((name, self.expression(0)?));
            if !self.eat(",")? {
                break;
            }
        }
        self.expect("}")?;
        Ok(pairs)
    }

    fn transform(&mut self) -> Result<Node, String> {
        let pattern = Arc::new(self.expression(0)?);
        self.expect("|")?;
        let update = Arc::new(self.expression(0)?);
        let delete = if self.eat(",")? { Some(Arc::new(self.expression(0)?)) } else { None };
        self.expect("|")?;
        Ok(Node::Transform { pattern, update, delete })
    }

    fn lambda(&mut self) -> Result<Node, String> {
        self.expect("(")?;
        let mut parameters = Vec::new();
        while self.peek(true)? != Token::Operator(")") {
            match self.next(true)? {
                Token::Variable(name) => parameters.push(name),
                other => {
                    return Err(format!(
                        "S0208: Parameter of function definition must be a variable name: {}",
                        shown(&other)
                    ));
                }
            }
            if !self.eat(",")? {
                break;
            }
        }
        self.expect(")")?;
        if self.eat("<")? {
            self.signature()?;
        }
        self.expect("{")?;
        let body = self.expression(0)?;
        self.expect("}")?;
        Ok(Node::Lambda { parameters: Arc::new(parameters), body: Arc::new(body) })
    }

    /// A signature says what a caller may pass; it is read and not enforced.
    fn signature(&mut self) -> Result<(), String> {
        let rest = &self.lexer.text[self.at..];
        let mut depth = 1;
        for (offset, c) in rest.char_indices() {
            depth += match c {
                '<' => 1,
                '>' => -1,
                _ => 0,
            };
            if depth == 0 {
                self.at += offset + 1;
                return Ok(());
            }
        }
        Err("S0402: the signature is not closed".into())
    }

    fn infix(&mut self, left: Node, token: Token, power: u8) -> Result<Node, String> {
        if let Some(operator) = binary(&token) {
            let right = self.expression(power)?;
            return Ok(Node::Binary(operator, Box::new(left), Box::new(right)));
        }
        let Token::Operator(operator) = token else { return Err("S0201: Syntax error".into()) };
        match operator {
            "." => {
                let right = self.expression(power)?;
                Ok(join(left, right)?)
            }
            "[" => self.predicate(left),
            "(" => self.call(left),
            "{" => Ok(Node::Group(Box::new(left), self.pairs()?)),
            "^" => self.sort(left),
            "~>" => Ok(Node::Apply(Box::new(left), Box::new(self.expression(power)?))),
            "?:" => Ok(Node::Default(Box::new(left), Box::new(self.expression(power)?))),
            "??" => Ok(Node::Coalesce(Box::new(left), Box::new(self.expression(power)?))),
            "?" => {
                let then = Box::new(self.expression(0)?);
                let otherwise = if self.eat(":")? { Some(Box::new(self.expression(0)?)) } else { None };
                Ok(Node::Condition(Box::new(left), then, otherwise))
            }
            ":=" => match left {
                Node::Variable(name) => Ok(Node::Bind(name, Box::new(self.expression(power - 1)?))),
                _ => Err("S0212: The left side of := must be a variable name (start with $)".into()),
            },
            "@" => Err("the focus operator @ is not supported".into()),
            "#" => Err("the index operator # is not supported".into()),
            other => Err(format!("S0201: Syntax error: {other}")),
        }
    }

    fn predicate(&mut self, left: Node) -> Result<Node, String> {
        if self.eat("]")? {
            return Ok(match left {
                Node::Path { steps, .. } => Node::Path { steps, keep: true },
                Node::Filter { of, stages, .. } => Node::Filter { of, stages, keep: true },
                other => Node::Filter { of: Box::new(other), stages: Vec::new(), keep: true },
            });
        }
        let stage = match self.expression(0)? {
            Node::Number(index) => Stage::Index(index),
            other => Stage::Predicate(other),
        };
        self.expect("]")?;
        Ok(match left {
            Node::Path { mut steps, keep } => {
                if let Some(last) = steps.last_mut() {
                    last.stages.push(stage);
                }
                Node::Path { steps, keep }
            }
            Node::Filter { of, mut stages, keep } => {
                stages.push(stage);
                Node::Filter { of, stages, keep }
            }
            other => Node::Filter { of: Box::new(other), stages: vec![stage], keep: false },
        })
    }

    fn call(&mut self, function: Node) -> Result<Node, String> {
        let mut arguments = Vec::new();
        while self.peek(true)? != Token::Operator(")") {
            if self.peek(true)? == Token::Operator("?") {
                self.next(true)?;
                arguments.push(None);
            } else {
                arguments.push(Some(self.expression(0)?));
            }
            if !self.eat(",")? {
                break;
            }
        }
        self.expect(")")?;
        let function = Box::new(function);
        if arguments.iter().any(Option::is_none) {
            return Ok(Node::Partial(function, arguments));
        }
        Ok(Node::Call(function, arguments.into_iter().flatten().collect()))
    }

    fn sort(&mut self, left: Node) -> Result<Node, String> {
        self.expect("(")?;
        let mut terms = Vec::new();
        loop {
            let descending = match self.peek(true)? {
                Token::Operator(order @ ("<" | ">")) => {
                    self.next(true)?;
                    order == ">"
                }
                _ => false,
            };
            terms.push((self.expression(0)?, descending));
            if !self.eat(",")? {
                break;
            }
        }
        self.expect(")")?;
        let step = Step { node: Node::Sort(terms), stages: Vec::new() };
        Ok(match left {
            Node::Path { mut steps, keep } => {
                steps.push(step);
                Node::Path { steps, keep }
            }
            other => path(vec![Step { node: other, stages: Vec::new() }, step]),
        })
    }
}

fn path(steps: Vec<Step>) -> Node {
    Node::Path { steps, keep: false }
}

/// `left.right` as one path.
fn join(left: Node, right: Node) -> Result<Node, String> {
    let as_steps = |node: Node| match node {
        Node::Path { steps, keep } => Ok((steps, keep)),
        // A string in a path is the name of a member.
        Node::String(name) => Ok((vec![Step { node: Node::Name(name), stages: Vec::new() }], false)),
        Node::Filter { of, stages, keep } => Ok((vec![Step { node: *of, stages }], keep)),
        Node::Number(_) | Node::Bool(_) | Node::Null => {
            Err("S0213: The literal value cannot be used as a step within a path expression".to_owned())
        }
        other => Ok((vec![Step { node: other, stages: Vec::new() }], false)),
    };
    let (mut steps, keep) = as_steps(left)?;
    let (more, keep_right) = as_steps(right)?;
    steps.extend(more);
    Ok(Node::Path { steps, keep: keep || keep_right })
}
