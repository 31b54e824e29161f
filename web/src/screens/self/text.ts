import { area } from '../../text/area';
import english from '../../text/en/self';

export const say = area('self', english);
export type SelfKey = keyof typeof english;
