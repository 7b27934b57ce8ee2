/** Calls functions that read a source registry while the program runs. */
import * as pulumi from "@pulumi/pulumi";
import { type Failure, failureOf, formatFailure } from "../failure/failure";
import { isObject } from "../json";
import type { DigestResolver } from "../source/resolve-digest";
import { sharedResolver } from "./run";

/** What a function does with its arguments, once they are known. */
export interface DataFunction<P extends object, R> {
  readonly name: string;
  parse(args: Readonly<Record<string, unknown>>): P | { readonly problems: readonly Failure[] };
  /** @throws ImportError */
  evaluate(parsed: P, resolver: DigestResolver): Promise<R>;
}

/**
 * Calls a function with plain arguments. Without an engine, that is in unit tests, the mocks respond to it.
 *
 * @throws pulumi.RunError with the failure; the engine shows it without a stack trace.
 */
export async function call<P extends object, R>(
  of: DataFunction<P, R>,
  args: object,
  opts: pulumi.InvokeOptions = {},
): Promise<R> {
  if (pulumi.runtime.getEngine() === undefined) return pulumi.runtime.invoke(tokenOf(of), { ...args }, opts);
  rejectProvider(of, opts);
  if (hasInput(args)) {
    throw refusal(of.name, "arguments must be plain values", `Pass outputs and promises to ${of.name}Output`);
  }
  return run(of, args);
}

/** Calls a function once its arguments and the resources in `dependsOn` are known; until then the result is unknown. */
export function callWithInputs<P extends object, R>(
  of: DataFunction<P, R>,
  args: object,
  opts: pulumi.InvokeOutputOptions = {},
): pulumi.Output<R> {
  if (pulumi.runtime.getEngine() === undefined) return pulumi.runtime.invokeOutput(tokenOf(of), { ...args }, opts);
  rejectProvider(of, opts);
  const known = pulumi.all([pulumi.output(withUnsecretCredentials(args)), idsOf(opts.dependsOn)]);
  return known.apply(([plain]) => run(of, plain)) as pulumi.Output<R>;
}

/** Stands in the mocks of users' tests: never rename it. */
function tokenOf({ name }: { readonly name: string }): string {
  return `pulumi-acr-import:index:${name}`;
}

async function run<P extends object, R>(of: DataFunction<P, R>, args: object): Promise<R> {
  const parsed = of.parse(args as Readonly<Record<string, unknown>>);
  if ("problems" in parsed) throw runError(of.name, parsed.problems);
  try {
    return await of.evaluate(parsed, sharedResolver());
  } catch (error) {
    const failure = failureOf(error);
    throw failure === undefined ? error : runError(of.name, [failure]);
  }
}

function runError(name: string, failures: readonly Failure[]): pulumi.RunError {
  return withoutStack(failures.map((failure) => `${name}: ${formatFailure(failure)}`).join("\n"));
}

function refusal(name: string, reason: string, hint: string): pulumi.RunError {
  return withoutStack(`${name}: ${reason}\n  Hint: ${hint}`);
}

/** The SDK shows the stack of any error that nobody handles after the program itself has ended. */
function withoutStack(message: string): pulumi.RunError {
  const error = new pulumi.RunError(message);
  delete error.stack;
  return error;
}

/** The identity of a provider is known to its plugin process alone. */
function rejectProvider({ name }: { readonly name: string }, { provider }: pulumi.InvokeOptions): void {
  if (provider === undefined) return;
  throw refusal(
    name,
    "opts.provider is not supported",
    "Remove the option to use the identity of the stack, or pass source.credentials",
  );
}

function hasInput(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasInput);
}

/** The result does not contain the credentials, so that it is no secret because of them. */
function withUnsecretCredentials(args: object): object {
  const { source } = args as { readonly source?: unknown };
  if (!isObject(source) || pulumi.Output.isInstance(source) || source.credentials === undefined) return args;
  return { ...args, source: { ...source, credentials: pulumi.unsecret(pulumi.output(source.credentials)) } };
}

/** Unknown in a preview while one of the resources does not exist. */
function idsOf(dependsOn: pulumi.InvokeOutputOptions["dependsOn"]): pulumi.Output<unknown> {
  return pulumi
    .output(dependsOn ?? [])
    .apply((resources) => [resources].flat().map((resource) => ("id" in resource ? resource.id : resource.urn)));
}
