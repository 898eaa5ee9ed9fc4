import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import jpeg from "jpeg-js";
import { Buffer } from "node:buffer";
import { PNG } from "pngjs";
import { decodeImage, type Image, normalizeImage, resizeImage } from "../../examples/image.ts";
import { testData, testWithData } from "../support/test_data.ts";

/** Opaque grey pixels, row by row. */
function grey(width: number, height: number, values: number[]): Image {
  return { width, height, data: new Uint8Array(values.flatMap((value) => [value, value, value, 255])) };
}

function encodePng(image: Image, options = {}): Uint8Array {
  const png = new PNG({ width: image.width, height: image.height });
  png.data.set(image.data);
  return new Uint8Array(PNG.sync.write(png, options));
}

/** A JPEG file with an EXIF segment that contains only the orientation. */
function encodeJpeg(image: Image, orientation: number): Uint8Array {
  const file = jpeg.encode({ ...image, data: Buffer.from(image.data) }, 100).data;
  // APP1 of 34 bytes: "Exif", a big-endian TIFF header, one directory entry: tag 0x112, one 16-bit value; no next one.
  // deno-fmt-ignore
  const exif = [
    0xff, 0xe1, 0, 34, 0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8,
    0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0,
  ];
  return new Uint8Array([...file.subarray(0, 2), ...exif, ...file.subarray(2)]);
}

Deno.test("decodeImage: PNGs in colour with transparency, and in grey", async () => {
  const colours: Image = { width: 2, height: 1, data: new Uint8Array([1, 2, 3, 255, 4, 5, 6, 128]) };
  assertEquals(await decodeImage(encodePng(colours)).then(plain), plain(colours));
  const ramp = grey(3, 1, [0, 100, 255]);
  assertEquals(await decodeImage(encodePng(ramp, { colorType: 0 })).then(plain), plain(ramp));
});

function plain({ width, height, data }: Image): unknown {
  return { width, height, data: [...data] };
}

/** The corners of the decoded picture by EXIF orientation, if those of the stored one are a, b (top), c, d (bottom). */
const UPRIGHT_CORNERS = ["abcd", "badc", "dcba", "cdab", "acbd", "cadb", "dbca", "bdac"];

for (const [index, corners] of UPRIGHT_CORNERS.entries()) {
  Deno.test(`decodeImage: a JPEG with EXIF orientation ${index + 1}`, async () => {
    const levels: Record<string, number> = { a: 20, b: 90, c: 160, d: 230 };
    const pixels = Array.from({ length: 24 * 16 }, (_, pixel) => {
      const [row, column] = [Math.floor(pixel / 24), pixel % 24];
      return levels["abcd"[(row < 8 ? 0 : 2) + (column < 16 ? 0 : 1)]!]!;
    });
    const { width, height, data } = await decodeImage(encodeJpeg(grey(24, 16, pixels), index + 1));
    assertEquals([width, height], index < 4 ? [24, 16] : [16, 24]);
    const places = [0, width - 1, (height - 1) * width, height * width - 1];
    for (const [corner, place] of places.entries()) assertAlmostEquals(data[4 * place]!, levels[corners[corner]!]!, 10);
  });
}

Deno.test("decodeImage rejects files that are not pictures, and damaged pictures", async () => {
  await assertRejects(() => decodeImage(new TextEncoder().encode("GIF89a")), Error, "not a JPEG or PNG image");
  await assertRejects(() => decodeImage(new Uint8Array()), Error, "not a JPEG or PNG image");
  await assertRejects(() => decodeImage(new Uint8Array([0xff, 0xd8, 0xff, 1, 2])), Error, "damaged JPEG: ");
  const png = encodePng(grey(8, 8, Array(64).fill(7)));
  await assertRejects(() => decodeImage(png.subarray(0, png.length - 20)), Error, "damaged PNG: ");
});

Deno.test("resizeImage samples at pixel centres and clamps at the edges", () => {
  const row = [0, 25, 75, 100].flatMap((level) => [level, level, level]);
  assertEquals([...resizeImage(grey(2, 1, [0, 100]), 4)], [...row, ...row, ...row, ...row]);
  assertEquals([...resizeImage(grey(1, 4, [0, 100, 200, 50]), 2)], [
    50,
    50,
    50,
    50,
    50,
    50,
    125,
    125,
    125,
    125,
    125,
    125,
  ]);
});

Deno.test("normalizeImage scales each channel by its own mean and deviation, in both layouts", () => {
  const black = [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225];
  const white = [0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225];
  const rgb = new Float32Array([0, 255, 0, 255, 0, 255]);
  const nhwc = [black[0]!, white[1]!, black[2]!, white[0]!, black[1]!, white[2]!];
  const nchw = [nhwc[0]!, nhwc[3]!, nhwc[1]!, nhwc[4]!, nhwc[2]!, nhwc[5]!];
  for (const [index, value] of normalizeImage(rgb, "nhwc").entries()) assertAlmostEquals(value, nhwc[index]!, 1e-6);
  for (const [index, value] of normalizeImage(rgb, "nchw").entries()) assertAlmostEquals(value, nchw[index]!, 1e-6);
});

interface PreparedPhoto {
  file: string;
  width: number;
  height: number;
  input_first4: number[];
  input_mean: number;
}

for (const name of ["red_panda", "chameleon", "goldfish", "horse_cart"]) {
  const files = [`models/images/${name}.jpg`, "models/squeezenet1.1.reference.json"] as const;
  testWithData(files, `${name}.jpg is decoded and normalised as in the reference`, async () => {
    const reference = JSON.parse(await Deno.readTextFile(testData(files[1])));
    const expected: PreparedPhoto = reference.photos[name];
    const image = await decodeImage(await Deno.readFile(testData(files[0])));
    assertEquals([image.width, image.height], [expected.width, expected.height]);
    const input = normalizeImage(resizeImage(image, 224), "nchw");
    assertEquals(input.length, 3 * 224 * 224);
    for (const [index, value] of expected.input_first4.entries()) assertAlmostEquals(input[index]!, value, 1e-6);
    assertAlmostEquals(input.reduce((sum, value) => sum + value, 0) / input.length, expected.input_mean, 1e-6);
    assert(input.every(Number.isFinite));
  });
}
