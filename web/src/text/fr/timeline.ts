import type { Texts } from '../area';
import type english from '../en/timeline';

const french: Texts<typeof english> = {
  'timeline.label': 'Voyage dans le temps',
  'timeline.thumb': 'Fenêtre sur la frise',
  'timeline.play': 'Rejouer le passé',
  'timeline.pause': 'Pause',
  'timeline.reverse': 'Rejouer à l’envers',
  'timeline.rate': 'Vitesse',
  'timeline.rateOf': '{rate}×',
  'timeline.loop': 'Répéter cette durée',
  'timeline.unloop': 'Arrêter la répétition',
  'timeline.live': 'Direct',
  'timeline.goLive': 'Revenir au direct',
  'overlay.open': 'Superposer',
  'overlay.about': 'Trace une autre durée, en pointillés, sur celle-ci. Les deux sont alignées sur leur début.',
  'overlay.start': 'Début de l’autre durée',
  'overlay.device': 'Appareil',
  'overlay.each': 'chacun avec lui-même',
  'overlay.before': 'La durée précédente',
  'overlay.first': 'Premier événement de l’appareil',
  'overlay.show': 'Superposer',
  'overlay.remove': 'Retirer',
  'overlay.wrong': 'Ce n’est pas une heure : écrivez 23/11/2026 21:00, 21:00:05, -2h ou now.',
  'overlay.on': 'Superposé : {offset}',
  'overlay.onDevice': 'Superposé : {device}, {offset}',
  'overlay.earlier': '{span} plus tôt',
  'overlay.later': '{span} plus tard',
  'overlay.same': 'même moment',
};
export default french;
