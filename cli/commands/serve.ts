import { createHandler, type HandlerOptions, type InferenceHandler } from "@webnn/serve";
import { command, positiveInteger } from "../command.ts";
import { Failure, fileError, messageOf, UsageError } from "../errors.ts";
import { contextOptions, DEVICE_OPTIONS } from "../model/device.ts";
import type { Terminal } from "../terminal.ts";

const PORT = 8080;
const HOST = "127.0.0.1";

/** How long requests are still accepted after the stop signal, in milliseconds: load balancers need time to notice. */
const GRACE = 5000;

/** The signal with which a supervisor stops a program. */
const STOP = Deno.build.os === "windows" ? "SIGBREAK" : "SIGTERM";

/** `webnn serve`. */
export const serveCommand = command({
  name: "serve",
  summary: "Serves models over HTTP with the Open Inference Protocol v2",
  usage: "MODEL...",
  help: `MODEL is an .onnx file; the file name without .onnx is the name of the model. SIGTERM stops the server: GET
/v2/health/ready reports that it is not ready, it answers the requests in flight, and ends with status 0. Metrics are at
GET /metrics.`,
  options: {
    port: { kind: "text", value: "N", help: `the port (${PORT}); 0 for any free port` },
    host: { kind: "text", value: "ADDRESS", help: `the address (${HOST}, for this machine only); 0.0.0.0 for all` },
    batch: {
      kind: "text",
      value: "N",
      help: "the maximum number of rows in a run that combines waiting requests (1: none are combined)",
    },
    "batch-delay": { kind: "text", value: "MS", help: "how long a request waits for others to join its run (0)" },
    instances: {
      kind: "text",
      value: "N",
      help: "how many runs of a model go on at once, each with all --threads (CPU: one, or several of one thread)",
    },
    "max-body": { kind: "text", value: "MIB", help: "the largest size of a request, also after decompression (64)" },
    "max-queue": { kind: "text", value: "N", help: "how many requests may wait for each model (256)" },
    timeout: { kind: "text", value: "MS", help: "the time limit of a request, including its wait (30000)" },
    ...DEVICE_OPTIONS,
  },
  async run({ args, options, terminal }) {
    if (args.length === 0) throw new UsageError("MODEL is missing");
    const hostname = options.host ?? HOST;
    const port = integerUpTo(options.port ?? `${PORT}`, "--port", 65535);
    const running: HandlerOptions = {
      context: contextOptions(options),
      batch: positiveInteger(options.batch ?? "1", "--batch"),
      batchDelay: integerUpTo(options["batch-delay"] ?? "0", "--batch-delay", 60_000),
      ...options.instances === undefined ? {} : { instances: positiveInteger(options.instances, "--instances") },
      maxBodyBytes: positiveInteger(options["max-body"] ?? "64", "--max-body") * 2 ** 20,
      maxQueue: positiveInteger(options["max-queue"] ?? "256", "--max-queue"),
      timeout: positiveInteger(options.timeout ?? "30000", "--timeout"),
    };
    terminal.progress(`loading ${args.join(", ")} ...`);
    await using handler = await createHandler(args, running).catch((error) => {
      throw namedFileError(args, error);
    });
    await listen(handler, { hostname, port }, terminal, options.json);
  },
});

/** Rewords a system error about one of the models as in the other commands. Other errors stay unchanged. */
function namedFileError(models: readonly string[], error: unknown): unknown {
  const path = models.find((model) => messageOf(error).endsWith(` '${model}'`));
  return path === undefined ? error : fileError(path, error);
}

/** Answers requests until the stop signal. */
async function listen(
  handler: InferenceHandler,
  address: { readonly hostname: string; readonly port: number },
  terminal: Terminal,
  json: boolean,
): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  const stop = () => stopped.resolve();
  // Before the server starts: a program that reads its URL may send the signal at once.
  Deno.addSignalListener(STOP, stop);
  try {
    const server = open(handler, address, (url) => announce(handler, url, terminal, json));
    await stopped.promise;
    const grace = AbortSignal.timeout(GRACE);
    await Promise.race([handler.drain(), new Promise((resolve) => grace.addEventListener("abort", resolve))]);
    await server.shutdown();
  } finally {
    Deno.removeSignalListener(STOP, stop);
  }
}

function open(
  handler: InferenceHandler,
  { hostname, port }: { readonly hostname: string; readonly port: number },
  onUrl: (url: string) => void,
): Deno.HttpServer {
  const name = hostname.includes(":") ? `[${hostname}]` : hostname;
  try {
    // Deno passes a second argument, the connection, which the handler must not get.
    return Deno.serve(
      { hostname, port, onListen: (at) => onUrl(`http://${name}:${at.port}`) },
      (request) => handler(request),
    );
  } catch (error) {
    const reason = error instanceof Deno.errors.AddrInUse ? "another program uses this port" : messageOf(error);
    throw new Failure(`${name}:${port}: ${reason}`, { cause: error });
  }
}

function announce({ models }: InferenceHandler, url: string, terminal: Terminal, json: boolean): void {
  terminal.progress();
  if (json) return terminal.write(`${JSON.stringify({ url, models })}\n`);
  const lines = models.map(({ name, engine }) => `${url}/v2/models/${encodeURIComponent(name)}  (${engine})`);
  terminal.write(`Listening on ${url}\n${lines.join("\n")}\n`);
}

/** Parses the value of an option that must be an integer from 0 to `max`. */
function integerUpTo(text: string, option: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value <= max)) {
    throw new UsageError(`${option} must be an integer from 0 to ${max}, not ${JSON.stringify(text)}`);
  }
  return value;
}
