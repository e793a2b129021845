//! Trees made of random numbers.

use boathouse_trino_parser::ast::*;

/// Decisions for a tree, from a list of random numbers; when they run out, everything is as small as it can be.
pub(crate) struct Choices {
    numbers: Vec<u32>,
    at: usize,
}

const NAMES: [&str; 24] = [
    "a",
    "b",
    "Mixed",
    "select",
    "my col",
    "q\"x",
    "limit",
    "auto",
    "all",
    "key",
    "value",
    "ünï",
    "partition",
    "rows",
    "time",
    "interval",
    "array",
    "row",
    "both",
    "unbounded",
    "any",
    "b`t",
    "order",
    "_1",
];

impl Choices {
    pub(crate) fn new(numbers: Vec<u32>) -> Self {
        Self { numbers, at: 0 }
    }

    fn below(&mut self, count: usize) -> usize {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        number as usize % count
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    fn one<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flag() { Some(make(self)) } else { None }
    }

    fn some<T>(&mut self, least: usize, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        let count = least + self.below(3);
        (0..count).map(|_| make(self)).collect()
    }

    fn ident(&mut self) -> Ident {
        let value = self.one(&NAMES);
        Ident { quoted: self.flag(), ..Ident::new(value) }
    }

    fn name(&mut self) -> Name {
        Name { parts: self.some(1, Self::ident) }
    }

    fn text(&mut self) -> String {
        self.one(&["", "x", "it's", "a\\b", "\\%", "\"", "é\n\t", "\\001", "''", "--", ";"]).into()
    }

    fn column(&mut self) -> Expr {
        let first = node(ExprKind::Identifier(self.ident()));
        self.some(0, Self::ident)
            .into_iter()
            .fold(first, |base, field| node(ExprKind::Dereference { base: Box::new(base), field }))
    }

    fn leaf(&mut self) -> ExprKind {
        match self.below(13) {
            0 => ExprKind::Identifier(self.ident()),
            1 => ExprKind::Integer(self.one(&[1, 0, -1, 42, i64::MAX, i64::MIN])),
            2 => ExprKind::Null,
            3 => ExprKind::Boolean(self.flag()),
            4 => ExprKind::Decimal(self.one(&["1.5", "-.5", "1.", "0.00"]).into()),
            5 => ExprKind::Double(self.one(&["1e0", "-1.5E-3", "2E+1"]).into()),
            6 => ExprKind::String(self.text()),
            7 => ExprKind::Bytes(vec![0; self.below(3)]),
            8 => {
                let type_name = self.one(&["date", "timestamp", "time", "double", "json", "decimal"]).into();
                ExprKind::TypedLiteral { type_name, value: self.text() }
            }
            9 => ExprKind::Interval {
                negative: self.flag(),
                value: self.text(),
                from: self.interval_field(),
                to: self.maybe(Self::interval_field),
            },
            10 => ExprKind::Current { item: self.one(&[CurrentItem::Date, CurrentItem::User]), precision: None },
            11 => {
                let item = self.one(&[CurrentItem::Time, CurrentItem::Timestamp, CurrentItem::LocalTimestamp]);
                ExprKind::Current { item, precision: self.maybe(|choices| choices.below(13) as u32) }
            }
            _ => ExprKind::Grouping(self.some(0, Self::column)),
        }
    }

    fn interval_field(&mut self) -> IntervalField {
        self.one(&[IntervalField::Year, IntervalField::Month, IntervalField::Day, IntervalField::Second])
    }

    fn comparison(&mut self) -> ComparisonOp {
        self.one(&[
            ComparisonOp::Equal,
            ComparisonOp::NotEqual,
            ComparisonOp::Less,
            ComparisonOp::LessOrEqual,
            ComparisonOp::Greater,
            ComparisonOp::GreaterOrEqual,
        ])
    }

