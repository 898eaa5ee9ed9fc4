/** Prints the list of devices. */
import { devices } from "@webnn/deno";

console.log(JSON.stringify(await devices()));
