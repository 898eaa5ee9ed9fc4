/** Which device the options of a context select. */
import { assertEquals } from "@std/assert";
import { devicesOf } from "../../src/backends/select.ts";
import { DEFAULTS, type Selection } from "../../src/options.ts";

Deno.test("demands come first, then hints; without either it is the CPU", () => {
  const cases: [Partial<Selection>, string][] = [
    [{}, "cpu"],
    [{ accelerated: false, powerPreference: "high-performance" }, "cpu"],
    [{ powerPreference: "high-performance" }, "gpu npu cpu"],
    [{ powerPreference: "low-power" }, "npu cpu"],
    [{ deviceType: "cpu", powerPreference: "high-performance" }, "cpu"],
    [{ deviceType: "gpu" }, "gpu cpu"],
    [{ deviceType: "npu", powerPreference: "high-performance" }, "npu cpu"],
    [{ device: "gpu", accelerated: false }, "gpu"],
    [{ device: "cpu", powerPreference: "high-performance" }, "cpu"],
    [{ provider: "cpu", powerPreference: "high-performance" }, "cpu"],
    [{ provider: "webgpu" }, "gpu npu cpu"],
  ];
  for (const [options, kinds] of cases) {
    assertEquals(devicesOf({ ...DEFAULTS, ...options }).join(" "), kinds, JSON.stringify(options));
  }
});
