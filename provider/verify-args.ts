/** The argument `verify` as programs write it. */
import type * as pulumi from "@pulumi/pulumi";

/**
 * Whose signature an image must carry before it is imported. With both members, a signature of each tool is required.
 */
export interface VerifyArgs {
  /** Signatures by cosign: those of this signer, or of any in the list. */
  cosign?: pulumi.Input<CosignSignerArgs | pulumi.Input<CosignSignerArgs>[]>;
  /** Signatures by Notation. */
  notation?: pulumi.Input<NotationArgs>;
}

/** A signer by a public key, by any of several, or by an identity. */
export type CosignSignerArgs = CosignKeyArgs | CosignKeysArgs | CosignIdentityArgs;

/** A key of cosign. No transparency log is asked for. */
export interface CosignKeyArgs {
  /** Public key in PEM: the content of `cosign.pub`, or what `cosign public-key` prints. */
  key: pulumi.Input<string>;
}

/** Several keys of cosign, any of which may have signed. */
export interface CosignKeysArgs {
  /** Public keys in PEM. */
  keys: pulumi.Input<pulumi.Input<string>[]>;
}

/** An identity that signs without a key of its own ("keyless"), with a certificate of a Sigstore deployment. */
export interface CosignIdentityArgs {
  /** URL of the OpenID Connect issuer, exactly: `https://token.actions.githubusercontent.com`. */
  issuer: pulumi.Input<string>;
  /**
   * Subject of the certificate, an RE2 regular expression that has to match all of it:
   * `https://github\\.com/owner/app/\\.github/workflows/release\\.yml@refs/tags/v.*`.
   */
  subject: pulumi.Input<string>;
  /**
   * Content of the `trusted_root.json` of the Sigstore deployment, as text or as an object. With it nothing is downloaded.
   * @default that of the public-good deployment
   */
  trustedRoot?: pulumi.Input<string | Record<string, unknown>>;
}

/** A policy for Notation signatures; the names are those of Notation's trust policy. */
export interface NotationArgs {
  /** Certificates that are trusted. */
  trustStore: pulumi.Input<NotationTrustStoreArgs>;
  /** Subjects of certificates, `x509.subject: C=US, ST=WA, O=Example`, which must have all these attributes; or `"*"` alone. */
  trustedIdentities: pulumi.Input<pulumi.Input<string>[]>;
  /** Says that revocation is not checked, which is not supported. Required. */
  revocation: pulumi.Input<"skip">;
}

/** The trust store of {@link NotationArgs}. */
export interface NotationTrustStoreArgs {
  /** Certificates of the authorities that issue signers' certificates, in PEM. */
  ca: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Root certificates of timestamp authorities, in PEM. With them every signature must have a timestamp, and counts after its
   * certificate has expired.
   * @default none: the certificates must be valid now
   */
  tsa?: pulumi.Input<pulumi.Input<string>[]>;
}
