/**
 * The cases that are known not to pass, per device. The CPU's hold for all: where it runs what a device does not take.
 *
 * @module
 */

import cpu from "./exceptions.json" with { type: "json" };
import openvino from "./exceptions_openvino.json" with { type: "json" };
import webgpu from "./exceptions_webgpu.json" with { type: "json" };
import type { Exceptions } from "./report.ts";

const EXCEPTIONS: Readonly<Record<string, Exceptions>> = { cpu, openvino, webgpu };

/** Those of a provider; none where it has no file. */
export function exceptionsOf(provider: string): Exceptions {
  return EXCEPTIONS[provider] ?? {};
}
