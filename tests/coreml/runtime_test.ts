/** Core ML's runtime, on the framework of native/fake_coreml/. */
import { CASES } from "../wpt_cases/main.ts";
import { testOnFake } from "./fake_framework.ts";

testOnFake("the contract of every backend", "contract.ts");
testOnFake("devices, memory, outputs and the cache", "runtime.ts");
testOnFake("workers that end", "workers.ts");
testOnFake("WPT's numeric cases end as with the interpreter", "wpt_cases.ts", { data: [CASES] });
