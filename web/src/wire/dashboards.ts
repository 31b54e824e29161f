// Saved dashboards on the server.

import { call, path, type Reply } from './call';

export interface DashboardLine {
  id: string;
  name: string;
  /** µs since the epoch. */
  changed: number;
  bytes: number;
}

export interface SavedDashboard {
  id: string;
  name: string;
  changed: number;
  /** Of what shape it is, the page must check: others may have written it. */
  document: unknown;
}

const pathOf = (id: string) => path('/dashboards/{}', id);

export function listDashboards(): Promise<Reply<{ dashboards: DashboardLine[] }>> {
  return call(path('/dashboards'));
}

export function readDashboard(id: string): Promise<Reply<SavedDashboard>> {
  return call(pathOf(id));
}

export function createDashboard(name: string, document: unknown): Promise<Reply<SavedDashboard>> {
  return call(path('/dashboards'), { method: 'POST', json: { name, document } });
}

export function changeDashboard(id: string, name: string, document: unknown): Promise<Reply<SavedDashboard>> {
  return call(pathOf(id), { method: 'PUT', json: { name, document } });
}

export function deleteDashboard(id: string): Promise<Reply<null>> {
  return call(pathOf(id), { method: 'DELETE' });
}
