//! Paths ("Iceberg REST Catalog API") → operations.

use http::Method;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::config::DEFAULT_CATALOG;
use crate::error::RestError;

/// What all paths begin with.
pub(crate) const BASE: &str = "/iceberg/v1/";

/// Between the levels of a namespace.
const LEVELS: char = '\u{1f}';

/// A table's namespace and name, in lower case as Glue keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What a request asks for, of which catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) catalog: String,
    pub(crate) operation: Operation,
}

/// The operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operation {
    GetConfig,
    ListNamespaces,
    CreateNamespace,
    LoadNamespace(String),
    NamespaceExists(String),
    DropNamespace(String),
    UpdateNamespace(String),
    ListTables(String),
    CreateTable(String),
    RegisterTable(String),
    LoadTable(TableName),
    TableExists(TableName),
    UpdateTable(TableName),
    DropTable(TableName),
    RenameTable,
}

impl Operation {
    /// AWS's name of the operation.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::GetConfig => "GetConfig",
            Self::ListNamespaces => "ListNamespaces",
            Self::CreateNamespace => "CreateNamespace",
            Self::LoadNamespace(_) => "LoadNamespaceMetadata",
            Self::NamespaceExists(_) => "NamespaceExists",
            Self::DropNamespace(_) => "DeleteNamespace",
            Self::UpdateNamespace(_) => "UpdateNamespaceProperties",
            Self::ListTables(_) => "ListTables",
            Self::CreateTable(_) => "CreateTable",
            Self::RegisterTable(_) => "RegisterTable",
            Self::LoadTable(_) => "LoadTable",
            Self::TableExists(_) => "TableExists",
            Self::UpdateTable(_) => "UpdateTable",
            Self::DropTable(_) => "DeleteTable",
            Self::RenameTable => "RenameTable",
        }
    }
}

/// Whether a path can't mean an object in a bucket called `iceberg`, as far as anybody can tell.
pub(crate) fn is_certain(path: &str) -> bool {
    let rest = path.strip_prefix(BASE).unwrap_or_default();
    rest == "config" || ["catalogs/", "namespaces"].iter().any(|start| rest.starts_with(start))
}

impl Route {
    pub(crate) fn of(parts: &Parts) -> Result<Self, RestError> {
        let path = parts.uri.path();
        let segments = path.strip_prefix(BASE).unwrap_or_default().split('/').map(decoded);
        let segments = segments.collect::<Result<Vec<_>, _>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (catalog, rest) = match segments.as_slice() {
            ["catalogs", catalog, rest @ ..] => (*catalog, rest),
            rest => (DEFAULT_CATALOG, rest),
        };
        let operation = operation(&parts.method, rest, path)?;
        Ok(Self { catalog: catalog.to_owned(), operation })
    }
}

fn decoded(segment: &str) -> Result<String, RestError> {
    let text = percent_decode_str(segment).decode_utf8();
    text.map(|text| text.into_owned()).map_err(|_| RestError::bad_request("the path is no UTF-8"))
}

fn operation(method: &Method, rest: &[&str], path: &str) -> Result<Operation, RestError> {
    Ok(match (method.as_str(), rest) {
        ("GET", ["config"]) => Operation::GetConfig,
        ("GET", ["namespaces"]) => Operation::ListNamespaces,
        ("POST", ["namespaces"]) => Operation::CreateNamespace,
        ("GET", ["namespaces", name]) => Operation::LoadNamespace(namespace(name)?),
        ("HEAD", ["namespaces", name]) => Operation::NamespaceExists(namespace(name)?),
        ("DELETE", ["namespaces", name]) => Operation::DropNamespace(namespace(name)?),
        ("POST", ["namespaces", name, "properties"]) => Operation::UpdateNamespace(namespace(name)?),
        ("GET", ["namespaces", name, "tables"]) => Operation::ListTables(namespace(name)?),
        ("POST", ["namespaces", name, "tables"]) => Operation::CreateTable(namespace(name)?),
        ("POST", ["namespaces", name, "register"]) => Operation::RegisterTable(namespace(name)?),
        ("GET", ["namespaces", of, "tables", name]) => Operation::LoadTable(table(of, name)?),
        ("HEAD", ["namespaces", of, "tables", name]) => Operation::TableExists(table(of, name)?),
        ("POST", ["namespaces", of, "tables", name]) => Operation::UpdateTable(table(of, name)?),
        ("DELETE", ["namespaces", of, "tables", name]) => Operation::DropTable(table(of, name)?),
        ("POST", ["tables", "rename"]) => Operation::RenameTable,
        _ => return Err(RestError::unsupported(format_args!("{method} {path}"))),
    })
}

