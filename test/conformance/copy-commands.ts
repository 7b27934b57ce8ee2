/** The commands that copy an image to another registry, each with what it is told to copy besides. */
import { environment } from "../../scripts/environment";
import { runOrFail } from "../../scripts/process";
import { imageProgram } from "../engine/programs";
import type { TestEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { AzureCli } from "./azure-cli";
import { clientPath } from "./clients";
import type { Crane } from "./crane";

export interface CopyCommand {
  /** As the table shows it. */
  readonly title: string;
  /** The repository of its copies, which no other command uses. */
  readonly repository: string;
  /** That everything must arrive. The others do what they do, and the table says what. */
  readonly isComplete?: true;
  /** @param to - A reference in the Azure registry `myregistry`. */
  copy(context: CopyContext, from: string, to: string): Promise<void>;
}

export interface CopyContext {
  readonly emulator: TestEmulator;
  /** Logged in to the target; its environment serves the other clients too. */
  readonly crane: Crane;
  /** Of the key that signed the image, in PEM. */
  readonly publicKey: string;
}

export const copyCommands: readonly CopyCommand[] = [
  client("CONFORMANCE_CRANE", "crane", "copy"),
  client("CONFORMANCE_REGCTL", "regctl", "image", "copy"),
  client("CONFORMANCE_REGCTL", "regctl", "image", "copy", "--referrers"),
  client("CONFORMANCE_REGCTL", "regctl", "image", "copy", "--digest-tags"),
  client("CONFORMANCE_REGCTL", "regctl", "image", "copy", "--referrers", "--digest-tags"),
  client("CONFORMANCE_ORAS", "oras", "cp"),
  client("CONFORMANCE_ORAS", "oras", "cp", "-r"),
  client("CONFORMANCE_COSIGN", "cosign", "copy"),
  { title: "`az acr import`", repository: "az-acr-import", copy: importByAzureCli },
  {
    title: "`ImportedImage`",
    repository: "imported-image",
    copy: (context, from, to) => importByPulumi(context, from, to, {}),
  },
  {
    title: "`ImportedImage`, `referrers: true`",
    repository: "imported-image-with-referrers",
    isComplete: true,
    copy: (context, from, to) => importByPulumi(context, from, to, { referrers: true }),
  },
  {
    title: "`ImportedImage`, `referrers: true`, `verify`",
    repository: "imported-image-verified",
    isComplete: true,
    copy: (context, from, to) => {
      const verify = { cosign: { key: context.publicKey } };
      return importByPulumi(context, from, to, { referrers: true, verify });
    },
  },
];

function client(variable: Parameters<typeof clientPath>[0], name: string, ...args: string[]): CopyCommand {
  const command = [name, ...args];
  return {
    title: `\`${command.join(" ")}\``,
    repository: command.map((word) => word.replace(/^-+/, "")).join("-"),
    copy: async ({ crane }, from, to) => {
      await runOrFail(clientPath(variable), [...args, from, to], { env: crane.env });
    },
  };
}

async function importByAzureCli({ emulator, crane }: CopyContext, from: string, to: string): Promise<void> {
  const az = new AzureCli(environment(crane.home, emulator.env));
  const [registry = "", image = ""] = to.split(/\.azurecr\.io\/(.*)/s);
  for (const command of [
    () => az.logIn(),
    () => az.run("acr", "import", "--name", registry, "--source", from, "--image", image),
  ]) {
    const { exitCode, message } = await command();
    if (exitCode !== 0) throw new Error(message);
  }
}

async function importByPulumi({ emulator }: CopyContext, from: string, to: string, more: object): Promise<void> {
  const [registry = "", target = ""] = to.split(/\.azurecr\.io\/(.*)/s);
  const program = imageProgram({ registry, source: from, targetTags: [target], ...more });
  const project = await PulumiProject.create({ env: emulator.env, program });
  const { exitCode, text } = await project.up();
  if (exitCode !== 0) throw new Error(text);
}
