"use strict";
// Preloaded into the processes of a run: connections to the hosts in BENCH_PORTS go to ports of this machine.
const { Socket } = require("node:net");

const ports = JSON.parse(process.env.BENCH_PORTS ?? "{}");
const { connect } = Socket.prototype;

Socket.prototype.connect = function (...args) {
  // `net.connect` passes its arguments as one array.
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  const port = typeof options === "object" && Number(options.port) === 443 ? ports[options.host] : undefined;
  if (port !== undefined) Object.assign(options, { host: "127.0.0.1", port });
  return connect.apply(this, args);
};
