import { createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { buildMobileNetV2 } from "../../examples/mobilenetv2.ts";
import { parseSafetensors } from "../../examples/safetensors.ts";
import { coldStartInput } from "./cold_start_input.ts";
if (Deno.args[0] === "c") { const c = await createContext(); }
if (Deno.args[0] === "d") { const c = await createContext(); const w = parseSafetensors(await Deno.readFile(Deno.args[1]!)); 
 if (Deno.args[2]) coldStartInput(); }
void [createContext, buildMobileNetV2, parseSafetensors, coldStartInput];
