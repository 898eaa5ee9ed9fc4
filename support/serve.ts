/**
 * What tests and examples import as `@webnn/serve`. If the import map named serve/ itself, Deno would read its deno.json
 * and warn of the `links` in it.
 *
 * @module
 */

export * from "../serve/mod.ts";
