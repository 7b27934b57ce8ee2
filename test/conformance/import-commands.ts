/** The import commands of Microsoft's articles and the arguments of `ImportedImage` that stand for them. */

import { dockerHubAccount } from "acr-emulator";
import type { ImageArguments } from "../engine/programs";
import type { EmulatorControl } from "../support/emulator";
import { credentialsOf, registryId, secondSubscriptionId, servicePrincipals } from "../support/fixtures";
import { registryAccount } from "../support/registry";
import type { Account } from "./crane";
import { openHost, privateHosts } from "./real-registries";

/** One import as options of `az acr import` and as arguments of `ImportedImage`. */
export interface Import {
  readonly az: readonly string[];
  readonly args: ImageArguments;
  /** The targets: `repository:tag`, or `repository@digest` for a manifest without a tag. */
  readonly targets: readonly string[];
  /** The digest of the source. */
  readonly digest: string;
}

/** What a command can use to prepare its source and target. */
export interface Preparation {
  readonly control: EmulatorControl;
  /** Login servers of both target registries. */
  readonly hosts: readonly string[];
  /** Pushes a new image to a real registry and returns its digest. */
  push(reference: string): Promise<string>;
}

export interface ImportCommand {
  /** The number in the articles, with a letter where there are several forms. */
  readonly id: string;
  readonly scenario: string;
  prepare(context: Preparation): Promise<Import>;
}

