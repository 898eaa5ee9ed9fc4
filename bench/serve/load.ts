/**
 * Puts load on a server of the Open Inference Protocol: each connection sends one request after the other, and checks
 * each response.
 *
 * @module
 */
import { random } from "../../support/random.ts";

/** A model on the server, and how to create random inputs for it. */
export interface Workload {
  readonly model: string;
  /** The tensors of a request; `value` returns one element. */
  readonly inputs: readonly {
    readonly name: string;
    readonly datatype: "FP32" | "INT64";
    readonly shape: readonly number[];
    readonly value: (next: () => number) => number;
  }[];
}

const PIXELS = 3 * 224 * 224;

/** The models of the load test. */
export const WORKLOADS: readonly Workload[] = [
  {
    model: "squeezenet",
    inputs: [{ name: "data", datatype: "FP32", shape: [1, 3, 224, 224], value: (next) => next() * 4 - 2 }],
  },
  {
    model: "minilm",
    inputs: ["input_ids", "attention_mask", "token_type_ids"].map((name) => ({
      name,
      datatype: "INT64",
      shape: [1, 128],
      value: (next) => name === "input_ids" ? Math.floor(next() * 30_000) : name === "attention_mask" ? 1 : 0,
    })),
  },
];

/** The result of a load. */
export interface Outcome {
  readonly seconds: number;
  readonly right: number;
  /** Responses with other numbers than the response to the same request without load. */
  readonly wrong: number;
  /** Good requests without a response, or with another status than 200. */
  readonly lost: number;
  /** Bad requests, which are damaged, too large, slow or cut off. */
  readonly bad: number;
  /** Bad requests that the server did not reject with a 4xx. */
  readonly badAccepted: number;
  /** The times of good requests in milliseconds, ascending. */
  readonly latencies: readonly number[];
}

interface Sample {
  readonly init: RequestInit;
  /** The numbers in the response to the request without load. */
  readonly expected: Float32Array;
}

const LENGTH = "inference-header-content-length";
const SAMPLES = 8;
/** The size of a batch affects the order of sums, so the last digits may differ. */
const TOLERANCE = 1e-3;

/** Sends requests for some seconds. With `bad`, one of eight is damaged, too large, slow or cut off. */
export async function load(
  url: string,
  workload: Workload,
  { connections, seconds, bad }: { readonly connections: number; readonly seconds: number; readonly bad: boolean },
): Promise<Outcome> {
  const path = `${url}/v2/models/${workload.model}/infer`;
  const samples = await Promise.all(Array.from({ length: SAMPLES }, (_, seed) => sampleOf(path, workload, seed)));
  const counts = { right: 0, wrong: 0, lost: 0, bad: 0, badAccepted: 0 };
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  const connection = async (seed: number) => {
    const next = random(seed);
    while (performance.now() < end) {
      if (bad && next() < 1 / 8) {
        counts.bad++;
        if (!await isRejected(new URL(path), next.integer(0, 3))) counts.badAccepted++;
        continue;
      }
      const sent = performance.now();
      const result = await send(path, next.pick(samples));
      latencies.push(performance.now() - sent);
      counts[result]++;
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, seed) => connection(seed)));
  return { seconds: (performance.now() - start) / 1000, ...counts, latencies: latencies.sort((a, b) => a - b) };
}

async function sampleOf(path: string, workload: Workload, seed: number): Promise<Sample> {
  const init = requestOf(workload, seed);
  const response = await fetch(path, init);
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return { init, expected: await numbersOf(response) };
}

function requestOf({ inputs }: Workload, seed: number): RequestInit {
  const next = random(seed);
  const parts = inputs.map(({ datatype, shape, value }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return datatype === "FP32"
      ? Float32Array.from({ length: count }, () => value(next))
      : BigInt64Array.from({ length: count }, () => BigInt(value(next)));
  });
  const tensors = inputs.map(({ name, datatype, shape }, i) => ({
    name,
    datatype,
    shape,
    parameters: { binary_data_size: parts[i]!.byteLength },
  }));
  const json = JSON.stringify({ inputs: tensors, parameters: { binary_data_output: true } });
  const head = new TextEncoder().encode(json);
  const body = new Uint8Array(head.byteLength + parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  body.set(head);
  let at = head.byteLength;
  for (const { buffer, byteLength } of parts) {
    body.set(new Uint8Array(buffer), at);
    at += byteLength;
  }
  return { method: "POST", body, headers: { [LENGTH]: `${head.byteLength}` } };
}

async function numbersOf(response: Response): Promise<Float32Array> {
  const bytes = await response.bytes();
  return new Float32Array(bytes.slice(Number(response.headers.get(LENGTH))).buffer);
}

async function send(path: string, { init, expected }: Sample): Promise<"right" | "wrong" | "lost"> {
  try {
    const response = await fetch(path, init);
    if (response.status !== 200) {
      await response.body?.cancel();
      return "lost";
    }
    return isClose(await numbersOf(response), expected) ? "right" : "wrong";
  } catch {
    return "lost";
  }
}

function isClose(numbers: Float32Array, expected: Float32Array): boolean {
  if (numbers.length !== expected.length) return false;
  // Compares every seventh number: the server runs on the same cores, so comparing all would slow it down.
  for (let i = 0; i < numbers.length; i += 7) if (!(Math.abs(numbers[i]! - expected[i]!) <= TOLERANCE)) return false;
  return true;
}

/** Sends a request that is damaged, too large, slow or cut off. Returns whether the server rejected it. */
async function isRejected(url: URL, kind: number): Promise<boolean> {
  try {
    if (kind === 0) return (await post(url, "{", {})).status === 400;
    if (kind === 1) return (await post(url, new Uint8Array(PIXELS), { [LENGTH]: "20" })).status === 400;
    await drop(url, kind === 2 ? 100 * 2 ** 20 : 1000);
    return true;
  } catch {
    return false;
  }
}

async function post(url: URL, body: BodyInit, headers: HeadersInit): Promise<Response> {
  const response = await fetch(url, { method: "POST", body, headers });
  await response.body?.cancel();
  return response;
}

/** Announces a body of `length` bytes, sends a part of it slowly, and closes the connection. */
async function drop({ hostname, port, pathname }: URL, length: number): Promise<void> {
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const head = `POST ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${length}\r\n\r\n{`;
  await connection.write(new TextEncoder().encode(head));
  await new Promise((resolve) => setTimeout(resolve, 50));
}