    pub(crate) fn expr(&mut self, depth: usize) -> Expr {
        if depth == 0 {
            return node(self.leaf());
        }
        let depth = depth - 1;
        let boxed = |choices: &mut Self| Box::new(choices.expr(depth));
        node(match self.below(31) {
            0 => self.leaf(),
            30 => {
                let name = self.ident();
                let over = match self.flag() {
                    true => Over::Named(self.ident()),
                    false => Over::Window(self.window(depth)),
                };
                ExprKind::Measure { name, over: Box::new(over) }
            }
            1 => ExprKind::Unary { op: self.one(&[UnaryOp::Minus, UnaryOp::Plus]), expr: boxed(self) },
            2 | 3 => {
                let op = self.one(&[
                    BinaryOp::Add,
                    BinaryOp::Subtract,
                    BinaryOp::Multiply,
                    BinaryOp::Divide,
                    BinaryOp::Modulus,
                    BinaryOp::Concat,
                ]);
                ExprKind::Binary { op, left: boxed(self), right: boxed(self) }
            }
            4 => ExprKind::Comparison { op: self.comparison(), left: boxed(self), right: boxed(self) },
            5 | 6 => {
                let op = self.one(&[LogicalOp::And, LogicalOp::Or]);
                ExprKind::Logical { op, terms: self.some(2, |choices| choices.expr(depth)) }
            }
            7 => ExprKind::Not(boxed(self)),
            8 => ExprKind::IsNull { expr: boxed(self), negated: self.flag() },
            9 => ExprKind::IsDistinctFrom { left: boxed(self), right: boxed(self), negated: self.flag() },
            10 => {
                let (expr, low, high) = (boxed(self), boxed(self), boxed(self));
                ExprKind::Between { expr, low, high, negated: self.flag() }
            }
            11 => {
                let list = self.some(1, |choices| choices.expr(depth));
                ExprKind::InList { expr: boxed(self), list, negated: self.flag() }
            }
            12 => {
                let query = Box::new(self.query(depth));
                ExprKind::InSubquery { expr: boxed(self), query, negated: self.flag() }
            }
            13 => {
                let (expr, pattern, escape) = (boxed(self), boxed(self), self.maybe(boxed));
                ExprKind::Like { expr, pattern, escape, negated: self.flag() }
            }
            14 => {
                let quantifier = self.one(&[Quantifier::All, Quantifier::Any]);
                let (op, left) = (self.comparison(), boxed(self));
                ExprKind::Quantified { op, quantifier, left, query: Box::new(self.query(depth)) }
            }
            15 => ExprKind::Exists(Box::new(self.query(depth))),
            16 => ExprKind::Subquery(Box::new(self.query(depth))),
            17 => {
                let branch =
                    |choices: &mut Self| WhenClause { condition: choices.expr(depth), result: choices.expr(depth) };
                let (operand, branches) = (self.maybe(boxed), self.some(1, branch));
                ExprKind::Case { operand, branches, otherwise: self.maybe(boxed) }
            }
            18 => ExprKind::Cast { expr: boxed(self), target: self.ty(depth), safe: self.flag() },
            19 => ExprKind::Extract { field: self.ident(), expr: boxed(self) },
            20 => {
                let zone = Box::new(node(ExprKind::String(self.text())));
                ExprKind::AtTimeZone { expr: boxed(self), zone }
            }
            21 => {
                let side = self.one(&[TrimSide::Both, TrimSide::Leading, TrimSide::Trailing]);
                ExprKind::Trim { side, characters: self.maybe(boxed), expr: boxed(self) }
            }
            22 => ExprKind::Function(Box::new(self.call(depth))),
            23 => ExprKind::Lambda { parameters: self.some(0, Self::ident), body: boxed(self) },
            24 => ExprKind::Subscript { base: boxed(self), index: boxed(self) },
            25 => ExprKind::Row(self.some(1, |choices| choices.expr(depth))),
            26 => ExprKind::Dereference { base: boxed(self), field: self.ident() },
            27 => ExprKind::Array(self.some(0, |choices| choices.expr(depth))),
            _ => ExprKind::Json(Box::new(self.json(depth))),
        })
    }

