//! Tokens → the tree as it is written, by operator precedence.

use super::lexer::{Lexer, Token};
use super::raw::{Raw, RawKind};
use super::signature::Signature;
use super::{MAX_NESTING, Operator};

type Result<T = Raw> = std::result::Result<T, String>;

pub(super) fn parse(text: &str) -> Result {
    let mut parser = Parser { lexer: Lexer::new(text), token: Token::End, depth: 0 };
    parser.advance()?;
    let root = parser.expression(0)?;
    match &parser.token {
        Token::End => Ok(root),
        other => Err(format!("S0201: Syntax error: \"{}\"", other.shown())),
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    token: Token,
    depth: usize,
}

/// How strongly an operator binds what stands left of it.
fn strength(token: &Token) -> u8 {
    let Token::Operator(operator) = token else { return 0 };
    match *operator {
        "[" | "(" | "@" | "#" => 80,
        "." => 75,
        "{" => 70,
        "*" | "/" | "%" => 60,
        "+" | "-" | "&" => 50,
        "=" | "!=" | "<" | "<=" | ">" | ">=" | "^" | "~>" | "in" => 40,
        "and" => 30,
        "or" => 25,
        "?" => 20,
        ":=" => 10,
        _ => 0,
    }
}

fn binary(operator: &str) -> Option<Operator> {
    Some(match operator {
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" => Operator::Remainder,
        "=" => Operator::Equal,
        "!=" => Operator::Different,
        "<" => Operator::Less,
        "<=" => Operator::AtMost,
        ">" => Operator::More,
        ">=" => Operator::AtLeast,
        "&" => Operator::Concatenate,
        "and" => Operator::And,
        "or" => Operator::Or,
        "in" => Operator::In,
        _ => return None,
    })
}

impl Parser<'_> {
    /// The next token, after an operator.
    fn advance(&mut self) -> Result<()> {
        self.next(false)
    }

    fn next(&mut self, infix: bool) -> Result<()> {
        self.token = self.lexer.next(infix)?;
        match &self.token {
            Token::Operator(operator @ ("!" | "~")) => Err(format!("S0204: Unknown operator: \"{operator}\"")),
            _ => Ok(()),
        }
    }

    /// Goes past `operator`, which must stand here.
    fn past(&mut self, operator: &str, infix: bool) -> Result<()> {
        match &self.token {
            token if token.is(operator) => self.next(infix),
            Token::End => Err(format!("S0203: Expected \"{operator}\" before end of expression")),
            other => Err(format!("S0202: Expected \"{operator}\", got \"{}\"", other.shown())),
        }
    }

    fn expression(&mut self, bound: u8) -> Result {
        let outer = self.depth;
        self.deeper()?;
        let parsed = stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
            let token = std::mem::replace(&mut self.token, Token::End);
            self.next(true)?;
            let mut left = self.operand(token)?;
            while bound < strength(&self.token) {
                // What stands left is one level deeper with every operator.
                self.deeper()?;
                let Token::Operator(operator) = std::mem::replace(&mut self.token, Token::End) else { break };
                self.advance()?;
                left = self.infix(operator, left)?;
            }
            Ok(left)
        });
        self.depth = outer;
        parsed
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err("Stack overflow error: the expression is nested too deeply".into());
        }
        Ok(())
    }

    fn boxed(&mut self, bound: u8) -> Result<Box<Raw>> {
        self.expression(bound).map(Box::new)
    }

    /// What an operand that starts with `token` is.
    fn operand(&mut self, token: Token) -> Result {
        let operator = match token {
            Token::End => return Ok(RawKind::End.into()),
            Token::Number(number) => return Ok(RawKind::Number(number).into()),
            Token::Integer(integer) => return Ok(RawKind::Integer(integer).into()),
            Token::String(text) => return Ok(RawKind::String(text).into()),
            Token::Name(name) => return Ok(RawKind::Name(name).into()),
            Token::Variable(name) => return Ok(RawKind::Variable(name).into()),
            Token::Bool(value) => return Ok(RawKind::Bool(value).into()),
            Token::Null => return Ok(RawKind::Null.into()),
            Token::Regex(pattern) => return Ok(RawKind::Regex(pattern).into()),
            Token::Operator(operator) => operator,
        };
        let kind = match operator {
            "and" | "or" | "in" => RawKind::Name(operator.to_owned()),
            "*" => RawKind::Wildcard,
            "**" => RawKind::Descendants,
            "%" => RawKind::Parent,
            "-" => RawKind::Negate(self.boxed(70)?),
            "(" => self.block()?,
            "[" => self.array()?,
            "{" => RawKind::Object(self.pairs()?),
            "|" => self.transform()?,
            other => return Err(format!("S0211: The symbol \"{other}\" cannot be used as a unary operator")),
        };
        Ok(kind.into())
    }

    fn infix(&mut self, operator: &'static str, left: Raw) -> Result {
        let of = Box::new(left);
        Ok(match operator {
            "." => RawKind::Dot(of, self.boxed(75)?),
            "[" => return self.index(of),
            "(" => return self.call(of),
            "{" => RawKind::Group(of, self.pairs()?),
            "^" => RawKind::Sort(of, self.terms()?),
            "?" => {
                let then = self.boxed(0)?;
                let otherwise = if self.token.is(":") {
                    self.advance()?;
                    Some(self.boxed(0)?)
                } else {
                    None
                };
                RawKind::Condition(of, then, otherwise)
            }
            ":=" => match of.kind {
                RawKind::Variable(name) => RawKind::Bind(name, self.boxed(9)?),
                _ => return Err("S0212: The left side of := must be a variable name (start with $)".into()),
            },
            "@" => RawKind::Focus(of, self.bound_name("@")?),
            "#" => RawKind::Position(of, self.bound_name("#")?),
            "~>" => RawKind::Apply(of, self.boxed(40)?),
            other => match binary(other) {
                Some(operator) => RawKind::Binary(operator, of, self.boxed(strength(&Token::Operator(other)))?),
                None => return Err(format!("S0204: Unknown operator: \"{other}\"")),
            },
        }
        .into())
    }

    fn bound_name(&mut self, operator: &str) -> Result<String> {
        match self.expression(80)?.kind {
            RawKind::Variable(name) => Ok(name),
            _ => Err(format!("S0214: The right side of \"{operator}\" must be a variable name (start with $)")),
        }
    }

    fn block(&mut self) -> Result<RawKind> {
        let mut expressions = Vec::new();
        while !self.token.is(")") {
            expressions.push(self.expression(0)?);
            if !self.token.is(";") {
                break;
            }
            self.advance()?;
        }
        self.past(")", true)?;
        Ok(RawKind::Block(expressions))
    }

    fn array(&mut self) -> Result<RawKind> {
        let mut items = Vec::new();
        while !self.token.is("]") || !items.is_empty() {
            let mut item = self.expression(0)?;
            if self.token.is("..") {
                self.advance()?;
                item = RawKind::Binary(Operator::Range, Box::new(item), self.boxed(0)?).into();
            }
            items.push(item);
            if !self.token.is(",") {
                break;
            }
            self.advance()?;
        }
        self.past("]", true)?;
        Ok(RawKind::Array(items))
    }

    fn pairs(&mut self) -> Result<Vec<(Raw, Raw)>> {
        let mut pairs = Vec::new();
        while !self.token.is("}") || !pairs.is_empty() {
            let key = self.expression(0)?;
            self.past(":", false)?;
            pairs.push((key, self.expression(0)?));
            if !self.token.is(",") {
                break;
            }
            self.advance()?;
        }
        self.past("}", true)?;
        Ok(pairs)
    }

    fn terms(&mut self) -> Result<Vec<(bool, Raw)>> {
        self.past("(", false)?;
        let mut terms = Vec::new();
        loop {
            let descending = self.token.is(">");
            if descending || self.token.is("<") {
                self.advance()?;
            }
            terms.push((descending, self.expression(0)?));
            if !self.token.is(",") {
                break;
            }
            self.advance()?;
        }
        self.past(")", false)?;
        Ok(terms)
    }

    fn transform(&mut self) -> Result<RawKind> {
        let pattern = self.boxed(0)?;
        self.past("|", false)?;
        let update = self.boxed(0)?;
        let delete = if self.token.is(",") {
            self.advance()?;
            Some(self.boxed(0)?)
        } else {
            None
        };
        self.past("|", false)?;
        Ok(RawKind::Transform(pattern, update, delete))
    }

    /// `[…]`, or `[]`, which marks what all the `[…]` before it belong to.
    fn index(&mut self, mut of: Box<Raw>) -> Result {
        if !self.token.is("]") {
            let predicate = self.boxed(0)?;
            self.past("]", true)?;
            return Ok(RawKind::Index(of, predicate).into());
        }
        let mut step = &mut *of;
        while matches!(step.kind, RawKind::Index(..)) {
            let RawKind::Index(inner, _) = &mut step.kind else { break };
            step = inner;
        }
        step.keep = true;
        self.advance()?;
        Ok(*of)
    }

    fn call(&mut self, of: Box<Raw>) -> Result {
        let mut arguments = Vec::new();
        while !self.token.is(")") || !arguments.is_empty() {
            if self.token.is("?") {
                self.advance()?;
                arguments.push(None);
            } else {
                arguments.push(Some(self.expression(0)?));
            }
            if !self.token.is(",") {
                break;
            }
            self.advance()?;
        }
        self.past(")", true)?;
        match &of.kind {
            RawKind::Name(name) if name == "function" || name == "λ" => self.lambda(arguments),
            _ => Ok(RawKind::Call(of, arguments).into()),
        }
    }

    fn lambda(&mut self, arguments: Vec<Option<Raw>>) -> Result {
        let mut parameters = Vec::with_capacity(arguments.len());
        for (at, argument) in arguments.into_iter().enumerate() {
            match argument.map(|argument| argument.kind) {
                Some(RawKind::Variable(name)) => parameters.push(name),
                _ => {
                    return Err(format!(
                        "S0208: Parameter {} of function definition must be a variable name (start with $)",
                        at + 1
                    ));
                }
            }
        }
        let signature = if self.token.is("<") { Some(self.signature()?) } else { None };
        self.past("{", false)?;
        let body = self.boxed(0)?;
        self.past("}", false)?;
        Ok(RawKind::Lambda(parameters, signature, body).into())
    }

    fn signature(&mut self) -> Result<Signature> {
        let (mut depth, mut text) = (1, "<".to_owned());
        while depth > 0 && !self.token.is("{") && !matches!(self.token, Token::End) {
            self.advance()?;
            if self.token.is(">") {
                depth -= 1;
            } else if self.token.is("<") {
                depth += 1;
            }
            text.push_str(&self.token.shown());
        }
        self.past(">", false)?;
        Signature::parse(&text)
    }
}
