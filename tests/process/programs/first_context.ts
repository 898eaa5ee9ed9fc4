/** Opens a context and prints the kind of its device. */
import { contextInfo, createContext } from "@webnn/deno";

using context = await createContext();
console.log(contextInfo(context).device);
