"use strict";
// Makes a checkout ready to run: dependencies installed, dist/ built. Each npm script calls it first.
// Plain Node without dependencies, since nothing may be installed yet; speaks on stderr, and only when it does something.
//   --no-build   dependencies only
//   --build      build dist/ even when it is up to date
const { spawn } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { withLock } = require("./lock.cjs");

// What everything here runs on. package.json says 22, because dependencies do; npm only warns about that.
const MINIMUM_NODE = 20;

/** Are all packages of the lock file installed, in exactly its versions? */
function isInstalled(root) {
  const wanted = readPackages(path.join(root, "package-lock.json"));
  // npm writes this file last, so an interrupted install has none.
  const installed = readPackages(path.join(root, "node_modules", ".package-lock.json"));
  if (!wanted) throw new Error("package-lock.json is missing or damaged");
  if (!installed) return false;
  return Object.entries(wanted).every(([location, { version, integrity, optional }]) => {
    const found = installed[location];
    if (location === "") return true;
    if (!found) return optional === true; // made for another platform
    return found.version === version && found.integrity === integrity;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** Is dist/ what a build of the present sources wrote? */
function isBuilt(root) {
  try {
    const record = JSON.parse(fs.readFileSync(recordFile(root), "utf8"));
    return record.sources === hashOfSources(root) && record.dist === hashOf(root, ["dist"]);
  } catch {
    return false;
  }
}

function hashOfSources(root) {
  const configuration = fs.readdirSync(root).filter((name) => /^tsconfig.*\.json$/.test(name));
  return hashOf(root, ["provider", "package.json", ...configuration.sort()]);
}

function hashOf(root, names) {
  const hash = createHash("sha256");
  const add = (name) => {
    const file = path.join(root, name);
    if (fs.statSync(file).isDirectory()) {
      for (const entry of fs.readdirSync(file).sort()) add(`${name}/${entry}`);
    } else {
      const content = fs.readFileSync(file);
      hash.update(`${name}\0${content.length}\0`).update(content);
    }
  };
  for (const name of names) add(name);
  return hash.digest("hex");
}

const workFolder = (root) => path.join(root, "node_modules", ".cache", "bootstrap");
const recordFile = (root) => path.join(workFolder(root), "dist.json");

async function install(root) {
  const npm = npmCommand();
  const options = ["ci", "--include=dev", "--no-audit", "--no-fund", "--no-progress", "--loglevel=warn"];
  await step("installing dependencies (npm ci, usually half a minute)", root, npm.command, [...npm.args, ...options]);
}

/** The npm that started us, else the one on PATH. */
function npmCommand() {
  const cli = process.env.npm_execpath;
  if (cli && path.basename(cli) === "npm-cli.js") return { command: process.execPath, args: [cli] };
  return { command: process.platform === "win32" ? "npm.cmd" : "npm", args: [] };
}

async function build(root) {
  const sources = hashOfSources(root);
  const output = path.join(workFolder(root), `dist-${process.pid}`);
  const compiler = path.join(root, "node_modules", "typescript", "bin", "tsc");
  const project = path.join(root, "tsconfig.build.json");
  try {
    await step("building dist/", root, process.execPath, [compiler, "-p", project, "--outDir", output]);
    // Swapped in as a whole: no file of an earlier build stays, and nobody who reads dist/ meanwhile sees half of it.
    fs.rmSync(path.join(root, "dist"), { recursive: true, force: true });
    fs.renameSync(output, path.join(root, "dist"));
    fs.writeFileSync(recordFile(root), JSON.stringify({ sources, dist: hashOf(root, ["dist"]) }));
  } finally {
    fs.rmSync(output, { recursive: true, force: true });
  }
}

/** Runs one command silently; shows what it said only when it fails. */
async function step(title, cwd, command, args) {
  const began = Date.now();
  say(`${title} …`);
  const output = [];
  const child = spawn(command, args, { cwd, shell: command.endsWith(".cmd"), stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => output.push(chunk));
  const stop = () => child.kill();
  process.on("SIGTERM", stop).on("SIGINT", stop);
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  process.off("SIGTERM", stop).off("SIGINT", stop);
  if (code !== 0) throw new Error(`${title} failed:\n${Buffer.concat(output).toString().trimEnd()}`);
  say(`${title}: done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

async function bootstrap(root, options) {
  const wantsBuild = () => !options.includes("--no-build") && (options.includes("--build") || !isBuilt(root));
  if (isInstalled(root) && !wantsBuild()) return;
  // Outside node_modules, which npm ci removes.
  const lock = path.join(root, ".bootstrap.lock");
  await withLock(
    lock,
    async () => {
      if (!isInstalled(root)) await install(root);
      if (wantsBuild()) {
        fs.mkdirSync(workFolder(root), { recursive: true });
        await build(root);
      }
    },
    () => say("waiting for another bootstrap of this checkout …"),
  );
}

if (require.main === module) {
  if (Number.parseInt(process.versions.node, 10) < MINIMUM_NODE) {
    say(`Node.js ${MINIMUM_NODE} or newer is needed, this is ${process.version}`);
    process.exit(1);
  }
  bootstrap(path.join(__dirname, ".."), process.argv.slice(2)).catch((error) => {
    say(error.message);
    process.exit(1);
  });
}

module.exports = { bootstrap, isInstalled, isBuilt };
