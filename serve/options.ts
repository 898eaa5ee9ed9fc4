/**
 * What to serve, and how to run it.
 *
 * @module
 */

import type { ContextOptions } from "@webnn/deno";

/** A model to serve. */
export interface ModelSource {
  /** The file: its path, its URL or its bytes. */
  readonly source: string | URL | Uint8Array;
  /** The name in requests; by default the name of the file without `.onnx`. */
  readonly name?: string;
  /** The sizes of free dimensions, by name. Requests determine the others. */
  readonly dimensions?: Readonly<Record<string, number>>;
  /**
   * Whether the rows along the first dimension are independent, so that requests may share a run. By default, this is
   * tested by running two rows together and separately.
   */
  readonly rowsIndependent?: boolean;
}

/** The options for running models. */
export interface RunOptions {
  /** The options of `createContext`, such as the device and threads. */
  readonly context?: ContextOptions;
  /**
   * The number of instances of each model, which run concurrently, each with the threads of `context`. By default, on a
   * CPU, a request that comes alone runs with all threads, and requests that come together run with one thread each, as
   * many at once as there are threads (at most 8). On other devices, and with batches, there is one instance.
   */
  readonly instances?: number;
  /** The maximum number of rows in a run that several requests share; by default 1, which means that none share. */
  readonly batch?: number;
  /**
   * How long a request waits for others to share a run, in milliseconds; by default 0: only while the model is busy.
   */
  readonly batchDelay?: number;
  /** The maximum number of waiting requests per model; 256 by default. */
  readonly maxQueue?: number;
}
