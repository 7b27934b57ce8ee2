/** Everything about the supply chain on one image at once: what each part does must not undo another. */
import type { Digest } from "../../provider/reference/digest";
import { useEmulator } from "../support/emulator";
import { pushSignature } from "../support/push-signature";
import { newKeys } from "../support/sigstore/certificate-authority";
import { bundleByKey, bundleReferrer, statementFor } from "../support/sigstore/cosign-signer";
import { clientRequests, freshStack, importCount, type Stack, targetDigest } from "./stack";

const emulator = useEmulator();
const keys = newKeys();
const key = keys.publicKey.export({ format: "pem", type: "spki" }) as string;

let stack: Stack;
let repository: string;
let image: { source: string; targetTags: string[] };

beforeEach(() => {
  ({ stack, repository } = freshStack(emulator));
  image = { source: `docker.io/${repository}:1`, targetTags: [`${repository}:1`] };
});
afterEach(() => stack.stopPlugin());

const everything = {
  platform: "linux/amd64",
  referrers: true,
  verify: { cosign: { key } },
  cooldown: "3d",
  lock: true,
  onSourceMove: "import",
  onDelete: "delete",
};
const up = (changes: object = {}) => stack.up({ image: { ...image, ...everything, ...changes } });
const recorded = () => stack.resource().outputs;
const held = () => targetDigest(emulator, `${repository}:1`);
const publish = () => emulator.control.signedImage(image.source);
const sign = (digest: string) =>
  pushSignature(emulator, repository, bundleReferrer(digest as Digest, bundleByKey(keys, statementFor(digest))));

test("a digest waits, is verified, arrives with its signatures, is locked, and leaves", async () => {
  const before = await publish();
  expect((await up()).errors.image).toContain("[SIGNATURE_REJECTED]");
  sign(before.digest);
  expect(await up()).toEqual({ errors: {}, steps: { image: "create" } });
  expect(await up()).toEqual({ errors: {}, steps: { image: "same" } });
  const first = held();
  expect(recorded()).toMatchObject({ sourceDigest: first, indexDigest: before.digest, lock: true });

  const after = await publish();
  expect(await up()).toEqual({ errors: {}, steps: { image: "update" } });
  expect(recorded()).toMatchObject({ sourceDigest: first, candidate: expect.stringMatching(` in ${after.digest}$`) });
  const waiting = stack.resource();
  await stack.refresh();
  expect(stack.resource()).toEqual(waiting);
  expect(await up()).toEqual({ errors: {}, steps: { image: "same" } });
  // Let in at once, and still not without a signature.
  expect((await up({ triggers: [1] })).errors.image).toContain("[SIGNATURE_REJECTED]");
  expect([held(), stack.resource()]).toEqual([first, waiting]);

  sign(after.digest);
  expect(await up({ triggers: [1] })).toEqual({ errors: {}, steps: { image: "update" } });
  const second = held();
  expect(second).not.toBe(first);
  expect(recorded()).toMatchObject({ sourceDigest: second, indexDigest: after.digest, lock: true });
  expect(recorded()).not.toHaveProperty("candidate");
  const referrers = String(recorded().referrers).split("\n");
  expect(referrers).toHaveLength(1);

  expect((await stack.destroy()).errors).toEqual({});
  expect([held(), targetDigest(emulator, `${repository}@${second}`)]).toEqual([undefined, undefined]);
  const [, signature] = referrers[0]?.split(" ") ?? [];
  expect(targetDigest(emulator, `${repository}@${signature}`)).toBeUndefined();
});

test("a state from before all of it only gains what is missing", async () => {
  const { digest } = await publish();
  sign(digest);
  expect((await stack.up({ image })).errors).toEqual({});
  emulator.server.log.clear();
  const { platform: _, ...others } = everything;
  expect(await stack.up({ image: { ...image, ...others, referrers: false, lock: false } })).toEqual({
    errors: {},
    steps: { image: "update" },
  });
  expect(importCount(emulator)).toBe(0);
  expect(clientRequests(emulator).filter((request) => request.includes("azure"))).toEqual([]);
  expect(recorded()).toMatchObject({ sourceDigest: digest, signedBy: expect.stringMatching(/^sha256:/) });
});
