#!/usr/bin/env node
import { leave } from './leave.js';
import { run } from './program.js';

// Whoever reads the output may go away (`| head`, a terminal that was closed), or a disk that keeps it may be full. The
// work goes on: its results are in files.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// A look-up that DNS never answers would keep the process alive.
leave(await run(process.argv.slice(2)));
