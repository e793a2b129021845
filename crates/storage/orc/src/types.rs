//! Whether a file's types make sense: a tree in the order in which it is walked, not too deep, every type complete.

use orc_rust::proto::Type;
use orc_rust::proto::r#type::Kind;

use crate::error::{OrcError, corrupt};

/// How deep types may be nested: decoders walk them by recursion.
const DEEPEST: usize = 64;

/// Refuses types that are no tree, or no struct at the top.
pub(crate) fn check(types: &[Type]) -> Result<(), OrcError> {
    if types.first().is_none_or(|root| root.kind() != Kind::Struct) {
        return Err(corrupt("Its root is no struct"));
    }
    let mut depths: Vec<Option<usize>> = vec![None; types.len()];
    depths[0] = Some(0);
    for (index, ty) in types.iter().enumerate() {
        // A type that nothing refers to is never read.
        let Some(depth) = depths[index] else { continue };
        check_one(ty)?;
        if depth > DEEPEST {
            return Err(corrupt("Its types are nested too deeply"));
        }
        for child in &ty.subtypes {
            let child = *child as usize;
            match depths.get_mut(child) {
                Some(known @ None) if child > index => *known = Some(depth + 1),
                _ => return Err(corrupt("Its types are no tree")),
            }
        }
    }
    Ok(())
}

fn check_one(ty: &Type) -> Result<(), OrcError> {
    let children = ty.subtypes.len();
    let is_complete = match ty.kind() {
        Kind::Struct => ty.field_names.len() == children,
        Kind::List => children == 1,
        Kind::Map => children == 2,
        Kind::Union => children > 0,
        Kind::Decimal => (1..=38).contains(&ty.precision()) && ty.scale() <= ty.precision(),
        _ => children == 0,
    };
    if is_complete { Ok(()) } else { Err(corrupt(format!("A type {} is incomplete", ty.kind().as_str_name()))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, subtypes: &[u32]) -> Type {
        let field_names = match kind {
            Kind::Struct => subtypes.iter().map(u32::to_string).collect(),
            _ => Vec::new(),
        };
        Type { kind: Some(kind.into()), subtypes: subtypes.to_vec(), field_names, ..Type::default() }
    }

    #[test]
    fn types_are_a_tree() {
        assert!(
            check(&[of(Kind::Struct, &[1, 2]), of(Kind::Int, &[]), of(Kind::List, &[3]), of(Kind::Date, &[])]).is_ok()
        );
        for bad in [
            vec![],
            vec![of(Kind::Int, &[])],
            vec![of(Kind::Struct, &[1]), of(Kind::List, &[1])],
            vec![of(Kind::Struct, &[1]), of(Kind::Struct, &[0])],
            vec![of(Kind::Struct, &[1, 1]), of(Kind::Int, &[])],
            vec![of(Kind::Struct, &[7])],
            vec![of(Kind::Struct, &[1]), of(Kind::Map, &[])],
            vec![of(Kind::Struct, &[1]), of(Kind::Decimal, &[])],
        ] {
            assert!(check(&bad).is_err(), "{bad:?}");
        }
        let deep = (0..1000).map(|index| of(if index == 0 { Kind::Struct } else { Kind::List }, &[index + 1]));
        assert!(check(&deep.chain([of(Kind::Int, &[])]).collect::<Vec<_>>()).is_err());
    }
}
