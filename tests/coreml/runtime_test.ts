/** Core ML's runtime, on the framework of native/fake_coreml/. */
import { testOnFake } from "./fake_framework.ts";

testOnFake("the contract of every backend", "contract.ts");
testOnFake("devices, memory, outputs and the cache", "runtime.ts");
