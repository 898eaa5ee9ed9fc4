/**
 * What the contestants onnxruntime-node and onnxruntime-web share: the JavaScript API of ONNX Runtime.
 *
 * @module
 */
import type { InferenceSession, InferenceSessionFactory, Tensor, TensorConstructor } from "onnxruntime-common";
import { type Engine, type Job, readInputs } from "./protocol.ts";

/** Either of the two packages. */
export interface OnnxRuntimeJs {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/** How a package is used to its best. */
export interface Usage {
  readonly options: InferenceSession.SessionOptions;
  /** Whether runs can write their output straight into a tensor that they are given. */
  readonly fillsOutputs: boolean;
}

/** An engine on the model of a job. */
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
    // Neither package gains by runs that do not wait for each other: both take two times as long.
    async pipeline(count) {
      for (let i = 0; i < count; i++) await run();
    },
    output: () => bound.buffer,
  };
}

/** What goes into a run, and where the results go. */
interface Bound {
  readonly feeds: Record<string, Tensor>;
  /** The name of the first output; its tensor in `fetches` is over `buffer`. */
  readonly output: string;
  readonly fetches: Record<string, Tensor | null>;
  readonly buffer: Float32Array<ArrayBuffer>;
}

/** Reads the inputs, and runs once to learn the shape of the output. */
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
  if (!metadata.isTensor) throw new Error(`the input ${metadata.name} is no tensor`);
  return metadata.shape as number[];
}
