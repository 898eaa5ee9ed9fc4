/**
 * ONNX Runtime's profiler: records an event for every node of every run, up to a million, and writes them to a file
 * when it ends.
 *
 * @module
 */

import { createTemporaryFolder, fetchBytes, removeFolder } from "../../../../ffi/files.ts";
import { pathString, type Pointer, readCString } from "../../../../ffi/memory.ts";
import type { Releasable } from "../../backend.ts";
import type { OrtRuntime } from "../runtime.ts";

/** Profiles the runs of one session, which must be released before it. */
export interface Profiler extends Releasable {
  /** Enables profiling in the options of the session. */
  addTo(options: Pointer): void;
  /** Ends the profiling. Returns the events as JSON. */
  end(session: Pointer): Promise<string>;
}

/**
 * Creates a profiler, with a folder for its file.
 * @throws {TypeError} if the program may not write temporary files
 */
export function createProfiler({ api, allocator }: OrtRuntime): Profiler {
  const folder = createTemporaryFolder("the option profile");
  return {
    addTo(options) {
      api.EnableProfiling(options, pathString(`${folder}/profile`));
    },
    async end(session) {
      const name = await api.SessionEndProfilingAsync(session, allocator);
      try {
        return new TextDecoder().decode(await fetchBytes(readCString(name)));
      } finally {
        api.AllocatorFree(allocator, name);
      }
    },
    release() {
      removeFolder(folder);
    },
  };
}
