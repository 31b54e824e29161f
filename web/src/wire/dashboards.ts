// Saved dashboards on the server.

import { type Answer, request } from './rest';

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

const PATH = '/api/v1/dashboards';
const pathOf = (id: string) => `${PATH}/${encodeURIComponent(id)}`;

export function listDashboards(): Promise<Answer<{ dashboards: DashboardLine[] }>> {
  return request('GET', PATH);
}

export function readDashboard(id: string): Promise<Answer<SavedDashboard>> {
  return request('GET', pathOf(id));
}

export function createDashboard(name: string, document: unknown): Promise<Answer<SavedDashboard>> {
  return request('POST', PATH, { name, document });
}

export function changeDashboard(id: string, name: string, document: unknown): Promise<Answer<SavedDashboard>> {
  return request('PUT', pathOf(id), { name, document });
}

export function deleteDashboard(id: string): Promise<Answer<null>> {
  return request('DELETE', pathOf(id));
}
