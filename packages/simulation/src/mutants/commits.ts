import type { Mutant } from './mutant.js'

/** On the way of a commit into the log, and back to who made it. */
export const COMMITS: readonly Mutant[] = [
  {
    name: 'blind-retry',
    bug: 'An append without a certain answer is taken for lost, and made again at the next version.',
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
    bug: 'An append that is not there when it is looked for is taken for lost; it may still arrive.',
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
    bug: "One's own entry, met again by a request that was delivered twice, is taken for another's.",
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
    bug: 'Whichever entry has the version is taken for the one that was to be appended.',
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
    bug: 'An append that is tried again has another token, so what the first attempt wrote is not known again.',
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
    bug: 'An error of a second attempt is told as if there had been no first one, which may still arrive.',
    patches: [
      { module: 'commit-log/settle', from: 'if (attempt === 0) throw error;', to: 'throw error;' },
    ],
  },
  {
    name: 'unknown-is-refused',
    bug: 'A commit of which nobody knows what became is told as refused.',
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
    bug: 'A group of a shared log is acknowledged when it is sent.',
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
    bug: "A group of a directory's log is shown and acknowledged when it is handed to the disk.",
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
    bug: 'A writer is told the newest version that its process knows, which may be a later one than its own.',
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
    bug: 'Edits that lost their version to others are appended at the next one without a look at what came between.',
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
    bug: 'A timestamp is what the wall clock says, also where it was set back.',
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
    bug: 'A clock is read past the Env.',
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
    bug: 'A group that creates a table and loses its version keeps the id that another table has by then.',
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
    bug: 'The files of a batch are deleted where it is not known whether its entry is in the log.',
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
    bug: 'Of large batches that share a commit, only the last one is in its file.',
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
    bug: 'The files of a compaction are deleted where it is not known whether its entry is in the log.',
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
    bug: 'A buffered write is shown though a write before it is not in the log yet.',
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
    bug: 'Of a key that a large batch writes twice, the first value stays.',
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
    bug: 'A write to a table that was dropped meanwhile is acknowledged, and in no table.',
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
    bug: 'A batch that is given up while its entry is on its way to the log has its files deleted.',
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
    bug: 'A batch that is done still listens to the signal that it was given.',
    patches: [
      {
        module: 'engine/internal/ingest/ingestion',
        from: "signal?.removeEventListener('abort', onAbort);",
        to: '',
      },
    ],
  },
]
