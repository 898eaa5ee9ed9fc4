/** The networks of the examples compute what they should, on every device. */

import { cpu, openvino, type TestDevice, testOn, webgpu } from "./support/devices.ts";
import { type Layout, networks } from "./support/networks.ts";

/** A GPU in software takes seconds for each photo: one layout will do for it. */
const CASES: readonly [TestDevice, Layout][] = [
  [cpu, "nchw"],
  [cpu, "nhwc"],
  [openvino, "nchw"],
  [openvino, "nhwc"],
  [webgpu, "nchw"],
];

for (const [device, layout] of CASES) {
  for (const { check, files, name } of networks) {
    const run = async () => void await check(device.options, layout);
    testOn(device, `${name} agrees with the reference, ${layout}`, run, files);
  }
}
