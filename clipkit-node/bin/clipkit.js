#!/usr/bin/env node
// The clipkit command.
"use strict";

const { cli } = require("../dist/cli.js");

process.exitCode = cli(["clipkit", ...process.argv.slice(2)]);
