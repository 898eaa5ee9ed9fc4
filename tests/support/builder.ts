/**
 * A CPU context that all tests of a file share, created when first needed.
 *
 * @module
 */

import { createContext, type MLContext, MLGraphBuilder } from "../../mod.ts";

let context: Promise<MLContext> | undefined;

/** The shared context. It lives until the process ends; tests must not destroy it. */
export function sharedContext(): Promise<MLContext> {
  return context ??= createContext({ device: "cpu", threads: 1 });
}

/** A new builder of the shared context. */
export async function newBuilder(): Promise<MLGraphBuilder> {
  return new MLGraphBuilder(await sharedContext());
}
