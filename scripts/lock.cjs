"use strict";
// A lock file: one process at a time does a piece of work.
// Plain Node.js without dependencies: the bootstrap uses it before anything is installed.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const HEARTBEAT_MS = 2_000;
const STALE_AFTER_MS = 60_000;
const POLL_MS = 200;

/** Runs `work` while no other process holds the lock `file`; a lock whose holder has died is taken over. */
async function withLock(file, work, onWait = () => {}) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (let waited = false; !acquire(file); waited = true) {
    if (!waited) onWait();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const release = () => fs.rmSync(file, { force: true });
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS);
  process.once("exit", release);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.removeListener("exit", release);
    release();
  }
}

function acquire(file) {
  if (create(file)) return true;
  // Only one waiter at a time may remove a stale lock: the second of two could remove a lock that was acquired in between.
  const breaking = `${file}.breaking`;
  if (!create(breaking)) {
    if (age(breaking) > STALE_AFTER_MS) fs.rmSync(breaking, { force: true });
    return false;
  }
  try {
    if (isStale(file)) fs.rmSync(file, { force: true });
    return create(file);
  } finally {
    fs.rmSync(breaking, { force: true });
  }
}

function create(file) {
  try {
    fs.writeFileSync(file, JSON.stringify({ host: os.hostname(), pid: process.pid }), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function isStale(file) {
  if (age(file) > STALE_AFTER_MS) return true;
  try {
    const holder = JSON.parse(fs.readFileSync(file, "utf8"));
    return holder.host === os.hostname() && !isAlive(holder.pid);
  } catch {
    return false; // is being written, or was just removed
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function age(file) {
  try {
    return Date.now() - fs.statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

function touch(file) {
  try {
    const now = new Date();
    fs.utimesSync(file, now, now);
  } catch {}
}

module.exports = { withLock };
