/** A Pulumi resource whose construction captures no stack traces. */
import * as pulumi from "@pulumi/pulumi";

/**
 * The SDK captures four stack traces for each property of a resource, which only its promise leak detector shows. They cost a
 * fifth of the processor time of a program with a hundred images (`npm run bench`). `PULUMI_DEBUG_PROMISE_LEAKS`
 * keeps them. The trace of the declaration itself, which errors show, has a limit of its own in the SDK.
 */
export class UntracedResource extends pulumi.CustomResource {
  /** @param inputs - Called once, also without stack traces. */
  constructor(type: string, name: string, inputs: () => pulumi.Inputs, opts?: pulumi.CustomResourceOptions) {
    const { stackTraceLimit } = Error;
    if (!process.env.PULUMI_DEBUG_PROMISE_LEAKS) Error.stackTraceLimit = 0;
    try {
      super(type, name, inputs(), opts);
    } catch (error) {
      Error.stackTraceLimit = stackTraceLimit;
      // The error shows the line that declares the resource.
      if (error instanceof Error) Error.captureStackTrace(error, new.target);
      throw error;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }
}
