import { openDevice } from "../../src/backends/select.ts";
import { testBackend } from "../support/backend_contract.ts";
import { openSimulatedDevice } from "../support/simulated_device.ts";

const DEFAULTS = { accelerated: false, powerPreference: "default" } as const;

testBackend("ONNX Runtime", () => openDevice(DEFAULTS));
testBackend("ONNX Runtime, one thread", () => openDevice({ ...DEFAULTS, threads: 1 }));
for (const seed of [1, 2, 3]) testBackend(`simulated device, seed ${seed}`, () => openSimulatedDevice(seed));