    fn json(&mut self, depth: usize) -> JsonCall {
        match self.below(5) {
            0 => {
                let on_error = self.maybe(|choices| choices.one(&[JsonExistsOnError::True, JsonExistsOnError::Error]));
                JsonCall::Exists { path: self.json_path(depth), on_error }
            }
            1 => {
                let fallback = |choices: &mut Self| match choices.below(3) {
                    0 => JsonValueFallback::Error,
                    1 => JsonValueFallback::Null,
                    _ => JsonValueFallback::Default(choices.expr(depth)),
                };
                let (path, returning) = (self.json_path(depth), self.maybe(|choices| choices.ty(depth)));
                JsonCall::Value { path, returning, on_empty: self.maybe(fallback), on_error: self.maybe(fallback) }
            }
            2 => {
                let fallbacks =
                    [JsonQueryFallback::Null, JsonQueryFallback::EmptyArray, JsonQueryFallback::EmptyObject];
                let wrappers = [JsonWrapper::Without, JsonWrapper::Conditional, JsonWrapper::Unconditional];
                JsonCall::Query {
                    path: self.json_path(depth),
                    returning: self.json_output(depth),
                    wrapper: self.maybe(|choices| choices.one(&wrappers)),
                    keep_quotes: self.maybe(Self::flag),
                    on_empty: self.maybe(|choices| choices.one(&fallbacks)),
                    on_error: self.maybe(|choices| choices.one(&fallbacks)),
                }
            }
            3 => {
                let member =
                    |choices: &mut Self| JsonMember { key: choices.expr(depth), value: choices.json_item(depth) };
                JsonCall::Object {
                    members: self.some(1, member),
                    absent_on_null: self.maybe(Self::flag),
                    unique_keys: self.maybe(Self::flag),
                    returning: self.json_output(depth),
                }
            }
            _ => JsonCall::Array {
                items: self.some(1, |choices| choices.json_item(depth)),
                absent_on_null: self.maybe(Self::flag),
                returning: self.json_output(depth),
            },
        }
    }

    fn json_path(&mut self, depth: usize) -> JsonPath {
        JsonPath {
            input: self.json_item(depth),
            path: self.text(),
            pos: Mark::default(),
            name: self.maybe(Self::ident),
            passing: self.some(0, |choices| (choices.json_item(depth), choices.ident())),
        }
    }

    fn json_format(&mut self) -> Option<JsonFormat> {
        self.maybe(|choices| choices.one(&[JsonFormat::Json, JsonFormat::Utf8, JsonFormat::Utf32]))
    }

    fn json_item(&mut self, depth: usize) -> JsonItem {
        JsonItem { expr: self.expr(depth), format: self.json_format() }
    }

    fn json_output(&mut self, depth: usize) -> Option<JsonOutput> {
        self.maybe(|choices| JsonOutput { ty: choices.ty(depth), format: choices.json_format() })
    }

    fn call(&mut self, depth: usize) -> FunctionCall {
        let mut call = FunctionCall::new(self.name(), Vec::new());
        call.star = self.below(4) == 3;
        call.label = if call.star { self.maybe(Self::ident) } else { None };
        call.mode = self.maybe(|choices| choices.one(&[ProcessingMode::Running, ProcessingMode::Final]));
        if !call.star {
            call.args = self.some(0, |choices| choices.expr(depth));
            call.distinct = !call.args.is_empty() && self.flag();
            call.order_by = self.order_by(depth);
        }
        call.within_group = self.order_by(depth);
        call.filter = self.maybe(|choices| choices.expr(depth));
        call.over = self.maybe(|choices| match choices.flag() {
            true => Over::Named(choices.ident()),
            false => Over::Window(choices.window(depth)),
        });
        if call.over.is_some() {
            call.nulls = self.maybe(|choices| choices.one(&[NullTreatment::Ignore, NullTreatment::Respect]));
        }
        call
    }

