//! Several questions about one JSON document, answered while it is read once.
//!
//! A statement that takes a document apart calls a function for each path. An optimizer puts one call of [`answers`] below,
//! and [`answer`] in place of each of them. The answers are those of the functions, to the letter: the first member of a
//! name counts, and what stands in front of an error in the text is found.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder, StringBuilder, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result as PlanResult, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::path::{Path, Step};
use super::reader::{Kind, Reader, Result, write};
use super::scalar;
use crate::kernel::Bound;

/// How many members of an object are remembered in their order.
const REMEMBERED: usize = 64;

/// What is asked about a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JsonQuestion {
    /// What `json_extract_scalar` gives for a path.
    Scalar(String),
    /// What `json_extract` gives for a path.
    Value(String),
    /// Whether `try(json_parse(…)) IS NOT NULL` is this.
    Parses(bool),
}

impl JsonQuestion {
    /// The document that an expression asks about, and what.
    pub fn of(expr: &Expr) -> Option<(&Expr, Self)> {
        match expr {
            Expr::IsNull(value) => Some((parsed(value)?, Self::Parses(false))),
            Expr::IsNotNull(value) => Some((parsed(value)?, Self::Parses(true))),
            _ => {
                let (bound, [document, Expr::Literal(ScalarValue::Utf8(Some(path)), _)]) = Bound::of(expr)? else {
                    return None;
                };
                Path::parse(path).ok()?;
                match bound.name.as_str() {
                    "json_extract_scalar" => Some((document, Self::Scalar(path.clone()))),
                    "json_extract" => Some((document, Self::Value(path.clone()))),
                    _ => None,
                }
            }
        }
    }

    fn path(&self) -> Option<&str> {
        match self {
            Self::Scalar(path) | Self::Value(path) => Some(path),
            Self::Parses(_) => None,
        }
    }

    fn ty(&self) -> DataType {
        if self.path().is_some() { DataType::Utf8 } else { DataType::Boolean }
    }
}

/// What `try(json_parse(…))` parses.
fn parsed(expr: &Expr) -> Option<&Expr> {
    match Bound::of(expr)? {
        (bound, [document]) if bound.tolerant && bound.signature == super::PARSE => Some(document),
        _ => None,
    }
}

/// The answers to all questions about a document, as one value.
pub fn answers(document: Expr, questions: Vec<JsonQuestion>) -> Expr {
    let signature = Signature::any(1, Volatility::Immutable);
    ScalarUDF::new_from_impl(Answers { questions, signature }).call(vec![document])
}

/// One of the answers.
pub fn answer(answers: Expr, questions: &[JsonQuestion], index: usize) -> Expr {
    let (name, signature) = (format!("json_answer_{index}"), Signature::any(1, Volatility::Immutable));
    let ty = questions.get(index).map_or(DataType::Null, JsonQuestion::ty);
    ScalarUDF::new_from_impl(Answer { index, ty, name, signature }).call(vec![answers])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Answers {
    questions: Vec<JsonQuestion>,
    signature: Signature,
}

impl Answers {
    fn fields(&self) -> Fields {
        let field = |(index, question): (usize, &JsonQuestion)| Field::new(index.to_string(), question.ty(), true);
        self.questions.iter().enumerate().map(field).collect()
    }
}

impl ScalarUDFImpl for Answers {
    fn name(&self) -> &str {
        "json_answers"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::Struct(self.fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let [document] = args.args.as_slice() else { return exec_err!("one document is read") };
        let documents = document.to_array(args.number_rows)?;
        let Some(documents) = documents.as_string_opt::<i32>() else { return exec_err!("a document is text") };
        let mut pass = Pass::new(&self.questions, documents.len());
        documents.iter().for_each(|document| pass.read(document));
        let columns = pass.columns.iter_mut().map(Column::finish).collect();
        Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(self.fields(), columns, None)?)))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Answer {
    index: usize,
    ty: DataType,
    name: String,
    signature: Signature,
}

impl ScalarUDFImpl for Answer {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(self.ty.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let [answers] = args.args.as_slice() else { return exec_err!("one value holds the answers") };
        let answers = answers.to_array(args.number_rows)?;
        Ok(ColumnarValue::Array(Arc::clone(answers.as_struct().column(self.index))))
    }
}

/// A place in documents: what is asked there, and the places below that something is asked about.
#[derive(Default)]
struct Place {
    asked: Vec<usize>,
    below: Vec<(Step, usize)>,
}

/// The places of all questions; the first one is the document itself.
fn places(questions: &[JsonQuestion]) -> Vec<Place> {
    let mut places = vec![Place::default()];
    for (index, question) in questions.iter().enumerate() {
        let Some(Ok(path)) = question.path().map(Path::parse) else { continue };
        let mut at = 0;
        for step in Vec::from(path) {
            let known = places[at].below.iter().find(|(other, _)| *other == step).map(|(_, place)| *place);
            at = known.unwrap_or_else(|| {
                let new = places.len();
                places.push(Place::default());
                places[at].below.push((step, new));
                new
            });
        }
        places[at].asked.push(index);
    }
    places
}

enum Column {
    Text(StringBuilder),
    Truth(BooleanBuilder),
}

impl Column {
    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(values) => Arc::new(values.finish()),
            Self::Truth(values) => Arc::new(values.finish()),
        }
    }
}

