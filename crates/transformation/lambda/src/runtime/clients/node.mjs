// Boathouse's runtime client for Node.js: takes events from the Runtime API, calls the handler, answers.

import { createRequire } from "node:module";
import { connect } from "node:net";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import path from "node:path";

const [HOST, PORT] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const ROOT = process.env.LAMBDA_TASK_ROOT;
let requestId = "";

/** One connection that is kept open, and the few requests that a runtime makes, one after the other. */
class RuntimeApi {
  constructor() {
    this.socket = connect({ host: HOST, port: Number(PORT), noDelay: true });
    this.pieces = [];
    this.waiting = null;
    this.socket.on("data", (piece) => {
      this.pieces.push(piece);
      this.deliver();
    });
    this.socket.on("close", () => process.exit(0)); // the platform is done with this instance
    this.socket.on("error", () => process.exit(1));
  }

  request(method, target, body = "", headers = {}) {
    const bytes = Buffer.from(body);
    const lines = [`${method} /2018-06-01/runtime/${target} HTTP/1.1`, "Host: runtime"];
    if (method === "POST") lines.push(`Content-Length: ${bytes.length}`);
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    // While an event is awaited nothing else keeps the process alive, and while a handler runs this must not.
    this.socket.ref();
    this.socket.write(Buffer.concat([Buffer.from(lines.join("\r\n") + "\r\n\r\n"), bytes]));
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  deliver() {
    if (!this.waiting) return;
    const buffer = this.pieces.length === 1 ? this.pieces[0] : Buffer.concat(this.pieces);
    this.pieces = [buffer];
    const end = buffer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const [status, ...lines] = buffer.toString("latin1", 0, end).split("\r\n");
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(":");
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const start = end + 4;
    const length = Number(headers["content-length"] ?? 0);
    if (buffer.length < start + length) return;
    this.pieces = buffer.length > start + length ? [buffer.subarray(start + length)] : [];
    const resolve = this.waiting;
    this.waiting = null;
    this.socket.unref();
    resolve({ status: Number(status.split(" ")[1]), headers, body: buffer.toString("utf8", start, start + length) });
  }
}

/** Something that goes wrong before or after the handler, under the name that AWS has for it. */
class Failure extends Error {
  constructor(kind, message, stack) {
    super(message);
    this.name = kind;
    if (stack) this.stack = stack;
  }
}

function describe(error) {
  if (error instanceof Error || (error && typeof error === "object" && "stack" in error && "message" in error)) {
    return {
      errorType: error.name ?? "Error",
      errorMessage: error.message ?? "",
      trace: String(error.stack ?? "").split("\n"),
    };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

/** console.* as AWS writes it: time, request, level, message; one event per call. */
function prepareConsole() {
  const levels = { log: "INFO", info: "INFO", debug: "DEBUG", warn: "WARN", error: "ERROR", trace: "TRACE" };
  for (const [method, level] of Object.entries(levels)) {
    console[method] = (...parts) => {
      const text = format(...parts).replaceAll("\n", "\r");
      process.stdout.write(`${new Date().toISOString()}\t${requestId || "undefined"}\t${level}\t${text}\n`);
    };
  }
}

function logError(kind, document) {
  console.error(`${kind} \t${JSON.stringify({ ...document, stack: document.trace, trace: undefined })}`);
}

/** Runs to its end what waits in standard output's buffer. */
function flush() {
  return new Promise((resolve) => process.stdout.write("", resolve));
}

async function report(api, target, document) {
  await flush();
  await api.request("POST", target, JSON.stringify(document), {
    "Content-Type": "application/json",
    "Lambda-Runtime-Function-Error-Type": document.errorType.replace(/[^\x20-\x7e]/g, ""),
  });
}

/** The file of a module, by the name without its extension. */
function fileOf(name) {
  const base = path.resolve(ROOT, name);
  for (const extension of ["", ".js", ".mjs", ".cjs"]) {
    if (extension === "" ? /\.[cm]?js$/.test(base) && existsSync(base) : existsSync(base + extension)) {
      return base + extension;
    }
  }
  return null;
}

async function importModule(name) {
  const file = fileOf(name);
  const require = createRequire(path.join(ROOT, "noop.js"));
  try {
    if (file === null) return require(require.resolve(name, { paths: [ROOT, "/opt/nodejs"] }));
    // import() takes both kinds of module; what CommonJS exports stands in `default`.
    const module = await import(pathToFileURL(file).href);
    return file.endsWith(".mjs") || !module.default ? module : { ...module.default, ...module };
  } catch (error) {
    const missing = ["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND", "ERR_UNSUPPORTED_DIR_IMPORT"].includes(error?.code);
    if (missing) throw new Failure("Runtime.ImportModuleError", `Error: ${error.message}`);
    if (error instanceof SyntaxError) throw new Failure("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
    throw error;
  }
}

async function load(name) {
  const slash = name.lastIndexOf("/");
  const dot = name.indexOf(".", slash + 1);
  if (dot < 0) throw new Failure("Runtime.MalformedHandlerName", "Bad handler");
  if (name.includes("..")) {
    throw new Failure("Runtime.MalformedHandlerName", `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const module = await importModule(name.slice(0, dot));
  const names = name.slice(dot + 1).split(".");
  const handler = names.reduce((nested, member) => nested?.[member], module);
  if (handler === undefined) throw new Failure("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  if (typeof handler !== "function") throw new Failure("Runtime.HandlerNotFound", `${name} is not a function`);
  return handler;
}

function contextOf(headers, callback) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const client = headers["lambda-runtime-client-context"];
  return {
    awsRequestId: requestId,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: client ? JSON.parse(client) : undefined,
    identity: undefined,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
    done: (error, result) => callback(error, result),
    fail: (error) => callback(error),
    succeed: (result) => callback(null, result),
  };
}

/** Calls the handler; it answers by its promise, by its callback, or by having nothing left to do. */
function invoke(handler, headers, event) {
  return new Promise((resolve, reject) => {
    const idle = () => resolve(null);
    const settle = (settled) => (value) => {
      process.removeListener("beforeExit", idle);
      settled(value);
    };
    const [succeed, fail] = [settle(resolve), settle(reject)];
    const callback = (error, result) => (error === null || error === undefined ? succeed(result) : fail(error));
    process.once("beforeExit", idle);
    const answer = handler(event, contextOf(headers, callback), callback);
    if (answer && typeof answer.then === "function") answer.then(succeed, fail);
    else if (handler.length < 3 && answer !== undefined) succeed(answer);
  });
}

async function serve(api, handler) {
  for (;;) {
    const { headers, body } = await api.request("GET", "invocation/next");
    requestId = headers["lambda-runtime-aws-request-id"];
    if (headers["lambda-runtime-trace-id"]) process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
    try {
      const answer = await invoke(handler, headers, JSON.parse(body));
      const text = answer === undefined ? "null" : JSON.stringify(answer);
      await flush();
      await api.request("POST", `invocation/${requestId}/response`, text ?? "null");
    } catch (error) {
      const document = describe(error);
      logError("Invoke Error", document);
      await report(api, `invocation/${requestId}/error`, document);
    }
  }
}

async function crash(api, kind, error) {
  const cause = describe(error);
  const type = kind === "Uncaught Exception" ? cause.errorType : "Runtime.UnhandledPromiseRejection";
  const document = { ...cause, errorType: type };
  if (kind !== "Uncaught Exception") document.errorMessage = `${cause.errorType}: ${cause.errorMessage}`;
  logError(kind, document);
  await report(api, requestId ? `invocation/${requestId}/error` : "init/error", document);
  process.exit(129);
}

prepareConsole();
const api = new RuntimeApi();
process.on("uncaughtException", (error) => crash(api, "Uncaught Exception", error));
process.on("unhandledRejection", (error) => crash(api, "Unhandled Promise Rejection", error));
try {
  const handler = await load(process.env._HANDLER);
  await serve(api, handler);
} catch (error) {
  const document = describe(error);
  logError("Uncaught Exception", document);
  await report(api, "init/error", document);
  process.exit(1);
}
