//! Signatures of functions: `<s-n?:s>`.

use crate::jsonata::value::Val;

/// Parameters of a signature: finding out which arguments are whose takes time exponential in it.
const MAX_PARAMETERS: usize = 16;

/// What a function takes.
#[derive(Debug, Clone)]
pub(in crate::jsonata) struct Signature {
    parameters: Vec<Parameter>,
}

#[derive(Debug, Clone)]
struct Parameter {
    kind: char,
    /// The symbols that fit, `m` for missing among them.
    fits: String,
    optional: bool,
    repeated: bool,
    context: bool,
    subtype: Option<String>,
}

impl Signature {
    /// Reads a signature with its angle brackets; what it returns is not looked at.
    pub(in crate::jsonata) fn parse(text: &str) -> Result<Self, String> {
        let symbols: Vec<char> = text.chars().collect();
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut at = 1;
        while at < symbols.len() && symbols[at] != ':' {
            match symbols[at] {
                kind @ ('s' | 'n' | 'b' | 'l' | 'o') => parameters.push(Parameter::new(kind, format!("{kind}m"))),
                kind @ ('a' | 'x') => parameters.push(Parameter::new(kind, "asnblfom".into())),
                'j' => parameters.push(Parameter::new('j', "asnblom".into())),
                'f' => parameters.push(Parameter::new('f', "f".into())),
                '(' => {
                    let end = closing(&symbols, at, '(', ')');
                    let choice: String = symbols[at + 1..end].iter().collect();
                    if choice.contains('<') {
                        return Err("S0402: Choice groups containing parameterized types are not supported".to_owned());
                    }
                    parameters.push(Parameter::new('(', choice + "m"));
                    at = end;
                }
                '<' => {
                    let end = closing(&symbols, at, '<', '>');
                    match parameters.last_mut() {
                        Some(last) if matches!(last.kind, 'a' | 'f') => {
                            last.subtype = Some(symbols[at + 1..end].iter().collect());
                        }
                        _ => {
                            return Err("S0401: Type parameters can only be applied to functions and arrays".to_owned());
                        }
                    }
                    at = end;
                }
                modifier @ ('-' | '?' | '+') => {
                    if let Some(last) = parameters.last_mut() {
                        last.context |= modifier == '-';
                        last.optional |= modifier != '+';
                        last.repeated |= modifier == '+';
                    }
                }
                _ => {}
            }
            at += 1;
        }
        if parameters.len() > MAX_PARAMETERS {
            return Err(format!("a signature may have at most {MAX_PARAMETERS} parameters"));
        }
        Ok(Self { parameters })
    }

    /// The arguments as the function gets them: the context put in, single values made arrays.
    pub(in crate::jsonata) fn validate(
        &self,
        function: &str,
        arguments: Vec<Val>,
        context: &Val,
    ) -> Result<Vec<Val>, String> {
        let symbols: Vec<char> = arguments.iter().map(symbol).collect();
        let mut counts = Vec::with_capacity(self.parameters.len());
        if !self.fit(&symbols, &mut counts) {
            return Err(self.mismatch(function, &symbols));
        }
        let mut valid = Vec::with_capacity(arguments.len());
        let mut arguments = arguments.into_iter();
        let mut at = 0;
        for (parameter, count) in self.parameters.iter().zip(counts) {
            if count == 0 {
                if !parameter.context {
                    valid.push(arguments.next().unwrap_or(Val::Undefined));
                    at += 1;
                } else if parameter.fits.contains(symbol(context)) {
                    valid.push(context.clone());
                } else {
                    return Err(format!(
                        "T0411: Context value is not a compatible type with argument {} of function \"{function}\"",
                        at + 1
                    ));
                }
            }
            for _ in 0..count {
                at += 1;
                let argument = arguments.next().unwrap_or(Val::Undefined);
                valid.push(parameter.converted(argument).ok_or_else(|| parameter.no_array(function, at))?);
            }
        }
        Ok(valid)
    }

    /// How many arguments each parameter takes: as many as it can, so that the rest still fits.
    fn fit(&self, symbols: &[char], counts: &mut Vec<usize>) -> bool {
        let Some(parameter) = self.parameters.get(counts.len()) else { return symbols.is_empty() };
        let most = if parameter.repeated { symbols.len() } else { symbols.len().min(1) };
        let fitting = symbols[..most].iter().take_while(|symbol| parameter.fits.contains(**symbol)).count();
        let least = usize::from(!parameter.optional);
        for count in (least..=fitting).rev() {
            counts.push(count);
            if self.fit(&symbols[count..], counts) {
                return true;
            }
            counts.pop();
        }
        false
    }

    fn mismatch(&self, function: &str, symbols: &[char]) -> String {
        let mut good = 0;
        for parameter in &self.parameters {
            match symbols.get(good) {
                Some(symbol) if parameter.fits.contains(*symbol) => good += 1,
                _ if parameter.optional => {}
                _ => break,
            }
        }
        format!("T0410: Argument {} of function \"{function}\" does not match function signature", good + 1)
    }
}

impl Parameter {
    fn new(kind: char, fits: String) -> Self {
        Self { kind, fits, optional: false, repeated: false, context: false, subtype: None }
    }

    /// The argument for this parameter; none when an array holds what it must not.
    fn converted(&self, argument: Val) -> Option<Val> {
        if self.kind != 'a' || argument.is_undefined() {
            return Some(argument);
        }
        if let Some(subtype) = &self.subtype {
            let own = symbol(&argument);
            let first = subtype.chars().next()?;
            let fitting = match &argument {
                Val::Array(list) => list.items.iter().all(|item| symbol(item) == first),
                _ => subtype.len() == 1 && own == first,
            };
            if !fitting {
                return None;
            }
        }
        Some(if matches!(argument, Val::Array(_)) { argument } else { Val::array(vec![argument]) })
    }

    fn no_array(&self, function: &str, at: usize) -> String {
        let items = match self.subtype.as_deref() {
            Some("b") => "booleans",
            Some("f") => "functions",
            Some("n") => "numbers",
            Some("o") => "objects",
            Some("s") => "strings",
            _ => "arrays",
        };
        format!("T0412: Argument {at} of function \"{function}\" must be an array of \"{items}\"")
    }
}

fn closing(symbols: &[char], start: usize, open: char, close: char) -> usize {
    let mut depth = 0;
    for (at, symbol) in symbols.iter().enumerate().skip(start) {
        if *symbol == open {
            depth += 1;
        } else if *symbol == close {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        }
    }
    symbols.len().max(start + 1)
}

fn symbol(value: &Val) -> char {
    match value {
        Val::Undefined => 'm',
        Val::Null => 'l',
        Val::Bool(_) => 'b',
        Val::Number(_) | Val::Integer(_) => 'n',
        Val::String(_) => 's',
        Val::Array(_) | Val::Tuples(_) => 'a',
        Val::Object(_) => 'o',
        Val::Function(_) => 'f',
    }
}
