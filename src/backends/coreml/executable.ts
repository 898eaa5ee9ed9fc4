/**
 * A compiled graph: a loaded model, and the bindings of its recent runs.
 *
 * @module
 */

import type { Pointer } from "../../../ffi/memory.ts";
import { type CoreML, isSame } from "../../../ffi/objc/core_ml.ts";
import { type Reservation, reserve } from "../../../ffi/reservation.ts";
import type { Executable } from "../backend.ts";
import { RecentBindings } from "../common/bindings.ts";
import type { LoweredProgram } from "./lower.ts";
import { CoreMLTensor } from "./tensor.ts";

/** A set of tensors, as the objects that a prediction takes. */
interface Request {
  /** The MLFeatureProvider with the inputs. */
  readonly features: Pointer;
  /** The MLPredictionOptions with the outputs. */
  readonly options: Pointer;
}

/** An MLModel. */
export class CoreMLExecutable implements Executable {
  /** Makes the garbage collector count the bytes of the weights, so that it collects unused graphs in time. */
  readonly #weights: Reservation;
  readonly #inputNames: readonly string[];
  readonly #outputNames: readonly string[];
  /** The output names as NSStrings. */
  readonly #outputKeys: readonly Pointer[];
  /** The value of the model's placeholder input. */
  readonly #placeholders: readonly CoreMLTensor[];
  readonly #requests: RecentBindings<CoreMLTensor, Request>;

  /** Takes over the model, unless it throws. */
  constructor(
    readonly coreML: CoreML,
    readonly model: Pointer,
    readonly devices: readonly string[],
    { inputs, outputs, placeholder }: LoweredProgram,
    weightBytes: number,
  ) {
    const { foundation, runtime } = coreML;
    this.#inputNames = [...inputs.map(({ feature }) => feature.name), ...placeholder ? [placeholder.name] : []];
    this.#outputNames = outputs.map(({ feature }) => feature.name);
    this.#placeholders = placeholder
      ? [new CoreMLTensor(coreML, { dataType: "float32", shape: placeholder.shape })]
      : [];
    const keys: Pointer[] = [];
    this.#outputKeys = keys;
    try {
      runtime.pooled(() => {
        for (const name of this.#outputNames) keys.push(runtime.retain(foundation.string(name)));
      });
    } catch (error) {
      this.#releaseOwn();
      throw error;
    }
    this.#requests = new RecentBindings({
      bind: (inputs, outputs) => this.#bind(inputs, outputs),
      release: ({ features, options }) => {
        runtime.release(features);
        runtime.release(options);
      },
    });
    this.#weights = reserve(weightBytes);
  }

  async run(inputs: readonly CoreMLTensor[], outputs: readonly CoreMLTensor[]): Promise<void> {
    const { messages, runtime } = this.coreML;
    await runtime.pooled(() => {
      const { features, options } = this.#requests.get(inputs, outputs);
      return messages.predict((result) => this.#take(result, outputs), this.model, features, options);
    });
  }

  release(): void {
    this.#requests.clear();
    this.coreML.runtime.release(this.model);
    this.#releaseOwn();
    this.#weights.release();
  }

  #releaseOwn(): void {
    for (const key of this.#outputKeys) this.coreML.runtime.release(key);
    for (const placeholder of this.#placeholders) placeholder.release();
  }

  /** Core ML may ignore the arrays that it is offered for the outputs, and return others. */
  #take(result: Pointer, outputs: readonly CoreMLTensor[]): void {
    const { messages } = this.coreML;
    outputs.forEach((output, i) => {
      const value = messages.featureNamed(result, this.#outputKeys[i]!);
      const array = value && messages.multiArrayValue(value);
      if (!array) throw new Error(`Core ML returned no output ${this.#outputNames[i]}`);
      if (!isSame(array, output.array)) output.copyFrom(array);
    });
  }

  #bind(inputs: readonly CoreMLTensor[], outputs: readonly CoreMLTensor[]): Request {
    const { foundation, messages, runtime } = this.coreML;
    const values = [...inputs, ...this.#placeholders].map(({ feature }, i) => [this.#inputNames[i]!, feature] as const);
    const arrays = outputs.map(({ array }, i) => [this.#outputNames[i]!, array] as const);
    const features = messages.initFeatureProvider(foundation.dictionary(values));
    let options: Pointer | undefined;
    try {
      options = messages.initPredictionOptions();
      messages.setOutputBackings(options, foundation.dictionary(arrays));
    } catch (error) {
      runtime.release(features);
      if (options) runtime.release(options);
      throw error;
    }
    return { features, options };
  }
}
