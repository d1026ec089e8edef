#!/usr/bin/env node
import { main } from '../dist/src/cli/main.js';

// Found on the PATH, kubectl runs it as `kubectl why`.
process.exitCode = await main(['why', ...process.argv.slice(2)]);
