#!/usr/bin/env node
// Runs the emulator from its TypeScript sources, without a build.
"use strict";
require("tsx/cjs");
require("./main.ts");
