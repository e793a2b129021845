use crate::check::PythonShell;
use crate::failure::Failure;
use crate::worker::Attempt;
pub(crate) async fn run(_: &Attempt<'_>, _: &PythonShell) -> Result<(), Failure> {
    todo!()
}
