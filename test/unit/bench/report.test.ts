/** The page and the picture that the bench writes. */
import { drawChart } from "../../../bench/chart";
import { markdown, type Series } from "../../../bench/report";

const section = {
  title: "No-op",
  method: "Medians of 5 rounds.",
  tables: [
    {
      columns: ["operation", "images", "ratio"],
      rows: [
        ["up", 1, "1.00"],
        ["preview", 1000, "1.10"],
      ],
    },
  ],
};

test("a section is its method and its tables, figures aligned to the right", () => {
  expect(markdown("Bench", "Measured today.", [section])).toBe(`# Bench

Measured today.

## No-op

Medians of 5 rounds.

| operation | images | ratio |
| --------- | -----: | ----: |
| up        |      1 |  1.00 |
| preview   |   1000 |  1.10 |
`);
});

test("the goals of all sections come first, each beside what was measured", () => {
  const page = markdown("Bench", "Measured today.", [
    { ...section, goals: [{ measure: "time", atMost: 1.05, measured: 1.0506 }] },
    { ...section, goals: [{ measure: "text", atMost: 100, measured: 62, unit: "bytes" }] },
  ]);
  expect(page.split("\n\n").slice(2, 4)).toEqual([
    "## Goals",
    [
      "| measure |        goal | measured | met    |",
      "| ------- | ----------: | -------: | ------ |",
      "| time    |      ≤ 1.05 |    1.051 | **no** |",
      "| text    | ≤ 100 bytes | 62 bytes | yes    |",
    ].join("\n"),
  ]);
});

test.each([
  [100, 100, "yes"],
  [100, 101, "**no**"],
  [1.05, 1.0504, "yes"],
])("a goal of at most %d and %d measured: %s", (atMost, measured, met) => {
  const page = markdown("Bench", "", [{ ...section, goals: [{ measure: "time", atMost, measured }] }]);
  expect(page.split("\n").find((line) => line.startsWith("| time"))).toContain(`| ${met}`);
});

const series: Series[] = [
  {
    name: "ImportedImage",
    points: [
      [1, 1800],
      [1000, 8000],
    ],
  },
  { name: "regsync check", points: [[100, 15_400]] },
];

test("the picture is the same for the same figures, and another one for others", () => {
  expect(drawChart("Time", series)).toBe(drawChart("Time", series));
  expect(drawChart("Time", series.slice(0, 1))).not.toBe(drawChart("Time", series));
});

test("the picture has its own background, a name, and the names of its lines", () => {
  const svg = drawChart("Time", series);
  expect(svg).toMatch(/^<svg role="img" aria-label="Time" /);
  expect(svg).toContain('fill="#ffffff"');
  expect(svg).toContain(">ImportedImage</text>");
  expect(svg).toContain(">regsync check</text>");
});
