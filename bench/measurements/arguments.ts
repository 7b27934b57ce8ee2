/** Counts what arguments add to the requests of a no-op. */
import type { Bench } from "../bench";
import { countRequests, type Traffic } from "../emulator";
import { images, imagesWith, type Program } from "../programs";
import type { Row, Section } from "../report";
import { AZURE, countNoOp } from "./requests";

const IMAGES = 10;

/** What arguments change; a new argument gets a line here. */
const features: readonly Program[] = [
  imagesWith("one tag each, on Docker Hub", images.args),
  imagesWith("pinned by digest", ({ reference, digest }) => ({
    registry: "myregistry",
    source: `${reference}@${digest}`,
  })),
  imagesWith("all of them one image, under other tags", ({ name }) => ({
    registry: "myregistry",
    source: "docker.io/bench/image-0001:1",
    targetTags: [`same/${name}:1`],
  })),
  imagesWith("two target tags", ({ name, reference }) => ({
    registry: "myregistry",
    source: reference,
    targetTags: [`two/${name}:1`, `two/${name}:stable`],
  })),
  imagesWith("`source.credentials`", ({ name, reference: image }) => ({
    registry: "myregistry",
    source: { image, credentials: { username: "emulator", password: "dckr_pat_emulator" } },
    targetTags: [`credentials/${name}:1`],
  })),
  imagesWith('`digestFrom: "target"`', ({ name, reference: image }) => ({
    registry: "myregistry",
    source: { image, digestFrom: "target" },
    targetTags: [`from-target/${name}:1`],
  })),
  imagesWith("source in another Azure registry", ({ name }) => ({
    registry: "myregistry",
    source: "mysourceregistry.azurecr.io/aci-helloworld:latest",
    targetTags: [`azure/${name}:1`],
  })),
];

export async function measureArguments(bench: Bench): Promise<Section> {
  const rows: Row[] = [];
  for (const program of features) rows.push(toRow(program.title, await countNoOp(bench, program, IMAGES)));
  return {
    title: "What arguments add to a no-op",
    method: `Requests per run of a program with ${IMAGES} images, counted by the emulator.`,
    tables: [{ columns: ["arguments", "HEAD", "GET of a manifest", "tokens", "to Azure", "all"], rows }],
  };
}

function toRow(title: string, traffic: Traffic): Row {
  const count = (pattern: RegExp) => countRequests(traffic, pattern);
  const tokens = count(/(\/token|\/oauth2\/\w+)$/);
  return [title, count(/^HEAD /), count(/^GET .*\/manifests\//), tokens, count(AZURE), count(/./)];
}
