/**
 * What turns a graph into a model: rewrites and lowerings. Half of the backend's modules, so they are loaded only for a
 * graph that is not in the compile cache.
 *
 * @module
 */

export { rewriteInSteps } from "../../rewrite/rewrite.ts";
export { lowerInSteps } from "./lower.ts";
export { rewritesOf } from "./rewrites.ts";
