/** Signatures that notation-go has made, with timestamps of OpenSSL: scripts/notation-fixtures makes them. */
import type { Digest } from "../../provider/reference/digest";
import fixtures from "../unit/signature/notation-fixtures.json";
import { NOTATION, type TestEmulator } from "./emulator";
import { pushSignature } from "./push-signature";

export type NotationFixture = keyof typeof fixtures.signatures;

/** Accepts the signatures with timestamps, whose certificates have expired. */
export const NOTATION_POLICY = {
  trustStore: { ca: [fixtures.ca], tsa: Object.values(fixtures.tsa) },
  trustedIdentities: ["x509.subject: C=US, ST=WA, O=Wabbit Networks"],
  revocation: "skip",
};

/** The image that they sign, an index without manifests. */
const { mediaType } = fixtures.subject;
const image = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] }));

/** Pushes the image with the tag 1 and signatures to a repository of Docker Hub, and returns the digests of the signatures. */
export function pushNotationImage(
  emulator: Pick<TestEmulator, "server">,
  repository: string,
  titles: readonly NotationFixture[],
): string[] {
  const store = emulator.server.images.publicStores.get("docker.io");
  const subject = store?.putManifest(repository, image, mediaType, "1").digest as Digest | undefined;
  if (subject !== fixtures.subject.digest) throw new Error(`${subject} is not the image that the fixtures sign`);
  return titles.map((title) => {
    const { mediaType, envelope } = fixtures.signatures[title];
    const layers = [{ mediaType, content: Buffer.from(envelope, "base64") }];
    return pushSignature(emulator, repository, { subject, artifactType: NOTATION, layers });
  });
}
