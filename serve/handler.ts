/**
 * The routes of the Open Inference Protocol.
 *
 * @module
 */

import { readBody, respond } from "./body.ts";
import { HttpError, httpErrorOf } from "./errors.ts";
import { JSON_LENGTH, readRequest } from "./inference_request.ts";
import { writeResponse } from "./inference_response.ts";
import { modelMetadata, SERVER_METADATA, VERSION } from "./metadata.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import type { ModelSource, RunOptions } from "./options.ts";
import type { Activity } from "./scheduler.ts";
import { type ServedModel, serveModel } from "./served_model.ts";

/** The options of a handler. */
export interface HandlerOptions extends RunOptions {
  /** The maximum size of a body in bytes, both as received and decompressed; 64 MiB by default. */
  readonly maxBodyBytes?: number;
  /** The time limit of a request in milliseconds, including its body and the wait in the queue; 30,000 by default. */
  readonly timeout?: number;
}

/** Answers requests of the Open Inference Protocol v2. */
export interface InferenceHandler extends AsyncDisposable {
  (request: Request): Promise<Response>;
  /** The served models: the name, engine and device of each. */
  readonly models: readonly { readonly name: string; readonly engine: string }[];
  /** Reports the server as not ready, so that clients stop sending requests, and waits for those in progress. */
  drain(): Promise<void>;
}

/** The state of a handler. */
interface Server {
  readonly models: ReadonlyMap<string, ServedModel>;
  readonly metrics: Metrics;
  readonly activity: Activity;
  readonly maxBodyBytes: number;
  readonly timeout: number;
  draining: boolean;
}

/**
 * Loads models, and creates a request handler for them. `await using` or `[Symbol.asyncDispose]()` waits for the
 * requests in progress and releases the models.
 *
 * @param models paths or URLs of ONNX files, or objects with a source, a name and options
 * @returns rejects as `loadOnnx` does; with a TypeError if two models have the same name or an option is out of range
 *
 * @example
 * ```ts ignore
 * import { createHandler } from "@webnn/serve";
 *
 * await using handler = await createHandler(["squeezenet.onnx"], { batch: 8 });
 * await Deno.serve({ hostname: "127.0.0.1", port: 8080 }, handler).finished;
 * ```
 */
export async function createHandler(
  models: readonly (string | URL | ModelSource)[],
  options: HandlerOptions = {},
): Promise<InferenceHandler> {
  checkOptions(options);
  const served = new Map<string, ServedModel>();
  let inFlight = 0;
  let idle: PromiseWithResolvers<void> | undefined;
  const waiting = () => [...served.values()].reduce((sum, { scheduler }) => sum + scheduler.waiting, 0);
  const metrics = createMetrics({ inFlight: () => inFlight, waiting });
  const { maxBodyBytes = 64 * 2 ** 20, timeout = 30_000 } = options;
  const activity = { requests: 0, runs: 0 };
  const server: Server = { models: served, metrics, activity, maxBodyBytes, timeout, draining: false };
  const dispose = () => served.forEach((model) => model[Symbol.dispose]());
  try {
    for (const model of models) add(served, await serveModel(model, options, activity, metrics.ran));
  } catch (error) {
    dispose();
    throw error;
  }

  const handle = async (request: Request) => {
    inFlight++;
    try {
      return await answer(server, request);
    } finally {
      if (--inFlight === 0) idle?.resolve();
    }
  };
  const drain = async () => {
    server.draining = true;
    if (inFlight > 0) await (idle ??= Promise.withResolvers()).promise;
  };
  return Object.assign(handle, {
    models: Array.from(served.values(), ({ name, engine }) => ({ name, engine })),
    drain,
    [Symbol.asyncDispose]: () => drain().then(dispose),
  });
}

function add(served: Map<string, ServedModel>, model: ServedModel): void {
  if (served.has(model.name)) {
    model[Symbol.dispose]();
    throw new TypeError(`Two models have the name ${JSON.stringify(model.name)}; give one of them another name`);
  }
  served.set(model.name, model);
}

function checkOptions(options: HandlerOptions): void {
  const least = { instances: 1, batch: 1, batchDelay: 0, maxQueue: 1, maxBodyBytes: 1, timeout: 1 } as const;
  for (const [name, min] of Object.entries(least)) {
    const value = options[name as keyof typeof least];
    if (value !== undefined && !(Number.isInteger(value) && value >= min)) {
      throw new TypeError(`createHandler: ${name} must be an integer of at least ${min}, not ${value}`);
    }
  }
}

/** Answers a request. Never rejects. */
async function answer(server: Server, request: Request): Promise<Response> {
  const start = performance.now();
  const { pathname } = new URL(request.url);
  let model = "";
  try {
    const route = routeOf(server, pathname);
    model = route.model?.name ?? "";
    const response = await route.answer(server, request);
    server.metrics.answered(model, response.status, (performance.now() - start) / 1000);
    return response;
  } catch (error) {
    const { status, message, headers } = httpErrorOf(error);
    // Does not wait for the unread rest of the body.
    if (request.body && !request.bodyUsed) await request.body.cancel().catch(() => {});
    server.metrics.answered(model, status, (performance.now() - start) / 1000);
    return json(request, { error: message }, status, headers);
  }
}

