/**
 * The npm package onnxruntime-web (WebAssembly with SIMD) as a contestant. Its results are in new memory and are copied
 * once more.
 *
 * @module
 */
import * as ort from "onnxruntime-web";
import { createEngine } from "./onnxruntime_js.ts";
import { readJob, serve, timed } from "./protocol.ts";

const job = readJob();
ort.env.wasm.numThreads = job.threads;
const options = { executionProviders: ["wasm"] };
await serve(`ONNX Runtime ${ort.env.versions.web}`, timed(createEngine(ort, job, { options, fillsOutputs: false })));