    fn order_by(&mut self, depth: usize) -> Vec<SortItem> {
        self.some(0, |choices| SortItem {
            expr: choices.expr(depth),
            descending: choices.flag(),
            nulls_first: choices.maybe(Self::flag),
        })
    }

    fn window(&mut self, depth: usize) -> Window {
        let unit = self.one(&[FrameUnit::Rows, FrameUnit::Range, FrameUnit::Groups]);
        Window {
            pos: Mark::default(),
            base: self.maybe(Self::ident),
            partition_by: self.some(0, |choices| choices.expr(depth)),
            order_by: self.order_by(depth),
            frame: self.maybe(|choices| Frame {
                pos: Mark::default(),
                unit,
                start: choices.frame_bound(depth),
                end: choices.maybe(|choices| choices.frame_bound(depth)),
                recognition: choices
                    .maybe(|choices| choices.frame_pattern(depth))
                    .filter(|pattern| *pattern != FramePattern::default())
                    .map(Box::new),
            }),
        }
    }

    fn frame_pattern(&mut self, depth: usize) -> FramePattern {
        FramePattern {
            measures: self.some(0, |choices| (choices.expr(depth), choices.ident())),
            skip: self.maybe(|choices| (Mark::default(), choices.skip_to())),
            search: self
                .maybe(|choices| (Mark::default(), choices.one(&[PatternSearch::Initial, PatternSearch::Seek]))),
            pattern: self.maybe(|choices| choices.row_pattern(3)),
            subsets: self.some(0, |choices| (choices.ident(), choices.some(1, Self::ident))),
            define: self.some(0, |choices| (choices.ident(), choices.expr(depth))),
        }
    }

    fn skip_to(&mut self) -> SkipTo {
        match self.below(4) {
            0 => SkipTo::PastLastRow,
            1 => SkipTo::NextRow,
            2 => SkipTo::First(self.ident()),
            _ => SkipTo::Last(self.ident()),
        }
    }

    fn frame_bound(&mut self, depth: usize) -> FrameBound {
        match self.below(5) {
            0 => FrameBound::UnboundedPreceding,
            1 => FrameBound::CurrentRow,
            2 => FrameBound::UnboundedFollowing,
            3 => FrameBound::Preceding(Box::new(self.expr(depth))),
            _ => FrameBound::Following(Box::new(self.expr(depth))),
        }
    }