/// A table. None is in a namespace of several levels: clients that ask for one, such as Spark for `db.table.snapshots`, go on
/// from there.
fn table(namespace_of: &str, name: &str) -> Result<TableName, RestError> {
    let levels = namespace_of.replace(LEVELS, ".");
    let namespace = namespace(namespace_of).map_err(|_| RestError::no_table(&levels, name))?;
    Ok(TableName { namespace, name: name.to_lowercase() })
}

/// A database; Glue's have one level.
fn namespace(text: &str) -> Result<String, RestError> {
    let levels: Vec<String> = text.split(LEVELS).map(str::to_owned).collect();
    single(&levels)
}

/// The one level of a namespace.
pub(crate) fn single(levels: &[String]) -> Result<String, RestError> {
    match levels {
        [name] if !name.is_empty() => Ok(name.to_lowercase()),
        levels => Err(RestError::no_namespace(&levels.join("."))),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn route(method: &str, path: &str) -> Result<Route, RestError> {
        let (parts, ()) = Request::builder().method(method).uri(path).body(()).unwrap().into_parts();
        Route::of(&parts)
    }

    #[test]
    fn paths_are_operations() {
        assert_eq!(route("GET", "/iceberg/v1/config?warehouse=x").unwrap().operation, Operation::GetConfig);
        let load = route("GET", "/iceberg/v1/catalogs/000000000000/namespaces/DB/tables/T%20x").unwrap();
        let table = TableName { namespace: "db".to_owned(), name: "t x".to_owned() };
        assert_eq!((load.catalog.as_str(), load.operation), ("000000000000", Operation::LoadTable(table)));
        let list = route("GET", "/iceberg/v1/namespaces/db/tables").unwrap();
        assert_eq!((list.catalog.as_str(), list.operation), (DEFAULT_CATALOG, Operation::ListTables("db".to_owned())));
        let colon = route("POST", "/iceberg/v1/catalogs/%3A/tables/rename").unwrap();
        assert_eq!((colon.catalog.as_str(), colon.operation), (":", Operation::RenameTable));
    }

    #[test]
    fn deeper_namespaces_and_other_paths_are_refused() {
        assert_eq!(route("GET", "/iceberg/v1/namespaces/a%1Fb").unwrap_err().kind, "NoSuchNamespaceException");
        let table = route("GET", "/iceberg/v1/namespaces/a%1Fb/tables/files").unwrap_err();
        assert_eq!((table.kind, table.message.as_str()), ("NoSuchTableException", "Table does not exist: a.b.files"));
        for (method, path) in [
            ("POST", "/iceberg/v1/transactions/commit"),
            ("GET", "/iceberg/v1/namespaces/a/views"),
            ("GET", "/iceberg/v1/"),
        ] {
            let error = route(method, path).unwrap_err();
            assert_eq!(error.status.as_u16(), 406, "{path}");
            assert!(error.message.contains(path), "{path}");
        }
    }

    #[test]
    fn objects_of_a_bucket_of_that_name_are_left_alone() {
        assert!(is_certain("/iceberg/v1/config") && is_certain("/iceberg/v1/catalogs/1/namespaces"));
        assert!(!is_certain("/iceberg/v1/config.json") && !is_certain("/iceberg/v1/data/a.parquet"));
    }
}
