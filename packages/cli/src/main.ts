#!/usr/bin/env node
import { processIo } from './process-io.js'
import { run } from './run.js'

// The installer chooses the version of Node, so don't warn each user of the command about it.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

process.exitCode = await run(process.argv.slice(2), processIo())
