"use strict";
// Preloaded into the processes of a run: program and plugin write the name of each module file when they load it, since the
// engine ends the plugin without notice.
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

const [, script] = /[\\/]cmd[\\/](run|dynamic-provider)\b/.exec(process.argv[1] ?? "") ?? [];

if (script !== undefined && process.env.BENCH_MODULES !== undefined) {
  const list = path.join(process.env.BENCH_MODULES, script);
  const { load } = Module.prototype;
  Module.prototype.load = function (file) {
    fs.appendFileSync(list, `${file}\n`);
    return load.call(this, file);
  };
}
