/** A path or a reason that `main.ts` hands over. */
export function judge(
  name: "JUDGE_AZURE_CLI" | "JUDGE_AZURE_SDK" | "JUDGE_SKOPEO" | "JUDGE_CRANE" | "JUDGE_REGISTRY",
): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: judges are run by \`npm run judges\``);
  return value;
}
