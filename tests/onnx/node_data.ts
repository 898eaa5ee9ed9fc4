/**
 * The node tests of ONNX itself: small models with inputs and expected outputs, as the package `onnx` of PyPI carries
 * them. They are fetched once by pip into the user's cache.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../../support/cache_directory.ts";
import { installWheel, unpack } from "../../cli/install/pip.ts";

/** The version that the counts of the conformance run are for. */
const VERSION = "1.18.0";

/**
 * The folder of the node tests, one folder each; fetched if it is not there.
 * @throws Error if Python, pip or the registry is not to be had
 */
export async function fetchNodeTests(progress: (text: string) => void = () => {}): Promise<string> {
  const wheel = join(cacheDirectory(), `onnx-${VERSION}`);
  if (!existsSync(wheel)) {
    progress(`fetching onnx ${VERSION} by pip (18 MB), once`);
    await unpack(wheel, (folder) => installWheel({ project: "onnx", version: VERSION }, folder));
  }
  return join(wheel, "onnx/backend/test/data/node");
}
