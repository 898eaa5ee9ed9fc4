/**
 * Helpers for tests of the server: small models, and requests like those of clients.
 *
 * @module
 */
import { createHandler, type HandlerOptions, type InferenceHandler, type ModelSource } from "@webnn/serve";
import { onnxFile, type PortSpec } from "../support/onnx_writer.ts";

/** A model that returns its input. */
export function identity(type: NonNullable<PortSpec["type"]>, shape: PortSpec["shape"] = ["n", 2]): ModelSource {
  const nodes = [{ op: "Identity", inputs: ["x"], outputs: ["y"] }];
  const ports = { inputs: [{ name: "x", type, shape }], outputs: [{ name: "y", type, shape }] };
  return { name: type, source: onnxFile({ nodes, ...ports }) };
}

/** x times 2 plus the other input, in float32. */
export function sum(name = "sum"): ModelSource {
  return {
    name,
    source: onnxFile({
      nodes: [
        { op: "Add", inputs: ["a", "a"], outputs: ["double"] },
        { op: "Add", inputs: ["double", "b"], outputs: ["c"] },
      ],
      inputs: [{ name: "a", shape: ["n", 3] }, { name: "b", shape: ["n", 3] }],
      outputs: [{ name: "c", shape: ["n", 3] }],
    }),
  };
}

/** One operator with the input x and the output y. */
export function unary(op: string, name = op, shape: PortSpec["shape"] = ["n", 2]): ModelSource {
  const nodes = [{ op, inputs: ["x"], outputs: ["y"] }];
  return { name, source: onnxFile({ nodes, inputs: [{ name: "x", shape }], outputs: [{ name: "y", shape }] }) };
}

/** Subtracts the mean of the rows from each row, so the rows are not independent. */
export function centred(): ModelSource {
  return {
    name: "centred",
    source: onnxFile({
      nodes: [
        { op: "ReduceMean", inputs: ["x", "axes"], outputs: ["mean"], attributes: { keepdims: 1 } },
        { op: "Sub", inputs: ["x", "mean"], outputs: ["y"] },
      ],
      initializers: [{ name: "axes", type: "int64", shape: [1], data: [0] }],
      inputs: [{ name: "x", shape: ["n", 2] }],
      outputs: [{ name: "y", shape: ["n", 2] }],
    }),
  };
}

/** Runs a test with its own handler. */
export function withHandler(
  name: string,
  models: readonly ModelSource[],
  options: HandlerOptions,
  test: (handler: InferenceHandler) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await using handler = await createHandler(models, { context: { threads: 1 }, ...options });
    await test(handler);
  });
}

/** A response with its contents. */
export interface Answer {
  readonly status: number;
  // deno-lint-ignore no-explicit-any
  readonly json: any;
  /** The binary data after the JSON. */
  readonly binary: Uint8Array<ArrayBuffer>;
  readonly headers: Headers;
}

/** Sends a request, and reads the response: JSON, and the binary data after it. */
export async function call(handler: InferenceHandler, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await handler(new Request(`http://127.0.0.1${path}`, init));
  const { status, headers } = response;
  const encoding = headers.get("content-encoding") as CompressionFormat | null;
  const stream = encoding ? response.body!.pipeThrough(new DecompressionStream(encoding)) : response.body;
  const bytes = await new Response(stream).bytes();
  const length = Number(headers.get("inference-header-content-length") ?? bytes.byteLength);
  const text = new TextDecoder().decode(bytes.subarray(0, length));
  const json = headers.get("content-type")?.startsWith("text/plain") ? text : JSON.parse(text);
  return { status, headers, json, binary: bytes.slice(length) };
}

/** Sends an inference request in JSON; text is sent unchanged. */
export function infer(
  handler: InferenceHandler,
  model: string,
  body: unknown,
  headers: HeadersInit = {},
): Promise<Answer> {
  return call(handler, `/v2/models/${encodeURIComponent(model)}/infer`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers,
  });
}

/** Sends an inference request with binary data after the JSON. */
export function inferBinary(
  handler: InferenceHandler,
  model: string,
  json: unknown,
  binary: ArrayBufferView<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const head = new TextEncoder().encode(JSON.stringify(json));
  return call(handler, `/v2/models/${model}/infer`, {
    method: "POST",
    body: new Blob([head, binary]),
    headers: { "inference-header-content-length": `${head.byteLength}`, ...headers },
  });
}
