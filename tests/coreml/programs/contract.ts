/** The contract of backends, for Core ML. */
import { openCoreML } from "../../../src/backends/coreml/mod.ts";
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";
import { openCallback } from "../fake_framework.ts";
import { testBackend } from "../../support/backend_contract.ts";

const [library, folder] = Deno.args as [string, string];
const options = { cacheDirectory: `${folder}/cache` };

await openCallback(openCoreMLFramework(library).runtime);

testBackend("Core ML", () => openCoreML(options, library));
testBackend("Core ML, CPU", () => openCoreML({ ...options, device: "cpu" }, library));
testBackend(
  "Core ML in float16",
  () => openCoreML({ ...options, allowReducedPrecision: true, device: "npu" }, library),
);
