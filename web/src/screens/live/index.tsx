// Live, the home: a dashboard of every dataset, made from its schema alone.

import { dataset, datasets, hrefOf, restFailure, shownDatasets } from '../../state/app';
import { Timeline } from '../../view/timeline';
import { Dataset } from './dataset';
import './live.css';
import { say } from './text';

const EXAMPLE = (origin: string) =>
  `curl ${origin}/api/v1/datasets/garden/events \\\n  -H 'content-type: application/json' \\\n  -d '{"device":"pot-1","moisture":41.5,"pump":false}'`;

function Empty() {
  if (dataset.value !== null && datasets.value !== null && datasets.value.length > 0) {
    return <p class="empty">{say('dataset.missing', { dataset: dataset.value })}</p>;
  }
  if (restFailure.value !== null) return <p class="empty">{say('empty.failed', { detail: restFailure.value })}</p>;
  if (datasets.value === null) return <p class="empty">{say('empty.connecting')}</p>;
  return (
    <div class="empty">
      <h2>{say('empty.title')}</h2>
      <p>{say('empty.body')}</p>
      <pre>
        <code>{EXAMPLE(location.origin)}</code>
      </pre>
    </div>
  );
}

export const usesWindow = true;

export function Bar() {
  const all = datasets.value ?? [];
  return (
    <nav class="datasets" aria-label={say('datasets.label')}>
      <a href={hrefOf(null)} aria-current={dataset.value === null ? 'page' : undefined}>
        {say('datasets.all')}
      </a>
      {all.map((d) => (
        <a key={d.name} href={hrefOf(d.name)} aria-current={dataset.value === d.name ? 'page' : undefined}>
          {d.label || d.name}
        </a>
      ))}
    </nav>
  );
}

export default function Live() {
  const all = shownDatasets.value;
  if (all.length === 0) return <Empty />;
  return (
    <>
      {all.map((info) => (
        <Dataset key={info.name} info={info} alone={dataset.value !== null} />
      ))}
      <Timeline />
    </>
  );
}
