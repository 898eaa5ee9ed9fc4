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
export async function createEngine(ort: OnnxRuntimeJs, job: Job, { options, fillsOutputs }: Usage): Promise<Engine> {
  const create = () => ort.InferenceSession.create(`${job.folder}/model.onnx`, options);
  let session = await create();
  const inputs = await readInputs(job, session.inputNames.length);
  const feeds = Object.fromEntries(
    session.inputNames.map((name, i) => [name, new ort.Tensor("float32", inputs[i]!, shapeOf(session, i))]),
  );
  const output = session.outputNames[0]!;
  const first = (await session.run(feeds))[output]!;
  const buffer = new Float32Array(first.size);
  const fetches: Record<string, Tensor | null> = Object.fromEntries(session.outputNames.map((name) => [name, null]));
  fetches[output] = new ort.Tensor("float32", buffer, first.dims);
  await session.release();

  const runAndCopy = async () => buffer.set((await session.run(feeds))[output]!.data as Float32Array);
  const run = fillsOutputs ? () => session.run(feeds, fetches) : runAndCopy;
  return {
    buffer,
    async build() {
      session = await create();
    },
    release: () => session.release(),
    run,
    // Neither package gains by runs that do not wait for each other: both take two times as long.
    async pipeline(count) {
      for (let i = 0; i < count; i++) await run();
    },
  };
}

function shapeOf(session: InferenceSession, index: number): readonly number[] {
  const metadata = session.inputMetadata[index]!;
  if (!metadata.isTensor) throw new Error(`the input ${metadata.name} is no tensor`);
  return metadata.shape as number[];
}
