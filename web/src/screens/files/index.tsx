// Files: drop a recording, see what it holds, load it; then its profile, charts and relations, alone or against another.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { formatNumber, formatShort } from '../../kit/format';
import { dropOn, Note, Trouble, usePoll } from '../../kit/kit';
import { formatMicros } from '../../kit/time';
import { own, setOwn } from '../../state/app';
import { formatDuration } from '../../view/format';
import type { Failure } from '../../wire/call';
import { offers } from '../../wire/features';
import { type FileInfo, getFiles } from '../../wire/files';
import { Analysis } from './analysis';
import { IncomingCard } from './preview';
import { say } from './text';
import { dismiss, findWaiting, incoming, take } from './uploads';
import './files.css';

const POLL_MS = 5_000;

function DropZone({ slim }: { slim: boolean }) {
  const over = useSignal(false);
  const takeAll = (list: FileList | null | undefined) => {
    for (const file of list ?? []) void take(file);
  };
  return (
    <section
      class={`card drop file-drop${over.value ? ' over' : ''}${slim ? ' slim' : ''}`}
      aria-label={say('drop.label')}
      {...dropOn(over, takeAll)}
    >
      <svg class="icon" viewBox="0 0 24 24" width="28" height="28" aria-hidden="true">
        <path
          d="M12 15.5V4.5M7.5 8.5 12 4l4.5 4.5M4 14v4.5A1.5 1.5 0 0 0 5.5 20h13a1.5 1.5 0 0 0 1.5-1.5V14"
          fill="none"
          stroke="currentColor"
          stroke-width="1.6"
          stroke-linecap="round"
          stroke-linejoin="round"
        />
      </svg>
      <p>
        <b>{say('drop.title')}</b>
        <span class="hint">{say('drop.hint')}</span>
      </p>
      <label class="button strong">
        {say('drop.choose')}
        <input
          class="visually-hidden"
          type="file"
          multiple
          accept=".csv,.tsv,.txt,.log,text/csv,text/plain"
          data-testid="csv-file"
          onChange={(event) => {
            takeAll(event.currentTarget.files);
            event.currentTarget.value = '';
          }}
        />
      </label>
    </section>
  );
}

function FileRow({ file }: { file: FileInfo }) {
  const { from, to } = file;
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link" onClick={() => setOwn({ file: String(file.id) })} data-file={file.name}>
          {file.name}
        </button>
      </th>
      <td>{file.prototype}</td>
      <td class="number">{formatNumber(file.rows)}</td>
      <td class="number">{formatNumber(file.columns)}</td>
      <td class="number">{file.rejected === 0 ? '0' : <span class="badge bad">{formatNumber(file.rejected)}</span>}</td>
      <td>{from === null ? '–' : formatMicros(from).slice(0, 19)}</td>
      <td class="number">{from === null || to === null ? '–' : formatDuration(to - from)}</td>
    </tr>
  );
}

function List({ files }: { files: FileInfo[] }) {
  if (files.length === 0) return <Note>{say('list.none')}</Note>;
  const rows = files.reduce((sum, f) => sum + f.rows, 0);
  return (
    <section class="card" data-testid="files">
      <div class="card-head">
        <h3>{say('list.title', { n: files.length })}</h3>
        <span class="hint">{say('file.rows', { n: formatShort(rows) })}</span>
      </div>
      <div class="scroll-x" tabIndex={0} role="region" aria-label={say('list.title', { n: files.length })}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{say('list.name')}</th>
              <th scope="col">{say('list.prototype')}</th>
              <th scope="col" class="number">
                {say('list.rows')}
              </th>
              <th scope="col" class="number">
                {say('list.columns')}
              </th>
              <th scope="col" class="number">
                {say('list.bad')}
              </th>
              <th scope="col">{say('list.from')}</th>
              <th scope="col" class="number">
                {say('list.length')}
              </th>
            </tr>
          </thead>
          <tbody>
            {files.map((file) => (
              <FileRow key={file.id} file={file} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export default function Files() {
  const files = useSignal<FileInfo[] | null>(null);
  const offered = useSignal<boolean | null>(null);
  const failure = useSignal<Failure | null>(null);
  const refresh = async (signal?: AbortSignal): Promise<FileInfo[]> => {
    offered.value = await offers('get', '/files');
    if (!offered.value) return [];
    const answer = await getFiles(signal);
    failure.value = answer.ok ? null : answer;
    if (!answer.ok) return [];
    files.value = answer.value.files;
    return answer.value.files;
  };
  usePoll(POLL_MS, async (signal) => void (await refresh(signal)));
  useEffect(() => void findWaiting(), []);
  const all = files.value ?? [];
  const file = all.find((f) => String(f.id) === own.value.file);
  const other = all.find((f) => String(f.id) === own.value.versus && f !== file) ?? null;
  if (file !== undefined) {
    const pair = { x: own.value.x ?? '', y: own.value.y ?? '' };
    return (
      <div class="screen files">
        <Analysis file={file} other={other} files={all} pair={pair} />
      </div>
    );
  }
  return (
    <div class="screen files">
      <DropZone slim={incoming.value.length > 0} />
      {incoming.value.map((one) => (
        <IncomingCard
          key={one.key}
          one={one}
          done={async (status) => {
            await dismiss(one);
            const now = await refresh();
            const loaded = now.filter((f) => f.upload === status.id).toSorted((a, b) => a.id - b.id);
            const newest = loaded[loaded.length - 1];
            if (newest !== undefined) setOwn({ file: String(newest.id) });
          }}
        />
      ))}
      <Trouble failure={failure.value} />
      {offered.value === false && <Note tone="warn">{say('list.absent')}</Note>}
      {files.value !== null && <List files={all} />}
    </div>
  );
}
