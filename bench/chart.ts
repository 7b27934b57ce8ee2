/** Draws the times of a no-op over the numbers of images, as SVG. */
import * as echarts from "echarts";
import type { Series } from "./report";

const WIDTH = 880;
const HEIGHT = 460;
const TEXT = "#1f2328";
const MUTED = "#57606a";
const GRID = "#d0d7de";

/** Ours is drawn bold and in the colour of docs/how-it-works.svg; each other line has a dash of its own, so colour is not all. */
const styles: readonly { color: string; width: number; type: "solid" | number[] }[] = [
  { color: "#0969da", width: 4, type: "solid" },
  { color: "#57606a", width: 2, type: "solid" },
  { color: "#8c959f", width: 2, type: [2, 4] },
  { color: "#bc4c00", width: 2, type: [8, 4] },
  { color: "#9a6700", width: 2, type: [8, 4, 2, 4] },
  { color: "#8250df", width: 2, type: [4, 4] },
  { color: "#1a7f37", width: 2, type: [12, 4] },
];

/** A white picture with logarithmic axes, readable on light and dark pages; the same for the same figures. */
export function drawChart(title: string, series: readonly Series[]): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height: HEIGHT });
  try {
    chart.setOption(options(title, series));
    return toPicture(title, chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

function options(title: string, series: readonly Series[]): echarts.EChartsOption {
  const axis = {
    type: "log" as const,
    nameLocation: "middle" as const,
    nameTextStyle: { color: MUTED, fontSize: 14 },
    axisLabel: { color: MUTED, fontSize: 13 },
    axisLine: { show: true, lineStyle: { color: MUTED } },
    splitLine: { show: true, lineStyle: { color: GRID } },
  };
  const right = Math.max(...series.flatMap(({ points }) => points.map(([images]) => images)));
  return {
    animation: false,
    backgroundColor: "#ffffff",
    textStyle: { fontFamily: "sans-serif" },
    title: { text: title, left: 20, top: 14, textStyle: { color: TEXT, fontSize: 16 } },
    grid: { left: 70, right: 190, top: 60, bottom: 60 },
    xAxis: { ...axis, name: "images", nameGap: 34 },
    yAxis: { ...axis, name: "seconds", nameGap: 46 },
    series: series.map(({ name, points }, index) => {
      const last = points.at(-1)?.[0];
      const { color, width, type } = styles[index % styles.length] as (typeof styles)[number];
      return {
        type: "line" as const,
        name,
        data: points.map(([images, ms]) => [images, ms / 1000]),
        lineStyle: { color, width, type },
        itemStyle: { color },
        symbol: "circle",
        symbolSize: width + 4,
        endLabel: { show: true, formatter: name, color, fontSize: 13, distance: 8 },
        // Names beside the right edge make room for each other; the others stay beside the end of their line.
        ...(last === right ? { labelLayout: { moveOverlap: "shiftY" as const } } : {}),
        z: series.length - index,
      };
    }),
  };
}

/** A still picture: named for those who do not see it, and without the library's styles for a mouse, whose names differ from run to run. */
function toPicture(title: string, svg: string): string {
  return `${svg
    .replace(/^<svg /, `<svg role="img" aria-label="${title}" `)
    .replace(/<style >.*?<\/style>\n/s, "")
    .replace(/ class="[^"]*"/g, "")
    .replace(/ pointer-events="[^"]*"/g, "")
    .replace(/\bzr\d+-/g, "chart-")}\n`;
}
