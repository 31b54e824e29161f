// The page: head, one section per dataset, and what is shown when there is none.

import { dataset, datasets, link, restFailure, shownDatasets } from '../state/app';
import { Dataset } from './dataset';
import { formatClock } from './format';
import { Header } from './header';
import { Shortcuts } from './shortcuts';
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

function Stale() {
  const { state, since } = link.value;
  if (state !== 'stale') return null;
  return (
    <p class="stale-banner" role="alert" data-testid="stale">
      {say('link.staleLong', { time: formatClock(since * 1_000) })}
    </p>
  );
}

export function Page() {
  const shown = shownDatasets.value;
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        {say('app.skip')}
      </button>
      <Header />
      <Stale />
      <main id="main" tabIndex={-1} data-link={link.value.state}>
        <h1 class="visually-hidden">{say('app.name')}</h1>
        {shown.length === 0 ? (
          <Empty />
        ) : (
          shown.map((info) => <Dataset key={info.name} info={info} alone={dataset.value !== null} />)
        )}
      </main>
      <Shortcuts />
    </>
  );
}
