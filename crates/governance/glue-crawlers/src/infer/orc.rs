//! ORC: the footer says it all.

use boathouse_orc::OrcError;
use boathouse_orc::proto::Type;
use boathouse_orc::proto::r#type::Kind;
use boathouse_orc::tail::{MAGIC, Tail};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::schema::{Column, HiveType};

/// Whether a file ends like ORC: the last thing before the length of its postscript is the magic word.
///
/// # Errors
/// The file can't be read.
pub(crate) async fn is_ended(store: &dyn ObjectStore, file: &ObjectMeta) -> object_store::Result<bool> {
    let end = store.get_range(&file.location, file.size.saturating_sub(MAGIC.len() as u64 + 1)..file.size).await?;
    Ok(end.starts_with(MAGIC) && end.len() > MAGIC.len())
}

/// The columns and the number of rows of a file, from its footer.
///
/// # Errors
/// The footer is broken, or can't be read.
pub(crate) async fn infer(store: &dyn ObjectStore, file: &ObjectMeta) -> Result<(Vec<Column>, u64), OrcError> {
    let tail = Tail::read(store, file).await?;
    let types = &tail.footer.types;
    Ok((fields(types, &types[0]), tail.footer.number_of_rows()))
}

/// Names that differ in case only are one name to the catalog; the first column has it, as for a reader of the file.
fn fields(types: &[Type], ty: &Type) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for (name, child) in ty.field_names.iter().zip(&ty.subtypes) {
        let name = name.to_lowercase();
        if !columns.iter().any(|known| known.name == name) {
            columns.push(Column { name, kind: kind_of(types, *child) });
        }
    }
    columns
}

/// The type of that number; a file's types were found to be a tree when its end was read.
fn kind_of(types: &[Type], index: u32) -> HiveType {
    let ty = &types[index as usize];
    let child = |place: usize| Box::new(kind_of(types, ty.subtypes[place]));
    match ty.kind() {
        Kind::Boolean => HiveType::Boolean,
        Kind::Byte => HiveType::Tinyint,
        Kind::Short => HiveType::Smallint,
        Kind::Int => HiveType::Int,
        Kind::Long => HiveType::Bigint,
        Kind::Float => HiveType::Float,
        Kind::Double => HiveType::Double,
        Kind::Decimal => HiveType::Decimal(ty.precision() as u8, ty.scale() as i8),
        Kind::Varchar => HiveType::Varchar(ty.maximum_length()),
        Kind::Char => HiveType::Char(ty.maximum_length()),
        Kind::Binary => HiveType::Binary,
        Kind::Date => HiveType::Date,
        Kind::Timestamp | Kind::TimestampInstant => HiveType::Timestamp,
        Kind::List => HiveType::Array(child(0)),
        Kind::Map => HiveType::Map(child(0), child(1)),
        Kind::Struct => HiveType::Struct(fields(types, ty)),
        Kind::String | Kind::Union => HiveType::String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_become_hives() {
        let of = |kind: Kind, subtypes: &[u32], names: &[&str]| Type {
            kind: Some(kind.into()),
            subtypes: subtypes.to_vec(),
            field_names: names.iter().map(|name| (*name).to_owned()).collect(),
            maximum_length: Some(7),
            precision: Some(12),
            scale: Some(3),
            ..Type::default()
        };
        let types = [
            of(Kind::Struct, &[1, 3, 6], &["A", "m", "a"]),
            of(Kind::List, &[2], &[]),
            of(Kind::Decimal, &[], &[]),
            of(Kind::Map, &[4, 5], &[]),
            of(Kind::Varchar, &[], &[]),
            of(Kind::TimestampInstant, &[], &[]),
            of(Kind::Int, &[], &[]),
        ];
        let shown: Vec<String> =
            fields(&types, &types[0]).iter().map(|it| format!("{} {}", it.name, it.kind)).collect();
        assert_eq!(shown, ["a array<decimal(12,3)>", "m map<varchar(7),timestamp>"]);
    }
}
