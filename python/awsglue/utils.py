"""Arguments of job runs.

Written from "Accessing parameters using getResolvedOptions" in the AWS Glue developer guide.
"""

import argparse

# Arguments that Glue itself reads: a script gets them without asking.
RESERVED = ("job-bookmark-option", "job-bookmark-from", "job-bookmark-to", "TempDir", "JOB_ID", "JOB_RUN_ID")


class GlueArgumentError(Exception):
    """An argument that the script asks for was not given."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise GlueArgumentError(message)


def getResolvedOptions(args, options):  # noqa: N802 (the name is Glue's)
    """The values of `options` among the command line `args` (usually `sys.argv`), by name.

    Raises GlueArgumentError if one of them is missing, and ValueError if a script asks for an argument that Glue reserves.
    """
    taken = [name for name in options if name in RESERVED[:3]]
    if taken:
        raise ValueError(f"using reserved arguments {taken}")
    parser = _Parser(add_help=False, allow_abbrev=False)
    for name in dict.fromkeys(options):
        parser.add_argument(f"--{name}", dest=name, required=True)
    for name in RESERVED:
        if name not in options:
            parser.add_argument(f"--{name}", dest=name.replace("-", "_"), default=argparse.SUPPRESS)
    values, _ = parser.parse_known_args(args[1:])
    return vars(values)
