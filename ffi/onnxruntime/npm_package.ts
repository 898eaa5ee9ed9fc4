/**
 * Where the npm package onnxruntime-node lies. The import puts the package into the module graph, so that Deno
 * fetches it and tells its place; it runs none of its code. Import this file dynamically, and only when it is needed.
 *
 * @module
 */

import "npm:onnxruntime-node@1.30.0/package.json" with { type: "json" };

/** The address of the package.json: a `file:` URL, or the specifier itself where Deno could not place the package. */
export const packageUrl: string = import.meta.resolve("npm:onnxruntime-node@1.30.0/package.json");
