import type { Texts } from '../area';
import type english from '../en/charts';

const french: Texts<typeof english> = {
  'group.states': 'États',
  'group.other': 'Autres',
  'panel.empty': 'Aucune valeur dans cette fenêtre',
  'panel.noTrack': 'Aucune position dans cette fenêtre',
  'panel.waiting': 'Chargement…',
  'panel.track': 'Trajet',
  'panel.summary': '{title} : maintenant {last}, minimum {low}, maximum {high} dans cette fenêtre',
  'panel.summaryEmpty': '{title} : aucune valeur dans cette fenêtre',
  'panel.summaryState': '{title} : maintenant {last}',
  'panel.summaryTrack': 'Trajet, position {position}',
  'panel.summaryHistogram': '{title} : répartition de {count} valeurs dans cette fenêtre',
  'panel.summaryHeatmap': '{title} : où se trouvaient ses valeurs dans cette fenêtre',
  'panel.correlation': 'r = {r}, n = {count}',
  'panel.summaryGauge': '{title} : maintenant {value}',
};
export default french;
