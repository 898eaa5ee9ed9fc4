import { openDevice } from "../../src/backends/select.ts";
import { ownOptions } from "../../src/options.ts";
import { testBackend } from "../support/backend_contract.ts";
import { openSimulatedDevice } from "../support/simulated_device.ts";

const open = (options: unknown) => () => openDevice(ownOptions(options, "options"));

testBackend("ONNX Runtime", open({ accelerated: false }));
testBackend("ONNX Runtime, one thread", open({ accelerated: false, threads: 1 }));
for (const seed of [1, 2, 3]) testBackend(`simulated device, seed ${seed}`, () => openSimulatedDevice(seed));
