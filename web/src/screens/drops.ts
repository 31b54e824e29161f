// A recording dropped anywhere on the page is taken by the screen Files; without this the browser would leave the page for it.

import { hrefOfScreen } from '../state/app';

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

/** Places that take files for themselves have prevented the default by the time an event gets here. */
export function listenToDrops(): void {
  document.addEventListener('dragover', (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  document.addEventListener('drop', (event) => {
    if (!hasFiles(event) || event.defaultPrevented) return;
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    location.hash = hrefOfScreen('files');
    void import('./files/uploads').then(({ take }) => {
      for (const file of files) void take(file);
    });
  });
}
