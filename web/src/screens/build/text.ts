import { area } from '../../text/area';
import english from '../../text/en/build';

export const say = area('build', english);
