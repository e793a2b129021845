"""Boathouse's runtime client for Python: takes events from the Runtime API, calls the handler, answers.

It speaks HTTP by itself, because importing an HTTP library takes longer than everything else here.
"""

import os
import sys


class RuntimeApi:
    """One connection that is kept open, and the few requests that a runtime makes."""

    def __init__(self):
        import _socket

        host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].rsplit(":", 1)
        self.socket = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self.socket.connect((host, int(port)))
        self.socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self.buffer = b""

    def request(self, method, path, body=b"", headers=()):
        lines = [f"{method} /2018-06-01/runtime/{path} HTTP/1.1", "Host: runtime"]
        if method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        lines.extend(f"{name}: {value}" for name, value in headers)
        self.send("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body)
        return self.answer()

    def send(self, data):
        view = memoryview(data)
        while view:
            view = view[self.socket.send(view) :]

    def more(self):
        piece = self.socket.recv(262144)
        if not piece:
            sys.exit(0)  # the platform is done with this instance
        self.buffer += piece

    def answer(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        pieces, have = [self.buffer], len(self.buffer)
        while have < length:
            piece = self.socket.recv(min(1 << 20, length - have))
            if not piece:
                sys.exit(0)
            pieces.append(piece)
            have += len(piece)
        body = b"".join(pieces)
        self.buffer = body[length:]
        return int(status.split(" ")[1]), headers, body[:length]


class CognitoIdentity:
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self):
        self.cognito_identity_id = self.cognito_identity_pool_id = None


class Client:
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext:
    __slots__ = ("custom", "env", "client")

    def __init__(self, document):
        self.custom, self.env = document.get("custom"), document.get("env")
        self.client = Client()
        for name in Client.__slots__:
            setattr(self.client, name, document.get("client", {}).get(name))


class LambdaContext:
    """What a handler learns about its invocation (AWS: "Using the Lambda context object ... Python")."""

    def __init__(self, request_id, headers):
        self.aws_request_id = request_id
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = CognitoIdentity()
        self.tenant_id = None
        self.client_context = None
        if headers.get("lambda-runtime-client-context"):
            import json

            self.client_context = ClientContext(json.loads(headers["lambda-runtime-client-context"]))
        self._deadline = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        import time

        return max(int(self._deadline - time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        members = ",".join(f"{name}={value}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"LambdaContext([{members}])"


class Failure(Exception):
    """Something that goes wrong before or after the handler, under the name that AWS has for it."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind, self.message, self.trace = kind, message, list(trace)


CURRENT = {"request_id": ""}


def prepare_logging():
    """Gives the root logger AWS's handler, at the first import of `logging` if there is none before the handler runs."""
    import logging
    import time

    class Handler(logging.Handler):
        def emit(self, record):
            # A record is one event, so its lines are held together.
            sys.stdout.write(self.format(record).replace("\n", "\r") + "\n")

    class RequestId(logging.Filter):
        def filter(self, record):
            record.aws_request_id = CURRENT["request_id"]
            return True

    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler = Handler()
    handler.setFormatter(formatter)
    handler.addFilter(RequestId())
    logging.getLogger().addHandler(handler)


class LoggingHook:
    """Prepares logging when somebody imports it, so that functions that don't log don't pay for it."""

    def find_spec(self, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        import importlib.util

        found = importlib.util.find_spec("logging")
        load = found.loader.exec_module

        def exec_module(module):
            load(module)
            prepare_logging()

        found.loader.exec_module = exec_module
        return found


def frames(trace):
    """The frames of user code, in AWS's form."""
    import traceback

    own = __file__
    return traceback.format_list([frame for frame in traceback.extract_tb(trace) if frame.filename != own])


def describe(error):
    """An exception as the Runtime API takes it."""
    if isinstance(error, Failure):
        return {"errorMessage": error.message, "errorType": error.kind, "stackTrace": error.trace}
    trace = [frame for frame in frames(error.__traceback__) if not frame.startswith('  File "<frozen importlib')]
    return {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}


def log_error(document):
    trace = document["stackTrace"]
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}"]
    if trace:
        lines.append("Traceback (most recent call last):")
        lines.extend(line.rstrip("\n") for line in trace)
    sys.stdout.write("\r".join(lines).replace("\n", "\r") + "\n")
    sys.stdout.flush()


def report(api, path, document):
    import json

    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    headers = (("Content-Type", "application/json"), ("Lambda-Runtime-Function-Error-Type", document["errorType"]))
    api.request("POST", path, body, headers)


def load(name):
    """The handler by its name, `package/module.function`."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot or not module_name:
        problem = "not enough values to unpack (expected 2, got 1)"
        raise Failure("Runtime.MalformedHandlerName", f"Bad handler '{name}': {problem}")
    module_name = module_name.replace("/", ".")
    if module_name.split(".")[0] in sys.builtin_module_names:
        problem = f"Cannot use built-in module {module_name} as a handler module"
        raise Failure("Runtime.BuiltInModuleConflict", problem)
    import importlib

    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise Failure("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").strip()}'
        message = f"Syntax error in module '{module_name}': {error}"
        raise Failure("Runtime.UserCodeSyntaxError", message, [place]) from error
    try:
        return getattr(module, function_name)
    except AttributeError as error:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Failure("Runtime.HandlerNotFound", message) from error


def marshal(answer):
    import json
    from decimal import Decimal

    def other(value):
        if isinstance(value, Decimal):
            return float(value)
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")

    try:
        return json.dumps(answer, ensure_ascii=False, default=other).encode("utf-8")
    except (TypeError, ValueError, UnicodeEncodeError) as error:
        raise Failure("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def serve(api, handler):
    import json

    while True:
        _, headers, body = api.request("GET", "invocation/next")
        request_id = headers["lambda-runtime-aws-request-id"]
        CURRENT["request_id"] = request_id
        if headers.get("lambda-runtime-trace-id"):
            os.environ["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"]
        try:
            try:
                event = json.loads(body)
            except ValueError as error:
                raise Failure("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error
            answer = marshal(handler(event, LambdaContext(request_id, headers)))
        except Exception as error:
            document = describe(error) | {"requestId": request_id}
            log_error(document)
            report(api, f"invocation/{request_id}/error", document)
            continue
        sys.stdout.flush()
        sys.stderr.flush()
        status, _, refusal = api.request("POST", f"invocation/{request_id}/response", answer)
        if status == 413:
            log_error(json.loads(refusal) | {"stackTrace": []})


def main():
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
    root = os.environ["LAMBDA_TASK_ROOT"]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path[0:0] = [root, "/opt/python", f"/opt/python/lib/{version}/site-packages"]
    sys.stdout.reconfigure(line_buffering=True)  # what was printed is in the log, whatever happens next
    api = RuntimeApi()
    if "logging" in sys.modules:
        prepare_logging()
    else:
        sys.meta_path.insert(0, LoggingHook())
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:
        document = describe(error) | {"requestId": ""}
        log_error(document)
        report(api, "init/error", document)
        sys.exit(1)
    sys.stdout.flush()
    serve(api, handler)


main()
