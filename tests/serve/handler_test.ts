/** The routes of the server, in process: the responses, and the rejected requests. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createHandler } from "@webnn/serve";
import { call, identity, infer, inferBinary, sum, unary, withHandler } from "./client.ts";

const floats = (name: string, data: readonly number[], shape = [data.length / 3, 3]) => ({
  name,
  datatype: "FP32",
  shape,
  data,
});

const SUM = { inputs: [floats("a", [1, 2, 3]), floats("b", [4, 5, 6])] };

withHandler("health, and the metadata of the server and of a model", [sum()], {}, async (handler) => {
  assertEquals((await call(handler, "/v2/health/live")).json, { live: true });
  assertEquals((await call(handler, "/v2/health/ready")).json, { ready: true });
  assertEquals((await call(handler, "/v2")).json.extensions, ["binary_tensor_data"]);
  const ready = await call(handler, "/v2/models/sum/versions/1/ready");
  assertEquals([ready.status, ready.json], [200, { name: "sum", ready: true }]);
  const port = (name: string) => ({ name, datatype: "FP32", shape: [-1, 3] });
  assertEquals((await call(handler, "/v2/models/sum")).json, {
    name: "sum",
    versions: ["1"],
    platform: "webnn_onnx",
    inputs: [port("a"), port("b")],
    outputs: [port("c")],
  });
});

withHandler(
  "the name of a model is that of its file without .onnx; two models with the same name are rejected",
  [],
  {},
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const file = `${folder}/a model.onnx`;
      await Deno.writeFile(file, sum().source as Uint8Array);
      await using handler = await createHandler([file]);
      assertEquals(handler.models.map(({ name }) => name), ["a model"]);
      assertEquals((await infer(handler, "a model", SUM)).json.outputs[0].data, [6, 9, 12]);
      await assertRejects(() => createHandler([file, file]), TypeError, 'Two models have the name "a model"');
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

withHandler("an inference in JSON: id, version, nested data, requested outputs", [sum()], {}, async (handler) => {
  const { json } = await infer(handler, "sum", { id: "7", ...SUM });
  const output = { name: "c", datatype: "FP32", shape: [1, 3], data: [6, 9, 12] };
  assertEquals(json, { id: "7", model_name: "sum", model_version: "1", outputs: [output] });
  assertEquals((await infer(handler, "sum", { id: null, ...SUM })).json, {
    model_name: "sum",
    model_version: "1",
    outputs: [output],
  });
  const nested = [[[1, 2, 3], [0, 0, 0]], [[4, 5, 6], [1, 1, 1]]].map((data, i) => ({
    name: "ab"[i],
    datatype: "FP32",
    shape: [2, 3],
    data,
  }));
  const answer = await infer(handler, "sum", { inputs: nested, outputs: [{ name: "c" }] });
  assertEquals(answer.json.outputs[0].data, [6, 9, 12, 1, 1, 1]);
});

withHandler("an inference with binary inputs and outputs", [sum()], {}, async (handler) => {
  const inputs = ["a", "b"].map((name) => ({
    name,
    datatype: "FP32",
    shape: [1, 3],
    parameters: { binary_data_size: 12 },
  }));
  const data = Float32Array.of(1, 2, 3, 4, 5, 6);
  const all = await inferBinary(handler, "sum", { inputs, parameters: { binary_data_output: true } }, data);
  assertEquals(new Float32Array(all.binary.buffer), Float32Array.of(6, 9, 12));
  assertEquals(all.json.outputs, [{
    name: "c",
    datatype: "FP32",
    shape: [1, 3],
    parameters: { binary_data_size: 12 },
  }]);
  const asked = { inputs, outputs: [{ name: "c", parameters: { binary_data: false } }] };
  assertEquals((await inferBinary(handler, "sum", asked, data)).json.outputs[0].data, [6, 9, 12]);
});

const TYPES = [
  ["float32", "FP32", [1.5, -2], Float32Array],
  ["float16", "FP16", [1.5, -2], Float16Array],
  ["float64", "FP64", [1.5, -2], Float64Array],
  ["int8", "INT8", [-128, 127], Int8Array],
  ["uint8", "UINT8", [0, 255], Uint8Array],
  ["int32", "INT32", [-(2 ** 31), 2 ** 31 - 1], Int32Array],
  ["uint32", "UINT32", [0, 2 ** 32 - 1], Uint32Array],
  ["int64", "INT64", [-(2n ** 63n), 2n ** 63n - 1n], BigInt64Array],
  ["uint64", "UINT64", [2n ** 53n + 1n, 2n ** 64n - 1n], BigUint64Array],
  ["bool", "BOOL", [true, false], Uint8Array],
] as const;

for (const [type, datatype, values, array] of TYPES) {
  withHandler(`${datatype} is exact in JSON and in binary`, [identity(type)], {}, async (handler) => {
    assertEquals((await call(handler, `/v2/models/${type}`)).json.inputs[0].datatype, datatype);
    const head = { name: "x", datatype, shape: [1, 2] };
    const response = await handler(
      new Request(`http://127.0.0.1/v2/models/${type}/infer`, {
        method: "POST",
        body: `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1,2],"data":[${values.join()}]}]}`,
      }),
    );
    assertStringIncludes(await response.text(), `"datatype":"${datatype}","shape":[1,2],"data":[${values.join()}]`);
    const from = array as unknown as { from(values: readonly unknown[]): Uint8Array<ArrayBuffer> };
    const data = from.from(type === "bool" ? [1, 0] : values);
    const input = { ...head, parameters: { binary_data_size: data.byteLength } };
    const asked = { inputs: [input], parameters: { binary_data_output: true } };
    const { binary, json } = await inferBinary(handler, type, asked, data);
    assertEquals([json.outputs[0].datatype, binary], [datatype, new Uint8Array(data.buffer)]);
  });
}

withHandler(
  "BOOL and FP64 are accepted for uint8 and float32 inputs",
  [identity("uint8"), identity("float32")],
  {},
  async (handler) => {
    const send = (model: string, datatype: string, data: unknown) =>
      infer(handler, model, { inputs: [{ name: "x", datatype, shape: [1, 2], data }] });
    assertEquals((await send("uint8", "BOOL", [true, false])).json.outputs[0].data, [1, 0]);
    assertEquals((await send("float32", "FP64", [0.1, 2])).json.outputs[0].data, [Math.fround(0.1), 2]);
    assertEquals((await send("float32", "FP64", [1e300, 2])).status, 400);
  },
);

withHandler(
  "NaN and infinity are returned as binary, and rejected as JSON",
  [unary("Log", "log")],
  {},
  async (handler) => {
    const inputs = [{ name: "x", datatype: "FP32", shape: [1, 2], data: [-1, 0] }];
    const { status, json } = await infer(handler, "log", { inputs });
    assertEquals([status, json.error], [
      400,
      'The output "y" has NaN at 0, which JSON does not have; request it with "binary_data": true',
    ]);
    const { binary } = await infer(handler, "log", { inputs, parameters: { binary_data_output: true } });
    assertEquals(String(new Float32Array(binary.buffer)), "NaN,-Infinity");
  },
);

withHandler("unknown paths and methods: 404 and 405, as JSON", [sum()], {}, async (handler) => {
  const paths = ["/", "/v3", "/v2/models", "/v2/models/none", "/v2/models/sum/versions/2", "/v2/models/sum/nothing"];
  const hidden = ["/v2/models/..%2F..%2Fetc%2Fpasswd", "/v2/models/%2Fetc%2Fpasswd/ready", "/v2/models/%E0/infer"];
  for (const path of [...paths, ...hidden, "/v2/models/__proto__", "/v2/models/sum/constructor"]) {
    const { status, json } = await call(handler, path);
    assertEquals([path, status, typeof json.error], [path, 404, "string"]);
  }
  const wrong = await call(handler, "/v2/models/sum/infer");
  assertEquals([wrong.status, wrong.headers.get("allow")], [405, "POST"]);
  assertEquals((await call(handler, "/v2/health/live", { method: "POST" })).status, 405);
});

withHandler("gzip and deflate for requests and responses", [identity("float32", ["n"])], {}, async (handler) => {
  const data = Array.from({ length: 4000 }, (_, i) => i / 8);
  const body = JSON.stringify({ inputs: [{ name: "x", datatype: "FP32", shape: [4000], data }] });
  for (const encoding of ["gzip", "deflate"] as const) {
    const compressed = await new Response(new Blob([body]).stream().pipeThrough(new CompressionStream(encoding)))
      .bytes();
    const { json, headers } = await call(handler, "/v2/models/float32/infer", {
      method: "POST",
      body: compressed,
      headers: { "content-encoding": encoding, "accept-encoding": `br, ${encoding};q=0.5` },
    });
    assertEquals([headers.get("content-encoding"), json.outputs[0].data], [encoding, data]);
  }
  const plain = await infer(handler, "float32", body, { "accept-encoding": "gzip;q=0" });
  assertEquals(plain.headers.get("content-encoding"), null);
  assertEquals((await infer(handler, "float32", body, { "content-encoding": "br" })).status, 415);
  assertEquals((await infer(handler, "float32", body, { "content-encoding": "gzip" })).status, 400);
});

withHandler(
  "binary data of integers is compressed, that of floating-point numbers is not",
  [identity("int32", ["n"]), identity("float32", ["n"])],
  {},
  async (handler) => {
    for (
      const [model, datatype, encoding, data] of [
        ["int32", "INT32", "gzip", Int32Array.from({ length: 1000 }, (_, i) => i)],
        ["float32", "FP32", null, Float32Array.from({ length: 1000 }, (_, i) => i / 8)],
      ] as const
    ) {
      const tensor = { name: "x", datatype, shape: [1000], parameters: { binary_data_size: 4000 } };
      const request = { inputs: [tensor], parameters: { binary_data_output: true } };
      const { headers, binary } = await inferBinary(handler, model, request, data, {
        "accept-encoding": "gzip, br",
      });
      assertEquals(headers.get("content-encoding"), encoding);
      assertEquals(binary, new Uint8Array(data.buffer));
    }
  },
);

withHandler(
  "a body that is too large, as sent or decompressed",
  [sum()],
  { maxBodyBytes: 500 },
  async (handler) => {
    assertEquals((await infer(handler, "sum", SUM)).status, 200);
    const large = `${JSON.stringify(SUM)}${" ".repeat(500)}`;
    assertEquals((await infer(handler, "sum", large)).status, 413);
    const compressed = await new Response(new Blob([large]).stream().pipeThrough(new CompressionStream("gzip")))
      .bytes();
    assert(compressed.byteLength < 500);
    const init = { method: "POST", body: compressed, headers: { "content-encoding": "gzip" } };
    assertEquals((await call(handler, "/v2/models/sum/infer", init)).status, 413);
  },
);

withHandler(
  "a body that arrives too slowly, and a client's own time limit",
  [sum()],
  { timeout: 50 },
  async (handler) => {
    let cancelled = false;
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
      cancel: () => void (cancelled = true),
    });
    const { status, json } = await call(handler, "/v2/models/sum/infer", { method: "POST", body });
    assertEquals([status, json.error, cancelled], [408, "The body did not arrive in time", true]);
    const wrong = await infer(handler, "sum", { ...SUM, parameters: { timeout: -1 } });
    assertEquals(wrong.status, 400);
  },
);

withHandler("metrics: counters by model and status, in Prometheus format", [sum()], {}, async (handler) => {
  await infer(handler, "sum", SUM);
  await infer(handler, "sum", "{");
  await infer(handler, "made up", SUM);
  const { json: text, headers } = await call(handler, "/metrics");
  assertStringIncludes(headers.get("content-type")!, "text/plain");
  for (
    const line of [
      'webnn_requests_total{model="sum",status="200"} 1',
      'webnn_requests_total{model="sum",status="400"} 1',
      'webnn_requests_total{model="",status="404"} 1',
      'webnn_runs_total{model="sum"} 1',
      'webnn_request_seconds_count{model="sum"} 2',
    ]
  ) assertStringIncludes(text, line);
  const counters = [...text.matchAll(/^# TYPE (\S+) counter$/gm)].map(([, name]) => name);
  assertEquals(counters.filter((name) => !name!.endsWith("_total")), []);
});

Deno.test("while it drains, the server is not ready; draining ends when all requests are answered", async () => {
  await using handler = await createHandler([sum()]);
  const answer = infer(handler, "sum", SUM);
  const drained = handler.drain();
  assertEquals((await call(handler, "/v2/health/ready")).json, { ready: false });
  assertEquals((await call(handler, "/v2/health/ready")).status, 503);
  assertEquals((await call(handler, "/v2/models/sum/ready")).status, 503);
  assertEquals((await call(handler, "/v2/health/live")).status, 200);
  let isDrained = false;
  void drained.then(() => isDrained = true);
  assertEquals((await answer).status, 200);
  await drained;
  assert(isDrained);
});

Deno.test("createHandler rejects options out of range and models that cannot be served", async () => {
  await assertRejects(
    () => createHandler([], { batch: 0 }),
    TypeError,
    "batch must be an integer of at least 1, not 0",
  );
  await assertRejects(() => createHandler([{ source: new Uint8Array(8) }]), TypeError);
  await assertRejects(() => createHandler([{ name: "damaged", source: new Uint8Array(8) }]), TypeError, "damaged: ");
  await assertRejects(
    () => createHandler([identity("uint4")]),
    TypeError,
    "which the Open Inference Protocol does not have",
  );
});

Deno.test("over a socket: after a disconnect and a truncated body, the next client is answered", async () => {
  await using handler = await createHandler([sum()]);
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  const { port } = server.addr as Deno.NetAddr;
  const head = "POST /v2/models/sum/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{";
  for (let i = 0; i < 3; i++) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(head));
  }
  const response = await fetch(`http://127.0.0.1:${port}/v2/models/sum/infer`, {
    method: "POST",
    body: JSON.stringify(SUM),
  });
  assertEquals((await response.json()).outputs[0].data, [6, 9, 12]);
});

Deno.test("over a socket: a body with a stated length that arrives too slowly or is too large, then the next client", async () => {
  await using handler = await createHandler([sum()], { timeout: 150, maxBodyBytes: 2000 });
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => handler(request));
  const { port } = server.addr as Deno.NetAddr;
  for (const [length, status] of [[1000, 408], [3000, 413]]) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const head = `POST /v2/models/sum/infer HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n{`;
    await connection.write(new TextEncoder().encode(head));
    const answer = new Uint8Array(100);
    await connection.read(answer);
    assertStringIncludes(new TextDecoder().decode(answer), `HTTP/1.1 ${status}`);
  }
  const response = await fetch(`http://127.0.0.1:${port}/v2/models/sum/infer`, {
    method: "POST",
    body: JSON.stringify(SUM),
  });
  assertEquals((await response.json()).outputs[0].data, [6, 9, 12]);
});
