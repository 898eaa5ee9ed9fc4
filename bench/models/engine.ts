/**
 * What a contestant is: an engine on a model's file, in a process of its own.
 *
 * @module
 */
import type { EncodedInput, Input } from "./inputs.ts";

/** What a contestant is told: the content of a file of JSON. */
export interface Job {
  readonly file: string;
  readonly threads: number;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly inputs: readonly EncodedInput[];
}

/** An output of a model. */
export interface Output {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/** A loaded model. */
export interface Session {
  run(): Promise<Readonly<Record<string, Output>>>;
  close(): void | Promise<void>;
}

/** What makes sessions, all from the same file and for the same inputs. */
export interface Engine {
  /** Its name and version. */
  readonly title: string;
  load(): Promise<Session>;
}

/** Makes an engine; what it needs but once is not timed. */
export type OpenEngine = (job: Omit<Job, "inputs">, inputs: readonly Input[]) => Engine | Promise<Engine>;

/** Outputs as JSON, by name; numbers that JSON does not have are text. */
export type OutputFile = Record<string, { shape: readonly number[]; data: (number | string)[] }>;

/** A row for each contestant; child.ts has the engine of each. */
export interface Contestant {
  readonly name: string;
  readonly what: string;
}

/** This module. */
export const IMPORTER = "importer";
/** What ratios and errors are to. */
export const REFERENCE = "onnxruntime-node";

/** All of them. */
export const CONTESTANTS: readonly Contestant[] = [
  {
    name: REFERENCE,
    what: "ONNX Runtime's own package for Node, on the file",
  },
  {
    name: IMPORTER,
    what: "`loadOnnx()` of this module, on the file",
  },
  {
    name: "onnxruntime-web-webnn",
    what: "onnxruntime-web with its WebNN provider on this module",
  },
  {
    name: "onnxruntime-web",
    what: "onnxruntime-web's WebAssembly, always on one thread",
  },
];
