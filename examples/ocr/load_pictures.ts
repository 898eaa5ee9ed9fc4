/**
 * Imports picture.ts when it is needed. The name is computed, because Deno downloads the packages of a literal import
 * (38 MB here) before the program starts, and the sample picture does not need them.
 */
export async function loadPictures(): Promise<typeof import("./picture.ts")> {
  const file = "./picture.ts";
  return await import(import.meta.resolve(file));
}
