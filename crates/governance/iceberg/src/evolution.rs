//! Changes of a table's columns ("Schema Evolution"), as updates of its metadata. Files stay as they are: columns are known by
//! their ids.

use crate::error::{Error, Result};
use crate::metadata::{TableMetadata, TableRequirement, TableUpdate};
use crate::schema::{NestedField, Schema, Type};

/// A change of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnChange {
    /// A column after all others, NULL in the rows that are there.
    Add {
        /// Its name.
        name: String,
        /// Its type; ids in it are given anew.
        ty: Type,
        /// Its comment.
        doc: Option<String>,
    },
    /// A column goes.
    Drop {
        /// Its name, in any case.
        name: String,
    },
    /// A column gets another name, a wider type, a comment, another place.
    Change {
        /// Its name, in any case.
        name: String,
        /// What it is called then.
        new_name: String,
        /// Its type then; ids in it don't count.
        ty: Type,
        /// Its comment then, if that changes.
        doc: Option<String>,
        /// Where it goes, if it moves.
        place: Option<Place>,
    },
}

/// Where a column goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Before all others.
    First,
    /// Behind the column of that name.
    After(String),
}

/// What changes columns, and what must still hold when it does.
///
/// # Errors
/// A column is missing or taken, is needed by partitions, or can't have that type.
pub fn evolve(table: &TableMetadata, changes: &[ColumnChange]) -> Result<(Vec<TableRequirement>, Vec<TableUpdate>)> {
    let mut draft = Draft { table, schema: table.current_schema().clone(), last: table.last_column_id };
    for change in changes {
        draft.apply(change)?;
    }
    let Draft { schema, last, .. } = draft;
    let requirements = vec![
        TableRequirement::TableUuid { uuid: table.table_uuid },
        TableRequirement::LastAssignedFieldId { last_assigned_field_id: table.last_column_id },
        TableRequirement::CurrentSchemaId { current_schema_id: table.current_schema_id },
    ];
    let updates = vec![
        TableUpdate::AddSchema { schema, last_column_id: Some(last) },
        TableUpdate::SetCurrentSchema { schema_id: -1 },
    ];
    Ok((requirements, updates))
}

struct Draft<'a> {
    table: &'a TableMetadata,
    schema: Schema,
    last: i32,
}

impl Draft<'_> {
    fn apply(&mut self, change: &ColumnChange) -> Result<()> {
        match change {
            ColumnChange::Add { name, ty, doc } => self.add(name, ty, doc.clone()),
            ColumnChange::Drop { name } => self.drop(name),
            ColumnChange::Change { name, new_name, ty, doc, place } => {
                self.change(name, new_name, ty, doc.clone())?;
                match place {
                    Some(place) => self.place(new_name, place),
                    None => Ok(()),
                }
            }
        }
    }

    fn index(&self, name: &str) -> Result<usize> {
        let found = self.schema.fields.iter().position(|field| field.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| Error::invalid(format!("Column {name} does not exist")))
    }

    fn free(&self, name: &str) -> Result<()> {
        match self.schema.column(name) {
            Some(taken) => Err(Error::invalid(format!("Column {} already exists", taken.name))),
            None => Ok(()),
        }
    }

    fn add(&mut self, name: &str, ty: &Type, doc: Option<String>) -> Result<()> {
        self.free(name)?;
        let id = self.last + 1;
        let (ty, last) = ty.with_fresh_ids(id);
        self.last = last.max(id);
        self.schema.fields.push(NestedField { doc, ..NestedField::optional(id, name, ty) });
        Ok(())
    }

    fn drop(&mut self, name: &str) -> Result<()> {
        let index = self.index(name)?;
        let id = self.schema.fields[index].id;
        if let Some(field) = self.table.default_spec().fields.iter().find(|field| field.source_id == id) {
            return Err(Error::invalid(format!(
                "Cannot drop column {name}: the partition field {} is made of it",
                field.name
            )));
        }
        let specs = self.table.partition_specs.iter();
        if specs.flat_map(|spec| &spec.fields).any(|field| field.source_id == id) {
            return Err(Error::invalid(format!("Cannot drop column {name}: it is used by an old partition spec")));
        }
        if self.table.default_sort_order().is_some_and(|order| order.fields.iter().any(|field| field.source_id == id)) {
            return Err(Error::invalid(format!("Cannot drop column {name}: the table is sorted by it")));
        }
        if self.schema.identifier_field_ids.contains(&id) {
            return Err(Error::invalid(format!("Cannot drop column {name}: it identifies rows")));
        }
        if self.schema.fields.len() == 1 {
            return Err(Error::invalid(format!("Cannot drop column {name}: it is the only one")));
        }
        self.schema.fields.remove(index);
        Ok(())
    }

    fn change(&mut self, name: &str, new_name: &str, ty: &Type, doc: Option<String>) -> Result<()> {
        let index = self.index(name)?;
        if !name.eq_ignore_ascii_case(new_name) {
            self.free(new_name)?;
        }
        let field = &mut self.schema.fields[index];
        field.ty = widened(&field.ty, ty)
            .ok_or_else(|| Error::invalid(format!("Cannot change the type of column {name} to that type")))?;
        if !field.name.eq_ignore_ascii_case(new_name) {
            new_name.clone_into(&mut field.name);
        }
        field.doc = doc.or_else(|| field.doc.take());
        Ok(())
    }

    fn place(&mut self, name: &str, place: &Place) -> Result<()> {
        let field = self.schema.fields.remove(self.index(name)?);
        let index = match place {
            Place::First => Ok(0),
            Place::After(other) => self.index(other).map(|index| index + 1),
        };
        self.schema.fields.insert(index?, field);
        Ok(())
    }
}

