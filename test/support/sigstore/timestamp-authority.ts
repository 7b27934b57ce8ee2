/** An authority that signs times, by RFC 3161. */
import { sign } from "node:crypto";
import { CertificateAuthority, newKeys, sha256, spki } from "./certificate-authority";
import { explicit, generalizedTime, integer, octets, oid, sequence, set } from "./der";

const SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"));
const SIGNED_DATA = "1.2.840.113549.1.7.2";
const TIMESTAMP_INFO = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));

export class TimestampAuthority {
  readonly #keys = newKeys();
  readonly #serial = Buffer.from("1234", "hex");
  readonly #root: CertificateAuthority;
  /** The signing certificate, then its issuer's. */
  readonly chain: readonly Buffer[];

  constructor(validFrom: Date) {
    this.#root = new CertificateAuthority("timestamp root", validFrom);
    this.chain = [this.#root.issueForTimestamps(spki(this.#keys), this.#serial), this.#root.certificate];
  }

  /** The response to a request for a timestamp: https://www.rfc-editor.org/rfc/rfc3161#section-2.4.2 */
  timestamp(bytes: Buffer, date: Date): Buffer {
    const info = sequence(
      integer(1),
      oid("1.2.3.4"),
      sequence(SHA256, octets(sha256(bytes))),
      integer(Buffer.from("beef", "hex")),
      generalizedTime(date),
    );
    const attributes = [
      sequence(oid(CONTENT_TYPE), set(oid(TIMESTAMP_INFO))),
      sequence(oid(MESSAGE_DIGEST), set(octets(sha256(info)))),
    ];
    const signer = sequence(
      integer(1),
      sequence(this.#root.issuerName, integer(this.#serial)),
      SHA256,
      explicit(0, ...attributes),
      ECDSA_SHA256,
      octets(sign("sha256", set(...attributes), this.#keys.privateKey)),
    );
    const signedData = sequence(
      integer(3),
      set(SHA256),
      sequence(oid(TIMESTAMP_INFO), explicit(0, octets(info))),
      set(signer),
    );
    return sequence(sequence(integer(0)), sequence(oid(SIGNED_DATA), explicit(0, signedData)));
  }
}
