"use strict";
// Makes a checkout ready to run: installs dependencies and builds dist/. Each npm script runs it first.
//   --no-build   dependencies only
//   --build      build dist/ even when it is up to date
//
// Plain Node.js without dependencies, since nothing may be installed yet. Writes to stderr, and only when there is work to do.
const { spawn } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { withLock } = require("./lock.cjs");
const { TOLERATED_NODE, describeNode } = require("./node-versions.cjs");

/** Whether all packages of the lock file are installed, in exactly its versions. */
function isInstalled(root) {
  const locked = readPackages(path.join(root, "package-lock.json"));
  // npm writes this file last, so an interrupted install has none.
  const installed = readPackages(path.join(root, "node_modules", ".package-lock.json"));
  if (!locked) throw new Error("package-lock.json is missing or damaged");
  if (!installed) return false;
  return Object.entries(locked).every(([location, { version, integrity, optional }]) => {
    const found = installed[location];
    if (location === "") return true;
    if (!found) return optional === true; // a package for another platform
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

/** Whether dist/ is the result of building the current sources. */
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

/** The npm that started this process, else the one on PATH. */
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
    // Replaced as a whole: no file of an earlier build remains, and no process that reads dist/ sees half of it.
    fs.rmSync(path.join(root, "dist"), { recursive: true, force: true });
    fs.renameSync(output, path.join(root, "dist"));
    fs.writeFileSync(recordFile(root), JSON.stringify({ sources, dist: hashOf(root, ["dist"]) }));
  } finally {
    fs.rmSync(output, { recursive: true, force: true });
  }
}

/** Runs one command; prints its output only when it fails. */
async function step(title, cwd, command, args) {
  const started = Date.now();
  print(`${title} …`);
  const output = [];
  const child = spawn(command, args, { cwd, shell: command.endsWith(".cmd"), stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => output.push(chunk));
  const stop = () => child.kill();
  process.on("SIGTERM", stop).on("SIGINT", stop);
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  process.off("SIGTERM", stop).off("SIGINT", stop);
  if (code !== 0) throw new Error(`${title} failed:\n${Buffer.concat(output).toString().trimEnd()}`);
  print(`${title}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function print(text) {
  process.stderr.write(`${text}\n`);
}

async function bootstrap(root, options) {
  const wantsBuild = () => !options.includes("--no-build") && (options.includes("--build") || !isBuilt(root));
  if (isInstalled(root) && !wantsBuild()) return;
  // Outside node_modules, because npm ci removes that.
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
    () => print("waiting for another bootstrap of this checkout …"),
  );
}

if (require.main === module) {
  if (Number.parseInt(process.versions.node, 10) < TOLERATED_NODE) {
    print(describeNode(process.version));
    process.exit(1);
  }
  bootstrap(path.join(__dirname, ".."), process.argv.slice(2)).catch((error) => {
    print(error.message);
    process.exit(1);
  });
}

module.exports = { bootstrap, isInstalled, isBuilt };
