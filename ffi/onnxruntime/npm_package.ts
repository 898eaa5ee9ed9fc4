/**
 * Locates the npm package onnxruntime-node. Importing this file adds the package to the module graph, so that Deno
 * downloads it; none of its code runs. Import it dynamically, and only when needed.
 *
 * @module
 */

import manifest from "npm:onnxruntime-node@1.30.0/package.json" with { type: "json" };

/**
 * The URL of package.json: a `file:` URL, or the specifier itself if Deno could not locate the package. The specifier
 * uses the imported name and version, so that bundlers keep the import.
 */
export const packageUrl: string = import.meta.resolve(`npm:${manifest.name}@${manifest.version}/package.json`);
