import type { Mutant } from './mutant.js'

/** Bugs on a commit's way into the log and back to its writer. */
export const COMMITS: readonly Mutant[] = [
  {
    name: 'blind-retry',
    bug: 'An append without a certain answer is treated as lost, and repeated at the next version.',
    patches: [
      {
        module: 'commit-log/settle',
        from: "if (!isFirnError(error, 'FIRN_AMBIGUOUS_APPEND')) {",
        to: `if (isFirnError(error, 'FIRN_AMBIGUOUS_APPEND'))
          return { appended: false, winner: { ...entry, token: '' } };
        if (!isFirnError(error, 'FIRN_AMBIGUOUS_APPEND')) {`,
      },
    ],
  },
  {
    name: 'empty-slot-is-lost',
    bug: 'An append that is not found when it is looked up is treated as lost, though it may still arrive.',
    patches: [
      {
        module: 'commit-log/settle',
        from: 'if (found !== undefined) return settled({ appended: false, winner: found }, entry.token);',
        to: `return settled(
          { appended: false, winner: found ?? { ...entry, token: '' } }, entry.token);`,
      },
    ],
  },
  {
    name: 'own-token-ignored',
    bug: 'When a request is delivered twice, a process takes its own entry for another writer’s.',
    patches: [
      {
        module: 'commit-log/settle',
        from: 'if (!result.appended && result.winner.token === token) return { appended: true };',
        to: '',
      },
    ],
  },
  {
    name: 'any-token-is-own',
    bug: 'Any entry with the right version is taken for the one that was appended.',
    patches: [
      {
        module: 'commit-log/settle',
        from: 'if (!result.appended && result.winner.token === token)',
        to: 'if (!result.appended)',
      },
    ],
  },
  {
    name: 'new-token-for-each-attempt',
    bug: 'A repeated append gets a new token, so the entry of the first attempt is not recognized.',
    patches: [
      {
        module: 'commit-log/settle',
        from: 'return settled(await log.append(entry, { signal }), entry.token);',
        to: `if (attempt > 0) entry = { ...entry, token: entry.token.slice(0, -1) + (attempt % 10) };
            return settled(await log.append(entry, { signal }), entry.token);`,
      },
    ],
  },
  {
    name: 'second-attempt-decides',
    bug: 'If a second attempt fails, its error ignores the first attempt, which may still arrive.',
    patches: [
      { module: 'commit-log/settle', from: 'if (attempt === 0) throw error;', to: 'throw error;' },
    ],
  },
  {
    name: 'unknown-is-refused',
    bug: 'A commit with an unknown outcome is reported as refused.',
    patches: [
      {
        module: 'engine/internal/append/shared-log-appender',
        from: 'outcomes.refused(group, error);',
        to: `outcomes.refused(group, isFirnError(error, 'FIRN_COMMIT_UNKNOWN')
              ? new CommitConflictError('the log is out of reach', { retryable: true }) : error);`,
      },
    ],
  },
  {
    name: 'acknowledged-before-append',
    bug: 'On a shared log, a group is acknowledged when it is sent.',
    patches: [
      {
        module: 'engine/internal/append/shared-log-appender',
        from: 'const result = await appendSettled(',
        to: 'group.resolve(commit); const result = await appendSettled(',
      },
    ],
  },
  {
    name: 'acknowledged-before-disk',
    bug: 'On a directory’s log, a group becomes visible and is acknowledged when it is handed to the disk.',
    patches: [
      {
        module: 'engine/internal/append/exclusive-log-appender',
        from: 'append.catch(() => { });',
        to: `append.catch(() => { });
          this.#versions.show(group.commit.version, group.commit.timestamp);
          group.resolve(group.commit);`,
      },
    ],
  },
  {
    name: 'told-newest-version',
    bug: 'A writer gets the newest version that its process knows, which may be later than its own.',
    patches: [
      {
        module: 'engine/internal/commit/group-runner',
        from: 'group.resolve(commit); this.#onProgress();',
        to: `group.resolve({ ...commit, version: this.#versions.state.version });
          this.#onProgress();`,
      },
    ],
  },
  {
    name: 'loser-not-validated',
    bug: 'Edits that lost their version are appended at the next one without validation against the entries between.',
    patches: [
      {
        module: 'engine/internal/append/shared-log-appender',
        from: 'group.adaptTo(state);',
        to: 'if (attempt === 1) group.adaptTo(state); else group.rebase(state);',
      },
    ],
  },
  {
    name: 'wall-clock-decides',
    bug: 'A commit takes its timestamp from the wall clock, even if the clock was set back.',
    patches: [
      {
        module: 'mvcc/clock',
        from: 'return now >= after && now <= LATEST_WALL_CLOCK ? now : after;',
        to: 'return now <= LATEST_WALL_CLOCK ? now : after;',
      },
    ],
  },
  {
    name: 'ambient-clock',
    bug: 'A clock is read without the Env.',
    patches: [
      {
        module: 'mvcc/clock',
        from: 'const now = Math.floor(this.#env.now());',
        to: 'const now = Date.now() * 1000;',
      },
    ],
  },
  {
    name: 'table-id-kept-by-loser',
    bug: 'A group that creates a table and loses its version keeps an id that another table has by then.',
    patches: [
      {
        module: 'engine/internal/append/commit-group',
        from: 'this.#parts = [renumberRecords(payload, ids)];',
        to: `this.#parts = [this.wasRebased ? payload : renumberRecords(payload, ids)];
          this.wasRebased = true;`,
      },
      {
        module: 'engine/internal/append/commit-group',
        from: 'startsSegment = false;',
        to: 'startsSegment = false; wasRebased = false;',
      },
    ],
  },
  {
    name: 'batch-deleted-on-doubt',
    bug: 'A batch’s files are deleted though it is not known whether its entry is in the log.',
    patches: [
      {
        module: 'engine/internal/ingest/ingestion',
        from: 'finally { await writer.discard(replaced);',
        to: `catch (error) { await writer.discard(files); throw error; }
          finally { await writer.discard(replaced);`,
      },
    ],
  },
  {
    name: 'batch-lost-in-group',
    bug: 'When large batches share a commit, its file holds only the last one.',
    patches: [
      {
        module: 'engine/internal/ingest/ingest-queue',
        from: ': members.map(({ records })',
        to: ': members.slice(-1).map(({ records })',
      },
    ],
  },
  {
    name: 'compaction-deleted-on-doubt',
    bug: 'A compaction’s files are deleted though it is not known whether its entry is in the log.',
    patches: [
      {
        module: 'engine/internal/maintenance/compactor',
        from: "if (!isFirnError(error, 'FIRN_COMMIT_CONFLICT')) throw error; return;",
        to: `await this.#options.writer.discard(files);
          if (!isFirnError(error, 'FIRN_COMMIT_CONFLICT')) throw error; return;`,
      },
    ],
  },
  {
    name: 'buffered-shown-out-of-order',
    bug: 'A buffered write becomes visible though an earlier write is not in the log yet.',
    patches: [
      {
        module: 'engine/internal/commit/committer',
        from: 'return this.#exclusive !== undefined && this.#queue.isSeen;',
        to: 'return this.#exclusive !== undefined;',
      },
    ],
  },
  {
    name: 'batch-keeps-older-of-key',
    bug: 'If a large batch writes a key twice, the first value stays.',
    patches: [
      {
        module: 'compaction/merge-commit-files',
        from: 'aged(file, i + 1)',
        to: 'aged(file, runs.length - i)',
      },
    ],
  },
  {
    name: 'write-to-dropped-table',
    bug: 'A write to a table that was dropped meanwhile is acknowledged, but goes into no table.',
    patches: [
      {
        module: 'engine/internal/append/commit-group',
        from: 'if (!state.tables.has(id) && !this.provisional.has(id)) {',
        to: 'if (id < 0) {',
      },
    ],
  },
  {
    name: 'batch-given-up-too-late',
    bug: 'A batch that is aborted while its entry is being appended has its files deleted.',
    patches: [
      {
        module: 'engine/internal/ingest/ingestion',
        from: 'async stop(reason) { if (this.#committing) return;',
        to: 'async stop(reason) {',
      },
    ],
  },
  {
    name: 'listener-left-on-signal',
    bug: 'A finished batch still listens to its abort signal.',
    patches: [
      {
        module: 'engine/internal/ingest/ingestion',
        from: "signal?.removeEventListener('abort', onAbort);",
        to: '',
      },
    ],
  },
]
