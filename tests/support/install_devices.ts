/**
 * `deno run -A tests/support/install_devices.ts`: puts the devices that tests can use without a GPU on this machine, as
 * far as that is possible. It always succeeds: tests say what they skip.
 *
 * @module
 */

import { installOpenVino, openvino, webgpu } from "./devices.ts";

const reason = await installOpenVino();
console.log(`${openvino.name}: ${reason === undefined ? "installed" : `not installed: ${reason}`}`);
console.log(`${webgpu.name}: ${webgpu.missing ?? "installed"}`);
