/** WPT's numeric cases as tests; `deno task test:wpt-cases` shows them one by one. */

import { assert, assertEquals } from "@std/assert";
import { cpu, openvino, testOn, webgpu } from "../support/devices.ts";
import { exceptionsOf } from "./exceptions.ts";
import { CASES, runCases } from "./main.ts";
import { failureLines, summarize } from "./report.ts";

/** OpenVINO takes a tenth of a second to compile a graph, so that only some operators are tried here. */
const OPERATORS = { openvino: ["conv2d", "matmul", "softmax", "reduceMean", "pow"] } as Record<string, string[]>;

for (const device of [cpu, webgpu, openvino]) {
  const filters = OPERATORS[device.name] ?? [undefined];
  testOn(device, "WPT's numeric cases pass, but for the listed exceptions", async () => {
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
