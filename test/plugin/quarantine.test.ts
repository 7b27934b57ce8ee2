/** Target registries that hold what is imported in quarantine. */
import { useEmulator } from "../support/emulator";
import { freshStack, importCount, loginServer, type Stack, targetDigest } from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;
let first: string;

beforeEach(async () => {
  ({ stack, repository, first } = freshStack(emulator));
  await emulator.control.call("PATCH", "/registries/myregistry", {}, { quarantinePolicy: "enabled" });
});

const release = () =>
  emulator.control.call(
    "PATCH",
    "/image",
    { reference: `${loginServer}/${repository}@${first}` },
    { quarantineState: "Passed" },
  );

test.each([
  ["a tag", (name: string) => ({ targetTags: [`${name}:1`] })],
  ["a manifest without a tag", (name: string) => ({ untaggedTargetRepositories: [name] })],
])("%s in quarantine is reported as such, and picked up when it is released", async (_, targets) => {
  const image = { source: `docker.io/${repository}:1`, ...targets(repository) };
  emulator.server.log.clear();
  for (const _run of [1, 2]) {
    const { errors } = await stack.up({ image });
    expect(errors.image).toContain(
      `target: ${loginServer}/${repository}@${first} is in quarantine [TARGET_QUARANTINED]`,
    );
  }
  await release();
  const imports = importCount(emulator);
  expect((await stack.up({ image })).errors).toEqual({});
  expect(importCount(emulator)).toBe(imports);
  expect(stack.resource().outputs).toMatchObject({ sourceDigest: first, verifiedBy: "digest" });
  expect(targetDigest(emulator, `${repository}@${first}`)).toBe(first);
});
