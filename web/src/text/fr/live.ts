import type { Texts } from '../area';
import type english from '../en/live';

const french: Texts<typeof english> = {
  'datasets.label': 'Jeux de données',
  'datasets.all': 'Tous',
  'dataset.fields': '{used} champs utilisés sur {all}, {empty} vides masqués',
  'dataset.fieldsAll': '{all} champs',
  'dataset.events': '{events} événements',
  'dataset.more': 'Afficher {count} graphiques de plus',
  'dataset.fewer': 'Afficher moins de graphiques',
  'dataset.silent': 'Aucun événement dans cette fenêtre. Le plus récent date du {time}, {age}.',
  'dataset.never': 'Aucun événement pour le moment.',
  'dataset.show': 'L’afficher',
  'dataset.begins': 'Les événements commencent le {time} : il y en a {have} sur {span}.',
  'dataset.fit': 'Ajuster aux données',
  'dataset.refused': 'Le serveur a refusé l’abonnement : {detail}',
  'dataset.missing': 'Aucun jeu de données ne s’appelle {dataset}.',
  'dataset.schema': 'schéma v{version}',
  'tiles.label': 'Dernières valeurs',
  'devices.label': 'Appareils',
  'devices.seen': 'Vu',
  'devices.rate': 'Débit',
  'devices.expected': 'sur {rate}',
  'devices.state.live': 'actif',
  'devices.state.late': 'en retard',
  'devices.state.lost': 'perdu',
  'devices.toggle': 'Tracer {device}',
  'empty.title': 'Rien n’est encore arrivé',
  'empty.body': 'Le premier événement crée son jeu de données et son tableau de bord. Envoyez-en un :',
  'empty.connecting': 'Connexion au serveur…',
  'empty.failed': 'Le serveur n’a pas répondu : {detail}',
};
export default french;
