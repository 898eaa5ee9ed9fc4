/**
 * Tests and examples import this file as `@webnn/serve`. If the import map named serve/ itself, Deno would read its
 * deno.json and warn about the `links` in it.
 *
 * @module
 */

export * from "../serve/mod.ts";
