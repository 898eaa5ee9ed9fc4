/**
 * Creates a session of one node with the verbose log, in which ONNX Runtime names each transformer that it applies.
 *
 * @module
 */

import { createSession } from "../../../src/backends/onnxruntime/model.ts";
import type { OnnxGraph } from "../../../src/backends/onnxruntime/onnx.ts";
import { openRuntime } from "../../../src/backends/onnxruntime/runtime.ts";
import { createSessionOptions } from "../../../src/backends/onnxruntime/session_options.ts";

const VERBOSE = 0;
const value = { dataType: "float32", shape: [2] } as const;
const graph: OnnxGraph = {
  inputs: [{ name: "x", ...value }],
  outputs: [{ name: "y", ...value }],
  initializers: [],
  nodes: [{ op: "Relu", domain: "", name: "relu", inputs: ["x"], outputs: ["y"], attributes: {} }],
};

const runtime = await openRuntime(undefined, 1);
const options = createSessionOptions(runtime, { threads: 1 });
runtime.api.SetSessionLogSeverityLevel(options, VERBOSE);
runtime.api.ReleaseSession(await createSession(runtime, graph, options));
runtime.api.ReleaseSessionOptions(options);
