/**
 * Builds a graph with the options that environment variables set.
 *
 * @module
 */
import { ml, MLGraphBuilder } from "../../../mod.ts";
import { product } from "../product.ts";

const context = await ml.createContext({ deviceType: "cpu" });
await product(new MLGraphBuilder(context), 1);
context.destroy();
