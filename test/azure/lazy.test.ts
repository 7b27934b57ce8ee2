import { execFileSync } from "node:child_process";
import path from "node:path";

test("Azure's SDK is not loaded before Azure is asked", () => {
  const module = path.resolve(__dirname, "../../provider/azure/azure.ts");
  const script = `
    const { Azure } = require(${JSON.stringify(module)});
    const azure = new Azure({});
    azure.describeIdentity();
    azure.isAzureHost("myregistry.azurecr.io").then((isAzure) => {
      const loaded = Object.keys(require.cache).filter((file) => /node_modules.@azure/.test(file));
      console.log(JSON.stringify({ isAzure, loaded }));
    });`;
  const output = execFileSync(process.execPath, ["--import", "tsx", "--eval", script], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual({ isAzure: true, loaded: [] });
});