    fn ty(&mut self, depth: usize) -> TypeExpr {
        let boxed = |choices: &mut Self| Box::new(choices.ty(depth - 1));
        let precision = |choices: &mut Self| choices.maybe(|choices| choices.below(13) as u64);
        node(match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => TypeKind::Simple { name: self.one(&["bigint", "double", "odd type"]).into(), parameters: Vec::new() },
            1 => TypeKind::Simple { name: "decimal".into(), parameters: vec![self.below(38) as u64 + 1, 0] },
            2 => TypeKind::Time { precision: precision(self), zoned: self.flag() },
            3 => TypeKind::Timestamp { precision: precision(self), zoned: self.flag() },
            4 => TypeKind::IntervalYearToMonth,
            5 => TypeKind::IntervalDayToSecond,
            6 => TypeKind::Array(boxed(self)),
            7 => TypeKind::Map(boxed(self), boxed(self)),
            _ => TypeKind::Row(
                self.some(1, |choices| TypeField { name: choices.maybe(Self::ident), ty: choices.ty(depth - 1) }),
            ),
        })
    }

    pub(crate) fn query(&mut self, depth: usize) -> Query {
        let depth = depth.saturating_sub(1);
        let row_count = |choices: &mut Self| node(ExprKind::Integer(choices.below(100) as i64));
        let with = self.below(4) == 3;
        let mut query = Query {
            with: with.then(|| With { recursive: self.flag(), queries: self.some(1, |choices| choices.named(depth)) }),
            body: self.body(depth),
            order_by: self.order_by(depth),
            offset: self.maybe(row_count),
            limit: self.maybe(|choices| match choices.below(3) {
                0 => Limit::Rows(row_count(choices)),
                1 => Limit::All,
                _ => Limit::Fetch { pos: Mark::default(), rows: choices.maybe(row_count), with_ties: choices.flag() },
            }),
        };
        if matches!(query.body.kind, QueryBodyKind::Subquery(_)) && query.limit.is_none() {
            query.limit = Some(Limit::All);
        }
        query
    }

    fn named(&mut self, depth: usize) -> NamedQuery {
        NamedQuery { name: self.ident(), columns: self.some(0, Self::ident), query: self.query(depth) }
    }

    fn body(&mut self, depth: usize) -> QueryBody {
        node(match self.below(if depth == 0 { 3 } else { 7 }) {
            0 => QueryBodyKind::Values(self.some(1, |choices| choices.expr(depth))),
            1 => QueryBodyKind::Table(self.name()),
            2 | 3 => QueryBodyKind::Select(Box::new(self.select(depth))),
            4 => QueryBodyKind::Subquery(Box::new(self.query(depth))),
            _ => {
                let op = self.one(&[SetOp::Union, SetOp::Intersect, SetOp::Except]);
                let tight = if op == SetOp::Intersect { &[SetOp::Intersect][..] } else { &SET_OPS };
                let left = Box::new(enclosed(self.body(depth - 1), tight));
                let tight = if op == SetOp::Intersect { &[] } else { &[SetOp::Intersect][..] };
                let right = Box::new(enclosed(self.body(depth - 1), tight));
                QueryBodyKind::SetOperation { op, all: self.flag(), left, right }
            }
        })
    }

    fn select(&mut self, depth: usize) -> Select {
        let expr = |choices: &mut Self| choices.expr(depth);
        Select {
            distinct: self.flag(),
            items: self.some(1, |choices| {
                node(match choices.below(4) {
                    0 => SelectItemKind::All,
                    1 => SelectItemKind::AllOf { target: choices.expr(depth), aliases: choices.some(0, Self::ident) },
                    _ => SelectItemKind::Expr { expr: choices.expr(depth), alias: choices.maybe(Self::ident) },
                })
            }),
            from: self.some(0, |choices| choices.relation(depth)),
            filter: self.maybe(expr),
            group_by: self.maybe(|choices| GroupBy {
                distinct: choices.flag(),
                elements: choices.some(1, |choices| choices.grouping(depth)),
            }),
            having: self.maybe(expr),
            windows: self.some(0, |choices| (choices.ident(), choices.window(depth))),
        }
    }

    fn grouping(&mut self, depth: usize) -> GroupingElement {
        let set = |choices: &mut Self| choices.some(0, |choices| choices.expr(depth));
        match self.below(5) {
            0 => GroupingElement::Set(set(self)),
            1 => GroupingElement::Rollup(self.some(0, set)),
            2 => GroupingElement::Cube(self.some(0, set)),
            3 => GroupingElement::Sets(self.some(1, set)),
            _ => GroupingElement::Auto,
        }
    }

    fn relation(&mut self, depth: usize) -> Relation {
        let boxed = |choices: &mut Self| Box::new(choices.relation(depth - 1));
        node(match self.below(if depth == 0 { 2 } else { 9 }) {
            0 => RelationKind::Table {
                name: self.name(),
                version: self.maybe(|choices| match choices.flag() {
                    true => TableVersion::Timestamp(choices.expr(depth)),
                    false => TableVersion::Version(choices.expr(depth)),
                }),
            },
            1 => RelationKind::Unnest { exprs: self.some(1, |choices| choices.expr(depth)), ordinality: self.flag() },
            2 => RelationKind::Subquery(Box::new(self.query(depth))),
            3 => RelationKind::Lateral(Box::new(self.query(depth))),
            4 => {
                let (relation, alias) = (boxed(self), self.ident());
                RelationKind::Aliased { relation, alias, columns: self.some(0, Self::ident) }
            }
            5 => RelationKind::Sampled {
                relation: boxed(self),
                method: self.one(&[SampleMethod::Bernoulli, SampleMethod::System]),
                percentage: self.expr(depth),
            },
            6 => RelationKind::MatchRecognize(Box::new(self.recognition(depth))),
            7 => {
                let argument = |choices: &mut Self| match choices.below(4) {
                    0 => TableArgument::Table(Box::new(node(RelationKind::Table {
                        name: choices.name(),
                        version: None,
                    }))),
                    1 => {
                        TableArgument::Table(Box::new(node(RelationKind::Subquery(Box::new(choices.query(depth - 1))))))
                    }
                    2 => TableArgument::Descriptor(choices.some(1, Self::ident)),
                    _ => TableArgument::Value(choices.expr(depth - 1)),
                };
                let args = self.some(0, |choices| (choices.maybe(Self::ident), argument(choices)));
                RelationKind::TableFunction { name: self.name(), args }
            }
            _ => {
                let constraint = match self.below(4) {
                    0 => JoinConstraint::None,
                    1 => JoinConstraint::Natural,
                    2 => JoinConstraint::Using(self.some(1, Self::ident)),
                    _ => JoinConstraint::On(Box::new(self.expr(depth))),
                };
                let kind = match constraint {
                    JoinConstraint::None => JoinKind::Cross,
                    _ => self.one(&[JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Full]),
                };
                RelationKind::Join { kind, left: boxed(self), right: boxed(self), constraint }
            }
        })
    }

    fn recognition(&mut self, depth: usize) -> MatchRecognize {
        let rows = [
            RowsPerMatch::One,
            RowsPerMatch::AllWithEmpty,
            RowsPerMatch::AllWithoutEmpty,
            RowsPerMatch::AllWithUnmatched,
        ];
        MatchRecognize {
            input: self.relation(depth - 1),
            partition_by: self.some(0, |choices| choices.expr(depth)),
            order_by: self.order_by(depth),
            measures: self.some(0, |choices| (choices.expr(depth), choices.ident())),
            rows: self.one(&rows),
            skip: self.skip_to(),
            pattern: self.row_pattern(3),
            subsets: self.some(0, |choices| (choices.ident(), choices.some(1, Self::ident))),
            define: self.some(1, |choices| (choices.ident(), choices.expr(depth))),
        }
    }

    fn row_pattern(&mut self, depth: usize) -> RowPattern {
        let part = |choices: &mut Self| choices.row_pattern(depth - 1);
        node(match self.below(if depth == 0 { 4 } else { 9 }) {
            0 => RowPatternKind::Variable(self.ident()),
            1 => RowPatternKind::Empty,
            2 => RowPatternKind::Start,
            3 => RowPatternKind::End,
            4 => RowPatternKind::Concatenation(self.some(2, part)),
            5 => RowPatternKind::Alternation(self.some(2, part)),
            6 => RowPatternKind::Permutation(self.some(1, part)),
            7 => RowPatternKind::Excluded(Box::new(part(self))),
            _ => {
                let pattern = Box::new(part(self));
                let (least, reluctant) = (self.below(3) as u64, self.flag());
                let most = self.maybe(|choices| least + choices.below(3) as u64);
                RowPatternKind::Quantified { pattern, quantifier: PatternQuantifier { least, most, reluctant } }
            }
        })
    }

    fn hive_type(&mut self, depth: usize) -> HiveType {
        match self.below(if depth == 0 { 4 } else { 7 }) {
            0 => HiveType::Primitive(self.one(&["int", "string", "timestamp"]).into()),
            1 => HiveType::Decimal { precision: 38, scale: self.below(39) as u8 },
            2 => HiveType::Char(1 + self.below(255) as u32),
            3 => HiveType::Varchar(1 + self.below(65535) as u32),
            4 => HiveType::Array(Box::new(self.hive_type(depth - 1))),
            5 => HiveType::Map(Box::new(self.hive_type(depth - 1)), Box::new(self.hive_type(depth - 1))),
            _ => HiveType::Struct(self.some(1, |choices| (choices.ident(), choices.hive_type(depth - 1)))),
        }
    }

    fn column_definition(&mut self) -> ColumnDefinition {
        ColumnDefinition { name: self.ident(), ty: self.hive_type(2), comment: self.maybe(Self::text) }
    }

    fn properties(&mut self) -> Properties {
        self.some(0, |choices| (choices.text(), choices.text()))
    }

    fn create_table(&mut self) -> CreateTable {
        CreateTable {
            name: self.name(),
            external: self.flag(),
            if_not_exists: self.flag(),
            columns: self.some(1, Self::column_definition),
            comment: self.maybe(Self::text),
            partitioned_by: self.some(0, |choices| match choices.below(3) {
                0 => PartitionField::Column(choices.column_definition()),
                1 => PartitionField::Identity(choices.ident()),
                _ => PartitionField::Transform { transform: PartitionTransform::Bucket(3), column: choices.ident() },
            }),
            clustered_by: self.maybe(|choices| Buckets { columns: choices.some(1, Self::ident), count: 7 }),
            row_format: self.maybe(|choices| match choices.maybe(Self::text) {
                Some(class) => RowFormat::Serde(class),
                None => RowFormat::Delimited(Delimiters {
                    fields: Some(choices.text()),
                    escape: choices.maybe(Self::text),
                    items: choices.maybe(Self::text),
                    keys: choices.maybe(Self::text),
                    lines: choices.maybe(Self::text),
                    null: choices.maybe(Self::text),
                }),
            }),
            serde_properties: self.properties(),
            stored_as: self.maybe(|choices| match choices.maybe(Self::text) {
                Some(input) => StoredAs::Classes { input, output: choices.text() },
                None => StoredAs::Format(choices.ident()),
            }),
            location: self.maybe(Self::text),
            properties: self.properties(),
        }
    }

    fn partition(&mut self) -> Vec<PartitionValue> {
        self.some(1, |choices| PartitionValue { column: choices.ident(), value: choices.text() })
    }

    pub(crate) fn definition(&mut self) -> Statement {
        let table = self.name();
        let action = match self.below(4) {
            0 => return Statement::CreateTable(Box::new(self.create_table())),
            1 => return Statement::Show(Show::Tables { database: Some(table), pattern: self.maybe(Self::text) }),
            2 => {
                return Statement::Describe(Describe {
                    table,
                    detail: self.one(&[DescribeDetail::Plain, DescribeDetail::Extended, DescribeDetail::Formatted]),
                    partition: self.partition(),
                    column: self.some(0, Self::ident),
                });
            }
            _ => match self.below(4) {
                0 => AlterAction::AddColumns {
                    partition: self.partition(),
                    columns: self.some(1, Self::column_definition),
                },
                1 => AlterAction::RenamePartition { from: self.partition(), to: self.partition() },
                2 => AlterAction::AddPartitions {
                    if_not_exists: self.flag(),
                    partitions: self.some(1, |choices| NewPartition {
                        values: choices.partition(),
                        location: choices.maybe(Self::text),
                    }),
                },
                _ => AlterAction::ChangeColumn {
                    column: self.ident(),
                    definition: self.column_definition(),
                    place: Some(ColumnPlace::After(self.ident())),
                },
            },
        };
        Statement::AlterTable { table, action }
    }
}

const SET_OPS: [SetOp; 3] = [SetOp::Union, SetOp::Intersect, SetOp::Except];

fn node<K>(kind: K) -> Node<K> {
    Node::new(Pos { line: 1, column: 1 }, kind)
}

/// A body as it can stand beside a set operator: other set operators than these only in parentheses.
fn enclosed(body: QueryBody, tight: &[SetOp]) -> QueryBody {
    if !matches!(&body.kind, QueryBodyKind::SetOperation { op, .. } if !tight.contains(op)) {
        return body;
    }
    let query = Query { with: None, body, order_by: Vec::new(), offset: None, limit: None };
    node(QueryBodyKind::Subquery(Box::new(query)))
}

impl std::fmt::Debug for Choices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} choices", self.numbers.len())
    }
}
