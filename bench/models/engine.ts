/**
 * The interface of a contestant: an engine that runs a model file in a process of its own.
 *
 * @module
 */
import type { EncodedInput } from "./encoded.ts";
import type { Input } from "./model.ts";

/** The job of a contestant: the contents of its JSON file. */
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
  /** Runs several times, for an engine in another process; returns the milliseconds of each run, as measured there. */
  timed?(count: number): Promise<number[]>;
  close(): void | Promise<void>;
}

/** Creates sessions of the same file for the same inputs. */
export interface Engine {
  /** Its name and version. */
  readonly title: string;
  /** Whether it runs in another process, whose memory is not measured. */
  readonly isElsewhere?: true;
  /** Ends what would outlive this process. */
  close?(): Promise<void>;
  load(): Promise<Session>;
}

/** Creates an engine. Its one-time work is not timed. */
export type OpenEngine = (job: Omit<Job, "inputs">, inputs: readonly Input[]) => Engine | Promise<Engine>;

/** Outputs by name, as JSON. Numbers that JSON does not have, such as NaN, are strings. */
export type OutputFile = Record<string, { shape: readonly number[]; data: (number | string)[] }>;

/** A contestant. Its engine is in child.ts. */
export interface Contestant {
  readonly name: string;
  readonly what: string;
  /** Whether it takes part only if it is named. */
  readonly onlyByName?: true;
  /** Whether it is this module on another device. */
  readonly isDevice?: true;
}

/** This module. */
export const IMPORTER = "importer";
/** The contestant that ratios and errors refer to, if it takes part. */
export const REFERENCE = "onnxruntime-node";

/** All contestants. */
export const CONTESTANTS: readonly Contestant[] = [
  {
    name: REFERENCE,
    what: "ONNX Runtime's own package for Node, given the file",
  },
  {
    name: IMPORTER,
    what: "`loadOnnx()` of this module, given the file",
  },
  {
    name: "onnxruntime-web-webnn",
    what: "onnxruntime-web with its WebNN provider on this module",
  },
  {
    name: "onnxruntime-web",
    what: "onnxruntime-web on WebAssembly, always with one thread",
  },
  {
    name: "chromium",
    what: "this module's importer in Chromium, on its WebNN, with its own number of threads",
    onlyByName: true,
  },
  {
    name: "openvino",
    what: "`loadOnnx()` of this module on OpenVINO, on the CPU, given the file",
    onlyByName: true,
    isDevice: true,
  },
];
