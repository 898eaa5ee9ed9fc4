/**
 * ONNX Runtime's JavaScript API, shared by the contestants onnxruntime-node and onnxruntime-web.
 *
 * @module
 */
import type { InferenceSession, InferenceSessionFactory, Tensor, TensorConstructor } from "onnxruntime-common";
import { type Engine, type Job, readInputs } from "./protocol.ts";

/** The API of either package. */
export interface OnnxRuntimeJs {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/** How to use a package for best performance. */
export interface Usage {
  readonly options: InferenceSession.SessionOptions;
  /** Whether a run can write its output directly to a given tensor. */
  readonly fillsOutputs: boolean;
}

/** Creates an engine for the model of a job. */
export function createEngine(ort: OnnxRuntimeJs, job: Job, { options, fillsOutputs }: Usage): Engine {
  let session: InferenceSession;
  let bound: Bound;
  const runAndCopy = async () => {
    bound.buffer.set((await session.run(bound.feeds))[bound.output]!.data as Float32Array);
  };
  const run = fillsOutputs ? () => session.run(bound.feeds, bound.fetches) : runAndCopy;
  return {
    async build() {
      session = await ort.InferenceSession.create(`${job.folder}/model.onnx`, options);
    },
    async prepare() {
      bound = await bind(ort, job, session);
    },
    release: () => session.release(),
    run,
    fresh: () => session.run(bound.feeds),
    // Overlapping runs do not help in either package: both take twice as long.
    async pipeline(count) {
      for (let i = 0; i < count; i++) await run();
    },
    output: () => bound.buffer,
  };
}

/** The inputs of a run, and the buffer for its output. */
interface Bound {
  readonly feeds: Record<string, Tensor>;
  /** The name of the first output. Its tensor in `fetches` uses `buffer`. */
  readonly output: string;
  readonly fetches: Record<string, Tensor | null>;
  readonly buffer: Float32Array<ArrayBuffer>;
}

/** Reads the inputs, and runs once to get the shape of the output. */
async function bind(ort: OnnxRuntimeJs, job: Job, session: InferenceSession): Promise<Bound> {
  const inputs = await readInputs(job, session.inputNames.length);
  const feeds = Object.fromEntries(
    session.inputNames.map((name, i) => [name, new ort.Tensor("float32", inputs[i]!, shapeOf(session, i))]),
  );
  const output = session.outputNames[0]!;
  const first = (await session.run(feeds))[output]!;
  const buffer = new Float32Array(first.size);
  const fetches: Record<string, Tensor | null> = Object.fromEntries(session.outputNames.map((name) => [name, null]));
  fetches[output] = new ort.Tensor("float32", buffer, first.dims);
  return { feeds, output, fetches, buffer };
}

function shapeOf(session: InferenceSession, index: number): readonly number[] {
  const metadata = session.inputMetadata[index]!;
  if (!metadata.isTensor) throw new Error(`the input ${metadata.name} is not a tensor`);
  return metadata.shape as number[];
}