/// One reading of many documents.
struct Pass<'q> {
    questions: &'q [JsonQuestion],
    places: Vec<Place>,
    columns: Vec<Column>,
    /// Whether a document has to be read to its end.
    whole: bool,
    /// Which questions about the present document are answered, and which places were met.
    answered: Vec<bool>,
    met: Vec<bool>,
    /// The members of the object that each place was in the last document, in their order, and where they lead: documents
    /// resemble each other.
    orders: Vec<Vec<(String, Option<usize>)>>,
    written: String,
}

impl<'q> Pass<'q> {
    fn new(questions: &'q [JsonQuestion], rows: usize) -> Self {
        let column = |question: &JsonQuestion| match question {
            JsonQuestion::Parses(_) => Column::Truth(BooleanBuilder::with_capacity(rows)),
            _ => Column::Text(StringBuilder::with_capacity(rows, rows * 8)),
        };
        let places = places(questions);
        Self {
            questions,
            columns: questions.iter().map(column).collect(),
            whole: questions.iter().any(|question| question.path().is_none()),
            answered: vec![false; questions.len()],
            met: vec![false; places.len()],
            orders: vec![Vec::new(); places.len()],
            places,
            written: String::new(),
        }
    }

    fn read(&mut self, document: Option<&str>) {
        self.answered.fill(false);
        self.met.fill(false);
        let parses = document.is_some_and(|text| self.document(text).is_ok());
        for (index, column) in self.columns.iter_mut().enumerate() {
            match (column, &self.questions[index]) {
                (Column::Truth(values), question) => values.append_value(*question == JsonQuestion::Parses(parses)),
                (Column::Text(values), _) if !self.answered[index] => values.append_null(),
                _ => {}
            }
        }
    }

    fn document(&mut self, text: &str) -> Result<()> {
        let mut reader = Reader::new(text);
        if !self.places[0].asked.is_empty()
            && let Ok(value) = reader.clone().value()
        {
            self.value(0, value);
        }
        self.below(0, &mut reader, self.whole)?;
        reader.end()
    }

    fn value(&mut self, place: usize, value: &str) {
        for index in &self.places[place].asked {
            let Column::Text(column) = &mut self.columns[*index] else { continue };
            match &self.questions[*index] {
                JsonQuestion::Scalar(_) => match scalar(&mut Reader::new(value)) {
                    Some(text) => column.append_value(text),
                    None => continue,
                },
                _ => {
                    self.written.clear();
                    if write(&mut self.written, value, false).is_err() {
                        continue;
                    }
                    column.append_value(&self.written);
                }
            }
            self.answered[*index] = true;
        }
    }

