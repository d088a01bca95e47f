#!/usr/bin/env node
import { processIo } from './process-io.js'
import { run } from './run.js'

// Which Node to use is for who installs the command to know, not for each of its users to be told.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

process.exitCode = await run(process.argv.slice(2), processIo())
