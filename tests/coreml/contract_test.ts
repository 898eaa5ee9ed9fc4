import { testBackend } from "../support/backend_contract.ts";
import { openInterpretedDevice } from "./interpreted_device.ts";

testBackend("Core ML, interpreted", () => openInterpretedDevice({ specificationVersion: 8, float16: false }));