    /// Looks for the places below one: until all are met, or to the value's end.
    fn below(&mut self, place: usize, reader: &mut Reader<'_>, whole: bool) -> Result<()> {
        let wanted = self.places[place].below.len();
        if wanted == 0 && !whole {
            return Ok(());
        }
        let (close, named) = match reader.kind()? {
            Kind::Object => (b'}', true),
            Kind::Array => (b']', false),
            _ => return reader.value().map(drop),
        };
        reader.expect(if named { b'{' } else { b'[' })?;
        if reader.accept(close) {
            return Ok(());
        }
        let mut met = 0;
        for position in 0.. {
            let child = match named {
                true => {
                    let name = reader.text()?;
                    reader.expect(b':')?;
                    self.member(place, position, &name)
                }
                false => self.element(place, position),
            };
            let child = child.filter(|child| !std::mem::replace(&mut self.met[*child], true));
            if let Some(child) = child {
                // An error ends the search there; what was found before it counts.
                let _ = self.below(child, &mut reader.clone(), false);
            }
            let value = reader.nested(1)?;
            if let Some(child) = child {
                self.value(child, value);
                met += 1;
                if met == wanted && !whole {
                    return Ok(());
                }
            }
            if !reader.accept(b',') {
                return reader.expect(close);
            }
        }
        Ok(())
    }

    /// The place that a member leads to.
    fn member(&mut self, place: usize, position: usize, name: &str) -> Option<usize> {
        let order = &mut self.orders[place];
        if let Some((_, child)) = order.get(position).filter(|(known, _)| known == name) {
            return *child;
        }
        let below = &self.places[place].below;
        let child = below.iter().find(|(step, _)| step.name == name).map(|(_, child)| *child);
        match order.get_mut(position) {
            Some(known) => {
                known.0.clear();
                known.0.push_str(name);
                known.1 = child;
            }
            None if position < REMEMBERED => order.push((name.to_owned(), child)),
            None => {}
        }
        child
    }

    /// The place that an element leads to.
    fn element(&self, place: usize, position: usize) -> Option<usize> {
        let below = &self.places[place].below;
        below.iter().find(|(step, _)| step.index == Some(position)).map(|(_, child)| *child)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{RecordBatch, StringArray};
    use arrow::datatypes::Schema;
    use datafusion::common::DFSchema;
    use datafusion::logical_expr::col;
    use datafusion::prelude::SessionContext;
    use proptest::prelude::*;

    use super::*;
    use crate::functions::call_scalar;
    use crate::operators::try_;
    use crate::types::Type;

    const PATHS: [&str; 9] = ["$", "$.a", "$.b", "$.a.b", "$.a[1]", "$[0]", "$.a.b[0].c", "$.0", "$[\"b\"]"];

    /// What each function says by itself, and what is answered together.
    fn both(documents: Vec<Option<&str>>) -> (Vec<ArrayRef>, Vec<ArrayRef>) {
        let document = || (col("d"), Type::VARCHAR);
        let path = |path: &str| crate::testing::text(path);
        let mut calls = vec![try_(call_scalar("json_parse", vec![document()]).unwrap()).0.is_null()];
        for text in PATHS {
            for name in ["json_extract_scalar", "json_extract"] {
                calls.push(call_scalar(name, vec![document(), path(text)]).unwrap().0);
            }
        }
        let questions: Vec<_> = calls.iter().map(|call| JsonQuestion::of(call).unwrap().1).collect();
        let together = answers(col("d"), questions.clone());
        let answers: Vec<_> = (0..questions.len()).map(|index| answer(together.clone(), &questions, index)).collect();
        let schema = Arc::new(Schema::new(vec![Field::new("d", DataType::Utf8, true)]));
        let array: ArrayRef = Arc::new(documents.into_iter().collect::<StringArray>());
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![array]).unwrap();
        let schema = DFSchema::try_from(schema).unwrap();
        let evaluate = |exprs: Vec<Expr>| {
            let context = SessionContext::new();
            let each = |expr| {
                let physical = context.create_physical_expr(expr, &schema).unwrap();
                physical.evaluate(&batch).unwrap().into_array(batch.num_rows()).unwrap()
            };
            exprs.into_iter().map(each).collect()
        };
        (evaluate(calls), evaluate(answers))
    }

