// Runs inside the emulator, as any program does: production host names, nothing set but environment variables.
const { ContainerRegistryManagementClient } = require("@azure/arm-containerregistry");
const identity = require("@azure/identity");
const { writeFileSync } = require("node:fs");

const { ARM_TENANT_ID: tenant, ARM_CLIENT_ID: client, ARM_CLIENT_SECRET: secret, ARM_SUBSCRIPTION_ID } = process.env;

const credentials = {
  secret: () => new identity.ClientSecretCredential(tenant, client, secret),
  certificate: () => new identity.ClientCertificateCredential(tenant, client, process.env.CERTIFICATE_FILE),
  assertion: () => new identity.ClientAssertionCredential(tenant, client, async () => process.env.ASSERTION),
  "managed identity": () => new identity.ManagedIdentityCredential(),
};

async function main([credential, source, target]) {
  const registries = new ContainerRegistryManagementClient(credentials[credential](), ARM_SUBSCRIPTION_ID).registries;
  const { loginServer } = await registries.get("images", "myregistry");
  const [registryUri, ...path] = source.split("/");
  const parameters = { source: { registryUri, sourceImage: path.join("/") }, targetTags: [target] };
  await registries.importImage("images", "myregistry", parameters, { updateIntervalInMs: 50 });
  writeFileSync(1, JSON.stringify({ loginServer }));
}

main(process.argv.slice(2)).catch((error) => {
  writeFileSync(1, JSON.stringify({ code: error.code, status: error.statusCode, message: error.message }));
  process.exitCode = 1;
});
