/**
 * Loads {@link ./picture.ts} by a computed name: Deno fetches what a literal one names, 38 MB here, before the program
 * starts, and the picture that the program draws itself needs none of it.
 */
export async function loadPictures(): Promise<typeof import("./picture.ts")> {
  const file = "./picture.ts";
  return await import(import.meta.resolve(file));
}
