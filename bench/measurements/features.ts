/** Counts what features add to the requests of a no-op. */
import type { Bench } from "../bench";
import { countRequests, type Traffic } from "../emulator";
import { countFeatures, TAGS } from "../features";
import type { Goal, Row, Section } from "../report";
import { AZURE } from "./requests";

const TOKENS = /(\/token|\/oauth2\/\w+)$/;
const LISTS = /^GET \S+\/(_?tags(\/…)?|referrers\/…)$/;

export async function measureFeatures(bench: Bench): Promise<Section> {
  const { features, repositories } = await countFeatures(bench);
  return {
    title: "What features add to a no-op",
    method: [
      "Requests per run of a program with one resource, counted by the emulator. The first table has those of one image beyond the",
      "same image without the feature. It is an index on Docker Hub that an SBOM refers to and that cosign has signed with a key.",
      "A host without the referrers API is asked for it once in a run, by one GET, however many images it has. What refers to the",
      "image of a `platform` is read by the plugin process, which needs a token of its own.",
      "",
      `The second table has all requests for a repository of ${TAGS} tags, each with an image of its own. The lists of Azure`,
      "registries and of Artifact Registry have the digests. With `referrers`, each image has a list of its own.",
    ].join("\n"),
    tables: [
      {
        columns: ["feature", "HEAD", "GET of a list", "tokens", "to Azure", "all"],
        rows: [...features].map(([{ title }, requests]) => toRow(title, requests)),
      },
      {
        columns: ["repository on", "HEAD", "GET of a list", "tokens", "to Azure", "all"],
        rows: [...repositories].map(([{ title }, requests]) => toRow(title, requests)),
      },
    ],
    goals: [
      ...[...features].map(
        ([{ title, atMost }, requests]): Goal => ({
          measure: `no-op with ${title}: requests beyond the plain image, without tokens`,
          atMost,
          measured: countRequests({ requests }, /./) - countRequests({ requests }, TOKENS),
        }),
      ),
      ...[...repositories].flatMap(([{ title, lists, heads }, requests]): Goal[] => {
        const what = `no-op of ${TAGS} tags on ${title}`;
        return [
          { measure: `${what}: HEAD requests`, atMost: heads, measured: countRequests({ requests }, /^HEAD /) },
          { measure: `${what}: GET of lists`, atMost: lists, measured: countRequests({ requests }, LISTS) },
        ];
      }),
    ],
  };
}

function toRow(title: string, requests: Traffic["requests"]): Row {
  const count = (pattern: RegExp) => countRequests({ requests }, pattern);
  return [title, count(/^HEAD /), count(LISTS), count(TOKENS), count(AZURE), count(/./)];
}
