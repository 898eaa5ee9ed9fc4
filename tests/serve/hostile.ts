/**
 * Hostile requests of 29 kinds, at random from a seed. A server with the models `sum` and `uint64` of `client.ts` must
 * reject each with a 4xx status.
 *
 * @module
 */
import type { Random } from "../../support/random.ts";

/** A request, and what is wrong with it. */
export interface HostileRequest {
  readonly kind: string;
  readonly path: string;
  readonly init: RequestInit;
}

/** The server's limit for bodies, in bytes. Some compressed bodies exceed it when decompressed. */
export const MAX_BODY_BYTES = 2 ** 20;

const INFER = "/v2/models/sum/infer";
const LENGTH = "inference-header-content-length";
const encoder = new TextEncoder();

const tensor = (name: string, change: object = {}) => ({
  name,
  datatype: "FP32",
  shape: [1, 3],
  data: [1, 2, 3],
  ...change,
});

/** A request in JSON with one input changed. */
const changed = (change: object): RequestInit => json({ inputs: [tensor("a", change), tensor("b")] });

function json(body: unknown): RequestInit {
  return { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) };
}

/** Two binary inputs, with the sizes stated in the JSON, and a number of bytes of data. */
function binary(sizes: readonly unknown[], bytes: number, length?: string): RequestInit {
  const inputs = sizes.map((size, i) => ({
    name: "ab"[i],
    datatype: "FP32",
    shape: [1, 3],
    parameters: { binary_data_size: size },
  }));
  const head = encoder.encode(JSON.stringify({ inputs }));
  const headers = { [LENGTH]: length ?? `${head.byteLength}` };
  return { method: "POST", body: new Blob([head, new Uint8Array(bytes)]), headers };
}