/// A type that a column may have instead of its present one, with the ids that the column has; none if it may not.
fn widened(from: &Type, to: &Type) -> Option<Type> {
    match (from, to) {
        (Type::Primitive(from), Type::Primitive(to)) => from.promotes_to(*to).then_some(Type::Primitive(*to)),
        (Type::Struct(old), Type::Struct(new)) => {
            let same = old.fields.len() == new.fields.len();
            let pairs = old.fields.iter().zip(&new.fields);
            let fields = pairs.map(|(old, new)| {
                let ty = widened(&old.ty, &new.ty).filter(|_| old.name.eq_ignore_ascii_case(&new.name))?;
                Some(NestedField { ty, ..old.clone() })
            });
            let fields = fields.collect::<Option<Vec<_>>>().filter(|_| same)?;
            Some(Type::Struct(crate::schema::StructType { fields }))
        }
        (Type::List(old), Type::List(new)) => {
            let element = widened(&old.element, &new.element)?;
            Some(Type::List(Box::new(crate::schema::ListType { element, ..(**old).clone() })))
        }
        (Type::Map(old), Type::Map(new)) => {
            let same_key = widened(&old.key, &new.key).is_some_and(|key| key == old.key);
            let value = widened(&old.value, &new.value).filter(|_| same_key)?;
            Some(Type::Map(Box::new(crate::schema::MapType { value, ..(**old).clone() })))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::metadata::{SortOrder, TableCreation, UnboundPartitionField, UnboundPartitionSpec};
    use crate::schema::{ListType, PrimitiveType};
    use crate::transform::Transform;

    const INT: Type = Type::Primitive(PrimitiveType::Int);
    const LONG: Type = Type::Primitive(PrimitiveType::Long);
    const STRING: Type = Type::Primitive(PrimitiveType::String);

    fn table() -> TableMetadata {
        let fields = vec![
            NestedField::optional(1, "a", INT),
            NestedField::optional(2, "b", STRING),
            NestedField::optional(3, "d", Type::Primitive(PrimitiveType::Date)),
        ];
        let partition =
            UnboundPartitionField { source_id: 3, field_id: None, name: "d_day".into(), transform: Transform::Day };
        TableMetadata::create(TableCreation {
            location: "s3://lake/t".to_owned(),
            schema: Schema::new(0, fields),
            partition_spec: UnboundPartitionSpec { spec_id: None, fields: vec![partition] },
            sort_order: SortOrder::default(),
            properties: Default::default(),
            uuid: Uuid::nil(),
            now_ms: 1,
        })
        .unwrap()
    }

    fn after(changes: &[ColumnChange]) -> Result<TableMetadata> {
        let table = table();
        let (requirements, updates) = evolve(&table, changes)?;
        requirements.iter().try_for_each(|requirement| requirement.check(Some(&table)))?;
        table.apply(&updates, 2)
    }

    fn names(table: &TableMetadata) -> Vec<(i32, &str)> {
        table.current_schema().fields.iter().map(|field| (field.id, field.name.as_str())).collect()
    }

    fn change(name: &str, new_name: &str, ty: Type, place: Option<Place>) -> ColumnChange {
        ColumnChange::Change { name: name.into(), new_name: new_name.into(), ty, doc: None, place }
    }

    #[test]
    fn columns_come_and_go_and_ids_stay() {
        let list = Type::List(Box::new(ListType { element_id: 0, element_required: false, element: INT }));
        let added = after(&[
            ColumnChange::Drop { name: "B".into() },
            ColumnChange::Add { name: "e".into(), ty: list, doc: Some("new".into()) },
            ColumnChange::Add { name: "b".into(), ty: INT, doc: None },
        ])
        .unwrap();
        assert_eq!(names(&added), [(1, "a"), (3, "d"), (4, "e"), (6, "b")]);
        assert_eq!((added.last_column_id, added.current_schema_id), (6, 1));
        assert_eq!(added.current_schema().column("e").unwrap().doc.as_deref(), Some("new"));
    }

    #[test]
    fn columns_are_renamed_widened_and_moved() {
        let changed = after(&[change("a", "n", LONG, Some(Place::After("b".into())))]).unwrap();
        assert_eq!(names(&changed), [(2, "b"), (1, "n"), (3, "d")]);
        assert_eq!(changed.current_schema().column("n").unwrap().ty, LONG);
        assert_eq!(
            names(&after(&[change("d", "d", Type::Primitive(PrimitiveType::Date), Some(Place::First))]).unwrap())[0].0,
            3
        );
    }

    #[test]
    fn what_would_lose_data_is_refused() {
        let refused = |change: ColumnChange| after(&[change]).unwrap_err().to_string();
        assert!(refused(ColumnChange::Drop { name: "d".into() }).contains("the partition field d_day"));
        assert!(refused(ColumnChange::Drop { name: "x".into() }).contains("does not exist"));
        assert!(refused(ColumnChange::Add { name: "A".into(), ty: INT, doc: None }).contains("already exists"));
        assert!(refused(change("b", "b", INT, None)).contains("Cannot change the type"));
        assert!(refused(change("a", "B", INT, None)).contains("already exists"));
        assert!(refused(change("a", "a", INT, Some(Place::After("x".into())))).contains("does not exist"));
    }
}
