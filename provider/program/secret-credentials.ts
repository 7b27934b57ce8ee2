/** Keeps the credentials of a source secret, also when they are given as plain text. */
import * as pulumi from "@pulumi/pulumi";

/** A source with credentials, among other members. */
interface LongSource {
  readonly credentials?: pulumi.Input<unknown>;
}

/** The source with its credentials marked as secret. Where they are part of an output, all of it is. */
export function withSecretCredentials(source: pulumi.Input<string | LongSource>): pulumi.Input<unknown> {
  if (typeof source === "string") return source;
  if (pulumi.Output.isInstance(source) || source instanceof Promise) {
    return pulumi
      .output(source)
      .apply((known) => (typeof known === "string" || known?.credentials === undefined ? known : pulumi.secret(known)));
  }
  const long: LongSource = source;
  return long?.credentials === undefined ? long : { ...long, credentials: pulumi.secret(long.credentials) };
}