const KINDS: Readonly<Record<string, (random: Random) => RequestInit | Promise<RequestInit>>> = {
  "a negative dimension": (random) => changed({ shape: [-random.integer(1, 2 ** 31), 3] }),
  "a dimension of zero": () => changed({ shape: [0, 3], data: [] }),
  "2^53 elements and more": (random) => changed({ shape: [2 ** random.integer(49, 200), 3] }),
  "a product beyond 2^64": (random) => changed({ shape: Array(random.integer(2, 2000)).fill(2 ** 31) }),
  "an invalid shape": (random) => changed({ shape: random.pick([null, "1,3", {}, [[1, 3]], ["1", 3], [1.5, 2], 3]) }),
  "a shape that does not match the input": (random) =>
    changed({ shape: random.pick([[3], [1, 1, 3], [3, 1], [1, 4], []]) }),
  "an unknown type": (random) =>
    changed({
      datatype: random.pick(["INT16", "UINT16", "BYTES", "BF16", "", "fp32", 7, null, "__proto__", "constructor"]),
    }),
  "a type that does not match the input": (random) =>
    changed({ datatype: random.pick(["INT32", "UINT8", "BOOL", "FP16", "INT64"]) }),
  "invalid elements": (random) => changed({ data: [1, 2, random.pick([null, "3", {}, [3], true, [[[]]], 1e39])] }),
  "too few elements, or too many": (random) => changed({ data: Array(random.pick([0, 1, 2, 4, 1000])).fill(1) }),
  "nesting that does not match the shape": (random) =>
    changed({ data: random.pick([[[1, 2], [3]], [[[1, 2, 3]]], [[1], [2], [3]]]) }),
  "deep JSON": (random) => {
    const depth = random.integer(1000, 300_000);
    const [open, close] = random.pick([["[", "]"], ['{"a":', "}"]] as const);
    const deep = open.repeat(depth) + (open === "[" ? "" : "1") + close.repeat(depth);
    return json(random.pick([deep, `{"inputs":${deep}}`, `{"inputs":[{"name":"a","data":${deep}}]}`]));
  },
  "deep JSON with long integers": (random) => {
    const deep = "[".repeat(random.integer(1000, 100_000));
    const data = `${deep}18446744073709551616${deep.replaceAll("[", "]")}`;
    return json(`{"inputs":[{"name":"x","datatype":"UINT64","shape":[1,2],"data":${data}}]}`);
  },
  "damaged JSON": (random) => {
    const text = JSON.stringify({ inputs: [tensor("a"), tensor("b")] });
    return json(text.slice(0, random.integer(0, text.length - 1)));
  },
  "random bytes": (random) => ({
    method: "POST",
    body: Uint8Array.from({ length: random.integer(1, 500) }, () => random.integer(0, 255)),
  }),
  "JSON that is not a request": (random) =>
    json(random.pick(["null", "1", '"text"', "[]", '{"inputs":{}}', '{"inputs":[null]}'])),
  "wrong sizes of binary data": (random) =>
    binary([random.pick([11, 13, 0, -12, 2 ** 53, 1.5, "12", null, 1e308]), 12], 24),
  "too little binary data": (random) => binary([12, 12], random.integer(0, 23)),
  "too much binary data": (random) => binary([12, 12], 24 + random.integer(1, 1000)),
  "a wrong length of the JSON": (random) =>
    binary([12, 12], 24, random.pick(["0", "-1", "1e3", "0x10", "abc", "99999999", "1.5", "9".repeat(400), "10"])),
  "missing, repeated or unknown inputs": (random) =>
    json({ inputs: random.pick([[], [tensor("a")], [tensor("a"), tensor("a")], [tensor("a"), tensor("__proto__")]]) }),
  "unknown or repeated outputs": (random) =>
    json({
      inputs: [tensor("a"), tensor("b")],
      outputs: random.pick([[{ name: "d" }], [{}], ["c"], [{ name: "c" }, { name: "c" }]]),
    }),
  "unsupported extensions": (random) =>
    changed({ parameters: { [random.pick(["shared_memory_region", "sequence_id", "classification"])]: 1 } }),
  "an invalid id": (random) => json({ id: random.pick([1, {}, [], false, true]), inputs: [tensor("a"), tensor("b")] }),
  "a compressed body that is too large when decompressed": async (random) => {
    const blob = new Blob([new Uint8Array(MAX_BODY_BYTES * random.integer(2, 8))]);
    const body = await new Response(blob.stream().pipeThrough(new CompressionStream("gzip"))).bytes();
    return { method: "POST", body, headers: { "content-encoding": "gzip" } };
  },
  "a body that does not match its encoding": (random) => ({
    ...json({ inputs: [] }),
    headers: { "content-encoding": random.pick(["gzip", "deflate", "br", "gzip, gzip", "x".repeat(100)]) },
  }),
  "a body that is too large": (random) => json(" ".repeat(MAX_BODY_BYTES + random.integer(1, 10_000))),
  "a method that is not allowed": (random) => ({ method: random.pick(["GET", "PUT", "DELETE", "PATCH"]) }),
};

const PATHS: readonly string[] = [
  "/v2/models/..%2F..%2Fetc%2Fpasswd/infer",
  "/v2/models/%2Fetc%2Fpasswd",
  "/v2/models/sum%00/infer",
  "/v2/models/%E0%A4%A/infer",
  "/v2/models/__proto__/infer",
  "/v2/models/sum/versions/..%2F1/infer",
  "/v2/models/sum/versions/0/infer",
  "/v2/models/sum/versions/1e0/infer",
  "/v2/models/sum.onnx/infer",
  "/v2/models//infer",
  "/v2/repository/models/..%2Fx/load",
  `/v2/models/${"a".repeat(5000)}/infer`,
];

/** Requests of all kinds, a few of each, in random order. */
export async function* hostileRequests(random: Random, count: number): AsyncGenerator<HostileRequest> {
  const kinds = Object.entries(KINDS);
  for (let i = 0; i < count; i++) {
    if (i % 29 === 28) {
      const path = random.pick(PATHS);
      yield { kind: `the path ${path.slice(0, 60)}`, path, init: json({ inputs: [tensor("a"), tensor("b")] }) };
      continue;
    }
    const [kind, make] = kinds[i % 29]!;
    const path = kind.includes("long integers") ? "/v2/models/uint64/infer" : INFER;
    yield { kind, path, init: await make(random) };
  }
}

/** A valid request, sent last, which must be answered. */
export const GOOD_REQUEST: HostileRequest = {
  kind: "good",
  path: INFER,
  init: json({ inputs: [tensor("a"), tensor("b")] }),
};