/** Every import of Microsoft's articles, with the registries and accounts of the emulator's default world. */
export const importCommands: readonly ImportCommand[] = [
  {
    id: "1",
    scenario: "Docker Hub, public, multi-architecture",
    async prepare({ control }) {
      const source = "docker.io/library/hello-world:latest";
      return plain(control, source, "hello-world:latest");
    },
  },
  {
    id: "3",
    scenario: "Docker Hub with an account",
    async prepare({ control }) {
      const source = "docker.io/tensorflow/tensorflow:latest-gpu";
      return withAccount(control, source, "tensorflow:latest-gpu", dockerHubAccount);
    },
  },
  {
    id: "4",
    scenario: "Microsoft Container Registry",
    async prepare({ control }) {
      return plain(control, "mcr.microsoft.com/windows/servercore:ltsc2019", "servercore:ltsc2019");
    },
  },
  {
    id: "5",
    scenario: "registry in Azure, same subscription, login server",
    async prepare({ control }) {
      return plain(control, "mysourceregistry.azurecr.io/aci-helloworld:latest", "aci-helloworld:latest");
    },
  },
  {
    id: "6",
    scenario: "registry in Azure whose public access is disabled, resource ID",
    async prepare({ control }) {
      const registry = registryId("privatesource");
      return {
        ...importing("aci-helloworld:latest", "aci-helloworld:latest", ["--registry", registry]),
        // Nobody out here can read that source, so the digest is read from the target.
        args: {
          source: { image: "aci-helloworld:latest", registry, digestFrom: "target" },
          targetTags: ["aci-helloworld:latest"],
        },
        digest: (await control.image("privatesource.azurecr.io/aci-helloworld:latest")).digest,
      };
    },
  },
  {
    id: "7",
    scenario: "registry in Azure, by digest",
    async prepare({ control }) {
      const { digest } = await control.image("mysourceregistry.azurecr.io/aci-helloworld:latest");
      const source = `mysourceregistry.azurecr.io/aci-helloworld@${digest}`;
      // The command uses the tag "latest" by default; here it is given.
      return {
        az: ["--source", source],
        args: { source, targetTags: ["aci-helloworld:latest"] },
        targets: ["aci-helloworld:latest"],
        digest,
      };
    },
  },
  {
    id: "8",
    scenario: "by digest, manifest only, no tag",
    async prepare({ control }) {
      const { digest } = await control.image("docker.io/library/hello-world:latest");
      const source = `docker.io/library/hello-world@${digest}`;
      return {
        az: ["--source", source, "--repository", "hello-world"],
        args: { source, untaggedTargetRepositories: ["hello-world"] },
        targets: [`hello-world@${digest}`],
        digest,
      };
    },
  },
  {
    id: "9",
    scenario: "registry in Azure, another subscription, resource ID",
    async prepare({ control }) {
      const registry = registryId("othersubsource", secondSubscriptionId);
      const { digest } = await control.moveTag("othersubsource.azurecr.io/samples/aci-helloworld:latest");
      return {
        ...importing("samples/aci-helloworld:latest", "aci-hello-world:latest", ["--registry", registry]),
        args: {
          source: { image: "samples/aci-helloworld:latest", registry },
          targetTags: ["aci-hello-world:latest"],
        },
        digest,
      };
    },
  },
  {
    id: "10",
    scenario: "registry in Azure, service principal credentials",
    async prepare({ control }) {
      const source = "mysourceregistry.azurecr.io/sourcerrepo:tag";
      await control.moveTag(source);
      const account = credentialsOf(servicePrincipals.sourceReader);
      return withAccount(control, source, "targetimage:tag", account);
    },
  },
  {
    id: "11a",
    scenario: "registry of another tenant, service principal",
    async prepare({ control }) {
      const account = credentialsOf(servicePrincipals.otherTenantReader);
      return withAccount(control, otherTenantSource, "targetimage:tag", account);
    },
  },
  {
    id: "11b",
    scenario: "registry of another tenant, repository-scoped token",
    async prepare({ control }) {
      const account = { username: "importer", password: "importer-token-password" };
      return withAccount(control, otherTenantSource, "targetimage:tag", account);
    },
  },
  {
    id: "12",
    scenario: "registry of another tenant, Entra access token alone",
    async prepare({ control }) {
      const wanted = {
        clientId: servicePrincipals.otherTenantReader.clientId,
        audience: "https://containerregistry.azure.net",
      };
      const { token: password } = await control.call<{ token: string }>("POST", "/token", {}, wanted);
      return withAccount(control, otherTenantSource, "targetimage:tag", { password });
    },
  },
  {
    id: "13a",
    scenario: "private repository of Docker Hub",
    async prepare({ control }) {
      return withAccount(control, "docker.io/emulator/private:latest", "sourceimage:tag", dockerHubAccount);
    },
  },
  ...[
    ["13b", "private registry that is not Azure's: `registry` with basic authentication", privateHosts.basic],
    ["13c", "private registry that is not Azure's: `registry` with a token service", privateHosts.token],
  ].map(
    ([id = "", scenario = "", host]): ImportCommand => ({
      id,
      scenario,
      async prepare({ push }) {
        const source = `${host}/sourcerepo/sourceimage:tag`;
        const digest = await push(source);
        return { ...importingWithAccount(source, "sourceimage:tag", registryAccount), digest };
      },
    }),
  ),
  {
    id: "13d",
    scenario: "open registry that is not Azure's: `crane registry serve`",
    async prepare({ push }) {
      const source = `${openHost}/sourcerepo/sourceimage:tag`;
      const digest = await push(source);
      return {
        ...importing(source, "sourceimage:tag"),
        args: { source, targetTags: ["sourceimage:tag"] },
        digest,
      };
    },
  },
  {
    id: "14a",
    scenario: "`--force` over another image",
    async prepare({ control, hosts }) {
      for (const host of hosts) await control.moveTag(`${host}/app:1`);
      const source = "mysourceregistry.azurecr.io/aci-helloworld:latest";
      const { az, args, ...rest } = await plain(control, source, "app:1");
      return { az: [...az, "--force"], args: { ...args, onConflict: "overwrite" }, ...rest };
    },
  },
  {
    id: "14b",
    scenario: "several `--image`",
    async prepare({ control }) {
      const source = "docker.io/library/hello-world:latest";
      const targets = ["app:1", "app:stable", "team/app:1"];
      return {
        az: ["--source", source, ...targets.flatMap((target) => ["--image", target])],
        args: { source, targetTags: targets },
        targets,
        digest: (await control.image(source)).digest,
      };
    },
  },
  {
    id: "14c",
    scenario: "several `--repository`",
    async prepare({ control }) {
      const source = "docker.io/library/hello-world:latest";
      const { digest } = await control.image(source);
      const repositories = ["one/app", "two/app"];
      return {
        az: ["--source", source, ...repositories.flatMap((repository) => ["--repository", repository])],
        args: { source, untaggedTargetRepositories: repositories },
        targets: repositories.map((repository) => `${repository}@${digest}`),
        digest,
      };
    },
  },
  {
    id: "14d",
    scenario: "`--no-wait`, then waiting",
    async prepare({ control }) {
      const { az, ...rest } = await plain(control, "docker.io/library/hello-world:latest", "hello-world:latest");
      return { az: [...az, "--no-wait"], ...rest };
    },
  },
  {
    id: "14e",
    scenario: "`--resource-group`",
    async prepare({ control }) {
      const { az, ...rest } = await plain(control, "docker.io/library/hello-world:latest", "hello-world:latest");
      return { az: [...az, "--resource-group", "images"], ...rest };
    },
  },
];

const otherTenantSource = "othertenantsource.azurecr.io/aci-helloworld:latest";

async function plain(control: EmulatorControl, source: string, target: string): Promise<Import> {
  const { digest } = await control.image(source);
  return { ...importing(source, target), args: { source, targetTags: [target] }, digest };
}

async function withAccount(
  control: EmulatorControl,
  source: string,
  target: string,
  account: Partial<Account>,
): Promise<Import> {
  return { ...importingWithAccount(source, target, account), digest: (await control.image(source)).digest };
}

function importingWithAccount(
  source: string,
  target: string,
  account: Partial<Account>,
): Pick<Import, "az" | "args" | "targets"> {
  const { username, password = "" } = account;
  const options = [...(username === undefined ? [] : ["--username", username]), "--password", password];
  return {
    ...importing(source, target, options),
    args: { source: { image: source, credentials: account }, targetTags: [target] },
  };
}

function importing(source: string, target: string, options: readonly string[] = []): Pick<Import, "az" | "targets"> {
  return { az: ["--source", source, "--image", target, ...options], targets: [target] };
}
