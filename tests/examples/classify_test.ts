import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { PNG } from "pngjs";
import { testData, testWithData } from "../support/test_data.ts";

const ROOT = join(import.meta.dirname!, "../..");

/** Runs the example with its task, as a user does. */
async function classify(args: string[], env: Record<string, string> = {}) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "classify", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function withTempFile(suffix: string, bytes: Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix });
  try {
    await Deno.writeFile(path, bytes);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("classify --help and -h print the usage", async () => {
  for (const option of ["--help", "-h"]) {
    const { code, stdout, stderr } = await classify([option]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "Usage: deno task classify [photo ...] [--model squeezenet|mobilenetv2] [--repeat N]");
  }
});

async function assertFailsWith(args: string[], message: RegExp, env: Record<string, string> = {}): Promise<void> {
  const { code, stdout, stderr } = await classify(args, env);
  assertEquals([code, stdout], [1, ""], stderr);
  assertMatch(stderr, /^classify: [^\n]+\n$/);
  assertMatch(stderr, message);
}

const ERRORS: [args: string[], message: RegExp][] = [
  [["--modle", "squeezenet"], /unknown option --modle; --help lists the options/],
  [["--model", "resnet"], /--model must be squeezenet or mobilenetv2, not "resnet"/],
  [["--model"], /--model must be squeezenet or mobilenetv2, not ""/],
  [["--model", "constructor"], /--model must be squeezenet or mobilenetv2, not "constructor"/],
  [["--repeat", "0"], /--repeat must be a positive integer, not "0"/],
  [["--repeat=many"], /--repeat must be a positive integer, not "many"/],
  [["no_such_photo.jpg"], /there is no file .*no_such_photo\.jpg/],
  [["README.md"], /README\.md: not a JPEG or PNG image/],
  [["examples"], /cannot read examples: /],
];

for (const [args, message] of ERRORS) {
  Deno.test(`classify ${args.join(" ")} fails with one clear line`, () => assertFailsWith(args, message));
}

Deno.test("classify rejects a damaged photo with one clear line", async () => {
  await withTempFile(".jpg", new Uint8Array([0xff, 0xd8, 0xff, 1, 2]), async (path) => {
    await assertFailsWith([path], /\.jpg: damaged JPEG: /);
  });
});

testWithData(
  ["models/squeezenet1.1.safetensors", "models/images/goldfish.jpg"],
  "classify shows the photos that it can read, and fails for the others",
  async () => {
    const photos = ["no_such_photo.jpg", testData("models/images/goldfish.jpg"), "README.md"];
    const { code, stdout, stderr } = await classify([...photos, "--repeat", "1"]);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^classify: there is no file .*no_such_photo\.jpg\nclassify: README\.md: not a JPEG or PNG image\n$/,
    );
    assertMatch(stdout, /^goldfish\.jpg \(\d+ × \d+\)\n +\d+\.\d\d % {2}goldfish/);
  },
);

Deno.test("classify says which model file is missing and how to point to it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const message =
      /red_panda\.jpg is missing; run deno task data, or set WEBNN_TEST_DATA to the folder that holds models\/images\/red_panda\.jpg/;
    await assertFailsWith([], message, { WEBNN_TEST_DATA: folder });
  } finally {
    await Deno.remove(folder);
  }
});

const TIMINGS = [/\n {2}build +\d+\.\d ms\n/, /\n {2}first inference +\d+\.\d ms\n/];
const SQUEEZENET_FILES = ["models/squeezenet1.1.safetensors", "models/imagenet_labels.txt"];

testWithData(
  [...SQUEEZENET_FILES, "models/images/red_panda.jpg"],
  "classify finds a lesser panda in the default photo",
  async () => {
    const { code, stdout, stderr } = await classify([]);
    assertEquals([code, stderr], [0, ""]);
    const [title, first, ...rest] = stdout.split("\n");
    assertEquals([title, first], ["red_panda.jpg (960 × 635)", "   99.41 %  lesser panda"]);
    assertEquals(rest.slice(0, 4).map((line) => line.slice(12)), ["polecat", "weasel", "kit fox", "red fox"]);
    assertMatch(stdout, /\nSqueezeNet 1\.1, (nchw|nhwc), .*\d+\.\d+.*, \d+ threads?\n/);
    for (const timing of TIMINGS) assertMatch(stdout, timing);
    assertMatch(stdout, /\n {2}median of 10 +\d+\.\d ms\n$/);
  },
);

const PHOTOS = { chameleon: "African chameleon", goldfish: "goldfish", horse_cart: "horse cart" };
const PHOTO_FILES = Object.keys(PHOTOS).map((name) => `models/images/${name}.jpg`);

testWithData([...SQUEEZENET_FILES, ...PHOTO_FILES], "classify labels each photo", async () => {
  const { code, stdout, stderr } = await classify([...PHOTO_FILES.map(testData), "--repeat", "2"]);
  assertEquals([code, stderr], [0, ""]);
  for (const [name, label] of Object.entries(PHOTOS)) {
    assertMatch(stdout, new RegExp(`^${name}\\.jpg \\(\\d+ × \\d+\\)\\n +\\d+\\.\\d\\d %  ${label}\\n`, "m"));
  }
  assertStringIncludes(stdout, "median of 6 ");
});

const MOBILENET_FILES = ["models/mobilenetv2.safetensors", "models/mobilenetv2.reference.json", "models/images"];

testWithData(
  MOBILENET_FILES,
  "classify --model mobilenetv2 compares features, and says why there are no labels",
  async () => {
    const png = new Uint8Array(PNG.sync.write(new PNG({ width: 4, height: 3 })));
    await withTempFile(".png", png, async (unknown) => {
      const photos = [testData("models/images/goldfish.jpg"), unknown];
      const { code, stdout, stderr } = await classify([...photos, "--model", "mobilenetv2", "--repeat=1"]);
      assertEquals([code, stderr], [0, ""]);
      const error = /^ {2}features: the first 8 differ from the reference by at most (\S+)$/m.exec(stdout)?.[1];
      assert(Number(error) <= 1e-4, stdout);
      assertMatch(stdout, /\.png \(4 × 3\)\n {2}not one of the reference photos, /);
      for (const timing of TIMINGS) assertMatch(stdout, timing);
      assertMatch(stdout, /\nNo labels: /);
    });
  },
);
