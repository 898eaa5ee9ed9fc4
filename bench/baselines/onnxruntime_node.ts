/**
 * The npm package onnxruntime-node as a contestant. Its runs write directly to the buffer.
 *
 * @module
 */
import * as ort from "onnxruntime-node";
import { createEngine } from "./onnxruntime_js.ts";
import { readJob, serve, timed } from "./protocol.ts";

const job = readJob();
const options = { intraOpNumThreads: job.threads, interOpNumThreads: 1 };
await serve(`ONNX Runtime ${ort.env.versions.node}`, timed(createEngine(ort, job, { options, fillsOutputs: true })));
