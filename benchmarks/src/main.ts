import { cloudCommand } from './commands/cloud.js'
import { loadCommand } from './commands/load.js'
import { profileCommand } from './commands/profile.js'
import { reportCommand } from './commands/report.js'
import { runCommand } from './commands/run.js'
import { slowCommand } from './commands/slow.js'

const USAGE = `Usage: node dist/main.js <command> [options]

  run       measure, write results/<time>.json
            --keys 500000  --runs 3  --peers firn,lmdb,…  --only get,ycsb-a,…  --directory <for databases>
            --json <file>  --markdown (print the table)  --timeout <seconds per group>
  report    [file] [--note <text>]  write a result's table (by default the newest's) into README.md
  profile   --workload get  [--keys 500000] [--peer firn] [--top 25] [--output <file>.cpuprofile]
  cloud     requests to S3 and DynamoDB and their cost, write results/cloud.json
            --peers firn,firn-objects,slatedb,…  --runs 3  --keys 200000  --idle <seconds, 60>
            --delay 30,5 (milliseconds that S3's and DynamoDB's answers are held back)
            --json <file>  --markdown (print the tables)  --timeout <seconds per step of a peer>
  slow      commits of processes that share a log in objects, while some replies are late
            --processes 6  --seconds 60  --seed 1  --usual 10 (milliseconds that a reply takes)
            --late 5 (per cent of replies)  --by 1000,5000 (milliseconds)  --directory <for the database>
            --json <file>
  load      [--records 5000000] [--json <file>]  memory of a large load, then reopening
`

const COMMANDS: Record<string, (args: string[]) => Promise<void>> = {
  run: runCommand,
  report: reportCommand,
  profile: profileCommand,
  load: loadCommand,
  cloud: cloudCommand,
  slow: slowCommand,
}

const [name = '', ...args] = process.argv.slice(2)
const command = COMMANDS[name]
if (command === undefined) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  try {
    await command(args)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
