/**
 * A minimal server with onnxruntime-node: node node_server.mjs PORT MODEL...
 *
 * It supports only binary tensors of the Open Inference Protocol.
 */
import { createServer } from "node:http";
import { basename } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";

const [port, ...files] = process.argv.slice(2);
const sessions = new Map();
for (const file of files) sessions.set(basename(file, ".onnx"), await InferenceSession.create(file));

const VIEWS = { FP32: Float32Array, INT64: BigInt64Array };
const TYPES = { FP32: "float32", INT64: "int64" };

async function infer(session, headers, body) {
  const length = Number(headers["inference-header-content-length"]);
  const { inputs } = JSON.parse(body.subarray(0, length).toString());
  const feeds = {};
  let at = length;
  for (const { name, datatype, shape, parameters } of inputs) {
    const size = parameters.binary_data_size;
    const bytes = body.buffer.slice(body.byteOffset + at, body.byteOffset + at + size);
    feeds[name] = new Tensor(TYPES[datatype], new VIEWS[datatype](bytes), shape);
    at += size;
  }
  const results = await session.run(feeds);
  const data = Object.values(results).map((tensor) =>
    Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength)
  );
  const outputs = Object.entries(results).map(([name, { dims }], i) => ({
    name,
    datatype: "FP32",
    shape: dims,
    parameters: { binary_data_size: data[i].byteLength },
  }));
  const json = Buffer.from(JSON.stringify({ model_name: "", model_version: "1", outputs }));
  return { length: json.byteLength, answer: Buffer.concat([json, ...data]) };
}

createServer((request, response) => {
  const session = sessions.get(/^\/v2\/models\/([^/]+)\/infer$/.exec(request.url)?.[1]);
  if (!session) return response.writeHead(request.url === "/v2/health/ready" ? 200 : 404).end("{}");
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", async () => {
    try {
      const { length, answer } = await infer(session, request.headers, Buffer.concat(chunks));
      response.writeHead(200, { "inference-header-content-length": length }).end(answer);
    } catch (error) {
      response.writeHead(400).end(JSON.stringify({ error: error.message }));
    }
  });
}).listen(Number(port), "127.0.0.1");