function json(
  request: Request,
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = new TextEncoder().encode(JSON.stringify(value));
  return respond(request, status, body, { "content-type": "application/json", ...headers });
}

interface Route {
  readonly model?: ServedModel;
  readonly answer: (server: Server, request: Request) => Response | Promise<Response>;
}

/** @throws {HttpError} 404 if the path does not exist */
function routeOf(server: Server, pathname: string): Route {
  const path = pathname.replace(/(?<=.)\/$/, "");
  const common = ROUTES[path];
  if (common) return { answer: common };
  const [, encoded, version, action = ""] = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/(\w+))?$/.exec(path) ??
    [];
  const answerModel = Object.hasOwn(MODEL_ROUTES, action) ? MODEL_ROUTES[action] : undefined;
  if (encoded === undefined || !answerModel) throw new HttpError(404, `The path ${path} does not exist`);
  const name = decode(encoded);
  const model = server.models.get(name);
  if (!model) throw new HttpError(404, `There is no model ${JSON.stringify(name)}`);
  if (version !== undefined && version !== VERSION) {
    throw new HttpError(404, `The model ${JSON.stringify(name)} has only version ${VERSION}, not ${version}`);
  }
  return { model, answer: (server, request) => answerModel(server, request, model) };
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new HttpError(404, `There is no model ${encoded}`);
  }
}

const ROUTES: Readonly<Record<string, Route["answer"] | undefined>> = {
  "/v2": get((_server, request) => json(request, SERVER_METADATA)),
  "/v2/health/live": get((_server, request) => json(request, { live: true })),
  "/v2/health/ready": get(({ draining }, request) => json(request, { ready: !draining }, draining ? 503 : 200)),
  "/metrics": get(async ({ metrics }, request) =>
    respond(request, 200, new TextEncoder().encode(await metrics.text()), { "content-type": metrics.contentType })
  ),
};

type ModelRoute = (server: Server, request: Request, model: ServedModel) => Response | Promise<Response>;

const MODEL_ROUTES: Readonly<Record<string, ModelRoute>> = {
  "": get((_server, request, model) => json(request, modelMetadata(model.name, model))),
  ready: get(({ draining }, request, { name }) => json(request, { name, ready: !draining }, draining ? 503 : 200)),
  infer: allow("POST", async (server, request, model) => {
    server.activity.requests++;
    try {
      return await infer(server, request, model);
    } finally {
      server.activity.requests--;
    }
  }),
};

function get<R extends readonly unknown[]>(
  answer: (server: Server, request: Request, ...rest: R) => Response | Promise<Response>,
): typeof answer {
  return allow("GET", answer);
}

/** Checks the method of a request. HEAD is allowed like GET; Deno's server omits its body. */
function allow<R extends readonly unknown[]>(
  method: "GET" | "POST",
  answer: (server: Server, request: Request, ...rest: R) => Response | Promise<Response>,
): typeof answer {
  return (server, request, ...rest) => {
    if (request.method !== method && !(method === "GET" && request.method === "HEAD")) {
      throw new HttpError(405, `${request.method} is not allowed here, only ${method}`, { allow: method });
    }
    return answer(server, request, ...rest);
  };
}

async function infer(server: Server, request: Request, model: ServedModel): Promise<Response> {
  using deadline = deadlineAfter(server.timeout);
  const limits = { maxBodyBytes: server.maxBodyBytes, signal: deadline.signal };
  const body = await readBody(request, limits, Number(request.headers.get(JSON_LENGTH)));
  const asked = readRequest(request.headers, body, model);
  if (asked.timeout !== undefined) deadline.shorten(asked.timeout);
  const results = await model.scheduler.submit(asked.inputs, deadline.signal);
  // Frees the inputs now: the garbage collector would let hundreds of megabytes of them pile up.
  body.buffer.transfer(0);
  const { body: encoded, headers, isCompressible } = writeResponse(model.name, asked, results, model.outputs);
  return respond(request, 200, encoded, headers, isCompressible);
}

/**
 * A signal that aborts at the time limit; its timer ends with the request. A client that disconnects does not abort it,
 * because Deno's signal for that also aborts after each response, and then prints a warning.
 */
function deadlineAfter(timeout: number) {
  const controller = new AbortController();
  const start = performance.now();
  const expire = () => controller.abort(new HttpError(504, "The request exceeded its time limit"));
  let timer = setTimeout(expire, timeout);
  return {
    signal: controller.signal,
    shorten(limit: number) {
      clearTimeout(timer);
      timer = setTimeout(expire, Math.max(0, Math.min(limit, timeout) - (performance.now() - start)));
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
