/** Runs WPT's numeric cases. `deno task test:wpt-cases` lists each result. */

import { assert, assertEquals } from "@std/assert";
import { cpu, ggml, openvino, testOn, webgpu } from "../support/devices.ts";
import { exceptionsOf } from "./exceptions.ts";
import { CASES, runCases } from "./main.ts";
import { failureLines, summarize } from "./report.ts";

/**
 * The operators to test on slow devices: OpenVINO takes 0.1 s to compile a graph, and ggml accepts convolutions that it
 * then cannot compile. docs/devices.md has the numbers for all operators.
 */
const OPERATORS = {
  openvino: ["conv2d", "matmul", "softmax", "reduceMean", "pow"],
  ggml: ["gemm", "matmul", "softmax", "averagePool2d", "gru"],
} as Record<string, string[]>;

for (const device of [cpu, webgpu, openvino, ggml]) {
  const filters = OPERATORS[device.name] ?? [undefined];
  testOn(device, "WPT's numeric cases pass, except the listed ones", async () => {
    const results = [];
    for (const filter of filters) results.push(...await runCases(filter, device.options));
    const isComplete = filters[0] === undefined;
    const exceptions = exceptionsOf(device.name);
    const summary = summarize(results, exceptions, isComplete);
    if (isComplete) assertEquals(results.length, 2482);
    assert(summary.passed > 0);
    assert(summary.passed >= 0.95 * (summary.passed + summary.failed));
    assertEquals(failureLines(summary.unexpected, exceptions), []);
    assertEquals(summary.stale, [], "exceptions whose case passes");
  }, [CASES]);
}