    #[test]
    fn answers_are_those_of_the_functions() {
        let (each, together) = both(vec![
            Some(r#"{"a": {"b": [{"c": "x\u00e4"}], "1": 2}, "b": 1.50, "0": null}"#),
            Some(r#"{"b": "first", "b": "second", "a": [1, {"b": 2}], "c": {}}"#),
            Some(r#" ["x", 2, {"a": true}] "#),
            Some(r#"{"a": 1, "b": "cut o"#),
            Some(r#"{"a": {"b": [{"c": 7}, oops"#),
            Some(r#"{"\u0061": 12, "b": false} "#),
            Some(r#"{"a": 1} x"#),
            Some("3"),
            Some(""),
            None,
        ]);
        assert_eq!(each, together);
        let truths = together[0].as_boolean();
        let broken: Vec<_> = (0..truths.len()).filter(|row| truths.value(*row)).collect();
        assert_eq!(broken, [3, 4, 6, 8, 9]);
        assert_eq!(together[4].as_string::<i32>().value(0), "{\"b\":[{\"c\":\"xä\"}],\"1\":2}");
    }

    #[test]
    fn a_path_that_is_not_known_beforehand_is_no_question() {
        let document = || (col("d"), Type::VARCHAR);
        let call = |path| call_scalar("json_extract_scalar", vec![document(), path]).unwrap().0;
        assert!(JsonQuestion::of(&call((col("p"), Type::VARCHAR))).is_none());
        assert!(JsonQuestion::of(&call(crate::testing::text("a"))).is_none());
        assert!(JsonQuestion::of(&col("d").is_null()).is_none());
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let name = || prop_oneof![Just("a"), Just("b"), Just("c"), Just("0"), Just("é\"")].prop_map(str::to_owned);
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[a-zé\"\\\\\n 😀]{0,20}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                proptest::collection::vec((name(), inner), 0..5)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// What another reader finds where a path leads.
    fn found<'v>(value: &'v serde_json::Value, path: &str) -> Option<&'v serde_json::Value> {
        Vec::from(Path::parse(path).unwrap()).into_iter().try_fold(value, |value, step: Step| match value {
            serde_json::Value::Object(members) => members.get(&step.name),
            serde_json::Value::Array(elements) => elements.get(step.index?),
            _ => None,
        })
    }

    proptest! {
        /// Whatever the document, whole or cut off.
        #[test]
        fn answers_agree_with_the_functions(value in value(), cut in 0.0..2.0_f64, pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let mut end = (text.len() as f64 * cut).min(text.len() as f64) as usize;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let (each, together) = both(vec![Some(&text[..end]), Some(&text)]);
            prop_assert_eq!(&each, &together);
            prop_assert!(!together[0].as_boolean().value(1));
            for (index, path) in PATHS.into_iter().enumerate() {
                let scalars = together[1 + 2 * index].as_string::<i32>();
                let answered = scalars.is_valid(1).then(|| scalars.value(1).to_owned());
                let expected = match found(&value, path) {
                    Some(serde_json::Value::String(text)) => Some(text.clone()),
                    Some(serde_json::Value::Bool(truth)) => Some(truth.to_string()),
                    Some(serde_json::Value::Number(number)) => Some(number.to_string()),
                    _ => None,
                };
                prop_assert_eq!(answered, expected, "{}", path);
            }
        }

        /// Any text at all is read the same way.
        #[test]
        fn noise_is_read_the_same_way(text in "[\\[\\]{}:,\"ab0-2\\\\ .truefalsn-]{0,30}") {
            let (each, together) = both(vec![Some(&text)]);
            prop_assert_eq!(each, together);
        }
    }
}
