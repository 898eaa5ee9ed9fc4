/** Core ML's runtime, on the framework of native/fake_coreml/. */
import { CASES } from "../wpt_cases/main.ts";
import { testOnFake } from "./fake_framework.ts";

testOnFake("the contract of every backend", "contract.ts");
testOnFake("devices, memory, outputs and the cache", "runtime.ts");
testOnFake("workers that close or are terminated", "workers.ts");
testOnFake("WPT's numeric cases have the same outcomes as with the interpreter", "wpt_cases.ts", { data: [CASES] });
