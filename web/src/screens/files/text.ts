import { area } from '../../text/area';
import english from '../../text/en/files';

export const say = area('files', english);
export type FilesKey = keyof typeof english;
