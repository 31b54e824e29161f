import { area } from '../../text/area';
import english from '../../text/en/explore';

export const say = area('explore', english);
