/**
 * ONNX's own node tests: small models with inputs and expected outputs, from the PyPI package `onnx`. pip downloads
 * them once to the user's cache.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../../support/cache_directory.ts";
import { installWheel, unpack } from "../../cli/install/pip.ts";

/** The version for which the conformance test expects its counts. */
const VERSION = "1.18.0";

/**
 * The folder of the node tests, which has one folder per test. Downloaded if it is missing.
 * @throws Error if Python, pip or the registry is not available
 */
export async function fetchNodeTests(progress: (text: string) => void = () => {}): Promise<string> {
  const wheel = join(cacheDirectory(), `onnx-${VERSION}`);
  if (!existsSync(wheel)) {
    progress(`downloading onnx ${VERSION} with pip (18 MB), once`);
    await unpack(wheel, (folder) => installWheel({ project: "onnx", version: VERSION }, folder));
  }
  return join(wheel, "onnx/backend/test/data/node");
}
