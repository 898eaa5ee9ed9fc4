/**
 * The interface of a model in the gallery. Unlike inputs.ts, this file imports no libraries for pictures or sound.
 *
 * @module
 */

/** The elements of the models' input types. */
export type Elements = Float32Array | Int32Array | BigInt64Array;

/** An input of a model. */
export interface Input {
  readonly name: string;
  readonly dataType: "float32" | "int32" | "int64";
  readonly shape: readonly number[];
  readonly data: Elements;
}

/** A file in a PyPI wheel. */
export interface WheelFile {
  readonly project: string;
  readonly version: string;
  /** The path inside the wheel. */
  readonly path: string;
  readonly sha256: string;
}

/**
 * The source of a file: a wheel, an npm package (checked by the lock file), a result of python/minilm.py, or a model
 * that python/convolutions.py quantises.
 */
export type Source =
  | { readonly wheel: WheelFile }
  | { readonly npm: string }
  | { readonly minilm: string }
  | { readonly quantized: WheelFile };

/** A model of the gallery. */
export interface Model {
  readonly name: string;
  readonly task: string;
  readonly source: Source;
  /** The sizes of its named free dimensions. */
  readonly dimensions: Readonly<Record<string, number>>;
  /** A description of the inputs. */
  readonly data: string;
  /** The inputs. `folder` is that of the model's file. */
  inputs(folder: string): Promise<readonly Input[]>;
}

/** The detector of the gallery, YOLOv8 n. */
export const NUDENET: WheelFile = {
  project: "nudenet",
  version: "3.4.2",
  path: "nudenet/320n.onnx",
  sha256: "c15d8273adad2d0a92f014cc69ab2d6c311a06777a55545f2c4eb46f51911f0f",
};
