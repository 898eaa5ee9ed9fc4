/** The networks of the examples agree with their references on every device. */

import { cpu, openvino, type TestDevice, testOn, webgpu } from "./support/devices.ts";
import { type Layout, networks } from "./support/networks.ts";

/** A software GPU takes seconds for each photo, so it is tested with one layout only. */
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
