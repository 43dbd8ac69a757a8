#!/usr/bin/env node
import { run } from './program.js';

process.exit(await run(process.argv.slice(2))); // exit: a look-up that DNS never answers would keep the process alive
