//! What Athena calls the kinds of statement, and where their results go.

use boathouse_trino_parser::ast::{AlterAction, Show, Statement};

/// The end of the result object's name.
pub(crate) fn result_suffix(statement: &Statement) -> &'static str {
    match statement {
        Statement::Query(_) => ".csv",
        Statement::CreateTableAs(_)
        | Statement::Insert(_)
        | Statement::Unload(_)
        | Statement::Delete(_)
        | Statement::Update(_)
        | Statement::Merge(_) => "",
        _ => ".txt",
    }
}

/// Athena's SubstatementType.
pub(crate) fn substatement(statement: &Statement) -> &'static str {
    match statement {
        Statement::Query(_) => "SELECT",
        Statement::CreateTableAs(_) => "CREATE_TABLE_AS_SELECT",
        Statement::Insert(_) => "INSERT",
        Statement::Delete(_) => "DELETE",
        Statement::Update(_) => "UPDATE",
        Statement::Merge(_) => "MERGE",
        Statement::Optimize(_) => "OPTIMIZE",
        Statement::Vacuum(_) => "VACUUM",
        Statement::Unload(_) => "UNLOAD",
        Statement::CreateView(_) => "CREATE_VIEW",
        Statement::DropView(_) => "DROP_VIEW",
        Statement::Explain(_) => "EXPLAIN",
        Statement::Prepare(_) => "PREPARE",
        Statement::Execute(_) => "EXECUTE",
        Statement::Deallocate(_) => "DEALLOCATE",
        Statement::Describe(_) => "DESCRIBE_TABLE",
        Statement::CreateDatabase(_) => "CREATE_DATABASE",
        Statement::DropDatabase { .. } => "DROP_DATABASE",
        Statement::AlterDatabase { .. } => "ALTER_DATABASE",
        Statement::CreateTable(_) => "CREATE_TABLE",
        Statement::DropTable(_) => "DROP_TABLE",
        Statement::RepairTable(_) => "MSCK_REPAIR",
        Statement::Show(show) => of_show(show),
        Statement::AlterTable { action, .. } => of_alter(action),
    }
}

fn of_show(show: &Show) -> &'static str {
    match show {
        Show::Databases { .. } => "SHOW_DATABASES",
        Show::Tables { .. } => "SHOW_TABLES",
        Show::Views { .. } => "SHOW_VIEWS",
        Show::Columns(_) => "SHOW_COLUMNS",
        Show::Partitions(_) => "SHOW_PARTITIONS",
        Show::CreateTable(_) => "SHOW_CREATE_TABLE",
        Show::CreateView(_) => "SHOW_CREATE_VIEW",
        Show::TableProperties { .. } => "SHOW_TBLPROPERTIES",
        Show::Functions { .. } => "SHOW_FUNCTIONS",
    }
}

fn of_alter(action: &AlterAction) -> &'static str {
    match action {
        AlterAction::AddPartitions { .. } => "ALTER_TABLE_ADD_PARTITION",
        AlterAction::DropPartitions { .. } => "ALTER_TABLE_DROP_PARTITION",
        AlterAction::RenamePartition { .. } => "ALTER_TABLE_RENAME_PARTITION",
        AlterAction::SetLocation { .. } => "ALTER_TABLE_SET_LOCATION",
        AlterAction::SetProperties(_) | AlterAction::UnsetProperties { .. } => "ALTER_TABLE_PROPERTIES",
        AlterAction::AddColumns { .. } => "ALTER_TABLE_ADD_COLUMN",
        AlterAction::ReplaceColumns { .. } => "ALTER_TABLE_REPLACE_COLUMN",
        AlterAction::ChangeColumn { .. } => "ALTER_TABLE_CHANGE_COLUMN",
        AlterAction::DropColumn(_) => "ALTER_TABLE_DROP_COLUMN",
        AlterAction::Rename(_) => "ALTER_TABLE_RENAME",
    }
}
